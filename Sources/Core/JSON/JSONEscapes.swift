/// The escapes of JSON strings (RFC 8259 7).
enum JSONEscapes {
    /// The text that the inside of a valid JSON string spells.
    static func decode(_ content: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(content.count)
        var index = content.startIndex
        while index < content.endIndex {
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

    /// The code point of `XXXX` at `index`, with its second half if it is the first of a surrogate pair.
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
