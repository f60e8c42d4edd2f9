/// A span that a collector has received, decoded from Protocol Buffers by the field numbers of OTLP.
public struct ReceivedSpan: Sendable {
    /// Ids in hexadecimal digits; empty if absent.
    public var (traceID, spanID, parentID) = ("", "", "")
    /// The name.
    public var name = ""
    /// 1 internal, 2 server, 3 client.
    public var kind: UInt64 = 0
    /// Nanoseconds since 1970-01-01 UTC.
    public var (start, end): (UInt64, UInt64) = (0, 0)
    /// The attributes as text.
    public var attributes: [String: String] = [:]
    /// The names of the events and their attributes.
    public var events: [(name: String, attributes: [String: String])] = []
    /// 2 for an error.
    public var status: UInt64 = 0
    /// The flags of the trace, and whether the parent is remote.
    public var flags: UInt64 = 0
    /// The attributes of the resource.
    public var resource: [String: String] = [:]

    /// The spans of an `ExportTraceServiceRequest`.
    public static func read(_ body: [UInt8]) throws -> [ReceivedSpan] {
        var spans: [ReceivedSpan] = []
        for resourceSpans in try Message(body).messages(1) {
            var resource: [String: String] = [:]
            for part in try resourceSpans.messages(1) { resource = try part.attributes(1) }
            for scope in try resourceSpans.messages(2) {
                for message in try scope.messages(2) {
                    var span = try ReceivedSpan(message)
                    span.resource = resource
                    spans.append(span)
                }
            }
        }
        return spans
    }

    private init(_ message: Message) throws {
        traceID = message.hexadecimal(1)
        spanID = message.hexadecimal(2)
        parentID = message.hexadecimal(4)
        name = message.text(5)
        kind = message.number(6)
        (start, end) = (message.number(7), message.number(8))
        attributes = try message.attributes(9)
        for event in try message.messages(11) { events.append((event.text(2), try event.attributes(3))) }
        for part in try message.messages(15) { status = part.number(3) }
        flags = message.number(16)
    }
}

/// A message of Protocol Buffers.
private struct Message {
    private enum Value {
        case number(UInt64)
        case bytes([UInt8])
    }

    private var fields: [(number: UInt64, value: Value)] = []

    init(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let tag = try Self.varint(&rest)
            let value: Value
            switch tag & 7 {
            case 0: value = .number(try Self.varint(&rest))
            case 1: value = .number(Self.little(try Self.take(8, &rest)))
            case 2: value = .bytes(try Self.take(Int(try Self.varint(&rest)), &rest))
            case 5: value = .number(Self.little(try Self.take(4, &rest)))
            default: throw PeerError.unexpected("wire type \(tag & 7)")
            }
            fields.append((tag >> 3, value))
        }
    }

    func messages(_ number: UInt64) throws -> [Message] {
        try fields.compactMap { field in
            guard field.number == number, case .bytes(let bytes) = field.value else { return nil }
            return try Message(bytes)
        }
    }

    func bytes(_ number: UInt64) -> [UInt8] {
        for field in fields {
            if field.number == number, case .bytes(let bytes) = field.value { return bytes }
        }
        return []
    }

    func number(_ number: UInt64) -> UInt64 {
        for field in fields {
            if field.number == number, case .number(let value) = field.value { return value }
        }
        return 0
    }

    func text(_ number: UInt64) -> String { String(decoding: bytes(number), as: UTF8.self) }

    func hexadecimal(_ number: UInt64) -> String {
        bytes(number).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    func attributes(_ number: UInt64) throws -> [String: String] {
        var attributes: [String: String] = [:]
        for pair in try messages(number) {
            for value in try pair.messages(2) {
                guard attributes[pair.text(1)] == nil else {
                    throw PeerError.unexpected("\(pair.text(1)) twice")
                }
                attributes[pair.text(1)] = value.anyValue
            }
        }
        return attributes
    }

    /// An `AnyValue` as text.
    private var anyValue: String {
        guard let field = fields.first else { return "" }
        switch (field.number, field.value) {
        case (1, .bytes(let text)): return String(decoding: text, as: UTF8.self)
        case (2, .number(let value)): return value == 1 ? "true" : "false"
        case (3, .number(let value)): return "\(Int64(bitPattern: value))"
        default: return "?"
        }
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw PeerError.unexpected("a number that does not end")
    }

    private static func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) throws -> [UInt8] {
        guard count >= 0, count <= rest.count else {
            throw PeerError.unexpected("\(count) bytes, but \(rest.count)")
        }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    private static func little(_ bytes: [UInt8]) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
