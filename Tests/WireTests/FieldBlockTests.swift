import Testing
import Wire

@Suite("the fields of a message")
struct FieldBlockTests {
    private static let names = [
        "a", "TE", "Age", "ETag", "Allow", "Content-Type", "content-length", "X_Request-ID", "x-rate^limit~",
        "0", "RateLimit",
    ]

    private static func values(_ fields: FieldBlock, _ name: String) -> [String?] {
        [name, name.lowercased(), name.uppercased()].map { fields.first($0) }
    }

    @Test("a field is found by its name in any case, however it was added", arguments: names)
    func lookup(_ name: String) {
        var appended = FieldBlock()
        appended.append(name, "1")
        var written = FieldBlock()
        written.append(name: Array(name.utf8)) { $0.append(literal: "1") }
        var chosen = FieldBlock()
        chosen.append(appended) { _, _ in true }
        var behindOthers = FieldBlock()
        for other in Self.names where other != name { behindOthers.append(other, "2") }
        behindOthers.append(chosen) { _, _ in true }
        for fields in [appended, written, chosen, behindOthers] {
            #expect(Self.values(fields, name) == ["1", "1", "1"], "\(name)")
            #expect(fields.first(name + "x") == nil)
        }
    }

    @Test("a block forgets a field that is removed, and all of them")
    func removal() {
        var fields = FieldBlock()
        fields.append("First", "1")
        fields.append("Second", "22")
        fields.continueLastValue(with: [0x33].span)
        #expect(fields.first("second") == "22 3")
        fields.removeLast()
        #expect(fields.first("second") == nil)
        #expect(fields.first("first") == "1")
        #expect(fields.count == 1)
        #expect(fields.byteCount == 6)
        fields.append("Third", "333")
        fields.continueLastValue(with: [0x34].span)
        #expect(fields.first("third") == "333 4")
        fields.removeAll()
        #expect(fields.count == 0)
        #expect(fields.first("first") == nil)
    }
}
