internal import Glibc
internal import Locking

/// A connection that a scripted upstream accepted.
final class UpstreamConnection: Sendable {
    let number: Int
    let socket: Socket
    let reader: Lock<MessageReader>
    private let current = Lock(Current())

    /// The exchange owns its connection; the upstream's log owns both.
    private struct Current {
        weak var exchange: UpstreamExchange?
    }

    init(number: Int, socket: Socket) {
        self.number = number
        self.socket = socket
        reader = Lock(MessageReader(socket: socket))
    }

    /// Whether the next thing to come may be a request: nothing is being answered.
    var isIdle: Bool { !socket.isClosed && current.withLock { $0.exchange?.isFinished ?? true } }

    var hasBufferedBytes: Bool { reader.withLock { $0.hasBufferedBytes } }

    /// Waits as long as it takes until bytes or the end arrive, without keeping others from reading.
    func waitUntilReadable() throws {
        guard !hasBufferedBytes else { return }
        try socket.wait(for: POLLIN, by: .never, what: "a request")
    }

    /// Reads the next request's head; nil if the other side ended the connection instead.
    func nextExchange(by deadline: Deadline) throws -> UpstreamExchange? {
        let request = try reader.withLock { reader -> ReceivedRequest? in
            reader.beginCapture()
            let head: MessageHead
            do {
                head = try reader.readHead(by: deadline)
            } catch PeerError.closed where reader.endCapture().isEmpty {
                return nil
            } catch PeerError.reset where reader.endCapture().isEmpty {
                return nil
            }
            return ReceivedRequest(head: head, body: nil, rawBytes: reader.endCapture(), connection: number)
        }
        guard let request else {
            socket.close()
            return nil
        }
        let exchange = UpstreamExchange(connection: self, request: request)
        current.withLock { $0.exchange = exchange }
        return exchange
    }
}
