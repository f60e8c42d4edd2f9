public import Wire

/// Appends JSON (RFC 8259) to existing bytes: UTF-8, without whitespace.
public enum JSONWriter {
    /// Writes a string with its quotes.
    ///
    /// Quotes, backslashes and control characters are escaped; ill-formed UTF-8 becomes U+FFFD.
    public static func string(_ text: Text, into output: inout some ByteSink & ~Copyable) {
        let bytes = text.storage.span.extracting(text.range)
        output.append(0x22)
        if text.isPlain || bytes.endOfPlainRun(from: 0) == bytes.count {
            output.append(bytes)
        } else {
            escape(UTF8Repair.repaired(text.bytes), into: &output)
        }
        output.append(0x22)
    }

    /// Writes a string with its quotes.
    public static func string(_ text: String, into output: inout some ByteSink & ~Copyable) {
        string(Text(text), into: &output)
    }

    /// Writes an integer.
    public static func integer(_ value: Int, into output: inout some ByteSink & ~Copyable) {
        if value < 0 { output.append(0x2D) }
        var rest = value.magnitude
        if rest < 10 { return output.append(0x30 + UInt8(rest)) }
        // From the last digit on: dividing by a constant is compiled to a multiplication, unlike dividing by a
        // variable.
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var start = digits.count
        while rest > 0 {
            start -= 1
            digits[start] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
        output.append(digits.span.extracting(start..<digits.count))
    }

    /// Writes seconds, rounded up: a whole number as `2`, others to the millisecond, as `1.187`.
    ///
    /// - Parameter seconds: negative values and non-finite ones count as 0; values above 10^12 as 10^12.
    public static func seconds(_ seconds: Double, into output: inout some ByteSink & ~Copyable) {
        let bounded = seconds.isFinite ? min(max(seconds, 0), 1e12) : seconds > 0 ? 1e12 : 0
        // A binary fraction such as 0.3 differs slightly from its decimal value, which must not add a millisecond.
        let milliseconds = Int((bounded * 1000 - 1e-6).rounded(.up))
        integer(milliseconds / 1000, into: &output)
        var fraction = milliseconds % 1000
        guard fraction > 0 else { return }
        output.append(0x2E)
        var scale = 100
        while fraction > 0 {
            output.append(0x30 + UInt8(fraction / scale))
            fraction %= scale
            scale /= 10
        }
    }

    /// Writes `true` or `false`.
    public static func boolean(_ value: Bool, into output: inout some ByteSink & ~Copyable) {
        output.append(literal: value ? "true" : "false")
    }

    private static func escape(_ text: ArraySlice<UInt8>, into output: inout some ByteSink & ~Copyable) {
        let bytes = text.span
        var index = 0
        while true {
            let end = bytes.endOfPlainRun(from: index)
            output.append(bytes.extracting(index..<end))
            guard end < bytes.count else { return }
            escape(bytes[end], into: &output)
            index = end + 1
        }
    }

    private static func escape(_ byte: UInt8, into output: inout some ByteSink & ~Copyable) {
        switch byte {
        case 0x22, 0x5C:
            output.append(0x5C)
            output.append(byte)
        case 0x08: output.append(literal: #"\b"#)
        case 0x09: output.append(literal: #"\t"#)
        case 0x0A: output.append(literal: #"\n"#)
        case 0x0C: output.append(literal: #"\f"#)
        case 0x0D: output.append(literal: #"\r"#)
        case 0x00..<0x20, 0x7F:
            output.append(literal: #"\u00"#)
            output.append(hexadecimal(byte >> 4))
            output.append(hexadecimal(byte & 15))
        default: output.append(byte)
        }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x57 + digit }
}

/// The escapes of JSON strings (RFC 8259 7).
enum JSONEscapes {
    /// The text that the inside of a valid JSON string spells.
    ///
    /// - Parameter limit: how many bytes of the text are wanted: of a longer one, the characters that begin before are decoded.
    static func decode(_ content: ArraySlice<UInt8>, limit: Int = .max) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(min(content.count, limit))
        var index = content.startIndex
        while index < content.endIndex, result.count < limit {
            let byte = content[index]
            index += 1
            guard byte == 0x5C, index < content.endIndex else {
                result.append(byte)
                continue
            }
            let escape = content[index]
            index += 1
            switch escape {
            case 0x62: result.append(0x08)
            case 0x66: result.append(0x0C)
            case 0x6E: result.append(0x0A)
            case 0x72: result.append(0x0D)
            case 0x74: result.append(0x09)
            case 0x75: append(codePoint(in: content, at: &index), to: &result)
            default: result.append(escape)
            }
        }
        return result
    }

    /// The value of a hexadecimal digit.
    static func hexadecimal(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: return UInt32(byte - 0x30)
        case 0x41...0x46: return UInt32(byte - 0x41 + 10)
        case 0x61...0x66: return UInt32(byte - 0x61 + 10)
        default: return nil
        }
    }

    /// The code point of `XXXX` at `index`, including the second half of a surrogate pair.
    private static func codePoint(in content: ArraySlice<UInt8>, at index: inout Int) -> UInt32 {
        guard let first = unit(in: content, at: index) else { return 0xFFFD }
        index += 4
        guard first & 0xF800 == 0xD800 else { return first }
        let second = index + 6
        guard first < 0xDC00, second <= content.endIndex, content[index] == 0x5C, content[index + 1] == 0x75,
            let low = unit(in: content, at: index + 2), low & 0xFC00 == 0xDC00
        else { return 0xFFFD }
        index = second
        return 0x10000 + ((first & 0x3FF) << 10) + (low & 0x3FF)
    }

    private static func unit(in content: ArraySlice<UInt8>, at index: Int) -> UInt32? {
        guard index + 4 <= content.endIndex else { return nil }
        var value: UInt32 = 0
        for position in index..<index + 4 {
            guard let digit = hexadecimal(content[position]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private static func append(_ codePoint: UInt32, to result: inout [UInt8]) {
        let scalar = Unicode.Scalar(codePoint) ?? "\u{FFFD}"
        result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}

/// Repairs bytes from a provider so that they are valid UTF-8.
enum UTF8Repair {
    /// These bytes if they are valid UTF-8; otherwise a copy with U+FFFD for each ill-formed part.
    static func repaired(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        isValid(bytes) ? bytes : Array(String(decoding: bytes, as: UTF8.self).utf8)[...]
    }

    /// Whether the bytes are well-formed UTF-8 (Unicode table 3-7).
    static func isValid(_ bytes: ArraySlice<UInt8>) -> Bool {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let lead = bytes[index]
            index += 1
            guard lead >= 0x80 else { continue }
            guard let (length, second) = UTF8Lead.tail(of: lead) else { return false }
            guard bytes.endIndex - index >= length, second.contains(bytes[index]) else { return false }
            for position in index + 1..<index + length where bytes[position] & 0xC0 != 0x80 { return false }
            index += length
        }
        return true
    }

    /// The end of the last complete character.
    static func endOfWhole(_ bytes: ArraySlice<UInt8>) -> Int {
        // A character has at most three bytes after its first.
        for count in 1...4 {
            let start = bytes.endIndex - count
            guard start >= bytes.startIndex else { break }
            if bytes[start] & 0xC0 == 0x80 { continue }
            let isCut = UTF8Lead.tail(of: bytes[start]).map { $0.length >= count } ?? false
            return isCut ? start : bytes.endIndex
        }
        return bytes.endIndex
    }
}
