internal import HTTPWire

/// Percent-encoding (RFC 3986 2.1).
enum PercentEncoding {
    /// Writes `%XX`.
    static func append(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(0x25)
        for digit in [byte >> 4, byte & 15] { output.append(digit < 10 ? 0x30 + digit : 0x37 + digit) }
    }

    /// Writes a text as one segment of a path: only unreserved characters stay as they are.
    static func segment(_ text: Text, into output: inout [UInt8]) {
        let bytes = text.storage.span.extracting(text.range)
        var written = 0
        for index in 0..<bytes.count where !isUnreserved(bytes[index]) {
            output.append(bytes.extracting(written..<index))
            append(bytes[index], to: &output)
            written = index + 1
        }
        output.append(bytes.extracting(written..<bytes.count))
    }

    /// Whether a byte may stand anywhere in a URI as it is (RFC 3986 2.3).
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        if byte.isASCIILetter || byte.isASCIIDigit { return true }
        switch byte {
        case 0x2D, 0x2E, 0x5F, 0x7E: return true
        default: return false
        }
    }

    /// The bytes with every `%XX` undone; a `%` that begins no escape stays.
    static func decoded(_ text: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            if text[index] == 0x25, index + 2 < text.count, let high = hexValue(text[index + 1]),
                let low = hexValue(text[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
        return bytes
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: return digit - 0x30
        case 0x41...0x46: return digit - 0x37
        case 0x61...0x66: return digit - 0x57
        default: return nil
        }
    }
}
