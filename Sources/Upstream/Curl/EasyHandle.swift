internal import CCurl

/// An easy handle of libcurl, configured for its upstream, with the context for its socket callbacks.
///
/// Belongs to one multi; its owner is notified of the result.
@safe final class EasyHandle {
    /// Receives the multi's events for a handle.
    protocol Owner: AnyObject {
        /// Whether a connection may be opened for the handle.
        func easyHandleMayConnect() -> Bool
        /// The multi has finished its work for the handle.
        func easyHandleDidFinish(_ fault: TransferFault?)
    }

    let pointer: UnsafeMutableRawPointer
    /// The context that callbacks need; it outlives every handle.
    unowned(unsafe) let hooks: CurlMulti.Hooks
    /// Retained from its addition to the multi until its removal.
    private(set) var owner: (any Owner)?
    /// Why a callback of ours ended the transfer.
    var fault: TransferFault?
    /// An alert that arrived after another failure; see ``listenForAlert()``.
    var lateAlert: TLSAlert?
    private let isProxied: Bool
    /// The buffer for libcurl's error messages.
    private let errorText: UnsafeMutablePointer<CChar>
    /// The maximum length of a message that is shown, in bytes.
    private static let errorLimit = 200

    init(hooks: CurlMulti.Hooks, options: UpstreamOptions) {
        guard let pointer = unsafe curl_easy_init() else { fatalError("curl_easy_init: out of memory") }
        unsafe self.pointer = pointer
        isProxied = options.proxy != nil
        unsafe self.hooks = hooks
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe set(CURLOPT_PRIVATE, context)
        unsafe set(CURLOPT_ERRORBUFFER, UnsafeRawPointer(errorText))
        unsafe ccurl_set_open_socket(pointer, CurlCallbacks.openSocket)
        unsafe set(CURLOPT_OPENSOCKETDATA, context)
        unsafe ccurl_set_close_socket(pointer, CurlCallbacks.closeSocket)
        // A socket may outlive the handle that opened it, in the multi's pool.
        unsafe set(CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(hooks).toOpaque())
        // Parsed once: libcurl copies its parts instead of parsing a text for each request.
        unsafe set(CURLOPT_CURLU, UnsafeRawPointer(hooks.url))
        if let share = unsafe hooks.share { unsafe set(CURLOPT_SHARE, UnsafeRawPointer(share)) }
        options.apply(to: self)
    }

    deinit {
        unsafe curl_easy_cleanup(pointer)
        unsafe errorText.deallocate()
    }

    /// libcurl may call back from now on, until ``leave()``.
    func join(_ owner: any Owner) {
        self.owner = owner
        fault = nil
        unsafe errorText[0] = 0
        unsafe hooks.applyAddresses(to: self)
    }

    /// An address was refused, but there is another one: this does not explain later failures.
    func clearRefusal() {
        if fault == .prohibitedAddress { fault = nil }
    }

    /// The handle belongs to no multi any more.
    func leave() { owner = nil }

    /// The fault for a libcurl result code; `nil` for success.
    func fault(of code: CURLcode) -> TransferFault? {
        if code == CURLE_OK { return nil }
        if fault == .resendRefused { return fault }
        // The provider may have moved, so cached addresses of its name are not used again.
        if [CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT].contains(code) {
            unsafe hooks.looksUpAnew = true
        }
        if let fault { return fault }
        let status = info(CURLINFO_HTTP_CONNECTCODE)
        if status >= 300 { return .proxyRefused(status: status) }
        return TransferFault(CurlError(code), systemError: info(CURLINFO_OS_ERRNO), words: words)
    }

    /// The fault for a failure before the connection was established.
    func fault(ofConnecting fault: TransferFault) -> TransferFault {
        switch fault {
        case .tlsHandshake(let words)
        where isProxied && (!words.contains("error:") || words.contains("unexpected eof")):
            // Not an error of TLS, but the end of the tunnel.
            return .proxyFailed
        case .tlsHandshake(let words) where Self.isCut(words): return .handshakeCut
        case .nameNotResolved, .connectFailed, .connectTimedOut, .prohibitedAddress, .proxyRefused,
            .proxyFailed,
            .tlsUntrusted, .tlsHandshake, .handshakeCut, .tlsFiles:
            return fault
        default: return isProxied ? .proxyFailed : .connectFailed(errno: 0)
        }
    }

    /// Whether libcurl's message about a failed handshake reports the end of the connection rather than a TLS error.
    ///
    /// > It names the system's error, as a failure to receive or send, or behind `SSL_connect:`; of OpenSSL's errors, which all begin
    /// with `error:`, one is the end of the connection. Of a connection that was reset before libcurl looked at its addresses, the first
    /// message stays: that these are not known.
    private static func isCut(_ words: String) -> Bool {
        if words.contains("unexpected eof") { return true }
        return !words.contains("error:")
            && ["Recv failure:", "Send failure:", "SSL_connect:", "getpeername()", "getsockname()"].contains {
                words.contains($0)
            }
    }

