import Testing

@testable import Wire

@Suite("the table of three bytes")
struct TrigramTableTests {
    private static func table(_ trigrams: [String]) -> TrigramTable {
        var table = TrigramTable(
            folding: \.lowercasedASCII, isSeparator: { $0 == 0x2D }, stops: [0x25])
        for trigram in trigrams {
            let bytes = Array(trigram.utf8)
            table.insert(bytes[0], bytes[1], bytes[2])
        }
        return table
    }

    /// All that a search reports, which goes on behind each place.
    private static func results(_ table: TrigramTable, _ text: String) -> (places: [Int], isStopped: Bool) {
        let bytes = Array(text.utf8)
        var (places, start, hash) = ([Int](), 0, 0)
        while true {
            switch table.next(in: bytes.span, from: start, hash: &hash) {
            case .none: return (places, false)
            case .stop: return (places, true)
            case .place(let index):
                places.append(index)
                start = index + 1
            }
        }
    }

    @Test(
        "the table finds three bytes whatever their case and the separators between them",
        arguments: ["abc", "ABC", "a-b-c", "xxabc", "-a--bC-x", "ababc", "xyz%a-abc"])
    func trigramsAreFound(text: String) {
        let (places, isStopped) = Self.results(Self.table(["abc"]), text)
        let end = Array(text.utf8).lastIndex { $0 == 0x63 || $0 == 0x43 }
        #expect(isStopped ? text.contains("%") : places.contains { $0 == end })
    }

    @Test("an empty table finds nothing, and stops at the bytes that end a search")
    func emptyTable() {
        #expect(Self.results(Self.table([]), "abcdefgh").places.isEmpty)
        #expect(!Self.results(Self.table([]), "abcdefgh").isStopped)
        #expect(Self.results(Self.table([]), "abc%").isStopped)
    }

    @Test("one place after another is found, also where they overlap")
    func overlappingPlaces() {
        #expect(Self.results(Self.table(["aba", "bab"]), "ababa").places == [2, 3, 4])
    }

    @Test("most places of other texts are not found")
    func otherTexts() {
        let text = "The quick brown fox jumps over the lazy dog"
        #expect(Self.results(Self.table(["abc", "sk1", "bea"]), text).places.count <= 1)
    }
}
