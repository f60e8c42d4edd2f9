internal import CMicroHTTPD
internal import Glibc
public import Wire

/// A client's request, from its first line to the last byte of its response; to be subclassed by the server.
///
/// The daemon retains it from `daemon(_:beginsRequestFor:)` to ``completed(isWhole:)``. Overridden methods are called
/// inside ``HTTPDaemon/run()``. A response can be given from the first ``awaitAnswer()`` on, and before that with
/// ``answerAndLeave(_:)``: libmicrohttpd accepts none while a body is arriving, and closes the connection at once
/// after one that was given earlier.
@safe open class IncomingRequest {
    /// The maximum number of bytes of a body with a known length that are read and sent at once.
    private static let streamBlock: Int64 = 64 << 10

    private(set) var connection: OpaquePointer?
    /// The response that libmicrohttpd sends, which owns it.
    private(set) var response: OpaquePointer?
    private(set) var client: ClientConnection?
    /// The part of the response's head that does not come from the library.
    final var answerHead = AnswerHead()
    /// The request's head; empty before ``headReceived()``.
    public final var head: RequestHead {
        if memoryIsAway { putMemoryBack() }
        return headInPool
    }
    private var headInPool = RequestHead()
    /// Whether the request's part of the library's memory has been saved and released.
    final var memoryIsAway = false
    /// Whether the head is complete.
    final var hasHead: Bool { client?.machine.hasHead ?? false }
    /// Whether the head is held, see ``holdHead()``.
    public final var isHeadHeld: Bool { client?.machine.request == .held }
    /// Whether the connection is closed at the end of the callback that runs.
    final var isAbandoned: Bool { client?.machine.isAbandoned ?? true }
    /// Whether the connection sleeps.
    public final var isSuspended: Bool { client?.machine.isRequestAsleep ?? false }
    /// Whether a response has been given, to libmicrohttpd or past it.
    public final var isAnswered: Bool { client?.machine.isAnswered ?? false }

    /// An empty request.
    public init() {
        unsafe connection = nil
        unsafe response = nil
    }

    deinit { headInPool.deallocate() }

    /// The client's socket, while the request lasts; -1 otherwise.
    public var socket: Int32 { unsafe connection.map { unsafe cmhd_socket($0) } ?? -1 }

    // MARK: To override

    /// Whether the request itself ends the connection of a client that stalls within it: then libmicrohttpd does not.
    open var endsStalledClient: Bool { false }

    /// The head is complete.
    ///
    /// Only ``answerAndLeave(_:)`` can give a response here; `false` closes the connection without one.
    open func headReceived() -> Bool { true }

    /// The head that was held with ``holdHead()`` is processed again; returns like ``headReceived()``.
    open func headReleased() -> Bool { true }

    /// Bytes of the body have arrived.
    ///
    /// - Returns: how many were accepted. If some are left, the connection is suspended until ``resume()``.
    open func bodyReceived(_ bytes: Span<UInt8>) -> Int { bytes.count }

    /// The body, if there is one, is complete; called once.
    open func bodyEnded() {}

    /// The client waits for its response; called again after each ``resume()``, or at each run while it returns
    /// ``Wait/poll``.
    open func awaitAnswer() -> Wait { .abandon }

    /// There is room for bytes of a streamed response.
    open func readBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead { .abort }

    /// All connections are about to be closed, and there is no response yet: the last opportunity for
    /// ``answerAndLeave(_:)``.
    open func connectionsClose() {}

    /// The request is over, and this object will not be called again.
    ///
    /// - Parameter isWhole: whether the whole response was passed to the system.
    open func completed(isWhole: Bool) {}

    // MARK: To call

    /// Gives the response; in ``awaitAnswer()``, or while suspended after the complete request.
    ///
    /// - Parameter fields: their names are tokens (RFC 9110 5.6.2); one that contains the end of a line, or a NUL, is
    ///   not sent.
    /// - Returns: false if libmicrohttpd does not accept it; the connection should then be abandoned.
    @discardableResult
    public func respond(status: Int, fields: borrowing FieldBlock, body: Body) -> Bool {
        guard let connection = unsafe connection, let client, client.machine.mayBeAnswered else {
            return false
        }
        if memoryIsAway { putMemoryBack() }
        let hasNoLength = hasNoLength(status: status, body)
        let sent = unsafe hasNoLength ? .memory(UnsafeRawBufferPointer(start: nil, count: 0)) : body
        guard let response = unsafe makeResponse(body: sent) else { return false }
        defer { unsafe MHD_destroy_response(response) }
        unsafe answerHead.prepare(fields, for: response, hasNoLength: hasNoLength)
        guard unsafe cmhd_queue(connection, UInt32(status), response) != 0 else {
            answerHead.discard()
            return false
        }
        unsafe self.response = response
        client.handle(.responseQueued)
        return true
    }

