internal import CCurl
internal import HTTPWire

/// One request and its answer: an easy handle that stays configured for its upstream and is used again.
///
/// Confined to the thread of its multi. Made, started, cancelled and taken back by ``CurlMulti``.
@safe public final class CurlTransfer {
    /// Which request options the handle holds: they are only set anew where the kind changes.
    private enum Kind {
        case none, get, head, whole, streamed, bodiless
    }

    /// How a transfer ended.
    public struct Outcome: Sendable {
        /// libcurl's code, or `nil` for a complete answer.
        public var error: CurlError?
        /// Why a callback of ours ended it, if one did.
        public var fault: TransferFault?
        /// `errno` of the failed connect, or 0.
        public var systemError: Int32 = 0
        /// Whether any byte of the request may have left.
        public var wasSent = false
    }

    /// The easy handle, used by the multi only.
    let handle: UnsafeMutableRawPointer
    /// The multi's objects that callbacks need; they outlive every transfer.
    unowned(unsafe) let multi: CurlMulti.Hooks
    private let arena = HeaderArena()
    private var kind = Kind.none
    private var method: [UInt8] = []
    /// Whether it was started and is not over yet.
    public internal(set) var isRunning = false
    private(set) var delegate: (any TransferDelegate)?
    /// How many dead connections in a row are tried.
    private static let attemptLimit = 5
    private var attempts = 0
    private var isReceivePaused = false
    private var isSendPaused = false

    /// The head of the answer, as far as it has come.
    public internal(set) var response = ResponseHead()
    /// How it ended; valid in and after ``TransferDelegate/transferDidFinish(_:)``.
    public internal(set) var outcome = Outcome()
    var fault: TransferFault?

    init(multi: CurlMulti.Hooks, options: UpstreamOptions) {
        guard let handle = unsafe curl_easy_init() else { fatalError("curl_easy_init: out of memory") }
        unsafe self.handle = handle
        unsafe self.multi = multi
        configure(options)
    }

    deinit { unsafe curl_easy_cleanup(handle) }

    /// Begins a new request: forgets the last one's fields and answer.
    public func prepare() {
        precondition(!isRunning, "prepared while it runs")
        arena.reset()
        response.reset()
        outcome = Outcome()
        fault = nil
        attempts = 0
        isReceivePaused = false
        isSendPaused = false
    }

    /// Adds a request field.
    ///
    /// Host, Content-Length and Transfer-Encoding are libcurl's to write.
    public func addField(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
        arena.append(name: name, value: value)
    }

    /// Adds a request field.
    public func addField(_ name: [UInt8], _ value: [UInt8]) {
        arena.append(name: name.span, value: value.span)
    }

    /// Keeps libcurl from adding `line`'s field by itself; a constant such as `Accept:`.
    public func suppressField(_ line: StaticString) { arena.append(line) }

    /// Sets what is asked for, and where the body comes from.
    ///
    /// - Parameters:
    ///   - method: a token, any but CONNECT.
    ///   - target: the request target in origin form, sent byte for byte.
    ///   - body: its memory, if whole, must outlive the transfer.
    public func setRequest(
        method: borrowing Span<UInt8>, target: borrowing Span<UInt8>, body: RequestBody
    ) {
        set(method: method, body: body)
        unsafe set(CURLOPT_REQUEST_TARGET, arena.terminatedCopy(of: target))
        unsafe set(CURLOPT_HTTPHEADER, arena.first)
    }

    /// Lets libcurl go on with what a pause stopped; harmless if nothing is paused.
    ///
    /// Never from inside a delegate's method.
    public func resume() {
        guard isRunning, isReceivePaused || isSendPaused else { return }
        endPauses()
        unsafe curl_easy_pause(handle, 0)
        unsafe multi.needsKick = true
    }

    func begin(for delegate: any TransferDelegate) {
        self.delegate = delegate
        isRunning = true
        // libcurl calls back with this pointer until the handle leaves the multi, which balances this retain.
        unsafe _ = Unmanaged.passRetained(self)
    }

    private func endPauses() {
        if isReceivePaused || isSendPaused { unsafe multi.pausedTransfers -= 1 }
        isReceivePaused = false
        isSendPaused = false
    }

    func end() {
        isRunning = false
        endPauses()
        delegate = nil
        unsafe Unmanaged.passUnretained(self).release()
    }

    func finish(_ code: CURLcode) {
        outcome.error = code == CURLE_OK ? nil : CurlError(code)
        outcome.fault = fault
        outcome.wasSent = unsafe ccurl_info_long(handle, CURLINFO_REQUEST_SIZE) > 0
        if code != CURLE_OK {
            outcome.systemError = Int32(
                truncatingIfNeeded: unsafe ccurl_info_long(handle, CURLINFO_OS_ERRNO))
        }
    }

    private func set(method: borrowing Span<UInt8>, body: RequestBody) {
        let next: Kind
        switch body {
        case .whole: next = .whole
        case .streamed: next = .streamed
        case .none:
            next = method.equals("GET") ? .get : method.equals("HEAD") ? .head : .bodiless
        }
        if next != kind {
            switch next {
            case .none: break
            case .get, .bodiless: set(CURLOPT_HTTPGET, 1)
            case .head: set(CURLOPT_NOBODY, 1)
            case .whole:
                set(CURLOPT_NOBODY, 0)
                set(CURLOPT_POST, 1)
            case .streamed:
                set(CURLOPT_NOBODY, 0)
                set(CURLOPT_UPLOAD, 1)
            }
            if next == .get || next == .head { unsafe set(CURLOPT_CUSTOMREQUEST, nil as UnsafeRawPointer?) }
            self.method.removeAll(keepingCapacity: true)
            kind = next
        }
        if next != .get, next != .head { setMethod(method) }
        switch body {
        case .whole(let bytes):
            unsafe set(CURLOPT_POSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(emptyBody.utf8Start))
            setOffset(CURLOPT_POSTFIELDSIZE_LARGE, Int64(bytes.count))
        case .streamed(let length): setOffset(CURLOPT_INFILESIZE_LARGE, length ?? -1)
        case .none: break
        }
    }

