public import Wire

/// Percent-encoding (RFC 3986 2.1).
public enum PercentEncoding {
    /// The characters that may appear unescaped anywhere in a URI (RFC 3986 2.3).
    private static let unreserved = ASCIISet(alphanumericsAnd: "-._~")

    /// Writes `%XX`.
    static func append(_ byte: UInt8, to output: inout some ByteSink & ~Copyable) {
        output.append(0x25)
        output.append(digit(byte >> 4))
        output.append(digit(byte & 15))
    }

    /// Writes a text as one path segment: only unreserved characters are not escaped.
    public static func segment(_ text: Text, into output: inout some ByteSink & ~Copyable) {
        encode(text.storage.span.extracting(text.range), keeping: unreserved, into: &output)
    }

    /// Writes bytes; those in `kept` are not escaped.
    static func encode(
        _ bytes: borrowing Span<UInt8>, keeping kept: ASCIISet, into output: inout some ByteSink & ~Copyable
    ) {
        var written = 0
        for index in 0..<bytes.count where !kept.contains(bytes[index]) {
            output.append(bytes.extracting(written..<index))
            append(bytes[index], to: &output)
            written = index + 1
        }
        output.append(bytes.extracting(written..<bytes.count))
    }

    /// Decodes every `%XX`; a `%` that begins no escape is kept.
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

    /// Decodes every `%XX` repeatedly, including escapes that result from decoding.
    static func fullyDecoded(_ text: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        for index in 0..<text.count {
            bytes.append(text[index])
            while bytes.count >= 3, bytes[bytes.count - 3] == 0x25,
                let high = hexValue(bytes[bytes.count - 2]), let low = hexValue(bytes[bytes.count - 1])
            {
                bytes.removeLast(2)
                bytes[bytes.count - 1] = high << 4 | low
            }
        }
        return bytes
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }

    static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: return digit - 0x30
        case 0x41...0x46: return digit - 0x37
        case 0x61...0x66: return digit - 0x57
        default: return nil
        }
    }
}
