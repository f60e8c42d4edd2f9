import Locking

/// A proxy that tunnels every CONNECT to the requested address, or rejects it.
public final class TunnelProxy: Sendable {
    private let listener: Socket
    /// The port on 127.0.0.1.
    public let port: UInt16
    private let heads = Lock<[String]>([])
    private let refusal: String?

    /// Starts a proxy.
    ///
    /// - Parameter refusal: the status line of all responses, such as `407 Proxy Authentication Required`.
    public init(refusing refusal: String? = nil) throws {
        self.refusal = refusal
        let (listener, endpoint) = try Socket.listening(
            on: .tcp(host: "127.0.0.1", port: 0), receiveBuffer: nil)
        guard case .tcp(_, let port) = endpoint else { throw PeerError.unexpected("\(endpoint)") }
        (self.listener, self.port) = (listener, port)
        System.startThread { [weak self] in
            while !listener.isClosed {
                guard Socket.firstReadable(of: [listener], by: .after(.milliseconds(50))) != nil,
                    let client = try? listener.accept()
                else { continue }
                guard let self else { return }
                System.startThread { try? self.serve(client) }
            }
        }
    }

    deinit { listener.close() }

    /// The heads of the CONNECT requests so far.
    public var requests: [String] { heads.withLock { $0 } }

    private func serve(_ client: Socket) throws {
        defer { client.close() }
        let head = try Self.readHead(client)
        heads.withLock { $0.append(head) }
        let end = Deadline.after(.patience)
        if let refusal {
            return try client.send(Array("HTTP/1.1 \(refusal)\r\nContent-Length: 0\r\n\r\n".utf8), by: end)
        }
        let target = head.split(separator: " ")[1]
        let port = UInt16(target.split(separator: ":").last ?? "") ?? 0
        let provider = try Socket.connected(
            to: .tcp(host: "127.0.0.1", port: port), receiveBuffer: nil, by: end)
        defer { provider.close() }
        try client.send(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8), by: end)
        while !listener.isClosed {
            guard let ready = Socket.firstReadable(of: [client, provider], by: .after(.milliseconds(50)))
            else { continue }
            let (from, to) = ready == 0 ? (client, provider) : (provider, client)
            let bytes = try from.receive(atMost: 16 << 10, by: .after(.patience), what: "bytes")
            if bytes.isEmpty { return }
            try to.send(bytes, by: .after(.patience))
        }
    }

    private static func readHead(_ socket: Socket) throws -> String {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            let more = try socket.receive(atMost: 1, by: .after(.patience), what: "a CONNECT")
            if more.isEmpty { throw PeerError.unexpected("the end of a connection") }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
