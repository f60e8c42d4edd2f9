/// What bytes are written to: an array, or the queue in which an answer waits for its client.
public protocol ByteSink: ~Copyable {
    /// Adds a byte.
    mutating func append(_ byte: UInt8)
    /// Adds a copy of some bytes.
    mutating func append(_ bytes: borrowing Span<UInt8>)
    /// Adds the UTF-8 of a literal.
    mutating func append(literal: StaticString)
}

extension ByteSink where Self: ~Copyable {
    /// Adds a copy of some bytes.
    public mutating func append(_ bytes: [UInt8]) { append(bytes.span) }
}

extension [UInt8]: ByteSink {
    /// Adds a copy of some bytes.
    public mutating func append(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Adds the UTF-8 of a literal.
    public mutating func append(literal: StaticString) {
        // A StaticString is a constant of the program: its pointer is valid for ever.
        unsafe append(
            contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
}
