// How values are written (RFC 8259 sections 6 and 7).
extension JSONMembers {
    mutating func appendLiteral(_ literal: String) {
        bytes.append(contentsOf: literal.utf8)
    }

    mutating func appendNumber(_ number: Int64) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        appendNumber(number.magnitude)
    }

    mutating func appendNumber(_ number: UInt64) {
        bytes.append(addingCapacity: 20) { output in
            var rest = number
            repeat {
                output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10))
                rest /= 10
            } while rest > 0
            var (low, high) = (0, output.count - 1)
            while low < high {
                output.swapAt(low, high)
                low += 1
                high -= 1
            }
        }
    }

    mutating func appendNumber(_ number: Double) {
        guard number.isFinite else { return appendText("\(number)") }
        appendLiteral("\(number)")
    }

    /// The digits after the point, without zeros at their end; nothing for 0.
    mutating func appendFraction(_ digits: UInt64, unit: UInt64) {
        guard digits > 0 else { return }
        bytes.append(addingCapacity: 20) { output in
            output.append(UInt8(ascii: "."))
            var rest = digits
            var unit = unit
            while rest > 0 {
                output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / unit))
                rest %= unit
                unit /= 10
            }
        }
    }

    /// A string in quotation marks.
    mutating func appendText(_ text: String) {
        appendText(text.utf8.span)
    }

    /// A string in quotation marks.
    ///
    /// Escaped is what JSON demands, and what a terminal or a line reader would act on: DEL, the C1 controls,
    /// and the line and paragraph separators U+2028 and U+2029.
    ///
    /// - Parameter text: UTF-8.
    mutating func appendText(_ text: Span<UInt8>) {
        if Self.isPlain(text) { return appendPlain(text) }
        bytes.append(UInt8(ascii: "\""))
        let end = bytes.count + Self.textLimit
        var index = 0
        while index < text.count {
            let byte = text[index]
            // Before the first byte of a character only: a character is not cut.
            if bytes.count >= end, byte & 0xC0 != 0x80 {
                appendLiteral("…")
                isTruncated = true
                break
            }
            index += appendCharacter(byte, in: text, at: index)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The usual text, which needs no closer look: all of it at one go.
    private mutating func appendPlain(_ text: Span<UInt8>) {
        bytes.append(addingCapacity: text.count + 2) { output in
            output.append(UInt8(ascii: "\""))
            for index in 0..<text.count { output.append(text[index]) }
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Whether nothing needs a closer look: not too long, and printable ASCII without the two characters that
    /// JSON escapes.
    ///
    /// Without a branch in the loop, so that the compiler looks at many bytes at a time.
    static func isPlain(_ text: Span<UInt8>) -> Bool {
        guard text.count <= textLimit else { return false }
        var special: UInt8 = 0
        for index in 0..<text.count {
            let byte = text[index]
            special |= byte &- 0x20 > 0x5E ? 1 : 0
            special |= byte == 0x22 ? 1 : 0
            special |= byte == 0x5C ? 1 : 0
        }
        return special == 0
    }

    /// Whether all bytes are ASCII, so that none of them needs to be repaired.
    static func isPlainASCII(_ text: Span<UInt8>) -> Bool {
        var all: UInt8 = 0
        for index in 0..<text.count { all |= text[index] }
        return all < 0x80
    }

    /// Writes the byte at `index`, and those that must be escaped together with it.
    ///
    /// - Returns: how many bytes of the text it was.
    private mutating func appendCharacter(
        _ byte: UInt8, in text: Span<UInt8>, at index: Int
    ) -> Int {
        switch byte {
        case UInt8(ascii: "\""): appendLiteral("\\\"")
        case UInt8(ascii: "\\"): appendLiteral("\\\\")
        case 0x0A: appendLiteral("\\n")
        case 0x0D: appendLiteral("\\r")
        case 0x09: appendLiteral("\\t")
        case 0..<0x20, 0x7F: appendEscape(UInt16(byte))
        case 0xC2 where index + 1 < text.count && text[index + 1] < 0xA0:
            appendEscape(UInt16(text[index + 1]))
            return 2
        case 0xE2 where index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] & 0xFE == 0xA8:
            appendEscape(0x2000 | UInt16(text[index + 2] & 0x3F))
            return 3
        default: bytes.append(byte)
        }
        return 1
    }

    private mutating func appendEscape(_ unit: UInt16) {
        appendLiteral("\\u")
        for shift: UInt16 in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift & 0xF)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
