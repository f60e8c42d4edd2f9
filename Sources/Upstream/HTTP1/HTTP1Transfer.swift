internal import Wire

/// One request and its response over HTTP/1.1, implemented by Weir itself.
///
/// A request is sent once. Another connection is tried only if one turns out to have died before any byte of the
/// request was sent.
@safe public final class HTTP1Transfer: UpstreamTransfer {
    /// The result of writing.
    enum Written {
        /// Nothing is left to write now.
        case done
        /// The socket accepts no more at the moment.
        case blocked
        /// The peer accepts no more; its response may have arrived already.
        case broken
        /// The peer had closed the connection before the first byte.
        case neverSent
        case failed(TransferFault)
    }

    /// The result of processing received bytes.
    enum Step {
        case more
        /// - Parameter isExact: whether nothing follows the response.
        case complete(isExact: Bool)
        case failed(TransferFault)
    }

    private enum Upload {
        case done
        case length(left: Int64)
        case chunked
    }

    /// Retained until the end, when it is released: an unowned reference would be counted at every use.
    private let pool: HTTP1Pool
    private(set) var connection: HTTP1Connection?
    private(set) var delegate: (any TransferDelegate)?
    var parser = ResponseParser()
    /// Bytes of the request that were not sent yet.
    private var out = ByteQueue()
    private var upload = Upload.done
    /// What follows the last chunk.
    var trailerLines: [UInt8] = []
    private var isHead = false
    /// Whether bytes of the request may have been sent.
    private var hasLeft = false
    private var attempts = 0
    /// Distinguishes the requests of this object.
    var serial: UInt64 = 0
    private var isSendPaused = false
    private var isBroken = false
    /// Whether the socket must become writable before anything more can be sent.
    private(set) var isBlocked = false
    /// Whether the delegate wants no more bytes at the moment.
    var isReceivePaused = false
    /// Whether the reason is that it receives them itself; see ``pullBody(into:)``.
    var isPulled = false

    /// See ``UpstreamTransfer/response``.
    public let response = ResponseHead()
    /// See ``UpstreamTransfer/outcome``.
    public private(set) var outcome = TransferOutcome()
    /// See ``UpstreamTransfer/isRunning``.
    public private(set) var isRunning = false

    /// The maximum number of consecutive dead connections to try.
    private static let attemptLimit = 5

    init(pool: HTTP1Pool) { self.pool = pool }

    // MARK: UpstreamTransfer

    /// See ``UpstreamTransfer/beginRequest(method:target:)``.
    public func beginRequest(method: borrowing Span<UInt8>, target: borrowing Span<UInt8>) {
        precondition(!isRunning, "begun while it runs")
        serial &+= 1
        response.reset()
        outcome = TransferOutcome()
        isHead = method.equals("HEAD")
        hasLeft = false
        attempts = 0
        (isSendPaused, isReceivePaused, isPulled, isBlocked, isBroken) = (false, false, false, false, false)
        out.removeAll()
        if !trailerLines.isEmpty { trailerLines = [] }
        out.append(method)
        out.append(literal: " ")
        out.append(target)
        out.append(literal: " HTTP/1.1\r\nHost: ")
        out.append(pool.authority)
        out.append(literal: "\r\n")
    }

    /// See ``UpstreamTransfer/addField(name:value:)``.
    public func addField(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
        out.appendField(name: name, value: value)
    }

    /// See ``UpstreamTransfer/endRequest(body:)``.
    public func endRequest(body: RequestBody) {
        upload = .done
        switch body {
        case .none: out.append(literal: "\r\n")
        case .whole(let bytes):
            appendLength(Int64(bytes.count))
            unsafe out.append(bytes)
        case .streamed(let length?):
            appendLength(length)
            if length > 0 { upload = .length(left: length) }
        case .streamed(nil):
            out.append(literal: "Transfer-Encoding: chunked\r\n\r\n")
            upload = .chunked
        }
    }

