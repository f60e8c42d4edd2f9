internal import Glibc

/// A provider that speaks HTTP/2 over TLS, frame by frame, as a conversation with the test.
public final class HTTP2Peer: Sendable {
    /// The authority that signed its certificate.
    public let authority: PrivateAuthority
    /// The port on 127.0.0.1.
    public let port: UInt16
    private let listener: Socket
    private let server: TLSServer

    /// Listens; connections wait until they are accepted.
    public init() throws {
        authority = try PrivateAuthority()
        server = try TLSServer(authority.issue(hosts: ["localhost", "127.0.0.1"]))
        let (listener, endpoint) = try Socket.listening(on: .loopback, receiveBuffer: nil)
        (self.listener, port) = (listener, endpoint.port)
    }

    deinit { listener.close() }

    /// `https://localhost:PORT`, without a slash at the end.
    public var url: String { "https://localhost:\(port)" }

    /// Accepts the next connection, and begins HTTP/2 on it.
    ///
    /// - Parameters:
    ///   - window: how many bytes of each request's body may be sent before a WINDOW_UPDATE.
    ///   - streams: how many requests there may be at the same time.
    public func accept(
        window: UInt32 = 65_535, streams: UInt32 = 100, within patience: Duration = .patience
    ) throws -> HTTP2Connection {
        let deadline = Deadline.after(patience)
        let connection = try TLSConnection(acceptSocket(by: deadline), of: server, protocols: ["h2"])
        try connection.handshake(by: deadline)
        return try HTTP2Connection(connection, window: window, streams: streams, by: deadline)
    }

    /// Accepts the next connection and its TLS handshake; returns the negotiated protocol, and closes the connection.
    public func acceptHandshake(
        protocols: [String], within patience: Duration = .patience
    ) throws -> String? {
        let deadline = Deadline.after(patience)
        let connection = try TLSConnection(acceptSocket(by: deadline), of: server, protocols: protocols)
        try connection.handshake(by: deadline)
        defer { connection.close() }
        return connection.protocolName
    }

    /// Accepts the next connection without reading from it.
    public func acceptSilently(within patience: Duration = .patience) throws -> SilentConnection {
        SilentConnection(try acceptSocket(by: .after(patience)))
    }

    private func acceptSocket(by deadline: Deadline) throws -> Socket {
        while true {
            try listener.wait(for: POLLIN, by: deadline, what: "a connection")
            if let socket = try listener.accept() { return socket }
        }
    }
}

/// A connection that does only what the test says; closed when it is released.
public final class SilentConnection: Sendable {
    private let socket: Socket

    init(_ socket: Socket) { self.socket = socket }

    deinit { socket.close() }

    /// Waits for the client's first bytes, and returns the bytes that have arrived.
    public func expectBytes(within patience: Duration = .patience) throws {
        _ = try socket.receive(atMost: 64 << 10, by: .after(patience), what: "the client's first bytes")
    }

    /// Sends bytes as they are.
    public func send(_ bytes: [UInt8], within patience: Duration = .patience) throws {
        try socket.send(bytes, by: .after(patience))
    }

    /// Ends the connection.
    public func close() { socket.close() }

    /// Ends the connection with a TCP reset.
    public func reset() { socket.reset() }
}

/// The provider's side of a connection.
///
/// Confined to the test's thread.
public final class HTTP2Connection {
    /// The head of a request, which is not decoded.
    public struct Request {
        /// The number of its stream.
        public let stream: UInt32
        /// Whether a body follows.
        public let hasBody: Bool
    }

    private let connection: TLSConnection
    private var buffer: [UInt8] = []
    /// Frames that have not been consumed yet.
    private var frames: [HTTP2Frame] = []
    private var initialWindow = 65_535
    private var windows: [UInt32: Int] = [0: 65_535]

    init(_ connection: TLSConnection, window: UInt32, streams: UInt32, by deadline: Deadline) throws {
        self.connection = connection
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        while buffer.count < preface.count { try receive(by: deadline, what: "the preface of HTTP/2") }
        guard buffer.starts(with: preface) else { throw PeerError.unexpected("no preface of HTTP/2") }
        buffer.removeFirst(preface.count)
        try send(.settings(streams: streams, window: window))
    }

    /// Sends frames, all in one TLS record if they fit.
    public func send(_ frames: HTTP2Frame...) throws { try send(frames) }

    /// Sends frames, all in one TLS record if they fit.
    public func send(_ frames: [HTTP2Frame], within patience: Duration = .patience) throws {
        try connection.send(frames.flatMap(\.bytes), by: .after(patience))
    }

    /// The head of the next request.
    public func expectRequest(within patience: Duration = .patience) throws -> Request {
        try expect("a request", within: patience) { frame in
            guard frame.kind == HTTP2Frame.Kind.headers.rawValue else { return nil }
            return Request(stream: frame.stream, hasBody: !frame.endsStream)
        }
    }

    /// The end of a request's body; returns its size.
    @discardableResult
    public func expectEnd(of request: Request, within patience: Duration = .patience) throws -> Int {
        guard request.hasBody else { return 0 }
        var count = 0
        return try expect("the end of a request's body", within: patience) { frame in
            guard frame.kind == HTTP2Frame.Kind.data.rawValue, frame.stream == request.stream else {
                return nil
            }
            count += frame.payload.count
            return frame.endsStream ? count : nil
        }
    }

