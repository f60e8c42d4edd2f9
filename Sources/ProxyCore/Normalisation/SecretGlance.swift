internal import HTTPWire

/// A quick look at whether any of several texts may be in another one: one step for each byte, and no memory.
struct SecretGlance: Sendable {
    /// Of a spelling that begins the same, no more is compared.
    static let startLength = 6
    private static let startMask: UInt64 = 1 << UInt64(8 * startLength) - 1

    /// What a byte is compared as; 0 for those that may begin an escape, which could spell anything.
    private let folds: [UInt8]
    /// A bit for each hash of the beginning of a spelling.
    private let hashes: [UInt64]
    /// The beginnings of spellings, by their hash: the place of the last one, from 1; 0 for none.
    private let heads: [UInt16]
    private var starts: [(start: UInt64, spelling: Int, next: UInt16)] = []
    /// A bit for each hash of the first three bytes of a word.
    private let wordHashes: [UInt64]
    private let words: [[UInt8]]
    /// Whether a text is too short to be looked for like that.
    private let findsAll: Bool

    /// - Parameters:
    ///   - spellings: what is looked for without its separators, each by its beginning at least.
    ///   - words: what is looked for as it is, the case of letters aside.
    ///   - findsAll: whether there is anything that can be anywhere.
    init(spellings: [[UInt8]], words: [[UInt8]], findsAll: Bool) {
        folds = (0...255).map { byte in
            // Of percent-encoding, JSON and HTML.
            byte == 0x25 || byte == 0x5C || byte == 0x26 ? 0 : SecretFolding.fold(byte)
        }
        self.findsAll = findsAll || words.contains { $0.count < 3 }
        var hashes = [UInt64](repeating: 0, count: 256)
        var heads = [UInt16](repeating: 0, count: 256)
        for (index, spelling) in spellings.enumerated()
        where spelling.count >= Self.startLength && starts.count < Int(UInt16.max) {
            var start: UInt64 = 0
            for byte in spelling.prefix(Self.startLength) { start = start << 8 | UInt64(byte) }
            let hash = Self.hash(start)
            hashes[hash >> 6] |= 1 << UInt64(hash & 63)
            starts.append((start, index, heads[hash & 255]))
            heads[hash & 255] = UInt16(truncatingIfNeeded: starts.count)
        }
        (self.hashes, self.heads) = (hashes, heads)
        self.words = words.map(SecretFolding.folded).filter { $0.count >= 3 }
        var wordHashes = [UInt64](repeating: 0, count: 64)
        for word in self.words {
            let hash = Self.hash(word[0], word[1], word[2])
            wordHashes[hash >> 6] |= 1 << UInt64(hash & 63)
        }
        self.wordHashes = wordHashes
    }

    /// Whether one of the texts may be in the bytes, as they are or spelled with escapes.
    func mayFind(in bytes: Span<UInt8>) -> Bool {
        if findsAll { return true }
        if mayFindWord(in: bytes) { return true }
        guard !starts.isEmpty else { return false }
        let (folds, hashes) = (folds.span, hashes.span)
        var window: UInt64 = 0
        var mayBeQuotedPrintable = false
        for index in 0..<bytes.count {
            let byte = folds[Int(bytes[index])]
            if SecretFolding.isSeparator(byte) {
                if bytes[index] == 0x3D { mayBeQuotedPrintable = true }
                continue
            }
            if byte == 0 { return true }
            window = (window << 8 | UInt64(byte)) & Self.startMask
            let hash = Self.hash(window)
            if hashes[hash >> 6] & 1 << UInt64(hash & 63) != 0, begins(window) { return true }
        }
        return mayBeQuotedPrintable && mayFindQuotedPrintable(in: bytes)
    }

    /// Calls `body` with each spelling whose beginning is in the bytes, of which no escape is undone.
    func forEachBeginning(in bytes: Span<UInt8>, _ body: (Int) -> Void) {
        guard !starts.isEmpty else { return }
        let hashes = hashes.span
        var window: UInt64 = 0
        for index in 0..<bytes.count {
            let byte = SecretFolding.fold(bytes[index])
            if SecretFolding.isSeparator(byte) { continue }
            window = (window << 8 | UInt64(byte)) & Self.startMask
            let hash = Self.hash(window)
            guard hashes[hash >> 6] & 1 << UInt64(hash & 63) != 0 else { continue }
            var place = heads[hash & 255]
            while place > 0 {
                let start = starts[Int(place) - 1]
                if start.start == window { body(start.spelling) }
                place = start.next
            }
        }
    }

    private func mayFindQuotedPrintable(in bytes: Span<UInt8>) -> Bool {
        var window: UInt64 = 0
        var index = 0
        while index < bytes.count {
            var byte = folds[Int(bytes[index])]
            index += 1
            if bytes[index - 1] == 0x3D, index + 1 < bytes.count,
                let high = PercentEncoding.hexValue(bytes[index]),
                let low = PercentEncoding.hexValue(bytes[index + 1])
            {
                byte = folds[Int(high << 4 | low)]
                index += 2
            }
            if SecretFolding.isSeparator(byte) { continue }
            if byte == 0 { return true }
            window = (window << 8 | UInt64(byte)) & Self.startMask
            let hash = Self.hash(window)
            if hashes[hash >> 6] & 1 << UInt64(hash & 63) != 0, begins(window) { return true }
        }
        return false
    }

    private func begins(_ window: UInt64) -> Bool {
        var place = heads[Self.hash(window) & 255]
        while place > 0 {
            let start = starts[Int(place) - 1]
            if start.start == window { return true }
            place = start.next
        }
        return false
    }

    @inline(__always)
    private static func hash(_ window: UInt64) -> Int { Int((window &* 0x9E37_79B9_7F4A_7C15) >> 50) }

    // MARK: Words

    private func mayFindWord(in bytes: Span<UInt8>) -> Bool {
        guard !words.isEmpty, bytes.count >= 3 else { return false }
        let (folds, hashes) = (folds.span, wordHashes.span)
        var (first, second) = (folds[Int(bytes[0])], folds[Int(bytes[1])])
        if first == 0 || second == 0 { return true }
        for index in 2..<bytes.count {
            let third = folds[Int(bytes[index])]
            if third == 0 { return true }
            let hash = Self.hash(first, second, third)
            if hashes[hash >> 6] & 1 << UInt64(hash & 63) != 0, isWord(bytes, at: index - 2) { return true }
            (first, second) = (second, third)
        }
        return false
    }

    private func isWord(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        words.contains { word in
            guard index + word.count <= bytes.count else { return false }
            // What an escape spells further on is not compared: it is found by itself.
            for offset in 0..<word.count where folds[Int(bytes[index + offset])] != word[offset] {
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