    private func appendLength(_ length: Int64) {
        out.append(literal: "Content-Length: ")
        out.append(decimal: length)
        out.append(literal: "\r\n\r\n")
    }

    /// See ``UpstreamTransfer/start(for:)``.
    public func start(for delegate: any TransferDelegate) {
        self.delegate = delegate
        isRunning = true
        runElsewhere()
    }

    /// See ``UpstreamTransfer/resume(_:)``.
    public func resume(_ direction: TransferDirection) {
        guard isRunning, isReceivePaused || isSendPaused else { return }
        switch direction {
        // Pulling continues when its reader asks for it.
        case .receiving: if !isPulled { isReceivePaused = false }
        case .sending: isSendPaused = false
        }
        connection?.resume()
    }

    /// See ``UpstreamTransfer/cancel()``.
    public func cancel() {
        guard isRunning else { return }
        outcome.wasSent = hasLeft
        release()
        delegate = nil
        isRunning = false
        // It may be in the list of transfers to be reported.
        serial &+= 1
    }

    /// See ``UpstreamTransfer/discard()``.
    public func discard() {
        precondition(!isRunning, "discarded while it runs")
        out.removeAll()
        pool.takeBack(self)
    }

    // MARK: Called by the connection

    /// Uses an idle connection or a new one.
    func runElsewhere() {
        attempts += 1
        guard attempts <= Self.attemptLimit else { return finish(.closedBeforeAnswer) }
        parser.begin(isHead: isHead)
        let connection = pool.connection(for: self)
        self.connection = connection
        connection.run(self)
    }

    /// Writes pending bytes.
    func write(to link: CurlConnection) -> Written {
        isBlocked = false
        while !isBroken {
            while !out.isEmpty {
                switch unsafe link.send(out.waiting) {
                case .moved(let count):
                    out.removeFirst(count)
                    hasLeft = true
                case .wouldBlock:
                    isBlocked = true
                    // TLS accepts all or nothing, and may have sent records of bytes that it has not accepted yet.
                    if link.isTLS { hasLeft = true }
                    return .blocked
                case .ended, .failed:
                    if !hasLeft { return .neverSent }
                    isBroken = true
                    return .broken
                }
            }
            switch fill() {
            case .wrote: continue
            case .pause, .end: return .done
            case .abort: return .failed(.uploadAborted)
            }
        }
        return .broken
    }

    /// Fetches bytes of the body when everything before was sent.
    private func fill() -> UploadStep {
        if case .done = upload { return .end }
        guard !isSendPaused, let delegate else { return .pause }
        let room = unsafe pool.room.buffer
        switch unsafe delegate.transfer(self, wantsBodyInto: room) {
        case .wrote(let count):
            return unsafe append(UnsafeRawBufferPointer(rebasing: room[0..<count])) ? .wrote(count) : .abort
        case .pause:
            isSendPaused = true
            return .pause
        case .end:
            // A body that ends before its declared length is truncated.
            guard case .chunked = upload else { return .abort }
            upload = .done
            out.append(literal: "0\r\n")
            let lines = trailerLines
            out.append(lines.span)
            out.append(literal: "\r\n")
            return .wrote(5)
        case .abort: return .abort
        }
    }

