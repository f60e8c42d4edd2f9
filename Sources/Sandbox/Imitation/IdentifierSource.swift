/// Identifiers that look like those of the providers: always the same ones, in the same order.
struct IdentifierSource: Sendable {
    private var state: UInt64

    /// A source; another seed gives other identifiers.
    init(seed: UInt64) { state = seed }

    /// Letters and digits.
    mutating func alphanumerics(_ count: Int) -> String {
        text(count, of: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// Digits, the first of which is not 0.
    mutating func digits(_ count: Int) -> String { "7" + text(count - 1, of: "0123456789") }

    /// The spelling of a UUID.
    mutating func uuid() -> String {
        let hexadecimal = "0123456789abcdef"
        let parts = [8, 4, 4, 4, 12].map { text($0, of: hexadecimal) }
        return "\(parts[0])-\(parts[1])-7\(parts[2].dropFirst())-a\(parts[3].dropFirst())-\(parts[4])"
    }

    private mutating func text(_ count: Int, of alphabet: String) -> String {
        let characters = Array(alphabet)
        return String((0..<count).map { _ in characters[Int(next() % UInt64(characters.count))] })
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
