internal import Wire

/// A message of Protocol Buffers under construction (the wire format, proto3): each call adds one field.
///
/// Fields with the value 0 or empty are left out, as proto3 does.
struct ProtobufMessage: Sendable {
    private(set) var bytes: [UInt8] = []

    /// The kinds of fields on the wire.
    private enum WireType: UInt64 {
        case varint = 0
        case fixed64 = 1
        case delimited = 2
        case fixed32 = 5
    }

    /// Adds an integer or an enumerated value; a negative number takes ten bytes.
    mutating func add(_ field: UInt64, integer value: Int64) {
        guard value != 0 else { return }
        tag(field, .varint)
        varint(UInt64(bitPattern: value))
    }

    /// Adds a member of a `oneof`: an integer whose presence counts, also of 0.
    mutating func add(_ field: UInt64, present value: UInt64) {
        tag(field, .varint)
        varint(value)
    }

    /// Adds a `fixed64`.
    mutating func add(_ field: UInt64, fixed64 value: UInt64) {
        guard value != 0 else { return }
        tag(field, .fixed64)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Adds a `fixed32`.
    mutating func add(_ field: UInt64, fixed32 value: UInt32) {
        guard value != 0 else { return }
        tag(field, .fixed32)
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Adds a text.
    mutating func add(_ field: UInt64, text: String) {
        if !text.isEmpty { add(field, delimited: text.utf8.span) }
    }

    /// Adds bytes.
    mutating func add(_ field: UInt64, bytes value: [UInt8]) {
        if !value.isEmpty { add(field, delimited: value.span) }
    }

    /// Adds a message, also an empty one: its presence counts.
    mutating func add(_ field: UInt64, message build: (inout ProtobufMessage) -> Void) {
        var message = ProtobufMessage()
        build(&message)
        add(field, delimited: message.bytes.span)
    }

    /// Adds what stands in a delimited field of this many bytes that follow.
    mutating func add(_ field: UInt64, lengthOfDelimited length: Int) {
        tag(field, .delimited)
        varint(UInt64(length))
    }

    /// Adds fields that are complete already.
    mutating func add(fields: [UInt8]) { bytes += fields }

    private mutating func add(_ field: UInt64, delimited value: borrowing Span<UInt8>) {
        add(field, lengthOfDelimited: value.count)
        bytes.append(value)
    }

    private mutating func tag(_ field: UInt64, _ type: WireType) { varint(field << 3 | type.rawValue) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Reads fields of a message of Protocol Buffers from a peer; what cannot be read ends it.
struct ProtobufFields: Sequence, IteratorProtocol {
    /// A field: its number, and a number or bytes.
    enum Value: Equatable {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() -> (field: UInt64, value: Value)? {
        guard let tag = varint() else { return nil }
        let value: Value?
        switch tag & 7 {
        case 0: value = varint().map { .number($0) }
        case 1: value = take(8).map { .number(Self.little($0)) }
        case 2:
            let length = varint().flatMap { Int(exactly: $0) }
            value = length.flatMap { take($0) }.map { .bytes($0) }
        case 5: value = take(4).map { .number(Self.little($0)) }
        default: value = nil
        }
        guard let value else {
            rest = []
            return nil
        }
        return (tag >> 3, value)
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func little(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
