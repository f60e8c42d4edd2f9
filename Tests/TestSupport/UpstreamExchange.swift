internal import Locking

/// One request that a scripted upstream received, with methods to respond.
public final class UpstreamExchange: Sendable {
    private struct State {
        var request: ReceivedRequest
        var isAnswered = false
    }

    private let connection: UpstreamConnection
    private let state: Lock<State>

    init(connection: UpstreamConnection, request: ReceivedRequest) {
        self.connection = connection
        state = Lock(State(request: request))
    }

    /// The request as far as it was read.
    public var request: ReceivedRequest { state.withLock { $0.request } }

    /// Whether the connection may carry another request: the body was read and a keep-open response was sent.
    var isFinished: Bool {
        state.withLock { $0.isAnswered && $0.request.body?.isComplete == true } && !connection.socket.isClosed
    }

    // MARK: Reading

    /// Reads the request's body, once; a truncated body does not throw but is not complete.
    ///
    /// - Parameter keeping: false counts the bytes only, for large bodies.
    @discardableResult
    public func readBody(keeping: Bool = true, within patience: Duration = .patience) throws -> MessageBody {
        if let body = request.body { return body }
        let framing = request.head.framing ?? .none
        let (body, raw) = try connection.reader.withLock { reader in
            if keeping { reader.beginCapture() }
            let body = try reader.readBody(framing, keeping: keeping, by: .after(patience))
            return (body, reader.endCapture())
        }
        state.withLock { state in
            state.request.body = body
            state.request.rawBytes += raw
        }
        return body
    }

    /// Reads what is there of the undecoded body, at least one byte, at most `limit`; empty at the orderly end.
    public func readBytes(atMost limit: Int, within patience: Duration = .patience) throws -> [UInt8] {
        try connection.reader.withLock { try $0.read(atMost: limit, by: .after(patience), what: "any byte") }
    }

    // MARK: Answering

    /// Sends the response and ends as it says.
    public func respond(_ response: ScriptedResponse, within patience: Duration = .patience) throws {
        try connection.socket.send(response.bytes, by: .after(patience))
        switch response.ending {
        case .keepOpen: finish()
        case .close: close()
        case .reset: reset()
        case .stall: break
        }
    }

    /// Sends the bytes as a whole response, after which the connection may carry the next request.
    public func respond(_ bytes: [UInt8], within patience: Duration = .patience) throws {
        try respond(.raw(bytes), within: patience)
    }

    /// Sends the text as a whole response, after which the connection may carry the next request.
    public func respond(_ text: String, within patience: Duration = .patience) throws {
        try respond(.raw(Array(text.utf8)), within: patience)
    }

    /// Sends the response in pieces of `chunk` bytes, with a pause between them, and ends as it says.
    public func respondSlowly(
        _ response: ScriptedResponse, chunk: Int = 1, every pause: Duration,
        within patience: Duration = .patience
    ) throws {
        try connection.socket.sendSlowly(response.bytes, chunk: chunk, every: pause, by: .after(patience))
        try respond(ScriptedResponse(bytes: [], ending: response.ending))
    }

    /// Sends a part of a response; ``finish()`` says when it is whole.
    public func send(_ bytes: [UInt8], within patience: Duration = .patience) throws {
        try connection.socket.send(bytes, by: .after(patience))
    }

    /// Sends a part of a response as UTF-8; ``finish()`` says when it is whole.
    public func send(_ text: String, within patience: Duration = .patience) throws {
        try send(Array(text.utf8), within: patience)
    }

    /// Says that the response was sent, so that the connection may carry the next request.
    public func finish() { state.withLock { $0.isAnswered = true } }

    // MARK: Ending

    /// Whether the connection is closed on this side.
    public var isClosed: Bool { connection.socket.isClosed }

    /// Closes the connection.
    public func close() { connection.socket.close() }

    /// Closes the connection with a reset.
    public func reset() { connection.socket.reset() }

    /// Ends the sending side; receiving goes on.
    public func shutdownWrite() throws { try connection.socket.shutdownWrite() }

    /// Waits until the other side ends the connection, either way, and skips what is left of the request.
    @discardableResult
    public func expectClosed(within patience: Duration = .patience) throws -> ConnectionEnd {
        try connection.reader.withLock { try $0.waitForEnd(skipping: true, by: .after(patience)) }
    }

    /// Waits until the other side resets the connection, and skips what is left of the request.
    public func expectReset(within patience: Duration = .patience) throws {
        guard try expectClosed(within: patience) == .reset else {
            throw PeerError.unexpected("an orderly end instead of a reset")
        }
    }

    /// Fails if a byte or the end arrives within `duration`: the other side stays, and sends nothing.
    public func expectSilence(for duration: Duration) throws {
        try connection.reader.withLock { try $0.expectSilence(for: duration) }
    }
}
