public import Wire

/// Writes JSON (RFC 8259) behind the bytes that are already there: UTF-8, no blanks.
public enum JSONWriter {
    /// Writes a string with its quotes.
    ///
    /// Quotes, backslashes and control characters are escaped; what is not UTF-8 becomes U+FFFD.
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
        // From the last digit on: dividing by a constant is a multiplication, by a variable it is not.
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var start = digits.count
        while rest > 0 {
            start -= 1
            digits[start] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
        output.append(digits.span.extracting(start..<digits.count))
    }

    /// Writes seconds that must not be too few: a whole number as `2`, others rounded up to the millisecond,
    /// as `1.187`.
    ///
    /// - Parameter seconds: what is negative or not finite counts as 0, what exceeds 10^12 as 10^12.
    public static func seconds(_ seconds: Double, into output: inout some ByteSink & ~Copyable) {
        let bounded = seconds.isFinite ? min(max(seconds, 0), 1e12) : seconds > 0 ? 1e12 : 0
        // A binary fraction such as 0.3 lies a little beside its decimal: that is no reason for one
        // millisecond more.
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
