internal import CMicroHTTPD
internal import Glibc
public import Wire

/// A client's request, from its first line to the last byte of its answer; subclass it to serve it.
///
/// The daemon retains it from `daemon(_:beginsRequestFor:)` to ``completed(isWhole:)``. Overridden methods are called inside
/// ``HTTPDaemon/run()``. An answer can be given from the first ``awaitAnswer()`` on, and before by ``answerAndLeave(_:)``: libmicrohttpd
/// takes none while a body is still arriving, and closes the connection at once behind one that was given before.
@safe open class IncomingRequest {
    /// Most bytes that are read and sent at once of a body whose length is known.
    private static let streamBlock: Int64 = 64 << 10

    private(set) var connection: OpaquePointer?
    /// The answer that libmicrohttpd sends, which owns it.
    private(set) var response: OpaquePointer?
    private(set) var client: ClientConnection?
    /// The answer's head, as far as it is not the library's.
    final var answerHead = AnswerHead()
    /// Whether the head is held, see ``holdHead()``.
    public private(set) var isHeadHeld = false

    /// The request's head; empty before ``headReceived()``.
    public final var head: RequestHead {
        if memoryIsAway { putMemoryBack() }
        return headInPool
    }
    private var headInPool = RequestHead()
    /// Whether what the library holds of the request has been put aside.
    final var memoryIsAway = false
    private(set) var hasHead = false
    private(set) var isAbandoned = false
    /// Whether bytes of the body have come from the library: it has nothing to say before them any more.
    private(set) var bodyHasBegun = false
    private(set) var bodyHasEnded = false
    /// Whether the connection sleeps.
    public private(set) var isSuspended = false {
        didSet { if isSuspended != oldValue { client?.daemon.sleepers += isSuspended ? 1 : -1 } }
    }
    /// Whether an answer has been given to libmicrohttpd.
    public private(set) var isAnswered = false

    /// A request of which nothing is known yet.
    public init() {
        unsafe connection = nil
        unsafe response = nil
    }

    deinit { headInPool.deallocate() }

    /// The client's socket, while the request lasts; -1 otherwise.
    public var socket: Int32 { unsafe connection.map { unsafe cmhd_socket($0) } ?? -1 }

    // MARK: To override

    /// The head is complete.
    ///
    /// The only answer that can be given here is ``answerAndLeave(_:)``; `false` closes the connection without one.
    open func headReceived() -> Bool { true }

    /// The head that was held with ``holdHead()`` is looked at again; answers as ``headReceived()`` does.
    open func headReleased() -> Bool { true }

    /// Bytes of the body have come.
    ///
    /// - Returns: how many were taken. If some are left, the connection sleeps until ``resume()``.
    open func bodyReceived(_ bytes: Span<UInt8>) -> Int { bytes.count }

    /// The body, if there is one, is complete; called once.
    open func bodyEnded() {}

    /// The client waits for its answer; called again after each ``resume()``, or at each run while it says ``Wait/poll``.
    open func awaitAnswer() -> Wait { .abandon }

    /// There is room for bytes of a streamed answer.
    open func readBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead { .abort }

    /// All connections are about to be closed, and there is no answer yet: the last time for ``answerAndLeave(_:)``.
    open func connectionsClose() {}

    /// The request is over, and this object will not be called again.
    ///
    /// - Parameter isWhole: whether the whole answer was handed to the system.
    open func completed(isWhole: Bool) {}

    // MARK: To call

    /// Gives the answer; in ``awaitAnswer()``, or while suspended behind the complete request.
    ///
    /// - Parameter fields: their names are tokens (RFC 9110 5.6.2); one that has the end of a line, or a NUL, is not sent.
    /// - Returns: false if libmicrohttpd does not take it; the connection should then be abandoned.
    @discardableResult
    public func respond(status: Int, fields: borrowing FieldBlock, body: Body) -> Bool {
        guard let connection = unsafe connection, client != nil, !isAnswered else { return false }
        if memoryIsAway { putMemoryBack() }
        let hasNoLength = hasNoLength(status: status, body)
        let sent = unsafe hasNoLength ? .memory(UnsafeRawBufferPointer(start: nil, count: 0)) : body
        guard let response = unsafe makeResponse(body: sent) else { return false }
        defer { unsafe MHD_destroy_response(response) }
        unsafe answerHead.prepare(fields, for: response, hasNoLength: hasNoLength)
        isAnswered = unsafe cmhd_queue(connection, UInt32(status), response) != 0
        if isAnswered { unsafe self.response = response } else { answerHead.discard() }
        return isAnswered
    }

