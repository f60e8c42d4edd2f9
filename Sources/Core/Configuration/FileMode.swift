/// The permissions of a file, as `chmod` writes them.
public struct FileMode: Hashable, Sendable {
    /// The nine bits: 0 to 0o777.
    public let bits: UInt16

    /// `0600`: the user that Weir runs as, and root.
    public static let ownerOnly = FileMode(bits: 0o600)

    private init(bits: UInt16) { self.bits = bits }

    /// Reads an octal number with its leading zero, such as `0660` (or `0o660`, as YAML 1.2 spells it).
    ///
    /// - Throws: `InvalidSetting` for a number without the zero, which other programs read as decimal, and for anything above `0777`.
    public init(parsing text: String) throws(InvalidSetting) {
        let digits = text.hasPrefix("0o") ? text.dropFirst(2) : text.dropFirst()
        guard text.hasPrefix("0"), digits.utf8.count == 3,
            digits.utf8.allSatisfy({ (0x30...0x37).contains($0) }),
            let bits = UInt16(digits, radix: 8)
        else {
            throw InvalidSetting("must be octal with a leading zero, from 0000 to 0777, such as 0660")
        }
        self.bits = bits
    }
}

extension FileMode: CustomStringConvertible {
    /// Four octal digits.
    public var description: String {
        let digits = String(bits, radix: 8)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
