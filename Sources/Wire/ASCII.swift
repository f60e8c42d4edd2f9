/// HTTP is compared as bytes: the data path creates no `String`.
extension Span where Element == UInt8 {
    /// Whether these bytes equal `literal`, ignoring the case of ASCII letters.
    ///
    /// - Parameter literal: ASCII, in lower case.
    public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        // A StaticString is a constant of the program: its pointer is always valid.
        let expected = unsafe UnsafeRawBufferPointer(start: literal.utf8Start, count: count)
        return unsafe withUnsafeBytes { unsafe $0.equalsIgnoringCase(expected) }
    }

    /// Whether these bytes equal `other`, ignoring the case of ASCII letters.
    public func equalsIgnoringCase(_ other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        let other = copy other
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { unsafe left.equalsIgnoringCase($0) }
        }
    }

    /// Whether these bytes are exactly `literal`.
    @inlinable
    public func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        let expected = unsafe UnsafeBufferPointer(start: literal.utf8Start, count: count)
        for index in 0..<count where unsafe self[index] != expected[index] { return false }
        return true
    }

    /// Whether these bytes start with `literal`, ignoring the case of ASCII letters.
    ///
    /// - Parameter literal: ASCII, in lower case.
    public func startsIgnoringCase(with literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && extracting(0..<length).equalsIgnoringCase(literal)
    }

    /// Whether these bytes end with `literal`, ignoring the case of ASCII letters.
    ///
    /// - Parameter literal: ASCII, in lower case.
    public func endsIgnoringCase(with literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && extracting(count - length..<count).equalsIgnoringCase(literal)
    }

    /// The number in decimal digits that these bytes consist of.
    ///
    /// `nil` for an empty span, any other byte (including signs and spaces), or a number beyond `Int64`.
    public var decimal: Int64? {
        guard count > 0, count <= 19 else { return nil }
        var value: Int64 = 0
        for index in 0..<count {
            guard self[index].isASCIIDigit else { return nil }
            let (scaled, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooLargeStill) = scaled.addingReportingOverflow(Int64(self[index] &- 0x30))
            guard !tooLarge, !tooLargeStill else { return nil }
            value = sum
        }
        return value
    }

    /// The range without leading and trailing whitespace (space and tab: OWS of RFC 9110 5.6.3).
    public var trimmedRange: Range<Int> {
        var start = 0
        var end = count
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return start..<end
    }

    /// These bytes as a string; bytes that are not UTF-8 become U+FFFD.
    public var string: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in 0..<count { bytes.append(self[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether these bytes are a token (RFC 9110 5.6.2): one or more characters that names and methods may contain.
    public var isToken: Bool {
        guard count > 0 else { return false }
        for index in 0..<count where !self[index].isTokenCharacter { return false }
        return true
    }
}

extension UInt8 {
    /// This byte, converted to lower case if it is an ASCII letter.
    @inlinable
    public var lowercasedASCII: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// Whether this is one of `0` to `9`.
    @inlinable
    public var isASCIIDigit: Bool { self &- 0x30 < 10 }

    /// Whether this is one of `a` to `z`, `A` to `Z`.
    @inlinable
    public var isASCIILetter: Bool { lowercasedASCII &- 0x61 < 26 }

    /// Whether this is a space or a tab.
    @inlinable
    public var isBlank: Bool { self == 0x20 || self == 0x09 }

    /// Whether this is a control character (C0 except the tab, and DEL), which a field value must not contain.
    @inlinable
    public var isForbiddenInFieldValue: Bool { (self < 0x20 && self != 0x09) || self == 0x7F }

    /// Whether this may appear in a token (RFC 9110 5.6.2).
    @inlinable
    public var isTokenCharacter: Bool {
        // One bit per character: ! # $ % & ' * + - . and digits; letters and ^ _ ` | ~
        let (low, high): (UInt64, UInt64) = (0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
        return self < 0x80 && (self < 0x40 ? low : high) &>> UInt64(self) & 1 != 0
    }
}

/// A set of ASCII characters in two words: a membership test per byte of a text is cheaper than a chain of
/// comparisons.
public struct ASCIISet: Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// Letters, digits, and these characters, which are ASCII.
    public init(alphanumericsAnd others: String) {
        for byte in UInt8.min..<128 where byte.isASCIILetter || byte.isASCIIDigit { insert(byte) }
        for byte in others.utf8 { insert(byte) }
    }

    /// Whether the character is in the set.
    public func contains(_ byte: UInt8) -> Bool {
        byte < 128 && (byte < 64 ? low : high) &>> UInt64(byte) & 1 != 0
    }

    private mutating func insert(_ byte: UInt8) {
        if byte < 64 { low |= 1 &<< UInt64(byte) } else { high |= 1 &<< UInt64(byte) }
    }
}

/// The elements of a list value (RFC 9110 5.6.1): the parts between commas, without surrounding whitespace.
public enum ListElements {
    /// Calls `body` with each element that is not empty.
    @inlinable
    public static func forEach(in value: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
        var start = 0
        while start <= value.count {
            var end = start
            while end < value.count, value[end] != 0x2C { end += 1 }
            let element = value.extracting(start..<end)
            let trimmed = element.extracting(element.trimmedRange)
            if trimmed.count > 0 { body(trimmed) }
            start = end + 1
        }
    }
}

extension Hasher {
    /// Hashes bytes as one value: an array would be hashed byte by byte.
    public mutating func combine(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe combine(bytes: $0) }
    }
}