    /// Whether the library has memory for these trailers of an answer beside the request.
    ///
    /// > 0.9.75 closes a connection without an answer where it has not.
    public final func hasRoom(for fields: borrowing FieldBlock) -> Bool {
        guard let client, let connection = unsafe connection else { return false }
        let used = unsafe cmhd_head_size(connection) + HTTPDaemon.fieldOverhead * head.fieldCount
        let needed = fields.byteCount + 4 * fields.count
        return needed + used + HTTPDaemon.headReserve <= client.daemon.limits.connectionMemory
    }

    /// Whether an answer without a body has no length either, of which the library would have to say something.
    private func hasNoLength(status: Int, _ body: Body) -> Bool {
        guard case .streamed(nil) = body else { return false }
        return status == 304 || head.withMethod { $0.equals("HEAD") }
    }

    /// > MHD_add_response_header refuses empty values: a single blank stands for one.
    static func shown(_ value: UnsafePointer<CChar>?) -> UnsafePointer<CChar> {
        if let value = unsafe value, unsafe value[0] != 0 { return unsafe value }
        return unsafe UnsafePointer(blank.utf8Start).asCharacters
    }

    /// Gives the answer at once, whatever is left of the request, and ends the connection.
    ///
    /// libmicrohttpd takes no answer while a body arrives, and closes too soon behind one that it gets with the head: this one goes to
    /// the client without it. What the client still sends is read and dropped for a while, so that no reset destroys what it has not
    /// yet read. The request sleeps until then.
    ///
    /// - Returns: false if there is an answer already, or no client.
    public func answerAndLeave(_ answer: ClosingAnswer) -> Bool {
        guard let client, !isAnswered else { return false }
        isAnswered = true
        client.leave(answer)
        return true
    }

    /// Whether the connection is over behind ``answerAndLeave(_:)``.
    var isGone: Bool { client?.isGone ?? false }

    /// Sleeps until the connection is over: ``resume()`` does nothing before.
    func sleepUntilGone() { suspend() }

    /// Sleeps in ``headReceived()`` or ``headReleased()``, before a client that waits for it is told to go on.
    ///
    /// After ``resume()`` comes ``headReleased()``.
    public func holdHead() {
        isHeadHeld = true
        suspend()
    }

    /// Wakes a sleeping connection; harmless otherwise.
    ///
    /// ``HTTPDaemon/run()`` must follow.
    public func resume() {
        guard isSuspended, let connection = unsafe connection else { return }
        if let client, client.isLeaving, !client.isGone { return }
        isSuspended = false
        if memoryIsAway { putMemoryBack() }
        unsafe MHD_resume_connection(connection)
    }

    /// Whether the library has nothing to do for it until it is resumed, and it has no answer.
    final var waits: Bool { isSuspended && !isAnswered }

    private func putMemoryBack() {
        memoryIsAway = false
        client?.putMemoryBack()
    }

    // MARK: Called by the daemon

    func begin(on connection: OpaquePointer, of client: ClientConnection?) {
        unsafe self.connection = connection
        self.client = client
        client?.request = self
        if let client, client.hasEndedSending { client.daemon.noteBegun(afterEndOf: client) }
        hasHead = false
        isHeadHeld = false
        isAbandoned = false
        bodyHasBegun = false
        bodyHasEnded = false
        isSuspended = false
        isAnswered = false
        memoryIsAway = false
    }

    func takeHead(method: UnsafePointer<CChar>, version: UnsafePointer<CChar>) -> Bool {
        guard let connection = unsafe connection else { return false }
        // What the library has read elsewhere than through the scanner is no request.
        guard let client, client.hasScannedHead else {
            client?.daemon.noteUnscannedHead()
            return false
        }
        hasHead = true
        unsafe headInPool.take(connection: connection, method: method, version: version)
        return headReceived()
    }

    func releaseHead() -> Bool {
        isHeadHeld = false
        return headReleased()
    }

    func takeBody(_ bytes: Span<UInt8>) -> Int {
        bodyHasBegun = true
        let taken = bodyReceived(bytes)
        if taken < bytes.count, !isAbandoned { suspend() }
        return taken
    }

