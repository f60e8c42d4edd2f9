/// Reads HTTP/1.1 messages from a socket, strictly enough to notice what is broken and leniently enough to record it.
struct MessageReader: Sendable {
    /// The longest line taken, in bytes.
    private static let lineLimit = 1 << 20

    private let socket: Socket
    private var buffer: [UInt8] = []
    private var position = 0
    /// The bytes consumed since `beginCapture`.
    private var captured: [UInt8]?

    init(socket: Socket) { self.socket = socket }

    /// Whether bytes are at hand without asking the socket: a pipelined message.
    var hasBufferedBytes: Bool { position < buffer.count }

    mutating func beginCapture() { captured = [] }

    mutating func endCapture() -> [UInt8] {
        defer { captured = nil }
        return captured ?? []
    }

    /// Takes at most `limit` bytes; an empty array is the orderly end.
    mutating func read(atMost limit: Int, by deadline: Deadline, what: String) throws -> [UInt8] {
        guard try hasBufferedBytes || fill(by: deadline, what: what) else { return [] }
        return take(min(limit, buffer.count - position))
    }

    /// Reads a line and removes its LF or CRLF.
    mutating func readLine(by deadline: Deadline, what: String) throws -> [UInt8] {
        var scanned = position
        while true {
            if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = take(end + 1 - position).dropLast()
                return Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
            }
            guard buffer.count - position < Self.lineLimit else {
                throw PeerError.unexpected("a line over 1 MiB")
            }
            let unread = buffer.count - position
            guard try fill(by: deadline, what: what) else { throw PeerError.closed(during: what) }
            scanned = position + unread
        }
    }

    /// Reads a start line and the fields up to the empty line.
    mutating func readHead(by deadline: Deadline) throws -> MessageHead {
        let startLine = try readLine(by: deadline, what: "a start line")
        return MessageHead(startLine: startLine, fields: try readFields(by: deadline))
    }

    /// Reads field lines up to the empty line.
    mutating func readFields(by deadline: Deadline) throws -> RawFields {
        var fields = RawFields()
        while true {
            let line = try readLine(by: deadline, what: "a field line")
            guard !line.isEmpty else { return fields }
            let text = String(decoding: line, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else {
                throw PeerError.unexpected("field line \(text)")
            }
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            let trimmed = value.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            fields.all.append(.init(name: String(text[..<colon]), value: String(trimmed)))
        }
    }

    /// Reads a body; its bytes are counted, and kept if `keeping`.
    mutating func readBody(_ framing: BodyFraming, keeping: Bool, by deadline: Deadline) throws -> MessageBody
    {
        var body = MessageBody(framing: framing, isKept: keeping)
        do {
            switch framing {
            case .none: break
            case .length(let length):
                try readExactly(length, into: &body, by: deadline)
            case .chunked:
                try readChunks(into: &body, by: deadline)
            case .untilClose:
                while true {
                    let part = try read(atMost: System.readSize, by: deadline, what: "the end of the body")
                    guard !part.isEmpty else { break }
                    body.append(part)
                }
            }
            body.ending = .complete
        } catch PeerError.closed {
            body.ending = .closed
        } catch PeerError.reset {
            body.ending = .reset
        } catch PeerError.unexpected(let what) {
            body.ending = .malformed(what)
        }
        return body
    }

    private mutating func readChunks(into body: inout MessageBody, by deadline: Deadline) throws {
        while true {
            let line = String(decoding: try readLine(by: deadline, what: "a chunk size"), as: UTF8.self)
            let digits = line.prefix { $0 != ";" && $0 != " " }
            guard let size = Int(digits, radix: 16), size >= 0, digits.first != "+" else {
                throw PeerError.unexpected("chunk size \(line)")
            }
            guard size > 0 else { break }
            body.chunkSizes.append(size)
            try readExactly(size, into: &body, by: deadline)
            guard try readLine(by: deadline, what: "the end of a chunk").isEmpty else {
                throw PeerError.unexpected("bytes after a chunk")
            }
        }
        body.trailers = try readFields(by: deadline)
    }

    private mutating func readExactly(_ count: Int, into body: inout MessageBody, by deadline: Deadline)
        throws
    {
        var left = count
        while left > 0 {
            let part = try read(atMost: left, by: deadline, what: "\(left) more bytes of body")
            guard !part.isEmpty else { throw PeerError.closed(during: "a body") }
            body.append(part)
            left -= part.count
        }
    }

    /// Adds what the socket has; false at the orderly end.
    private mutating func fill(by deadline: Deadline, what: String) throws -> Bool {
        if position > 0 {
            buffer.removeFirst(position)
            position = 0
        }
        let bytes = try socket.receive(atMost: System.readSize, by: deadline, what: what)
        buffer += bytes
        return !bytes.isEmpty
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        let taken = Array(buffer[position..<position + count])
        position += count
        captured? += taken
        return taken
    }
}
