internal import HTTPWire

/// The JSON Pointer of a field, as a URI fragment (RFC 6901 6), from the spellings that providers use.
///
/// `to.0`, `to[0]` and `/to/0` all become `#/to/0`.
enum FieldPointer {
    /// Writes the pointer without quotes; none of its characters needs an escape in JSON.
    static func encode(_ field: Text, into output: inout [UInt8]) {
        output.append(0x23)
        var bytes = field.bytes
        if bytes.first == 0x23 { bytes.removeFirst() }
        if bytes.first == 0x2F {
            // A pointer already, whose steps are escaped.
            for byte in bytes { append(byte, to: &output) }
            return
        }
        encodePath(bytes, into: &output)
    }

    private static func encodePath(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        output.append(0x2F)
        var isAfterBracket = false
        for byte in bytes {
            switch byte {
            case 0x2E, 0x5B:
                output.append(0x2F)
                isAfterBracket = false
            case 0x5D: isAfterBracket = true
            case 0x7E: output.append(literal: "~0")
            case 0x2F: output.append(literal: "~1")
            default:
                if isAfterBracket { output.append(0x2F) }
                isAfterBracket = false
                append(byte, to: &output)
            }
        }
    }

    /// A byte of a fragment (RFC 3986 3.5), percent-encoded unless it may stand there.
    private static func append(_ byte: UInt8, to output: inout [UInt8]) {
        if byte.isASCIILetter || byte.isASCIIDigit || isAllowed(byte) {
            output.append(byte)
        } else {
            PercentEncoding.append(byte, to: &output)
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x2D, 0x2E, 0x5F, 0x7E, 0x21, 0x24, 0x26...0x2C, 0x3B, 0x3D, 0x3A, 0x40, 0x2F, 0x3F: return true
        default: return false
        }
    }
}
