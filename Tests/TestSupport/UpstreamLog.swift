internal import Locking

/// What a scripted upstream accepted, received and failed at; shared by its threads.
final class UpstreamLog: Sendable {
    private struct State {
        var connections: [UpstreamConnection] = []
        var exchanges: [UpstreamExchange] = []
        var failures: [any Error] = []
        var isStopped = false
    }

    private let state = Lock(State())

    var connections: [UpstreamConnection] { state.withLock { $0.connections } }
    var exchanges: [UpstreamExchange] { state.withLock { $0.exchanges } }
    var failures: [any Error] { state.withLock { $0.failures } }

    func accept(_ socket: Socket) -> UpstreamConnection {
        let (connection, isStopped) = state.withLock { state in
            let connection = UpstreamConnection(number: state.connections.count, socket: socket)
            state.connections.append(connection)
            return (connection, state.isStopped)
        }
        if isStopped { socket.close() }
        return connection
    }

    func record(_ exchange: UpstreamExchange) { state.withLock { $0.exchanges.append(exchange) } }

    func closeAll() {
        let connections = state.withLock { state in
            state.isStopped = true
            return state.connections
        }
        for connection in connections { connection.socket.close() }
    }

    /// Hands the connection's requests to the handler, one after the other.
    func serve(_ connection: UpstreamConnection, readingBodies: Bool, handler: ScriptedUpstream.Handler) {
        do {
            while true {
                try connection.waitUntilReadable()
                guard let exchange = try connection.nextExchange(by: .after(.patience)) else { return }
                record(exchange)
                if readingBodies { try exchange.readBody() }
                try handler(exchange)
                guard exchange.isFinished else { return }
            }
        } catch PeerError.alreadyClosed {
            return
        } catch {
            state.withLock { $0.failures.append(error) }
            connection.socket.close()
        }
    }
}
