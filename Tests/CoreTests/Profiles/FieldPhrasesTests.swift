import Testing
import Wire

@testable import Core

@Suite("The phrases in messages about fields")
struct FieldPhrasesTests {
    /// What the phrases are documented to mean, one after the other and byte by byte.
    private static func expected(_ list: [(phrase: String, code: FieldProblemCode)], _ sentence: String)
        -> FieldProblemCode
    {
        let text = sentence.utf8.map { byte in (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
        func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
        for (phrase, code) in list where !phrase.isEmpty {
            let phrase = Array(phrase.utf8)
            for start in text.indices where start + phrase.count <= text.count {
                let end = start + phrase.count
                guard Array(text[start..<end]) == phrase, start == 0 || !isLetter(text[start - 1]) else {
                    continue
                }
                let before = start > 0 ? text[start - 1] : 0x20
                let after = end < text.count ? text[end] : 0x20
                if before == 0x5F || after == 0x5F { continue }
                if [0x22, 0x27, 0x60].contains(before), after == before { continue }
                return code
            }
        }
        return .invalid
    }

    @Test("the first phrase of the list that a sentence contains decides", arguments: 0..<40)
    func random(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        // Few letters, and bytes that have the lower five bits of others: `-` and `m`, `'` and `g`, `_` and DEL.
        let letters = Array("abgmMG -'_.\"é")
        func text(_ count: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: count, using: &numbers)).map { _ in
                    letters.randomElement(using: &numbers) ?? "a"
                })
        }
        let codes: [FieldProblemCode] = [.required, .tooLong, .notFound, .invalidFormat]
        let list = (0..<12).map { _ in
            (phrase: text(1...5).lowercased(), code: codes.randomElement(using: &numbers) ?? .required)
        }
        let phrases = FieldPhrases(list)
        for _ in 0..<200 {
            let sentence = text(0...24)
            #expect(
                phrases.code(of: Text(sentence)) == Self.expected(list, sentence), "\(list) in '\(sentence)'")
        }
    }

    @Test("a phrase is found wherever a word of a sentence begins, in any case")
    func places() {
        let phrases = FieldPhrases([("must not be empty", .required), ("m", .tooLong), ("taken", .notFound)])
        for before in 0..<20 {
            let start = String(repeating: "x", count: before) + (before > 0 ? " " : "")
            for ending in ["", ".", " now"] {
                #expect(phrases.code(of: Text(start + "MUST not be Empty" + ending)) == .required)
                #expect(phrases.code(of: Text(start + "Taken" + ending)) == .notFound)
                #expect(phrases.code(of: Text(start + "M" + ending)) == .tooLong)
                #expect(phrases.code(of: Text(start + "tale" + ending)) == .invalid)
            }
        }
    }
}