    /// Whether the library has memory for these trailers of a response in addition to the request.
    ///
    /// > 0.9.75 closes a connection without an answer where it has not.
    public final func hasRoom(for fields: borrowing FieldBlock) -> Bool {
        guard let client, let connection = unsafe connection else { return false }
        let used = unsafe cmhd_head_size(connection) + HTTPDaemon.fieldOverhead * head.fieldCount
        let needed = fields.byteCount + 4 * fields.count
        return needed + used + HTTPDaemon.headReserve <= client.daemon.limits.connectionMemory
    }

    /// Whether a response without a body also has no length, which the library would declare.
    private func hasNoLength(status: Int, _ body: Body) -> Bool {
        guard case .streamed(nil) = body else { return false }
        return status == 304 || head.withMethod { $0.equals("HEAD") }
    }

    /// > MHD_add_response_header refuses empty values: a single blank stands for one.
    static func shown(_ value: UnsafePointer<CChar>?) -> UnsafePointer<CChar> {
        if let value = unsafe value, unsafe value[0] != 0 { return unsafe value }
        return unsafe UnsafePointer(blank.utf8Start).asCharacters
    }

    /// Gives the response at once, whatever is left of the request, and ends the connection.
    ///
    /// libmicrohttpd accepts no response while a body arrives, and closes too early after one given with the head:
    /// this one bypasses it. Bytes that the client still sends are read and dropped for a while, so that no reset
    /// destroys what it has not read yet. The request is suspended until then.
    ///
    /// - Returns: false if there already is a response, or no client.
    public func answerAndLeave(_ answer: ClosingAnswer) -> Bool {
        guard let client, client.machine.stage == .serving, !isAnswered else { return false }
        client.leave(answer)
        return true
    }

    /// Whether the connection is over behind ``answerAndLeave(_:)``.
    var isGone: Bool { client?.machine.stage == .gone }

    /// Suspends the request in ``headReceived()`` or ``headReleased()``, before its client gets `100 Continue`.
    ///
    /// ``resume()`` is followed by ``headReleased()``.
    public func holdHead() {
        client?.handle(.headHeld)
        suspend()
    }

    /// Resumes a suspended connection; harmless otherwise.
    ///
    /// ``HTTPDaemon/run()`` must follow.
    public func resume() {
        guard let client, client.machine.sleep == .inRequest else { return }
        if memoryIsAway { putMemoryBack() }
        client.handle(.requestWoken)
    }

    private func putMemoryBack() {
        memoryIsAway = false
        client?.putMemoryBack()
    }

    // MARK: Called by the daemon

    func begin(on connection: OpaquePointer, of client: ClientConnection?) {
        unsafe self.connection = connection
        self.client = client
        client?.request = self
        client?.handle(.requestBegan)
        memoryIsAway = false
    }

    func takeHead(method: UnsafePointer<CChar>, version: UnsafePointer<CChar>) -> Bool {
        guard let connection = unsafe connection else { return false }
        // What the library has read elsewhere than through the scanner is no request.
        guard let client, client.machine.hasScannedHead else {
            client?.daemon.noteUnscannedHead()
            return false
        }
        client.handle(.headReceived)
        unsafe headInPool.take(connection: connection, method: method, version: version)
        return headReceived()
    }

    func releaseHead() -> Bool {
        client?.handle(.headReleased)
        return headReleased()
    }

    func takeBody(_ bytes: Span<UInt8>) -> Int {
        client?.handle(.bodyArrived)
        let taken = bodyReceived(bytes)
        if taken < bytes.count, !isAbandoned { suspend() }
        return taken
    }

    func takeVisit() -> Bool {
        if let client, client.machine.request < .complete {
            client.handle(.requestEnded)
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
            if head.isHTTP10 { client?.handle(.responseEndsConnection) }
            return -1  // MHD_CONTENT_READER_END_OF_STREAM
        case .abort: return -2  // MHD_CONTENT_READER_END_WITH_ERROR
        }
    }

    func complete(isWhole: Bool) {
        // What the library has sent elsewhere than through the hook had none of the fields.
        if isWhole, answerHead.isPending { client?.daemon.noteUnhookedHead(of: client) }
        answerHead.discard()
        _ = takeTrailers()
        completed(isWhole: isWhole)
        if let client {
            client.request = nil
            client.handle(.requestCompleted(isWhole: isWhole, run: client.daemon.runs))
        }
        unsafe connection = nil
        unsafe response = nil
        client = nil
        headInPool.clear()
    }

    /// Closes the connection at the end of the callback that is running.
    public func abandon() { client?.handle(.requestAbandoned) }

    private func suspend() { client?.handle(.requestSleeps) }

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

/// State of a request that concerns its response.
extension IncomingRequest {
    /// The number of suspended requests on the daemon's connections.
    public var sleepers: Int { client?.daemon.sleepers ?? 0 }

