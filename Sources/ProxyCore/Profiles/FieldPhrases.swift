internal import HTTPWire

/// Phrases of sentences about fields, and the field code that each means; the first in the order given wins.
///
/// A sentence is walked once: the phrases are sorted by their first letter, so that many phrases cost hardly more than one.
public struct FieldPhrases: Sendable {
    /// A phrase in lower case, with its place in the order.
    private struct Phrase {
        var bytes: [UInt8]
        var code: FieldProblemCode
        var order: Int
    }

    private var phrases: [Phrase] = []
    /// Where the phrases with this first byte begin; 257 entries.
    private var starts: [Int] = Array(repeating: 0, count: 257)

    /// Phrases in order of precedence; the case of letters does not matter.
    public init(_ list: [(phrase: String, code: FieldProblemCode)]) {
        self.init(
            sorting: list.enumerated().map { order, entry in
                Phrase(bytes: entry.phrase.utf8.map(\.lowercasedASCII), code: entry.code, order: order)
            })
    }

    private init(sorting all: [Phrase]) {
        phrases = all.filter { !$0.bytes.isEmpty }
            .sorted { ($0.bytes[0], $0.order) < ($1.bytes[0], $1.order) }
        for phrase in phrases { starts[Int(phrase.bytes[0]) + 1] += 1 }
        for index in 1..<257 { starts[index] += starts[index - 1] }
    }

    /// These phrases, then the others.
    public func followed(by others: FieldPhrases) -> FieldPhrases {
        let next = (phrases.map(\.order).max() ?? -1) + 1
        return FieldPhrases(
            sorting: phrases
                + others.phrases.map { Phrase(bytes: $0.bytes, code: $0.code, order: $0.order + next) })
    }

    /// What the sentence means; `invalid` if no phrase is in it.
    public func code(of sentence: Text) -> FieldProblemCode {
        let text = sentence.bytes.span
        var best: Int?
        var order = Int.max
        for index in 0..<text.count {
            let first = Int(text[index].lowercasedASCII)
            for candidate in starts[first]..<starts[first + 1] where phrases[candidate].order < order {
                if Self.contains(text, phrases[candidate].bytes, at: index) {
                    best = candidate
                    order = phrases[candidate].order
                    break
                }
            }
        }
        return best.map { phrases[$0].code } ?? .invalid
    }

    private static func contains(_ text: borrowing Span<UInt8>, _ phrase: [UInt8], at start: Int) -> Bool {
        guard text.count - start >= phrase.count else { return false }
        for index in 1..<phrase.count where text[start + index].lowercasedASCII != phrase[index] {
            return false
        }
        return true
    }
}