    /// The alert with which the peer has ended the connection, if libcurl's last message reports one.
    var alert: TLSAlert? {
        if let lateAlert { return lateAlert }
        return TLSAlert(message: message)
    }

    /// Makes libcurl report an alert that arrives after another failure.
    ///
    /// > It writes the first message alone to CURLOPT_ERRORBUFFER, and all of them to its debug function.
    func listenForAlert() {
        unsafe ccurl_set_debug(pointer, CurlCallbacks.debug)
        unsafe set(CURLOPT_DEBUGDATA, Unmanaged.passUnretained(self).toOpaque())
        set(CURLOPT_VERBOSE, 1)
    }

    /// The first line of libcurl's last message.
    private var message: String {
        var line: [UInt8] = []
        for index in 0..<Int(CURL_ERROR_SIZE) {
            let byte = unsafe UInt8(bitPattern: errorText[index])
            guard byte >= 0x20, byte < 0x7F else { break }
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// The first line of libcurl's message about the failure, without words that look like local paths.
    private var words: String {
        var line: [UInt8] = []
        for index in 0..<min(Self.errorLimit, Int(CURL_ERROR_SIZE)) {
            let byte = unsafe UInt8(bitPattern: errorText[index])
            // Only ASCII of a certificate's own text is repeated.
            guard byte >= 0x20, byte < 0x7F else { break }
            line.append(byte)
        }
        let words = line.split(separator: 0x20).filter { !$0.contains(0x2F) }
        var text = String(decoding: Array(words.joined(separator: [0x20])), as: UTF8.self)
        for prefix in ["SSL certificate problem: ", "SSL: "] where text.hasPrefix(prefix) {
            text.removeFirst(prefix.count)
        }
        return text
    }

    /// The address of libcurl's handle, which identifies it.
    var address: UInt { unsafe UInt(bitPattern: pointer) }

    /// A numeric property of the handle's last transfer.
    func info(_ what: CURLINFO) -> Int { unsafe ccurl_info_long(pointer, what) }

    /// A size property of the handle's last transfer.
    func offsetInfo(_ what: CURLINFO) -> Int64 { unsafe Int64(ccurl_info_offset(pointer, what)) }

    // MARK: Options, by type of argument

    func set(_ option: CURLoption, _ value: Int) {
        unsafe check(ccurl_set_long(pointer, option, value), option)
    }

    func set(_ option: CURLoption, _ text: String) {
        unsafe check(ccurl_set_pointer(pointer, option, text), option)
    }

    func set(_ option: CURLoption, _ value: UnsafeRawPointer?) {
        unsafe check(ccurl_set_pointer(pointer, option, value), option)
    }

    func set(_ option: CURLoption, _ list: UnsafeMutablePointer<curl_slist>?) {
        unsafe check(ccurl_set_pointer(pointer, option, list), option)
    }

    func set(_ option: CURLoption, _ text: UnsafePointer<CChar>) {
        unsafe check(ccurl_set_pointer(pointer, option, text), option)
    }

    func setOffset(_ option: CURLoption, _ value: Int64) {
        unsafe check(ccurl_set_offset(pointer, option, curl_off_t(value)), option)
    }

    /// Options are constants of ours: if libcurl rejects one, that is a defect, or a library built without a required
    /// feature.
    private func check(_ code: CURLcode, _ option: CURLoption) {
        precondition(code == CURLE_OK, "curl_easy_setopt(\(option.rawValue)): \(CurlError(code))")
    }
}

extension TransferFault {
    /// The fault for a result code with its message.
    init(_ error: CurlError, systemError: Int, words: String) {
        switch error {
        case .couldNotResolveHost, .couldNotResolveProxy: self = .nameNotResolved
        case .couldNotConnect: self = .connectFailed(errno: Int32(truncatingIfNeeded: systemError))
        // All other time limits belong to the engine.
        case .timedOut: self = .connectTimedOut
        case .tlsVerification: self = .tlsUntrusted(words)
        case .tlsConnect: self = .tlsHandshake(words)
        case let error where CurlError.tlsFiles.contains(error): self = .tlsFiles("\(error)")
        case .gotNothing: self = .closedBeforeAnswer
        case .partialFile: self = .incomplete
        case .weirdServerReply, .http2, .http2Stream, .unsupportedProtocol: self = .notHTTP
        case .badContentEncoding: self = .badTransferCoding
        // In 7.88, also a line of the answer's head of more than 100 KiB.
        case .outOfMemory: self = .headTooLarge
        default: self = .other("\(error)")
        }
    }
}
