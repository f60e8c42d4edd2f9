internal import CCurl
internal import Wire

/// One request and its response, carried by libcurl: an easy handle that stays configured for its upstream and is
/// reused.
@safe public final class CurlTransfer: UpstreamTransfer, EasyHandle.Owner {
    /// The kind of request options that the handle holds: they are changed only if the kind changes.
    private enum Kind {
        case none, get, head, whole, streamed, bodiless
    }

    let easy: EasyHandle
    private unowned let multi: CurlMulti
    private let arena = HeaderArena()
    private var kind = Kind.none
    private var method: [UInt8] = []
    /// The method of the current request, in the arena.
    private var methodText: UnsafePointer<CChar>
    private var methodLength = 0
    /// Whether it was started and is not over.
    public private(set) var isRunning = false
    private var delegate: (any TransferDelegate)?
    /// The maximum number of consecutive dead connections to try.
    private static let attemptLimit = 5
    private var attempts = 0
    /// How many connections libcurl has opened for it.
    private var connections = 0
    /// The number of bytes sent when the connection was established; includes a CONNECT to a proxy.
    private var sizeBeforeRequest = 0
    private var isReceivePaused = false
    private var isSendPaused = false
    /// Whether the delegate wants no more bytes for now.
    private var wantsPause = false
    /// Whether the provider may not send more of the response although libcurl is not paused and passes on the data
    /// in flight.
    private(set) var isWindowClosed = false
    /// Whether libcurl is passing on data that it buffered during a pause.
    private var isReplaying = false
    /// How many bytes of the body the delegate has received.
    private var bodyBytes: Int64 = 0
    /// Whether the delegate has declared the request's body complete.
    private var hasUploadEnded = false
    /// The size of a request's body in memory.
    private var wholeBytes: Int64 = 0
    /// Whether it is one of its multi's transfers that are opening a connection.
    private var isConnecting = false

    /// Whether the next start opens a new connection even if others exist.
    var needsOwnConnection = false {
        didSet {
            if needsOwnConnection != oldValue { easy.set(CURLOPT_FRESH_CONNECT, needsOwnConnection ? 1 : 0) }
        }
    }

    private let isTLS: Bool
    private(set) var isHead = false
    /// Whether only the end of the connection ends the body, and TLS must confirm it.
    private var awaitsCloseNotify = false
    private var hasCloseNotify = false

    /// Fields that libcurl adds by default.
    private var given: Given = []
    /// See ``UpstreamTransfer/response``.
    public let response = ResponseHead()
    /// See ``UpstreamTransfer/outcome``.
    public private(set) var outcome = TransferOutcome()

    private struct Given: OptionSet {
        let rawValue: UInt8
        static let accept = Given(rawValue: 1)
        static let contentType = Given(rawValue: 2)
    }

    init(multi: CurlMulti, options: UpstreamOptions) {
        self.multi = multi
        isTLS = options.usesTLS
        easy = EasyHandle(hooks: multi.hooks, options: options)
        unsafe methodText = arena.terminatedCopy(of: [UInt8]().span)
        configure(options)
    }

    // MARK: UpstreamTransfer

    /// See ``UpstreamTransfer/beginRequest(method:target:)``.
    public func beginRequest(method: borrowing Span<UInt8>, target: borrowing Span<UInt8>) {
        precondition(!isRunning, "begun while it runs")
        arena.reset()
        response.reset()
        isHead = method.equals("HEAD")
        (awaitsCloseNotify, hasCloseNotify) = (false, false)
        outcome = TransferOutcome()
        attempts = 0
        connections = 0
        isReceivePaused = false
        isSendPaused = false
        wantsPause = false
        isWindowClosed = false
        bodyBytes = 0
        hasUploadEnded = false
        given = []
        unsafe methodText = arena.terminatedCopy(of: method)
        methodLength = method.count
        unsafe easy.set(CURLOPT_REQUEST_TARGET, arena.terminatedCopy(of: target))
    }

    /// See ``UpstreamTransfer/addField(name:value:)``.
    public func addField(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
        if name.count == 6, name.equalsIgnoringCase("accept") { given.insert(.accept) }
        if name.count == 12, name.equalsIgnoringCase("content-type") { given.insert(.contentType) }
        arena.append(name: name, value: value)
    }

    /// See ``UpstreamTransfer/endRequest(body:)``.
    public func endRequest(body: RequestBody) {
        if !given.contains(.accept) { arena.append("Accept:") }
        switch body {
        case .none: break
        case .whole: if !given.contains(.contentType) { arena.append("Content-Type:") }
        case .streamed:
            if !given.contains(.contentType) { arena.append("Content-Type:") }
            arena.append("Expect:")
        }
        set(body: body)
        unsafe easy.set(CURLOPT_HTTPHEADER, arena.first)
    }