    func takeVisit() -> Bool {
        if !bodyHasEnded {
            bodyHasEnded = true
            bodyEnded()
        }
        if isAnswered { return true }
        switch awaitAnswer() {
        case .poll, .answered: return true
        case .suspend:
            suspend()
            return true
        case .abandon: return false
        }
    }

    func readBody(into room: UnsafeMutableRawBufferPointer) -> Int {
        switch unsafe readBody(into: room) as BodyRead {
        case .wrote(let count): return count
        case .suspend:
            suspend()
            return 0
        case .end:
            // Without a length and without chunks, that is the end of the connection.
            if head.isHTTP10, let client { client.daemon.noteClosed(client) }
            return -1  // MHD_CONTENT_READER_END_OF_STREAM
        case .abort: return -2  // MHD_CONTENT_READER_END_WITH_ERROR
        }
    }

    func complete(isWhole: Bool) {
        isSuspended = false
        // What the library has sent elsewhere than through the hook had none of the fields.
        if isWhole, answerHead.isPending { client?.daemon.noteUnhookedHead(of: client) }
        answerHead.discard()
        _ = takeTrailers()
        client?.request = nil
        client?.completedRequests += 1
        completed(isWhole: isWhole)
        if let client {
            if isWhole {
                client.answeredInRun = client.daemon.runs
                client.readOn()
            } else {
                client.daemon.noteClosed(client)
            }
        }
        unsafe connection = nil
        unsafe response = nil
        client = nil
        headInPool.clear()
    }

    /// Closes the connection at the end of the callback that is running.
    public func abandon() { isAbandoned = true }

    private func suspend() {
        guard !isSuspended, let connection = unsafe connection, client?.daemon.isStopping != true else {
            return
        }
        isSuspended = true
        unsafe MHD_suspend_connection(connection)
    }

    private func makeResponse(body: Body) -> OpaquePointer? {
        switch body {
        case .memory(let bytes):
            return unsafe cmhd_buffer_response(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
        case .streamed(let length):
            // > Chunked answers are written into the connection's memory, so the block is unused: 1 is enough. For a known length
            // it is zeroed for each answer.
            let block = head.isHTTP10 || length != nil ? Int(min(length ?? 16384, Self.streamBlock)) : 1
            let size = length.map { UInt64($0) } ?? UInt64.max  // MHD_SIZE_UNKNOWN
            return unsafe MHD_create_response_from_callback(
                size, max(block, 1), DaemonCallbacks.read, Unmanaged.passUnretained(self).toOpaque(), nil)
        }
    }
}

private let blank: StaticString = " "

extension UnsafePointer<UInt8> {
    fileprivate var asCharacters: UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(self).assumingMemoryBound(to: CChar.self)
    }
}

/// What a request says of its answer.
extension IncomingRequest {
    /// How many requests sleep on the daemon's connections.
    public var sleepers: Int { client?.daemon.sleepers ?? 0 }

