internal import HTTPWire

/// Some text as bytes, usually a part of a body that is already in memory: making and copying one copies no
/// bytes.
///
/// The bytes ought to be UTF-8; what is not becomes U+FFFD when the text is written as JSON or read as a
/// string.
public struct Text: Sendable, Hashable {
    /// The bytes, not terminated.
    public var bytes: ArraySlice<UInt8>

    /// A part of an array that is kept alive with the text.
    public init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// A whole array.
    public init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    /// The UTF-8 of a string.
    public init(_ string: String) { self.bytes = Array(string.utf8)[...] }

    /// A copy of some bytes.
    public init(copying span: borrowing Span<UInt8>) {
        var copy: [UInt8] = []
        copy.reserveCapacity(span.count)
        for index in 0..<span.count { copy.append(span[index]) }
        self.bytes = copy[...]
    }

    /// Whether there is nothing in it.
    public var isEmpty: Bool { bytes.isEmpty }

    /// The text as a string, for people and tests.
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether the text is exactly `other`, the case of ASCII letters aside.
    public func equalsIgnoringCase(_ other: Text) -> Bool {
        bytes.span.equalsIgnoringCase(other.bytes.span)
    }
}

extension Text: ExpressibleByStringLiteral {
    /// The text of a literal.
    public init(stringLiteral value: String) { self.init(value) }
}

extension Text: CustomStringConvertible {
    /// The text as a string.
    public var description: String { string }
}
