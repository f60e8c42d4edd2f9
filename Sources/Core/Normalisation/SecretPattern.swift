internal import Wire

/// A text that is searched for in time that grows with what is searched, however often the text repeats itself (Knuth, Morris, Pratt).
struct SecretPattern: Sendable {
    let bytes: [UInt8]
    /// How much of the pattern is matched still, where its first `index + 1` bytes are and the next one is another.
    private let borders: [Int32]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var borders = [Int32](repeating: 0, count: bytes.count)
        var length = 0
        for index in bytes.indices.dropFirst() {
            while length > 0, bytes[index] != bytes[length] { length = Int(borders[length - 1]) }
            if bytes[index] == bytes[length] { length += 1 }
            borders[index] = Int32(truncatingIfNeeded: length)
        }
        self.borders = borders
    }

    /// How many bytes at the end of the text are the beginning of the pattern, and not all of it.
    func lengthAtEnd(of text: Span<UInt8>) -> Int {
        let (pattern, borders) = (bytes.span, borders.span)
        guard pattern.count > 1 else { return 0 }
        var length = 0
        for index in max(0, text.count - pattern.count + 1)..<text.count {
            while length > 0, text[index] != pattern[length] { length = Int(borders[length - 1]) }
            if text[index] == pattern[length] { length += 1 }
        }
        return length
    }

    /// Calls `body` with each place of the pattern, in their order; they may overlap.
    func forEachMatch(in text: Span<UInt8>, _ body: (Range<Int>) -> Void) {
        let (pattern, borders) = (bytes.span, borders.span)
        guard pattern.count > 0 else { return }
        var index = 0
        var length = 0
        while index < text.count {
            if length == 0 {
                index =
                    pattern.count > 1
                    ? text.index(ofPair: pattern[0], pattern[1], from: index)
                    : text.index(of: pattern[0], from: index)
                guard index < text.count else { return }
            }
            while length > 0, text[index] != pattern[length] { length = Int(borders[length - 1]) }
            if text[index] == pattern[length] { length += 1 }
            index += 1
            if length == pattern.count {
                body(index - length..<index)
                length = Int(borders[length - 1])
            }
        }
    }
}

/// The ranges of a text that are secret: however many there are, they take no more room than the text.
struct FoundRanges {
    private let count: Int
    /// By the place where a range begins: where the longest such one ends; empty as long as nothing is found.
    private var ends: [Int32] = []

    init(count: Int) { self.count = count }

    /// Adds a range.
    ///
    /// - Parameter origin: the reading of the text that the range is of, if it is not the text itself.
    mutating func add(_ range: Range<Int>, origin: EscapedText?) {
        guard !range.isEmpty else { return }
        let range = origin?.origin(of: range) ?? range
        if ends.isEmpty { ends = Array(repeating: 0, count: count) }
        ends[range.lowerBound] = max(ends[range.lowerBound], Int32(truncatingIfNeeded: range.upperBound))
    }

    /// `bytes` with `mark` in place of each range; `nil` if there is none.
    func masked(_ bytes: [UInt8], mark: [UInt8]) -> [UInt8]? {
        guard !ends.isEmpty else { return nil }
        var result: [UInt8] = []
        var copied = 0
        var index = 0
        while index < count {
            guard ends[index] > 0 else {
                index += 1
                continue
            }
            var start = index
            // A backslash that spells the first byte goes with it: what is left must be JSON still.
            if start > copied, Self.backslashes(in: bytes, before: start, from: copied) % 2 == 1 {
                start -= 1
            }
            var end = Int(ends[index])
            while index < end {
                end = max(end, Int(ends[index]))
                index += 1
            }
            if end < count, Self.backslashes(in: bytes, before: end, from: start) % 2 == 1 { end += 1 }
            index = end
            result += bytes[copied..<start]
            result += mark
            copied = end
        }
        return result + bytes[copied...]
    }

    private static func backslashes(in bytes: [UInt8], before end: Int, from first: Int) -> Int {
        var start = end
        while start > first, bytes[start - 1] == 0x5C { start -= 1 }
        return end - start
    }
}
