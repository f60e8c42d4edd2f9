/// Bytes of HTTP are compared as bytes: no `String` is made on the data path.
extension Span where Element == UInt8 {
    /// Whether these bytes are `literal`, the case of ASCII letters aside.
    ///
    /// - Parameter literal: ASCII, in lower case.
    public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        // A StaticString is a constant of the program: its pointer is valid for ever.
        let expected = unsafe UnsafeRawBufferPointer(start: literal.utf8Start, count: count)
        return unsafe withUnsafeBytes { unsafe $0.equalsIgnoringCase(expected) }
    }

    /// Whether these bytes and `other` are the same, the case of ASCII letters aside.
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

    /// Whether these bytes start with `literal`, the case of ASCII letters aside.
    ///
    /// - Parameter literal: ASCII, in lower case.
    public func startsIgnoringCase(with literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && extracting(0..<length).equalsIgnoringCase(literal)
    }

    /// Whether these bytes end with `literal`, the case of ASCII letters aside.
    ///
    /// - Parameter literal: ASCII, in lower case.
    public func endsIgnoringCase(with literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        return count >= length && extracting(count - length..<count).equalsIgnoringCase(literal)
    }

    /// The number that these bytes spell in decimal digits, and nothing else.
    ///
    /// `nil` for an empty span, any other byte (signs and blanks included), or more than `Int64` holds.
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

    /// The range without leading and trailing blanks (space and tab: OWS of RFC 9110 5.6.3).
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

    /// Whether these bytes are a token (RFC 9110 5.6.2): one or more of the characters of names and methods.
    public var isToken: Bool {
        guard count > 0 else { return false }
        for index in 0..<count where !self[index].isTokenCharacter { return false }
        return true
    }
}

extension UInt8 {
    /// This byte, in lower case if it is an ASCII letter.
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

    /// Whether this is a control character (C0 but the tab, and DEL): never allowed in a field value.
    @inlinable
    public var isForbiddenInFieldValue: Bool { (self < 0x20 && self != 0x09) || self == 0x7F }

    /// Whether this may stand in a token (RFC 9110 5.6.2).
    @inlinable
    public var isTokenCharacter: Bool {
        // A bit for each character: ! # $ % & ' * + - . and digits; letters and ^ _ ` | ~
        let (low, high): (UInt64, UInt64) = (0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
        return self < 0x80 && (self < 0x40 ? low : high) &>> UInt64(self) & 1 != 0
    }
}
