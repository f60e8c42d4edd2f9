internal import Locking

/// A client that sends exactly the bytes it is given and records exactly what comes back.
///
/// One thread may send while another reads.
public final class RawClient: Sendable {
    private let socket: Socket
    private let reader: Lock<MessageReader>
    private let observe: (@Sendable (RawResponse) -> Void)?

    /// Connects to a numeric address or `localhost`.
    ///
    /// - Parameters:
    ///   - receiveBuffer: the kernel's receive buffer in bytes, for a client that reads slowly.
    ///   - observe: called with every response that is read, to check what all of them promise.
    /// - Throws: ``PeerError``.
    public convenience init(
        host: String = "127.0.0.1", port: UInt16, receiveBuffer: Int? = nil,
        within patience: Duration = .patience, observing observe: (@Sendable (RawResponse) -> Void)? = nil
    ) throws {
        try self.init(
            to: .tcp(host: host, port: port), receiveBuffer: receiveBuffer, within: patience,
            observing: observe)
    }

    /// Connects to an endpoint.
    ///
    /// - Throws: ``PeerError``.
    public init(
        to endpoint: Endpoint, receiveBuffer: Int? = nil, within patience: Duration = .patience,
        observing observe: (@Sendable (RawResponse) -> Void)? = nil
    ) throws {
        self.observe = observe
        socket = try Socket.connected(to: endpoint, receiveBuffer: receiveBuffer, by: .after(patience))
        reader = Lock(MessageReader(socket: socket))
    }

    // MARK: Sending

    /// Sends the bytes as they are.
    public func send(_ bytes: [UInt8], within patience: Duration = .patience) throws {
        try socket.send(bytes, by: .after(patience))
    }

    /// Sends the text as UTF-8; line ends are written as `\r\n`.
    public func send(_ text: String, within patience: Duration = .patience) throws {
        try send(Array(text.utf8), within: patience)
    }

    /// Sends `bytes` in pieces of `chunk` bytes, with a pause between them.
    public func sendSlowly(
        _ bytes: [UInt8], chunk: Int = 1, every pause: Duration, within patience: Duration = .patience
    ) throws {
        try socket.sendSlowly(bytes, chunk: chunk, every: pause, by: .after(patience))
    }

    /// Sends a request with `Host`, and with `Content-Length` if there is a body and the fields do not frame it.
    public func request(
        _ method: String, _ target: String, fields: [(String, String)] = [], body: String = "",
        within patience: Duration = .patience
    ) throws {
        var text = "\(method) \(target) HTTP/1.1\r\n"
        let names = fields.map { $0.0.lowercased() }
        if !names.contains("host") { text += "Host: localhost\r\n" }
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        if !body.isEmpty, !names.contains("content-length"), !names.contains("transfer-encoding") {
            text += "Content-Length: \(body.utf8.count)\r\n"
        }
        try send(text + "\r\n" + body, within: patience)
    }

    /// Sends a request and reads its response on this connection.
    public func exchange(
        _ method: String, _ target: String, fields: [(String, String)] = [], body: String = "",
        keepingBody: Bool = true, within patience: Duration = .patience
    ) throws -> RawResponse {
        try request(method, target, fields: fields, body: body, within: patience)
        return try readResponse(toHead: method == "HEAD", keepingBody: keepingBody, within: patience)
    }

    /// Holds the last bytes back until the sending side ends, so that both arrive together on any machine.
    public func holdLastBytes() throws { try socket.cork() }

    /// Ends the sending side; receiving goes on.
    public func shutdownWrite() throws { try socket.shutdownWrite() }

    // MARK: Reading

    /// Reads a response, including preceding 1xx responses.
    ///
    /// - Parameters:
    ///   - toHead: the request was a HEAD, so that the response has no body whatever its fields say.
    ///   - keepingBody: false counts the body's bytes only, for large bodies.
    /// - Throws: ``PeerError/closed(during:)`` or ``PeerError/reset(during:)`` if the connection ends within the head,
    ///   ``PeerError/unexpected(_:)`` if it is no HTTP/1 response; a body that breaks off does not throw but is not complete.
    public func readResponse(
        toHead: Bool = false, keepingBody: Bool = true, within patience: Duration = .patience
    ) throws -> RawResponse {
        let deadline = Deadline.after(patience)
        return try reader.withLock { reader in
            var informational: [MessageHead] = []
            while true {
                let head = try reader.readHead(by: deadline)
                guard let status = head.status else { throw PeerError.unexpected("status line \(head.line)") }
                if (100..<200).contains(status), status != 101 {
                    informational.append(head)
                    continue
                }
                let hasNoBody = toHead || status == 204 || status == 304
                let framing = hasNoBody ? BodyFraming.none : head.framing ?? .untilClose
                let body = try reader.readBody(framing, keeping: keepingBody, by: deadline)
                let response = RawResponse(head: head, body: body, informational: informational)
                observe?(response)
                return response
            }
        }
    }

    /// Reads one head, of a 1xx response as well, and leaves the body to ``readBytes(atMost:within:)``.
    public func readHead(within patience: Duration = .patience) throws -> MessageHead {
        try reader.withLock { try $0.readHead(by: .after(patience)) }
    }

    /// Reads what is there, at least one byte, at most `limit`; empty at the orderly end.
    public func readBytes(atMost limit: Int, within patience: Duration = .patience) throws -> [UInt8] {
        try reader.withLock { try $0.read(atMost: limit, by: .after(patience), what: "any byte") }
    }

    /// Waits until the peer ends the connection, either way, and fails on any further byte.
    @discardableResult
    public func expectClosed(within patience: Duration = .patience) throws -> ConnectionEnd {
        try reader.withLock { try $0.waitForEnd(skipping: false, by: .after(patience)) }
    }

    /// Waits until the peer resets the connection, and skips bytes before that.
    public func expectReset(within patience: Duration = .patience) throws {
        let end = try reader.withLock { try $0.waitForEnd(skipping: true, by: .after(patience)) }
        guard end == .reset else { throw PeerError.unexpected("an orderly end instead of a reset") }
    }

    /// Fails if a byte or the end arrives within `duration`.
    public func expectSilence(for duration: Duration) throws {
        try reader.withLock { try $0.expectSilence(for: duration) }
    }

    // MARK: Ending

    /// Closes the connection.
    public func close() { socket.close() }

    /// Closes the connection with a reset.
    public func reset() { socket.reset() }
}