    /// See ``UpstreamTransfer/start(for:)``.
    public func start(for delegate: any TransferDelegate) {
        self.delegate = delegate
        isRunning = true
        easy.join(self)
        multi.runningTransfers += 1
        isConnecting = true
        multi.start(self)
    }

    /// libcurl delivers HTTP/2 bytes only through its callback.
    public func pullBody(into room: UnsafeMutableRawBufferPointer) -> PulledBody { .nothing }

    /// See ``UpstreamTransfer/resume(_:)``.
    ///
    /// > What libcurl kept during a pause it hands over at once, and copies what is not taken: all of it is. The
    /// provider is not asked for more before it was passed on, so that is no more than a window
    /// (``UpstreamOptions/windowBytes``).
    public func resume(_ direction: TransferDirection) {
        guard isRunning else { return }
        if direction == .receiving, isWindowClosed { return openWindow() }
        guard isReceivePaused || isSendPaused || wantsPause else { return }
        let wasPaused = isReceivePaused || isSendPaused
        switch direction {
        case .receiving:
            isReceivePaused = false
            wantsPause = false
        case .sending: isSendPaused = false
        }
        if wasPaused, !isReceivePaused, !isSendPaused { unsafe easy.hooks.pausedTransfers -= 1 }
        isReplaying = true
        multi.observeFrames()
        let code = unsafe curl_easy_pause(
            easy.pointer, (isReceivePaused ? CURLPAUSE_RECV : 0) | (isSendPaused ? CURLPAUSE_SEND : 0))
        isReplaying = false
        unsafe easy.hooks.needsKick = true
        if code != CURLE_OK { multi.fail(self, code) }
    }

    /// Lets the provider send more of the response.
    ///
    /// > A change of the window is sent with libcurl's next work on the transfer, of which there is none unless its state changes.
    private func openWindow() {
        isWindowClosed = false
        multi.observeFrames()
        _ = unsafe easy.hooks.frames.setWindow(of: easy.address, to: Int32(UpstreamOptions.windowBytes))
        let send = isSendPaused ? CURLPAUSE_SEND : 0
        var code = unsafe curl_easy_pause(easy.pointer, CURLPAUSE_RECV | send)
        if code == CURLE_OK { code = unsafe curl_easy_pause(easy.pointer, send) }
        unsafe easy.hooks.needsKick = true
        if code != CURLE_OK { multi.fail(self, code) }
    }

    /// See ``UpstreamTransfer/cancel()``.
    public func cancel() {
        guard isRunning else { return }
        outcome.wasSent = hasLeft
        multi.stop(self)
        end()
    }

    /// Whether bytes of the request may have been sent.
    private var hasLeft: Bool { attempts > 0 && easy.info(CURLINFO_REQUEST_SIZE) > sizeBeforeRequest }

    /// See ``UpstreamTransfer/discard()``.
    public func discard() {
        precondition(!isRunning, "discarded while it runs")
        multi.takeBack(self)
    }

    private func endPauses() {
        if isReceivePaused || isSendPaused { unsafe easy.hooks.pausedTransfers -= 1 }
        isReceivePaused = false
        isSendPaused = false
        wantsPause = false
    }

    private func end() {
        if awaitsCloseNotify { easy.set(CURLOPT_NOPROGRESS, 1) }
        isRunning = false
        multi.runningTransfers -= 1
        endConnecting()
        endPauses()
        delegate = nil
        easy.leave()
    }

    /// Called to open a connection for the first attempt, and for another one if nothing was sent; see
    /// ``mayConnect()``.
    func easyHandleMayConnect() -> Bool {
        guard maySend(attempt: attempts + 1) else { return false }
        if !isConnecting {
            isConnecting = true
            multi.beginConnecting(self)
        }
        return true
    }

    /// Whether the request may be sent: once, except after connections that turned out to be dead before any of it
    /// was sent.
    private func maySend(attempt: Int) -> Bool {
        attempt == 1 || attempt <= Self.attemptLimit && easy.info(CURLINFO_REQUEST_SIZE) == 0
    }

    private func endConnecting() {
        guard isConnecting else { return }
        isConnecting = false
        multi.endConnecting(self)
    }

