/// What the first byte of a character in UTF-8 says of those behind it.
public enum UTF8Lead {
    /// How many bytes follow a lead byte, and which values the first of them may have; `nil` for what is no lead byte of several
    /// (Unicode table 3-7).
    public static func tail(of lead: UInt8) -> (length: Int, second: ClosedRange<UInt8>)? {
        switch lead {
        case 0xC2...0xDF: (1, 0x80...0xBF)
        case 0xE0: (2, 0xA0...0xBF)
        case 0xED: (2, 0x80...0x9F)
        case 0xE1...0xEF: (2, 0x80...0xBF)
        case 0xF0: (3, 0x90...0xBF)
        case 0xF1...0xF3: (3, 0x80...0xBF)
        case 0xF4: (3, 0x80...0x8F)
        default: nil
        }
    }
}
