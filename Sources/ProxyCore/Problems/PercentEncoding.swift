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
        for byte in text.bytes {
            switch byte {
            case 0x2D, 0x2E, 0x5F, 0x7E: output.append(byte)
            case _ where byte.isASCIILetter || byte.isASCIIDigit: output.append(byte)
            default: append(byte, to: &output)
            }
        }
    }
}
