internal import Wire

/// A text with its escapes decoded repeatedly, and the original position of each byte.
///
/// Handles JSON escapes (`\/`, `\u002b`), percent-encoding (`%2B`, `%u002B`) and HTML character references (`&#43;`,
/// `&plus;`, also without a semicolon), in any mixture and nesting. It is used for searching: a text that is not an
/// escape in its context may be decoded as well.
struct EscapedText {
    /// The text.
    private(set) var bytes: [UInt8] = []
    /// The original range of each byte.
    private var starts: [Int32] = []
    private var ends: [Int32] = []
    /// How many bytes were taken, and how often an escape was looked for behind one: each that is found makes the text shorter.
    private(set) var steps = 0

    /// Whether the text contains anything that could be an escape.
    static func mayHaveEscapes(_ text: Span<UInt8>) -> Bool {
        text.index(of: 0x25, from: 0) < text.count || text.index(of: 0x5C, from: 0) < text.count
            || text.index(of: 0x26, from: 0) < text.count
    }

    /// Decodes the escapes of `text`.
    init(_ text: Span<UInt8>) {
        reserve(text.count)
        var ampersand: Int?
        for index in 0..<text.count {
            if let start = ampersand, text[index] != 0x3B { endReference(from: start, before: text[index]) }
            push(text[index], index)
            while reduce() {}
            if bytes[bytes.count - 1] == 0x26 {
                ampersand = bytes.count - 1
            } else if let start = ampersand, bytes.count <= start || bytes.count - start > 18 {
                ampersand = nil
            }
        }
        if let start = ampersand { endReference(from: start, before: 0) }
    }

    /// Decodes a reference without a semicolon (HTML 13.2.5.72) that begins at `start`; the next byte cannot belong
    /// to it.
    private mutating func endReference(from start: Int, before next: UInt8) {
        guard bytes.count - start > 2, bytes[start] == 0x26 else { return }
        let name = bytes[(start + 1)...]
        let isOver: Bool
        if name[start + 1] == 0x23 {
            let isHexadecimal = name[start + 2].lowercasedASCII == 0x78
            isOver = isHexadecimal ? PercentEncoding.hexValue(next) == nil : !next.isASCIIDigit
        } else {
            isOver =
                !(next.isASCIILetter || next.isASCIIDigit)
                || Self.shortReferences.contains { $0.elementsEqual(name) }
        }
        guard isOver, let value = Self.value(ofReference: name) else { return }
        replace(bytes.count - start, byScalar: value)
        while reduce() {}
    }

    /// The names after which letters may follow.
    private static let shortReferences = ["amp", "lt", "gt", "quot", "AMP", "LT", "GT", "QUOT", "nbsp"].map {
        Array($0.utf8)
    }

    /// The same positions in the text from which `first` was decoded.
    consuming func reading(of first: EscapedText) -> EscapedText {
        var result = self
        for index in result.bytes.indices {
            result.starts[index] = first.starts[Int(result.starts[index])]
            result.ends[index] = first.ends[Int(result.ends[index]) - 1]
        }
        return result
    }

    /// Decodes only quoted-printable (RFC 2045 6.7); `nil` if there is none.
    init?(quotedPrintable text: Span<UInt8>) {
        var mark = text.index(of: 0x3D, from: 0)
        while mark < text.count, !Self.isQuotedPrintable(text, at: mark) {
            mark = text.index(of: 0x3D, from: mark + 1)
        }
        guard mark < text.count else { return nil }
        reserve(text.count)
        var index = 0
        while index < text.count {
            guard text[index] == 0x3D, Self.isQuotedPrintable(text, at: index) else {
                push(text[index], index)
                index += 1
                continue
            }
            if index + 2 < text.count, let high = PercentEncoding.hexValue(text[index + 1]),
                let low = PercentEncoding.hexValue(text[index + 2])
            {
                push(high << 4 | low, index)
                ends[ends.count - 1] = Int32(truncatingIfNeeded: index + 3)
            }
            // Otherwise a soft line break.
            index = Self.lineEnd(text, behind: index) ?? index + 3
        }
    }