    /// Makes the client see that its answer broke off, where neither a length nor chunks would show it: the connection is reset.
    public func resetConnection() {
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        // > connect() to AF_UNSPEC dissolves a connection (tcp(7)): the peer gets a reset, not a clean end.
        unsafe connect(socket, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Ends the connection's socket at once; libmicrohttpd finds out at its next look.
    public func shutDownConnection() {
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// What a request that has no answer yet does.
    public enum Wait: Sendable {
        /// Asks again at the next run: libmicrohttpd has something to do all the while. Cheaper than to sleep for a short while, where
        /// very many sleep.
        case poll
        /// Sleeps until ``resume()``; libmicrohttpd then sees nothing of the connection, not even its end.
        case suspend
        /// ``respond(status:fields:body:)`` was called.
        case answered
        /// Gives up: the connection is closed without an answer.
        case abandon
    }

    /// What a streamed answer has to give.
    public enum BodyRead {
        /// It wrote so many bytes, at least 1.
        case wrote(Int)
        /// Nothing yet: sleeps until ``resume()``.
        case suspend
        /// The body is complete.
        case end
        /// The body will never be complete: the client must see that it broke off.
        case abort
    }

    /// The body of an answer.
    @safe public enum Body {
        /// Memory that must stay valid until ``completed(isWhole:)``.
        case memory(UnsafeRawBufferPointer)
        /// Bytes that ``readBody(into:)`` gives one after another; with their number, if it is known.
        case streamed(length: Int64?)
    }
}

/// Interim answers (RFC 9110 15.2), for which libmicrohttpd has no call: they go past it.
extension IncomingRequest {
    /// Sends an interim answer at once, or not at all.
    ///
    /// > 0.9.75 begins to read a request when the answer before it has been handed to the system whole, and writes nothing before the
    /// answer but `100 Continue`, to whoever expects that: all of it before it looks at the body, or asks for the answer. So whatever
    /// is written in between stands where it belongs.
    ///
    /// - Parameters:
    ///   - status: 102 to 199.
    ///   - fields: well-formed, and none that frames a message.
    /// - Returns: false if it was not sent: it would be too large, the client speaks HTTP/1.0, has an answer already, may be told to go
    ///   on right now, or is slow to take what it was given before. Nobody needs an interim answer.
    @discardableResult
    public func sendInterim(status: Int, fields: borrowing FieldBlock) -> Bool {
        guard let client, let connection = unsafe connection, hasHead, !isHeadHeld, !isAnswered, !isAbandoned,
            unsafe cmhd_is_answered(connection) == 0, !head.isHTTP10, (102...199).contains(status),
            fields.byteCount + 4 * fields.count <= ClientConnection.interimLimit,
            bodyHasBegun || bodyHasEnded || !hasExpectation
        else { return false }
        var bytes = Array("HTTP/1.1 \(status) \(ClosingAnswer.phrase(of: status))\r\n".utf8)
        fields.forEach { name, value in
            bytes.append(name)
            bytes += [0x3A, 0x20]
            bytes.append(value)
            bytes += [0x0D, 0x0A]
        }
        bytes += [0x0D, 0x0A]
        return client.sendInterim(bytes)
    }

    private var hasExpectation: Bool {
        var isThere = false
        head.forEachField { name, _ in if name.equalsIgnoringCase("expect") { isThere = true } }
        return isThere
    }
}

/// What stands behind a chunked body, of the request and of the answer.
extension IncomingRequest {
    /// Adds trailers to an answer that is streamed without a length to a client of HTTP/1.1.
    ///
    /// In ``readBody(into:)``, before it says ``BodyRead/end``. What does not fit into the connection's memory breaks the answer off.
    public func addTrailers(_ fields: borrowing FieldBlock) {
        // libmicrohttpd holds the answer as long as it asks for its body.
        guard let response = unsafe response else { return }
        unsafe fields.forEachTerminated { name, value in
            unsafe MHD_add_response_footer(response, name, Self.shown(value))
        }
    }

    /// The trailers of the request, once its body is complete; given once.
    public func takeTrailers() -> FieldBlock {
        client.map { $0.scanner.takeTrailers(of: $0.completedRequests + 1) } ?? FieldBlock()
    }
}

/// What is known of a client that has ended its sending side.
extension IncomingRequest {
    /// What the system knows of a client's own socket.
    public enum Peer: Sendable {
        /// A process has it: it can still read.
        case open
        /// Nobody has it any more.
        case closed
        /// It is not this system's.
        case unknown
    }

    /// Whether the client has ended its sending side, or the whole connection.
    public final var clientHasEndedSending: Bool { client?.hasEndedSending ?? false }

    /// What the system knows of the client's own socket; asked once the client has ended its sending side.
    public final var peer: Peer { client?.peer ?? .closed }

    /// How many bytes of what was sent the client has not received yet; `nil` if that is not known.
    public final var unreceivedBytes: Int? { client?.unreceivedBytes }

    /// Whether what is here of the request, read or not, is all of it; asked once the client has ended its sending side.
    public final var isHereWhole: Bool { client?.holdsRest ?? false }

    /// How long after the request's last bytes, in nanoseconds, the end of the client's side arrived, at most: asked before anything is
    /// answered, once the end is there.
    ///
    /// - Parameter age: how long ago, in nanoseconds, the whole request was read.
    public final func nanosecondsToEnd(ofRequestReadBefore age: Int64) -> Int64 {
        client?.nanosecondsToEnd(ofRequestReadBefore: age) ?? age
    }

    /// Whether TLS is spoken with the client.
    public final var isEncrypted: Bool { client?.isEncrypted ?? false }
}
