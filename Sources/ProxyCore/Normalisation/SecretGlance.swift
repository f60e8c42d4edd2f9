internal import HTTPWire

/// A quick look at whether any of several texts may be in another one: one step for each byte, and no memory.
struct SecretGlance: Sendable {
    /// Of a text that begins the same, no more is compared.
    private static let comparedBytes = 8

    /// What a byte is compared as; 0 for those that may begin an escape, which could spell anything.
    private let folds: [UInt8]
    /// A bit for each hash of the first three bytes of a text.
    private let beginnings: [UInt64]
    /// The first bytes of each text.
    private let starts: [[UInt8]]
    /// Whether a text is too short to be looked for like that.
    private let findsAll: Bool

    /// - Parameters:
    ///   - texts: what is looked for, folded.
    ///   - fold: makes the same what does not differ.
    init(_ texts: [[UInt8]], folding fold: (UInt8) -> UInt8) {
        folds = (0...255).map { byte in
            // Of percent-encoding, JSON and HTML.
            byte == 0x25 || byte == 0x5C || byte == 0x26 ? 0 : fold(byte)
        }
        findsAll = texts.contains { $0.count < 3 }
        starts = texts.filter { $0.count >= 3 }.map { Array($0.prefix(Self.comparedBytes)) }
        var beginnings = [UInt64](repeating: 0, count: 64)
        for start in starts {
            let hash = Self.hash(start[0], start[1], start[2])
            beginnings[hash >> 6] |= 1 << UInt64(hash & 63)
        }
        self.beginnings = beginnings
    }

    /// Whether one of the texts may be in the bytes, as they are or spelled with escapes.
    func mayFind(in bytes: Span<UInt8>) -> Bool {
        if findsAll { return true }
        guard !starts.isEmpty, bytes.count >= 3 else { return false }
        let (folds, beginnings) = (folds.span, beginnings.span)
        var (first, second) = (folds[Int(bytes[0])], folds[Int(bytes[1])])
        if first == 0 || second == 0 { return true }
        for index in 2..<bytes.count {
            let third = folds[Int(bytes[index])]
            if third == 0 { return true }
            let hash = Self.hash(first, second, third)
            if beginnings[hash >> 6] & 1 << UInt64(hash & 63) != 0, begins(bytes, at: index - 2) {
                return true
            }
            (first, second) = (second, third)
        }
        return false
    }

    private func begins(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        starts.contains { start in
            guard index + start.count <= bytes.count else { return false }
            // What an escape spells further on is not compared: it is found by itself.
            for offset in 0..<start.count where folds[Int(bytes[index + offset])] != start[offset] {
                return false
            }
            return true
        }
    }

    @inline(__always)
    private static func hash(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Int {
        Int((UInt32(first) &* 97 &+ UInt32(second)) &* 31 &+ UInt32(third)) & 4095
    }
}