    private func setMethod(_ method: borrowing Span<UInt8>) {
        let last = self.method
        if last.span.equalsExactly(method) { return }
        self.method.removeAll(keepingCapacity: true)
        for index in 0..<method.count { self.method.append(method[index]) }
        unsafe set(CURLOPT_CUSTOMREQUEST, arena.terminatedCopy(of: method))
    }

    private func configure(_ options: UpstreamOptions) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe set(CURLOPT_PRIVATE, context)
        unsafe ccurl_set_io(handle, CURLOPT_HEADERFUNCTION, CurlCallbacks.header)
        unsafe set(CURLOPT_HEADERDATA, context)
        unsafe ccurl_set_io(handle, CURLOPT_WRITEFUNCTION, CurlCallbacks.write)
        unsafe set(CURLOPT_WRITEDATA, context)
        unsafe ccurl_set_io(handle, CURLOPT_READFUNCTION, CurlCallbacks.read)
        unsafe set(CURLOPT_READDATA, context)
        unsafe ccurl_set_prereq(handle, CurlCallbacks.prereq)
        unsafe set(CURLOPT_PREREQDATA, context)
        unsafe ccurl_set_open_socket(handle, CurlCallbacks.openSocket)
        unsafe set(CURLOPT_OPENSOCKETDATA, context)
        unsafe ccurl_set_close_socket(handle, CurlCallbacks.closeSocket)
        // A socket may outlive the transfer that opened it, in the multi's pool.
        unsafe set(CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(multi).toOpaque())
        // Parsed once: libcurl takes the parts from it instead of parsing a text for each request.
        unsafe set(CURLOPT_CURLU, UnsafeRawPointer(multi.url))
        options.apply(to: self)
    }

    // MARK: Options, by type of argument

    func set(_ option: CURLoption, _ value: Int) {
        unsafe check(ccurl_set_long(handle, option, value), option)
    }

    func set(_ option: CURLoption, _ text: String) {
        unsafe check(ccurl_set_pointer(handle, option, text), option)
    }

    func set(_ option: CURLoption, _ pointer: UnsafeRawPointer?) {
        unsafe check(ccurl_set_pointer(handle, option, pointer), option)
    }

    private func set(_ option: CURLoption, _ list: UnsafeMutablePointer<curl_slist>?) {
        unsafe check(ccurl_set_pointer(handle, option, list), option)
    }

    private func set(_ option: CURLoption, _ text: UnsafePointer<CChar>) {
        unsafe check(ccurl_set_pointer(handle, option, text), option)
    }

    private func setOffset(_ option: CURLoption, _ value: Int64) {
        unsafe check(ccurl_set_offset(handle, option, curl_off_t(value)), option)
    }

    /// Options are constants of ours: one that libcurl refuses is a bug, or a library built without what Weir needs.
    private func check(_ code: CURLcode, _ option: CURLoption) {
        precondition(code == CURLE_OK, "curl_easy_setopt(\(option.rawValue)): \(CurlError(code))")
    }

    // MARK: Called from inside libcurl

    func didReceiveHeaderLine(_ line: borrowing Span<UInt8>) -> Bool {
        switch response.take(line) {
        case .more: break
        case .complete: delegate?.transferDidReceiveHead(self)
        case .invalid(let fault):
            self.fault = fault
            return false
        }
        return true
    }

    func didReceiveBody(_ bytes: Span<UInt8>) -> Int {
        switch delegate?.transfer(self, didReceiveBody: bytes) ?? .refuse {
        case .taken: return bytes.count
        case .pause:
            if !isReceivePaused, !isSendPaused { unsafe multi.pausedTransfers += 1 }
            isReceivePaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        case .refuse:
            if fault == nil { fault = .bodyRefused }
            // Any number but the count ends the transfer; the count is never 0.
            return 0
        }
    }

    func wantsBody(into room: UnsafeMutableRawBufferPointer) -> Int {
        switch unsafe delegate?.transfer(self, wantsBodyInto: room) ?? .abort {
        case .wrote(let count): return count
        case .end: return 0
        case .pause:
            if !isReceivePaused, !isSendPaused { unsafe multi.pausedTransfers += 1 }
            isSendPaused = true
            return Int(CURL_READFUNC_PAUSE)
        case .abort:
            fault = .uploadAborted
            return Int(CURL_READFUNC_ABORT)
        }
    }

    /// Lets the first attempt pass, and further ones as long as no byte has left.
    ///
    /// libcurl sends a request again on a fresh connection when a reused one dies without an answer, whatever its method. The provider
    /// may have read it, and a second one would need a slot of its own. But 7.88 also takes a pooled connection that was reset for
    /// alive, and finds out when it sends: nothing has reached the provider then.
    func mayConnect() -> Bool {
        attempts += 1
        if attempts == 1 { return true }
        if attempts <= Self.attemptLimit, unsafe ccurl_info_long(handle, CURLINFO_REQUEST_SIZE) == 0 {
            return true
        }
        fault = .resendRefused
        return false
    }
}

private let emptyBody: StaticString = ""

extension Span where Element == UInt8 {
    fileprivate func equalsExactly(_ other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }
}
