internal import Wire

/// Some text as bytes, usually a part of a body that is already in memory: making and copying one copies no
/// bytes.
///
/// The bytes ought to be UTF-8; what is not becomes U+FFFD when the text is written as JSON or read as a
/// string.
public struct Text: Sendable {
    /// The array that the text is a part of, and keeps alive.
    let storage: [UInt8]
    private let start: UInt32
    private let end: UInt32
    /// Whether it is known that each byte means itself in a JSON string: then nobody need look again.
    let isPlain: Bool

    /// A part of an array, which is kept alive with the text.
    ///
    /// - Parameter range: within the array; what lies beyond 4 GiB is cut off.
    public init(_ storage: [UInt8], in range: Range<Int>) { self.init(storage, in: range, isPlain: false) }

    /// A part of an array of which is known that it is printable ASCII without quotes and backslashes, or nothing is known.
    init(_ storage: [UInt8], in range: Range<Int>, isPlain: Bool) {
        self.storage = storage
        start = UInt32(clamping: range.lowerBound)
        end = UInt32(clamping: range.upperBound)
        self.isPlain = isPlain
    }

    /// A whole array.
    public init(_ bytes: [UInt8]) { self.init(bytes, in: 0..<bytes.count) }

    /// The UTF-8 of a string.
    public init(_ string: String) { self.init(Array(string.utf8)) }

    /// A copy of some bytes.
    public init(copying span: borrowing Span<UInt8>) {
        var copy: [UInt8] = []
        copy.append(span)
        self.init(copy)
    }

    /// Where the text lies in its array.
    var range: Range<Int> { Int(start)..<Int(end) }

    /// The bytes, not terminated.
    public var bytes: ArraySlice<UInt8> { storage[range] }

    /// How many bytes there are.
    public var count: Int { Int(end - start) }

    /// Whether there is nothing in it.
    public var isEmpty: Bool { start == end }

    /// The text as a string, for people and tests.
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether the text is exactly `other`, the case of ASCII letters aside.
    public func equalsIgnoringCase(_ other: Text) -> Bool {
        storage.span.extracting(range).equalsIgnoringCase(other.storage.span.extracting(other.range))
    }
}

extension Text: Hashable {
    /// Whether the bytes are the same, wherever they lie.
    public static func == (left: Text, right: Text) -> Bool {
        left.count == right.count && left.bytes.elementsEqual(right.bytes)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension Text: ExpressibleByStringLiteral {
    /// The text of a literal.
    public init(stringLiteral value: String) { self.init(value) }
}

extension Text: CustomStringConvertible {
    /// The text as a string.
    public var description: String { string }
}

extension ByteSink where Self: ~Copyable {
    /// Adds the bytes of a text.
    mutating func append(_ text: Text) { append(text.storage.span.extracting(text.range)) }
}
