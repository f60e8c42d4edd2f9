internal import Wire

/// A quick look at whether any of several texts may be in another one: a few instructions for each byte, and no memory.
struct SecretGlance: Sendable {
    /// Of a spelling that begins the same, no more is compared.
    static let startLength = 6
    private static let startMask: UInt64 = 1 << UInt64(8 * startLength) - 1
    /// What may begin an escape of percent-encoding, JSON and HTML.
    private static let escapes: [UInt8] = [0x25, 0x5C, 0x26]

    /// What a byte is compared as; 0 for those that may begin an escape, which could spell anything.
    private let folds: [UInt8]
    /// A bit for each hash of the beginning of a spelling.
    private let hashes: [UInt64]
    /// The beginnings of spellings, by their hash: the place of the last one, from 1; 0 for none.
    private let heads: [UInt16]
    private var starts: [(start: UInt64, spelling: Int, next: UInt16)] = []
    /// The words, folded, each with the place of the third of its bytes that are no separators; sorted by that byte.
    private let words: [(bytes: [UInt8], tableEnd: Int)]
    /// By the byte by which the words are sorted: the first of its words, and behind them the first of the next byte's.
    private let wordStarts: [Int32]
    /// The words with fewer of these, which ``table`` does not know.
    private let rareWords: [[UInt8]]
    /// Knows the first three bytes of each word, and the last three of the beginning of each spelling.
    private let table: TrigramTable
    /// Whether a text is too short to be looked for like that.
    private let findsAll: Bool

    /// - Parameters:
    ///   - spellings: what is looked for without its separators, each by its beginning at least.
    ///   - words: what is looked for as it is, the case of letters aside.
    ///   - findsAll: whether there is anything that can be anywhere.
    init(spellings: [[UInt8]], words: [[UInt8]], findsAll: Bool) {
        folds = (0...255).map { Self.escapes.contains($0) ? 0 : SecretFolding.fold($0) }
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
        var table = TrigramTable(
            folding: SecretFolding.fold, isSeparator: SecretFolding.isSeparator, stops: Self.escapes)
        for (start, _, _) in starts {
            table.insert(
                UInt8(truncatingIfNeeded: start >> 16), UInt8(truncatingIfNeeded: start >> 8),
                UInt8(truncatingIfNeeded: start))
        }
        var known: [(bytes: [UInt8], tableEnd: Int)] = []
        var rare: [[UInt8]] = []
        for word in words.map(SecretFolding.folded) where word.count >= 3 {
            let places = word.indices.filter { !SecretFolding.isSeparator(word[$0]) }.prefix(3)
            guard places.count == 3 else {
                rare.append(word)
                continue
            }
            table.insert(word[places[0]], word[places[1]], word[places[2]])
            known.append((word, places[2]))
        }
        known.sort { $0.bytes[$0.tableEnd] < $1.bytes[$1.tableEnd] }
        var wordStarts = [Int32](repeating: 0, count: 257)
        for word in known { wordStarts[Int(word.bytes[word.tableEnd]) + 1] += 1 }
        for byte in 0..<256 { wordStarts[byte + 1] += wordStarts[byte] }
        self.wordStarts = wordStarts
        (self.words, rareWords, self.table) = (known, rare, table)
    }

    /// Whether one of the texts may be in the bytes, as they are or spelled with escapes.
    func mayFind(in bytes: Span<UInt8>) -> Bool {
        if findsAll { return true }
        guard !(starts.isEmpty && words.isEmpty && rareWords.isEmpty) else { return false }
        var (start, hash) = (0, 0)
        search: while true {
            switch table.next(in: bytes, from: start, hash: &hash) {
            case .stop: return true
            case .none: break search
            case .place(let index):
                if endsWord(bytes, at: index) || endsBeginning(bytes, at: index) { return true }
                start = index + 1
            }
        }
        if !rareWords.isEmpty, hasRareWord(bytes) { return true }
        return !starts.isEmpty && bytes.index(of: 0x3D, from: 0) < bytes.count
            && mayFindQuotedPrintable(in: bytes)
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

    // MARK: Places of the table

    /// Whether a spelling may begin in the bytes, and the last one of its beginning is at `index`.
    private func endsBeginning(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        var window: UInt64 = 0
        var (index, length) = (index, 0)
        while index >= 0, length < Self.startLength {
            let byte = folds[Int(bytes[index])]
            index -= 1
            if SecretFolding.isSeparator(byte) { continue }
            window |= UInt64(byte) << UInt64(8 * length)
            length += 1
        }
        return length == Self.startLength && begins(window)
    }

    /// Whether a word is in the bytes, and the last one that the table knows of it is at `index`.
    private func endsWord(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        let byte = Int(folds[Int(bytes[index])])
        let (first, end) = (Int(wordStarts[byte]), Int(wordStarts[byte + 1]))
        guard first < end else { return false }
        let words = words.span
        for number in first..<end
        where isWord(words[number].bytes, in: bytes, at: index - words[number].tableEnd) { return true }
        return false
    }

    private func hasRareWord(_ bytes: Span<UInt8>) -> Bool {
        for index in 0..<bytes.count {
            for word in rareWords where isWord(word, in: bytes, at: index) { return true }
        }
        return false
    }

    private func isWord(_ word: [UInt8], in bytes: Span<UInt8>, at start: Int) -> Bool {
        guard start >= 0, start + word.count <= bytes.count else { return false }
        // What an escape spells further on is not compared: it is found by itself.
        for offset in 0..<word.count where folds[Int(bytes[start + offset])] != word[offset] { return false }
        return true
    }
}