    func easyHandleDidFinish(_ fault: TransferFault?) {
        outcome.fault = fault
        if response.isComplete { multi.speaksHTTP2 = response.isHTTP2 }
        let stream = unsafe easy.hooks.frames[easy.address]
        // > libcurl calls a transfer complete whose connection was closed within the head of the answer.
        if fault == nil, !response.isComplete { outcome.fault = .closedBeforeAnswer }
        if case .headTooLarge? = fault, response.isComplete { outcome.fault = .incomplete }
        outcome.wasSent = hasLeft
        if fault == nil, awaitsCloseNotify, !hasCloseNotify { outcome.fault = .incomplete }
        if let fault, attempts == 0 { outcome.fault = easy.fault(ofConnecting: fault) }
        if fault != nil, attempts > 0, response.status == 0 { findAlert() }
        if let stream, stream.isSent { judge(stream) }
        multi.remove(easy)
        let delegate = delegate
        end()
        delegate?.transferDidFinish(self)
    }

    /// No response has begun: the provider may have ended TLS with an alert instead.
    private func findAlert() {
        guard let alert = easy.alert else { return }
        outcome.fault = .tlsAlert(alert.words)
        if alert.refusesHandshake, easy.info(CURLINFO_NUM_CONNECTS) > 0 { outcome.wasSent = false }
    }

    /// Whether the response has a body.
    private var hasResponseBody: Bool { kind != .head && response.status != 204 && response.status != 304 }

    /// Whether part of the request's body has not been sent.
    var isUploading: Bool {
        switch kind {
        case .streamed: !hasUploadEnded
        case .whole: easy.offsetInfo(CURLINFO_SIZE_UPLOAD_T) < wholeBytes
        default: false
        }
    }

    /// Whether the delegate has received the whole response.
    var hasWholeResponse: Bool {
        guard let stream = unsafe easy.hooks.frames[easy.address] else { return false }
        return response.isComplete && stream.hasEnded && (!hasResponseBody || bodyBytes == stream.bodyBytes)
    }

    /// Corrects the outcome by the observed frames.
    private func judge(_ stream: StreamRecord) {
        switch outcome.fault {
        case nil, .closedBeforeAnswer, .incomplete, .notHTTP, .resendRefused, .other: break
        default: return
        }
        let hasBody = hasResponseBody
        let hasAll = !hasBody || bodyBytes == stream.bodyBytes
        let isWhole = stream.hasEnded || stream.isWholeByLength(isHead: isHead) && !stream.isViolation
        if response.isComplete, hasAll, isWhole {
            outcome.fault = nil
        } else if stream.isRefused {
            outcome.fault = .notProcessed
        } else if let code = stream.reset {
            if code == StreamRecord.http11Required { multi.speaksHTTP2 = false }
            outcome.fault = .streamReset(code: code)
        } else if stream.isViolation {
            outcome.fault = .notHTTP
        } else if outcome.fault == .notHTTP || outcome.fault == .resendRefused
            || outcome.fault == nil && hasBody && (!hasAll || response.contentLength == nil)
        {
            outcome.fault = response.isComplete ? .incomplete : .closedBeforeAnswer
        }
    }