    /// A part of a request's body; returns its size.
    @discardableResult
    public func expectBody(of request: Request, within patience: Duration = .patience) throws -> Int {
        try expect("a part of a request's body", within: patience) { frame in
            frame.kind == HTTP2Frame.Kind.data.rawValue && frame.stream == request.stream
                ? frame.payload.count : nil
        }
    }

    /// Lets the client send more of a request's body.
    public func allow(_ count: Int, of request: Request) throws {
        try send(.windowUpdate(0, by: count), .windowUpdate(request.stream, by: count))
    }

    /// RST_STREAM; returns its code.
    @discardableResult
    public func expectReset(of request: Request, within patience: Duration = .patience) throws -> UInt32 {
        try expect("a reset of the stream", within: patience) { frame in
            guard frame.kind == HTTP2Frame.Kind.reset.rawValue, frame.stream == request.stream else {
                return nil
            }
            return Self.number(frame.payload)
        }
    }

    /// The reply to a PING that was sent.
    public func expectPong(within patience: Duration = .patience) throws {
        try expect("the answer to PING", within: patience) { frame in
            frame.kind == HTTP2Frame.Kind.ping.rawValue && frame.flags & HTTP2Frame.acknowledges != 0
                ? () : nil
        }
    }

    /// The end of the connection.
    public func expectClosed(within patience: Duration = .patience) throws {
        do {
            try expect("the end of the connection", within: patience) { _ in nil as Void? }
        } catch PeerError.closed {
        } catch PeerError.reset {}
    }

    /// How many bytes of the response's body may be sent now, as far as known.
    public func window(of request: Request) -> Int {
        min(windows[0] ?? 0, windows[request.stream] ?? initialWindow)
    }

    /// Sends as much of a body as the client allows, at most `limit`; returns the number of bytes.
    public func sendBody(of request: Request, atMost limit: Int) throws -> Int {
        var sent = 0
        while sent < limit {
            let count = min(window(of: request), limit - sent, 16_384)
            guard count > 0 else { break }
            try send(.data(request.stream, count: count))
            windows[0, default: 0] -= count
            windows[request.stream, default: initialWindow] -= count
            sent += count
        }
        return sent
    }

    /// Waits until more of a response's body may be sent.
    public func expectWindow(of request: Request, within patience: Duration = .patience) throws {
        let deadline = Deadline.after(patience)
        while window(of: request) <= 0 { try readFrame(by: deadline, what: "a WINDOW_UPDATE") }
    }

    /// Ends the connection properly, without GOAWAY.
    public func close() { connection.close() }

    /// Ends the connection with a TCP reset.
    public func reset() { connection.reset() }

    /// Ends the connection without a close_notify.
    public func truncate() { connection.truncate() }

    // MARK: Frames

    @discardableResult
    private func expect<Result>(
        _ what: String, within patience: Duration, _ match: (HTTP2Frame) -> Result?
    ) throws -> Result {
        let deadline = Deadline.after(patience)
        var index = 0
        while true {
            while index < frames.count {
                if let result = match(frames[index]) {
                    frames.remove(at: index)
                    return result
                }
                index += 1
            }
            try readFrame(by: deadline, what: what)
        }
    }

    /// Reads a frame; connection management is handled, other frames are kept.
    private func readFrame(by deadline: Deadline, what: String) throws {
        while buffer.count < 9 { try receive(by: deadline, what: what) }
        let length = Int(buffer[0]) << 16 | Int(buffer[1]) << 8 | Int(buffer[2])
        while buffer.count < 9 + length { try receive(by: deadline, what: what) }
        let frame = HTTP2Frame(
            kind: buffer[3], flags: buffer[4], stream: Self.number(Array(buffer[5..<9])) & 0x7FFF_FFFF,
            payload: Array(buffer[9..<9 + length]))
        buffer.removeFirst(9 + length)
        switch HTTP2Frame.Kind(rawValue: frame.kind) {
        case .settings where frame.flags & HTTP2Frame.acknowledges == 0:
            for start in stride(from: 0, to: frame.payload.count - 5, by: 6)
            where frame.payload[start + 1] == 4 {
                initialWindow = Int(Self.number(Array(frame.payload[start + 2..<start + 6])))
            }
            try send(.acknowledgement(of: frame))
        case .ping where frame.flags & HTTP2Frame.acknowledges == 0: try send(.acknowledgement(of: frame))
        case .windowUpdate:
            let start = frame.stream == 0 ? 65_535 : initialWindow
            windows[frame.stream, default: start] += Int(Self.number(frame.payload))
        case .settings: break
        default: frames.append(frame)
        }
    }

    private func receive(by deadline: Deadline, what: String) throws {
        let bytes = try connection.receive(atMost: 16_384, by: deadline, what: what)
        guard !bytes.isEmpty else { throw PeerError.closed(during: what) }
        buffer += bytes
    }

    private static func number(_ bytes: [UInt8]) -> UInt32 {
        bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
