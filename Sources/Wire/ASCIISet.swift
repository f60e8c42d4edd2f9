/// Some ASCII characters: whether one is among them is asked for every byte of a text, and costs two words instead of a chain of
/// comparisons.
public struct ASCIISet: Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// Letters, digits, and these characters, which are ASCII.
    public init(alphanumericsAnd others: String) {
        for byte in UInt8.min..<128 where byte.isASCIILetter || byte.isASCIIDigit { insert(byte) }
        for byte in others.utf8 { insert(byte) }
    }

    /// Whether the character is in the set.
    public func contains(_ byte: UInt8) -> Bool {
        byte < 128 && (byte < 64 ? low : high) &>> UInt64(byte) & 1 != 0
    }

    private mutating func insert(_ byte: UInt8) {
        if byte < 64 { low |= 1 &<< UInt64(byte) } else { high |= 1 &<< UInt64(byte) }
    }
}