    private func set(body: RequestBody) {
        let method = unsafe Span<UInt8>(
            _unsafeStart: UnsafeRawPointer(methodText).assumingMemoryBound(to: UInt8.self),
            count: methodLength)
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
            case .get, .bodiless: easy.set(CURLOPT_HTTPGET, 1)
            case .head: easy.set(CURLOPT_NOBODY, 1)
            case .whole:
                easy.set(CURLOPT_NOBODY, 0)
                easy.set(CURLOPT_POST, 1)
            case .streamed:
                easy.set(CURLOPT_NOBODY, 0)
                easy.set(CURLOPT_UPLOAD, 1)
            }
            if next == .get || next == .head {
                unsafe easy.set(CURLOPT_CUSTOMREQUEST, nil as UnsafeRawPointer?)
            }
            self.method.removeAll(keepingCapacity: true)
            kind = next
        }
        if next != .get, next != .head { setMethod(method) }
        switch body {
        case .whole(let bytes):
            unsafe easy.set(CURLOPT_POSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(emptyBody.utf8Start))
            wholeBytes = Int64(bytes.count)
            easy.setOffset(CURLOPT_POSTFIELDSIZE_LARGE, wholeBytes)
        case .streamed(let length): easy.setOffset(CURLOPT_INFILESIZE_LARGE, length ?? -1)
        case .none: break
        }
    }

    private func setMethod(_ method: borrowing Span<UInt8>) {
        let last = self.method
        if last.span.equalsExactly(method) { return }
        self.method.removeAll(keepingCapacity: true)
        for index in 0..<method.count { self.method.append(method[index]) }
        unsafe easy.set(CURLOPT_CUSTOMREQUEST, methodText)
    }

    private func configure(_ options: UpstreamOptions) {
        let (handle, context) = unsafe (easy.pointer, Unmanaged.passUnretained(self).toOpaque())
        unsafe ccurl_set_io(handle, CURLOPT_HEADERFUNCTION, CurlCallbacks.header)
        unsafe easy.set(CURLOPT_HEADERDATA, context)
        unsafe ccurl_set_io(handle, CURLOPT_WRITEFUNCTION, CurlCallbacks.write)
        unsafe easy.set(CURLOPT_WRITEDATA, context)
        unsafe ccurl_set_io(handle, CURLOPT_READFUNCTION, CurlCallbacks.read)
        unsafe easy.set(CURLOPT_READDATA, context)
        unsafe ccurl_set_prereq(handle, CurlCallbacks.prereq)
        unsafe easy.set(CURLOPT_PREREQDATA, context)
        if options.offersHTTP2 {
            easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        }
    }

    // MARK: Called from inside libcurl

    func didReceiveHeaderLine(_ line: borrowing Span<UInt8>) -> Bool {
        switch response.take(line) {
        case .more: break
        case .interim:
            delegate?.transferDidReceiveInterim(self)
            response.endInterim()
        case .complete:
            delegate?.transferDidReceiveHead(self, response)
            if isTLS, !response.isHTTP2 { expectCloseNotify() }
        case .invalid(let fault):
            easy.fault = fault
            return false
        }
        return true
    }

    /// RFC 9112 9.8: a body that is delimited by the connection is complete only after a close_notify.
    ///
    /// > libcurl has no word for it, and has closed the connection when it reports the end: its progress function is called between the
    /// last read and that.
    private func expectCloseNotify() {
        guard !isHead, response.status != 204, response.status != 304, response.transferCoding == .none,
            response.contentLength == nil
        else { return }
        awaitsCloseNotify = true
        unsafe ccurl_set_progress(easy.pointer, CurlCallbacks.progress)
        unsafe easy.set(CURLOPT_XFERINFODATA, Unmanaged.passUnretained(self).toOpaque())
        easy.set(CURLOPT_NOPROGRESS, 0)
    }

    func didMakeProgress() {
        if awaitsCloseNotify { hasCloseNotify = unsafe OpenSSL.hasReceivedCloseNotify(on: easy.pointer) }
    }

    func didReceiveBody(_ bytes: Span<UInt8>) -> Int {
        if wantsPause, !isReplaying {
            if !isReceivePaused, !isSendPaused { unsafe easy.hooks.pausedTransfers += 1 }
            isReceivePaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        switch delegate?.transfer(self, didReceiveBody: bytes) ?? .refuse {
        case .taken:
            bodyBytes += Int64(bytes.count)
            return bytes.count
        case .takenForNow:
            bodyBytes += Int64(bytes.count)
            if isWindowClosed { return bytes.count }
            if unsafe easy.hooks.frames.setWindow(of: easy.address, to: 0) {
                isWindowClosed = true
            } else {
                wantsPause = true
            }
            return bytes.count
        case .refuse:
            if easy.fault == nil { easy.fault = .bodyRefused }
            // Any number except the count ends the transfer; the count is never 0.
            return 0
        }
    }

    func wantsBody(into room: UnsafeMutableRawBufferPointer) -> Int {
        switch unsafe delegate?.transfer(self, wantsBodyInto: room) ?? .abort {
        case .wrote(let count): return count
        case .end:
            hasUploadEnded = true
            return 0
        case .pause:
            if !isReceivePaused, !isSendPaused { unsafe easy.hooks.pausedTransfers += 1 }
            isSendPaused = true
            return Int(CURL_READFUNC_PAUSE)
        case .abort:
            easy.fault = .uploadAborted
            return Int(CURL_READFUNC_ABORT)
        }
    }

    /// Allows the first attempt, and further ones as long as no byte was sent.
    ///
    /// libcurl sends a request again on a new connection if a reused one dies without a response, whatever its
    /// method. The provider may have read the request, and a second one would need its own slot. But 7.88 also takes
    /// a pooled connection that was reset for a live one, and notices only when it sends: then nothing has reached
    /// the provider.
    func mayConnect() -> Bool {
        attempts += 1
        let made = easy.info(CURLINFO_NUM_CONNECTS)
        unsafe easy.hooks.opened += made - connections
        connections = made
        endConnecting()
        // Another address, tried in parallel with the connected one, may have been refused.
        easy.clearRefusal()
        if attempts == 1 {
            sizeBeforeRequest = easy.info(CURLINFO_REQUEST_SIZE)
            return true
        }
        if maySend(attempt: attempts) { return true }
        easy.fault = .resendRefused
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
