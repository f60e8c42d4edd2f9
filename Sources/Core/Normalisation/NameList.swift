internal import Wire

/// Some names.
///
/// Most texts that are looked for are none of them, which their length and first letter show.
struct NameList: Sendable, ExpressibleByArrayLiteral {
    private let names: [Text]
    /// A bit for each name, see ``bit(of:)``.
    private let bits: UInt64

    init(arrayLiteral names: Text...) {
        self.names = names
        bits = names.reduce(0) { $0 | Self.bit(of: $1) }
    }

    /// Whether the text is one of the names.
    func contains(_ text: Text) -> Bool { bits & Self.bit(of: text) != 0 && names.contains(text) }

    /// Whether the text is one of the names, the case of ASCII letters aside.
    func containsIgnoringCase(_ text: Text) -> Bool {
        guard bits & Self.bit(of: text) != 0 else { return false }
        return names.contains { text.equalsIgnoringCase($0) }
    }

    /// The same bit for texts that differ in nothing but the case of letters.
    private static func bit(of text: Text) -> UInt64 {
        guard !text.isEmpty else { return 1 }
        let first = text.storage[text.range.lowerBound] | 0x20
        return 1 &<< (UInt64(first) &* 7 &+ UInt64(truncatingIfNeeded: text.count))
    }
}