    /// The end of a soft line break: whitespace and a line end after the equals sign; `nil` for an octet.
    private static func lineEnd(_ text: Span<UInt8>, behind mark: Int) -> Int? {
        var index = mark + 1
        while index < text.count, text[index].isBlank { index += 1 }
        if index < text.count, text[index] == 0x0D { index += 1 }
        if index < text.count, text[index] == 0x0A { return index + 1 }
        return index > mark + 1 && text[index - 1] == 0x0D ? index : nil
    }

    private static func isQuotedPrintable(_ text: Span<UInt8>, at index: Int) -> Bool {
        guard lineEnd(text, behind: index) == nil else { return true }
        return index + 2 < text.count && PercentEncoding.hexValue(text[index + 1]) != nil
            && PercentEncoding.hexValue(text[index + 2]) != nil
    }

    /// The original position of a range of the text.
    func origin(of range: Range<Int>) -> Range<Int> {
        Int(starts[range.lowerBound])..<Int(ends[range.upperBound - 1])
    }

    private mutating func reserve(_ count: Int) {
        bytes.reserveCapacity(count)
        starts.reserveCapacity(count)
        ends.reserveCapacity(count)
    }

    private mutating func push(_ byte: UInt8, _ place: Int) {
        steps += 1
        bytes.append(byte)
        starts.append(Int32(truncatingIfNeeded: place))
        ends.append(Int32(truncatingIfNeeded: place + 1))
    }

    /// Decodes the escape that the last byte completes, if it does.
    private mutating func reduce() -> Bool {
        steps += 1
        let last = bytes[bytes.count - 1]
        if last == 0x3B { return reduceReference() }
        if last == 0x7D { return reduceBraces() }
        if PercentEncoding.hexValue(last) != nil, reduceHexadecimal() { return true }
        guard bytes.count >= 2, bytes[bytes.count - 2] == 0x5C, let byte = Self.simpleEscape(last) else {
            return false
        }
        replace(2, by: byte)
        return true
    }

    private mutating func reduceHexadecimal() -> Bool {
        if let value = hexadecimal(2) {
            if at(3) == 0x25 {
                replace(3, by: UInt8(truncatingIfNeeded: value))
                return true
            }
            if at(3) == 0x78, at(4) == 0x5C {
                replace(4, by: UInt8(truncatingIfNeeded: value))
                return true
            }
        }
        // Octal, as in C.
        if at(4) == 0x5C, let first = at(3), let second = at(2), let third = at(1), first &- 0x30 < 4,
            second &- 0x30 < 8, third &- 0x30 < 8
        {
            replace(4, by: (first - 0x30) << 6 | (second - 0x30) << 3 | (third - 0x30))
            return true
        }
        if at(9) == 0x55, at(10) == 0x5C, let value = hexadecimal(8) {
            replace(10, byScalar: value)
            return true
        }
        guard at(5) == 0x75, at(6) == 0x5C || at(6) == 0x25, let value = hexadecimal(4) else { return false }
        replace(6, byScalar: value)
        return true
    }

    /// `\u{2b}` and `\x{2b}`, as in several languages.
    private mutating func reduceBraces() -> Bool {
        var length = 2
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while length <= 9, let byte = at(length), let digit = PercentEncoding.hexValue(byte) {
            if shift < 32 { value |= UInt32(digit) << shift }
            shift += 4
            length += 1
        }
        guard length > 2, at(length) == 0x7B, at(length + 1) == 0x75 || at(length + 1) == 0x78,
            at(length + 2) == 0x5C
        else { return false }
        replace(length + 2, byScalar: value)
        return true
    }

