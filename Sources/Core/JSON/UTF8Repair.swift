/// Makes bytes from a provider valid UTF-8.
enum UTF8Repair {
    /// These bytes if they are UTF-8; else a copy in which every ill-formed part is U+FFFD.
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
            guard let (length, second) = tail(of: lead) else { return false }
            guard bytes.endIndex - index >= length, second.contains(bytes[index]) else { return false }
            for position in index + 1..<index + length where bytes[position] & 0xC0 != 0x80 { return false }
            index += length
        }
        return true
    }

    /// Where the last character ends of which no byte is missing at the end.
    static func endOfWhole(_ bytes: ArraySlice<UInt8>) -> Int {
        // A character has at most three bytes behind its first.
        for count in 1...4 {
            let start = bytes.endIndex - count
            guard start >= bytes.startIndex else { break }
            if bytes[start] & 0xC0 == 0x80 { continue }
            let isCut = tail(of: bytes[start]).map { $0.length >= count } ?? false
            return isCut ? start : bytes.endIndex
        }
        return bytes.endIndex
    }

    /// How many bytes follow a lead byte, and what the first of them may be.
    private static func tail(of lead: UInt8) -> (length: Int, second: ClosedRange<UInt8>)? {
        switch lead {
        case 0xC2...0xDF: return (1, 0x80...0xBF)
        case 0xE0: return (2, 0xA0...0xBF)
        case 0xED: return (2, 0x80...0x9F)
        case 0xE1...0xEF: return (2, 0x80...0xBF)
        case 0xF0: return (3, 0x90...0xBF)
        case 0xF1...0xF3: return (3, 0x80...0xBF)
        case 0xF4: return (3, 0x80...0x8F)
        default: return nil
        }
    }
}
