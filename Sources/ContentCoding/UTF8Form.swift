/// Whether bytes are UTF-8.
enum UTF8Form {
    /// All of them; half a character at the end, where a body was cut, does not count.
    case valid
    /// Most of what is not ASCII.
    case damaged
    /// No more than by chance.
    case other

    init(_ bytes: [UInt8]) {
        var characters = 0
        var errors = 0
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            index += 1
            guard lead >= 0x80 else { continue }
            guard let (length, second) = Self.tail(of: lead) else {
                errors += 1
                continue
            }
            var count = 0
            while count < length, index + count < bytes.count,
                count == 0 ? second.contains(bytes[index]) : bytes[index + count] & 0xC0 == 0x80
            { count += 1 }
            if count == length {
                characters += 1
                index += length
            } else if index + count < bytes.count || characters == 0 {
                errors += 1
            }
        }
        self = errors == 0 ? .valid : characters > errors ? .damaged : .other
    }

    /// How many bytes follow a lead byte, and what the first of them may be (Unicode table 3-7).
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
