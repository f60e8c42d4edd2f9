internal import Wire

/// Text as bytes, usually a part of a body in memory; creating or copying one copies no bytes.
///
/// The bytes should be UTF-8; ill-formed parts become U+FFFD when the text is written as JSON or converted to a
/// string.
public struct Text: Sendable {
    /// The array that contains the text.
    let storage: [UInt8]
    private let start: UInt32
    private let end: UInt32
    /// Whether it is known that no byte needs an escape in a JSON string, which saves another check.
    let isPlain: Bool

    /// A part of an array, which is retained by the text.
    ///
    /// - Parameter range: within the array; truncated at 4 GiB.
    public init(_ storage: [UInt8], in range: Range<Int>) { self.init(storage, in: range, isPlain: false) }

    /// A part of an array; `isPlain` says that it is known to be printable ASCII without quotes and backslashes.
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

    /// The position of the text in its array.
    var range: Range<Int> { Int(start)..<Int(end) }

    /// The bytes, not terminated.
    public var bytes: ArraySlice<UInt8> { storage[range] }

    /// How many bytes there are.
    public var count: Int { Int(end - start) }

    /// Whether it is empty.
    public var isEmpty: Bool { start == end }

    /// The text as a string, for people and tests.
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether the text equals `other`, ignoring the case of ASCII letters.
    public func equalsIgnoringCase(_ other: Text) -> Bool {
        storage.span.extracting(range).equalsIgnoringCase(other.storage.span.extracting(other.range))
    }
}

extension Text: Hashable {
    /// Whether the bytes are equal, wherever they are stored.
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