    /// Makes the client notice a truncated response if neither a length nor chunks would show it: the connection is
    /// reset.
    public func resetConnection() {
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        // > connect() to AF_UNSPEC dissolves a connection (tcp(7)): the peer gets a reset, not a clean end.
        unsafe connect(socket, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Ends the connection's socket at once; libmicrohttpd notices at its next check.
    public func shutDownConnection() {
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// What a request without a response does.
    public enum Wait: Sendable {
        /// Asks again at the next run, since libmicrohttpd always has something to do. This is cheaper than a short
        /// suspension if very many requests are suspended.
        case poll
        /// Suspends until ``resume()``; libmicrohttpd then notices nothing of the connection, not even its end.
        case suspend
        /// ``respond(status:fields:body:)`` was called.
        case answered
        /// Gives up: the connection is closed without a response.
        case abandon
    }

    /// The result of reading a streamed response.
    public enum BodyRead {
        /// This many bytes were written, at least 1.
        case wrote(Int)
        /// Nothing yet: suspends until ``resume()``.
        case suspend
        /// The body is complete.
        case end
        /// The body will never be complete: the client must see a truncated response.
        case abort
    }

    /// The body of a response.
    @safe public enum Body {
        /// Memory that must stay valid until ``completed(isWhole:)``.
        case memory(UnsafeRawBufferPointer)
        /// Bytes that ``readBody(into:)`` supplies; with their number, if known.
        case streamed(length: Int64?)
    }
}

/// Interim responses (RFC 9110 15.2), for which libmicrohttpd has no function: they bypass it.
extension IncomingRequest {
    /// Sends an interim response at once, or not at all.
    ///
    /// > 0.9.75 begins to read a request when the answer before it has been handed to the system whole, and writes nothing before the
    /// answer but `100 Continue`, to whoever expects that: all of it before it looks at the body, or asks for the answer. So whatever
    /// is written in between stands where it belongs.
    ///
    /// - Parameters:
    ///   - status: 102 to 199.
    ///   - fields: well-formed, and none that frames a message.
    /// - Returns: false if it was not sent: it would be too large, the client speaks HTTP/1.0, has a response
    ///   already, may be getting `100 Continue` right now, or is slow to read earlier bytes. Interim responses are
    ///   optional.
    @discardableResult
    public func sendInterim(status: Int, fields: borrowing FieldBlock) -> Bool {
        guard let client, let connection = unsafe connection,
            client.machine.mayHaveInterim(expectsContinue: false), unsafe cmhd_is_answered(connection) == 0,
            !head.isHTTP10, (102...199).contains(status),
            fields.byteCount + 4 * fields.count <= ClientConnection.interimLimit,
            client.machine.request >= .body
                || client.machine.mayHaveInterim(expectsContinue: hasExpectation)
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

/// The trailers of the request and of the response.
extension IncomingRequest {
    /// Adds trailers to a response that is streamed without a length to an HTTP/1.1 client.
    ///
    /// To be called in ``readBody(into:)``, before it returns ``BodyRead/end``. Trailers that do not fit into the
    /// connection's memory truncate the response.
    public func addTrailers(_ fields: borrowing FieldBlock) {
        // libmicrohttpd keeps the response as long as it reads its body.
        guard let response = unsafe response else { return }
        unsafe fields.forEachTerminated { name, value in
            unsafe MHD_add_response_footer(response, name, Self.shown(value))
        }
    }

    /// The trailers of the request, once its body is complete; returned once.
    public func takeTrailers() -> FieldBlock {
        client?.takeTrailers() ?? FieldBlock()
    }
}

/// What is known about a half-closed client.
extension IncomingRequest {
    /// What the system knows about a client's own socket.
    public enum Peer: Sendable {
        /// A process owns it: it can still read.
        case open
        /// No process owns it any more.
        case closed
        /// It does not belong to this system.
        case unknown
    }

    /// Whether the client has ended its sending side, or the whole connection.
    public final var clientHasEndedSending: Bool { client.map { $0.machine.end != .none } ?? false }

    /// What the system knows about the client's own socket; to be called if the client has ended its sending side, or
    /// may have done so behind bytes that are not read.
    public final var peer: Peer { client?.peer ?? .closed }

    /// How many sent bytes the client has not received yet; `nil` if unknown.
    public final var unreceivedBytes: Int? { client?.unreceivedBytes }

    /// Whether bytes of the client lie unread in the system.
    public final var hasUnreadInput: Bool { client?.hasUnreadInput ?? false }

    /// Whether bytes of a next request have been received with this one.
    public final var hasPipelinedInput: Bool { client?.hasHeld ?? false }

    /// Whether the whole request is here, read or not; to be called while it is read.
    ///
    /// With TLS only what was read counts, since the rest cannot be inspected without being read.
    public final var isReceivedWhole: Bool { client?.hasReceivedRequest ?? false }

    /// Whether the available bytes of the request, read or not, are all of it; to be called once the client has ended
    /// its sending side.
    public final var isHereWhole: Bool { client?.holdsRest ?? false }

    /// The maximum time, in nanoseconds, between the request's last bytes and the end of the client's side; to be
    /// called before any response, once the end has arrived.
    ///
    /// - Parameter age: how long ago, in nanoseconds, the whole request was read.
    public final func nanosecondsToEnd(ofRequestReadBefore age: Int64) -> Int64 {
        client?.nanosecondsToEnd(ofRequestReadBefore: age) ?? age
    }

    /// Whether TLS is spoken with the client.
    public final var isEncrypted: Bool { client?.machine.isEncrypted ?? false }
}
