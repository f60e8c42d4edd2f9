/// A frame of HTTP/2 (RFC 9113 4.1).
public struct HTTP2Frame: Sendable {
    /// The types that are sent or expected here.
    enum Kind: UInt8 {
        case data = 0
        case headers = 1
        case reset = 3
        case settings = 4
        case ping = 6
        case goAway = 7
        case windowUpdate = 8
    }

    let kind: UInt8
    let flags: UInt8
    let stream: UInt32
    let payload: [UInt8]

    static let endStream: UInt8 = 1
    static let acknowledges: UInt8 = 1
    static let endHeaders: UInt8 = 4

    init(kind: UInt8, flags: UInt8 = 0, stream: UInt32, payload: [UInt8]) {
        self.kind = kind
        self.flags = flags
        self.stream = stream
        self.payload = payload
    }

    private init(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8]) {
        self.init(kind: kind.rawValue, flags: flags, stream: stream, payload: payload)
    }

    var endsStream: Bool { flags & Self.endStream != 0 }

    var bytes: [UInt8] {
        let length = UInt32(payload.count)
        return [UInt8(truncatingIfNeeded: length >> 16)] + Self.bytes(UInt16(truncatingIfNeeded: length))
            + [kind, flags] + Self.bytes(stream) + payload
    }

    /// A number in the order of the network.
    static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    /// The head of a response, or of an interim one, or trailers (without a status).
    public static func head(
        _ stream: UInt32, status: Int?, fields: [(String, String)] = [], ends: Bool = false
    ) -> HTTP2Frame {
        var block: [UInt8] = []
        // RFC 7541 6.2.2: literals that are not indexed, with names of their own.
        func add(_ name: String, _ value: String) {
            block.append(0)
            for text in [name, value] {
                precondition(text.utf8.count < 127, "one byte of length")
                block += [UInt8(text.utf8.count)] + Array(text.utf8)
            }
        }
        if let status { add(":status", "\(status)") }
        for (name, value) in fields { add(name, value) }
        return HTTP2Frame(.headers, flags: endHeaders | (ends ? endStream : 0), stream: stream, block)
    }

    /// A part of a body.
    public static func data(_ stream: UInt32, _ text: String, ends: Bool = false) -> HTTP2Frame {
        HTTP2Frame(.data, flags: ends ? endStream : 0, stream: stream, Array(text.utf8))
    }

    /// A part of a body of this size.
    public static func data(_ stream: UInt32, count: Int, ends: Bool = false) -> HTTP2Frame {
        HTTP2Frame(
            .data, flags: ends ? endStream : 0, stream: stream, [UInt8](repeating: 0x2E, count: count))
    }

    /// RST_STREAM.
    public static func reset(_ stream: UInt32, code: UInt32) -> HTTP2Frame {
        HTTP2Frame(.reset, stream: stream, bytes(code))
    }

    /// GOAWAY.
    public static func goAway(lastStream: UInt32, code: UInt32) -> HTTP2Frame {
        HTTP2Frame(.goAway, bytes(lastStream) + bytes(code))
    }

    /// PING.
    public static func ping() -> HTTP2Frame { HTTP2Frame(.ping, [UInt8](repeating: 7, count: 8)) }

    /// A frame that the protocol does not allow: data of no stream.
    public static func forbidden() -> HTTP2Frame { HTTP2Frame(.data, Array("x".utf8)) }

    /// SETTINGS_MAX_CONCURRENT_STREAMS and SETTINGS_INITIAL_WINDOW_SIZE.
    public static func settings(streams: UInt32, window: UInt32) -> HTTP2Frame {
        HTTP2Frame(.settings, bytes(UInt16(3)) + bytes(streams) + bytes(UInt16(4)) + bytes(window))
    }

    static func acknowledgement(of frame: HTTP2Frame) -> HTTP2Frame {
        let payload = frame.kind == Kind.ping.rawValue ? frame.payload : []
        return HTTP2Frame(kind: frame.kind, flags: acknowledges, stream: 0, payload: payload)
    }

    /// WINDOW_UPDATE of a stream, or of the connection (0).
    public static func windowUpdate(_ stream: UInt32, by count: Int) -> HTTP2Frame {
        HTTP2Frame(.windowUpdate, stream: stream, bytes(UInt32(count)))
    }
}
