internal import Glibc
internal import Locking

/// A server that does exactly what a test says: a well-behaved or a broken provider.
///
/// It has two modes. With a *handler*, a thread per connection calls it for every request. Without one, the test
/// holds the conversation on its own thread: ``expectRequest(within:)``, then the exchange's `respond`.
public final class ScriptedUpstream: Sendable {
    /// Handles a request; runs on the connection's own thread.
    public typealias Handler = @Sendable (UpstreamExchange) throws -> Void

    /// Where the upstream listens, with the real port.
    public let endpoint: Endpoint

    private let listener: Socket
    private let log = UpstreamLog()
    private let turn = Lock(())
    /// Whether threads of its own read idle connections.
    private let hasHandler: Bool

    /// Listens, for a conversation with the test.
    ///
    /// - Parameter receiveBuffer: the kernel's receive buffer in bytes, for an upstream that reads slowly.
    /// - Throws: ``PeerError``.
    public convenience init(on endpoint: Endpoint = .loopback, receiveBuffer: Int? = nil) throws {
        try self.init(on: endpoint, receiveBuffer: receiveBuffer, hasHandler: false)
    }

    private init(on endpoint: Endpoint, receiveBuffer: Int?, hasHandler: Bool) throws {
        self.hasHandler = hasHandler
        (listener, self.endpoint) = try Socket.listening(on: endpoint, receiveBuffer: receiveBuffer)
    }

    /// Listens, and calls `handler` with every request.
    ///
    /// If a handler returns without a response, its connection stays open and silent. If it throws, the connection is
    /// closed; see ``failures``.
    ///
    /// - Parameter readingBodies: whether the request's body is read before the handler is called.
    public convenience init(
        on endpoint: Endpoint = .loopback, receiveBuffer: Int? = nil, readingBodies: Bool = true,
        handler: @escaping Handler
    ) throws {
        try self.init(on: endpoint, receiveBuffer: receiveBuffer, hasHandler: true)
        let (listener, log) = (listener, log)
        System.startThread {
            while (try? listener.wait(for: POLLIN, by: .never, what: "a connection")) != nil {
                while let socket = try? listener.accept() {
                    let connection = log.accept(socket)
                    System.startThread {
                        log.serve(connection, readingBodies: readingBodies, handler: handler)
                    }
                }
            }
        }
    }

    /// Listens, and gives every request the same response.
    public convenience init(on endpoint: Endpoint = .loopback, answering response: ScriptedResponse) throws {
        try self.init(on: endpoint) { try $0.respond(response) }
    }

    deinit { stop() }

    /// The port, 0 for a Unix domain socket.
    public var port: UInt16 { endpoint.port }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    public var url: String { "http://\(endpoint)" }

    // MARK: What happened

    /// How many connections were accepted.
    public var connectionCount: Int { log.connections.count }
    /// How many of them are open on this side.
    public var openConnectionCount: Int { log.connections.filter { !$0.socket.isClosed }.count }
    /// How many requests were received.
    public var requestCount: Int { log.exchanges.count }
    /// All exchanges, in the order of the heads' arrival.
    public var exchanges: [UpstreamExchange] { log.exchanges }
    /// All requests as far as they were read, in the order of the heads' arrival.
    public var requests: [ReceivedRequest] { log.exchanges.map(\.request) }
    /// Errors of handlers, and malformed requests of clients.
    public var failures: [any Error] { log.failures }

    // MARK: Conversation

    /// Waits for the next request on any connection and reads it whole.
    public func expectRequest(within patience: Duration = .patience) throws -> UpstreamExchange {
        let exchange = try expectRequestHead(within: patience)
        try exchange.readBody(within: patience)
        return exchange
    }

    /// Waits for the next request on any connection and reads its head only.
    public func expectRequestHead(within patience: Duration = .patience) throws -> UpstreamExchange {
        let deadline = Deadline.after(patience)
        return try turn.withLock { _ in
            while true {
                let idle = log.connections.filter(\.isIdle)
                let ready =
                    idle.first(where: \.hasBufferedBytes) ?? waitForReadable(among: idle, by: deadline)
                if let exchange = try ready?.nextExchange(by: deadline) {
                    log.record(exchange)
                    return exchange
                }
                guard !deadline.hasPassed else { throw PeerError.timedOut(waitingFor: "a request") }
            }
        }
    }

    /// Fails if a request arrives within `duration`.
    public func expectNoRequest(for duration: Duration) throws {
        do {
            let exchange = try expectRequestHead(within: duration)
            throw PeerError.unexpected("request \(exchange.request.requestLine)")
        } catch PeerError.timedOut {
            return
        }
    }

    /// Waits until the peer has ended every connection that this side has not.
    public func expectAllClosed(within patience: Duration = .patience) throws {
        let deadline = Deadline.after(patience)
        for connection in log.connections where !connection.socket.isClosed {
            if hasHandler, connection.isIdle {
                // Its own thread waits for the end.
                try eventually("a connection to end", within: patience) { connection.socket.isClosed }
            } else {
                do {
                    _ = try connection.reader.withLock { try $0.waitForEnd(skipping: true, by: deadline) }
                } catch PeerError.alreadyClosed {
                    // Its own thread has seen the end meanwhile.
                }
            }
        }
    }

    /// Stops listening, so that connections are refused; accepted ones continue.
    public func stopListening() { listener.close() }

    /// Stops listening and closes all connections.
    public func stop() {
        listener.close()
        log.closeAll()
    }

    private func waitForReadable(among idle: [UpstreamConnection], by deadline: Deadline)
        -> UpstreamConnection?
    {
        guard let index = Socket.firstReadable(of: [listener] + idle.map(\.socket), by: deadline) else {
            return nil
        }
        if index > 0 { return idle[index - 1] }
        while let socket = try? listener.accept() { _ = log.accept(socket) }
        return nil
    }
}