    /// A character reference of HTML.
    private mutating func reduceReference() -> Bool {
        var length = 2
        while length <= 16, let byte = at(length), byte != 0x26 {
            guard byte.isASCIILetter || byte.isASCIIDigit || byte == 0x23 else { return false }
            length += 1
        }
        guard length <= 16, at(length) == 0x26, length > 2 else { return false }
        let name = bytes[bytes.count - length + 1..<bytes.count - 1]
        guard let value = Self.value(ofReference: name) else { return false }
        replace(length, byScalar: value)
        return true
    }

    private static func value(ofReference name: ArraySlice<UInt8>) -> UInt32? {
        guard name.first == 0x23 else {
            return references.first { $0.name.elementsEqual(name) }.map { UInt32($0.byte) }
        }
        var digits = name.dropFirst()
        let isHexadecimal = digits.first?.lowercasedASCII == 0x78
        if isHexadecimal { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            guard let number = PercentEncoding.hexValue(digit), isHexadecimal || number < 10, value < 1 << 20
            else { return nil }
            value = value * (isHexadecimal ? 16 : 10) + UInt32(number)
        }
        return value
    }

    /// The characters that a credential may contain, by their names.
    private static let references: [(name: [UInt8], byte: UInt8)] = [
        ("amp", 0x26), ("lt", 0x3C), ("gt", 0x3E), ("quot", 0x22), ("apos", 0x27), ("sol", 0x2F),
        ("bsol", 0x5C), ("plus", 0x2B), ("equals", 0x3D), ("colon", 0x3A), ("semi", 0x3B), ("comma", 0x2C),
        ("period", 0x2E), ("lowbar", 0x5F), ("hyphen", 0x2D), ("dash", 0x2D), ("num", 0x23), ("excl", 0x21),
        ("dollar", 0x24), ("percnt", 0x25), ("ast", 0x2A), ("commat", 0x40), ("quest", 0x3F),
        ("verbar", 0x7C),
        ("vert", 0x7C), ("lpar", 0x28), ("rpar", 0x29), ("lsqb", 0x5B), ("rsqb", 0x5D), ("lcub", 0x7B),
        ("rcub", 0x7D), ("Hat", 0x5E), ("grave", 0x60), ("nbsp", 0x20), ("AMP", 0x26), ("LT", 0x3C),
        ("GT", 0x3E), ("QUOT", 0x22),
    ].map { (Array($0.0.utf8), $0.1) }

    private static func simpleEscape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x2F, 0x5C, 0x22, 0x27: byte
        case 0x6E: 0x0A
        case 0x72: 0x0D
        case 0x74: 0x09
        case 0x62: 0x08
        case 0x66: 0x0C
        default: nil
        }
    }

    /// The byte `back` positions from the end, 1 for the last.
    private func at(_ back: Int) -> UInt8? { bytes.count >= back ? bytes[bytes.count - back] : nil }

    private func hexadecimal(_ digits: Int) -> UInt32? {
        guard bytes.count >= digits else { return nil }
        var value: UInt32 = 0
        for byte in bytes[(bytes.count - digits)...] {
            guard let digit = PercentEncoding.hexValue(byte) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private mutating func replace(_ length: Int, by byte: UInt8) {
        let (first, end) = (bytes.count - length, ends[ends.count - 1])
        bytes.removeLast(length - 1)
        starts.removeLast(length - 1)
        ends.removeLast(length - 1)
        bytes[first] = byte
        ends[first] = end
    }

    /// - Parameter value: a Unicode scalar, or a surrogate, which is encoded like a scalar.
    private mutating func replace(_ length: Int, byScalar value: UInt32) {
        guard value >= 0x80 else { return replace(length, by: UInt8(truncatingIfNeeded: value)) }
        let (first, start, end) = (bytes.count - length, starts[starts.count - length], ends[ends.count - 1])
        bytes.removeLast(length)
        starts.removeLast(length)
        ends.removeLast(length)
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
            bytes.append(byte)
            starts.append(start)
            ends.append(end)
        }
        assert(bytes.count > first)
    }
}