    private func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch upload {
        case .done: return false
        case .length(let left):
            guard Int64(bytes.count) <= left else { return false }
            unsafe out.append(bytes)
            upload = left == Int64(bytes.count) ? .done : .length(left: left - Int64(bytes.count))
        case .chunked:
            out.append(hexadecimal: bytes.count)
            out.append(literal: "\r\n")
            unsafe out.append(bytes)
            out.append(literal: "\r\n")
        }
        return true
    }

    /// Processes received bytes and passes them on.
    func take(_ memory: UnsafeRawBufferPointer) -> Step {
        let bytes = unsafe Span<UInt8>(_unsafeBytes: memory)
        var position = 0
        while true {
            switch parser.next(in: bytes, at: &position, into: response) {
            case .needsMore: return .more
            case .interim:
                delegate?.transferDidReceiveInterim(self)
                response.endInterim()
            case .head: delegate?.transferDidReceiveHead(self, response)
            case .body(let range):
                switch delegate?.transfer(self, didReceiveBody: bytes.extracting(range)) ?? .refuse {
                case .taken: break
                case .takenForNow: isReceivePaused = true
                case .refuse: return .failed(.bodyRefused)
                }
            case .complete: return .complete(isExact: position == bytes.count)
            case .invalid(let fault): return .failed(fault)
            }
        }
    }

    /// What the end of the connection means for the response; `nil` if it is also the end of the response.
    func faultOfEnd(isClean: Bool) -> TransferFault? {
        guard parser.hasBegun else { return .closedBeforeAnswer }
        return isClean && parser.endsWithConnection ? nil : .incomplete
    }

    /// The provider has ended TLS with an alert instead of a response.
    ///
    /// - Parameter refusesAll: whether it rejected the connection itself, and read nothing that was sent.
    func fault(of alert: TLSAlert, refusesAll: Bool) -> TransferFault {
        if refusesAll { hasLeft = false }
        return .tlsAlert(alert.words)
    }

    /// Whether the connection may serve another request after this complete response.
    var leavesConnectionUsable: Bool {
        guard case .done = upload, out.isEmpty, !isBroken, response.keepsConnection,
            !parser.endsWithConnection
        else { return false }
        // RFC 9112 6.3: a length together with chunks is either an error or an attack.
        return response.transferCoding == .none || (response.contentLength == nil && !response.isHTTP10)
    }

    /// It is over; its delegate is notified later in this iteration.
    func finish(_ fault: TransferFault?) {
        connection = nil
        outcome.fault = fault
        outcome.wasSent = hasLeft
        pool.finish(self)
    }

    /// Notifies the delegate that it is over.
    func report() {
        let delegate = delegate
        self.delegate = nil
        isRunning = false
        delegate?.transferDidFinish(self)
    }

    private func release() {
        let connection = connection
        self.connection = nil
        connection?.close()
    }
}

/// What follows the last chunk of a request.
extension HTTP1Transfer {
    /// See ``UpstreamTransfer/sendsTrailers``.
    public var sendsTrailers: Bool { true }

    /// See ``UpstreamTransfer/addTrailer(name:value:)``.
    public func addTrailer(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
        trailerLines.append(name)
        trailerLines += [0x3A, 0x20]
        trailerLines.append(value)
        trailerLines += [0x0D, 0x0A]
    }
}

/// A large body is received directly into its reader's memory, without a copy.
extension HTTP1Transfer {
    /// See ``UpstreamTransfer/pullBody(into:)``.
    public func pullBody(into room: UnsafeMutableRawBufferPointer) -> PulledBody {
        guard isRunning, isPulled || !isReceivePaused, let connection else { return .nothing }
        // The last bytes are received with additional room, so that bytes after the response are noticed.
        guard parser.certainBody >= room.count, room.count > 0 else {
            guard isPulled || connection.mayHoldBytes else { return .nothing }
            (isPulled, isReceivePaused) = (false, true)
            return .paused
        }
        let count = unsafe connection.pull(into: room)
        guard count > 0 else {
            if isPulled { stopPull() }
            return .nothing
        }
        parser.skipBody(count)
        return .bytes(count)
    }

    /// The socket is empty and must signal more bytes.
    func stopPull() {
        (isPulled, isReceivePaused) = (false, false)
        connection?.setInterest()
    }

    /// Whether its reader should receive directly, because much of the body is still to come.
    ///
    /// - Parameter piece: the minimum number of bytes.
    func isLeftToReader(piece: Int) -> Bool {
        guard parser.certainBody >= piece, let delegate else { return false }
        switch delegate.transferMayBePulled(self) {
        case .none: return false
        case .now: return true
        case .later:
            (isPulled, isReceivePaused) = (true, true)
            return true
        }
    }
}
