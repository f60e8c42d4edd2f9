/// Writes JSON (RFC 8259) behind the bytes that are already there: UTF-8, no blanks.
public enum JSONWriter {
    /// Writes a string with its quotes.
    ///
    /// Quotes, backslashes and control characters are escaped; what is not UTF-8 becomes U+FFFD.
    public static func string(_ text: ArraySlice<UInt8>, into output: inout [UInt8]) {
        output.append(0x22)
        if isPlain(text) {
            output.append(contentsOf: text)
        } else {
            escape(UTF8Repair.repaired(text), into: &output)
        }
        output.append(0x22)
    }

    /// Writes a string with its quotes.
    public static func string(_ text: Text, into output: inout [UInt8]) { string(text.bytes, into: &output) }

    /// Writes a string with its quotes.
    public static func string(_ text: String, into output: inout [UInt8]) {
        string(Array(text.utf8)[...], into: &output)
    }

    /// Writes an integer.
    public static func integer(_ value: Int, into output: inout [UInt8]) {
        if value < 0 { output.append(0x2D) }
        var rest = value.magnitude
        guard rest > 9 else {
            output.append(0x30 + UInt8(rest))
            return
        }
        let start = output.count
        while rest > 0 {
            output.append(0x30 + UInt8(rest % 10))
            rest /= 10
        }
        output[start...].reverse()
    }

    /// Writes seconds that must not be too few: a whole number as `2`, others rounded up to the millisecond,
    /// as `1.187`.
    ///
    /// - Parameter seconds: what is negative or not finite counts as 0, what exceeds 10^12 as 10^12.
    public static func seconds(_ seconds: Double, into output: inout [UInt8]) {
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
    public static func boolean(_ value: Bool, into output: inout [UInt8]) {
        output.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    private static func isPlain(_ text: ArraySlice<UInt8>) -> Bool {
        let span = text.span
        for index in 0..<span.count {
            let byte = span[index]
            if byte &- 0x20 >= 0x5F || byte == 0x22 || byte == 0x5C { return false }
        }
        return true
    }

    private static func escape(_ text: ArraySlice<UInt8>, into output: inout [UInt8]) {
        for byte in text {
            switch byte {
            case 0x22, 0x5C:
                output.append(0x5C)
                output.append(byte)
            case 0x08: output.append(contentsOf: #"\b"#.utf8)
            case 0x09: output.append(contentsOf: #"\t"#.utf8)
            case 0x0A: output.append(contentsOf: #"\n"#.utf8)
            case 0x0C: output.append(contentsOf: #"\f"#.utf8)
            case 0x0D: output.append(contentsOf: #"\r"#.utf8)
            case 0x00..<0x20, 0x7F:
                output.append(contentsOf: #"\u00"#.utf8)
                output.append(hexadecimal(byte >> 4))
                output.append(hexadecimal(byte & 15))
            default: output.append(byte)
            }
        }
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x57 + digit }
}
