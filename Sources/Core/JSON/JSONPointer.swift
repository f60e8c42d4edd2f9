/// A JSON Pointer (RFC 6901), split once, so that following it costs only comparisons.
public struct JSONPointer: Sendable, Hashable {
    struct Step: Sendable, Hashable {
        var name: Text
        /// The same step in an array.
        var index: Int?
    }

    let steps: [Step]
    /// The bit of the first step in ``JSONDocument/rootNames``; all bits for the whole document.
    let rootBit: UInt64

    /// A pointer to the whole document.
    public static let root = JSONPointer(steps: [])

    private init(steps: [Step]) {
        self.steps = steps
        rootBit = steps.first.map { NameSet.bit($0.name.bytes) } ?? .max
    }

    /// The container of the value, and the value's name in it; `nil` for the whole document.
    var split: (parent: JSONPointer, name: Text)? {
        steps.last.map { (JSONPointer(steps: Array(steps.dropLast())), $0.name) }
    }

    /// Reads the string form: empty, or steps that begin with `/`, in which `~1` is a slash and `~0` a tilde.
    public init?(_ text: String) {
        guard !text.isEmpty else {
            self = .root
            return
        }
        guard text.hasPrefix("/") else { return nil }
        var steps: [Step] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            var name: [UInt8] = []
            var isEscaped = false
            for byte in part.utf8 {
                switch (isEscaped, byte) {
                case (false, 0x7E): isEscaped = true
                case (false, _): name.append(byte)
                case (true, 0x30): name.append(0x7E)
                case (true, 0x31): name.append(0x2F)
                case (true, _): return nil
                }
                if byte != 0x7E { isEscaped = false }
            }
            guard !isEscaped else { return nil }
            let isIndex = part == "0" || (part.first != "0" && part.utf8.allSatisfy { $0 &- 0x30 < 10 })
            steps.append(Step(name: Text(name), index: isIndex ? Int(part) : nil))
        }
        self.init(steps: steps)
    }
}

/// A set of names that may say yes for a name that is not in it: 64 bits.
enum NameSet {
    /// The bit that stands for a name.
    static func bit(_ name: ArraySlice<UInt8>) -> UInt64 {
        let first = UInt64(name.first ?? 0) &* 5
        let last = UInt64(name.last ?? 0) &* 11
        return 1 << ((first &+ last &+ UInt64(name.count)) & 63)
    }
}
