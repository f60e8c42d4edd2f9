import Testing
import Wire

@testable import Core

@Suite("the cost of decoding")
struct DecodingCostTests {
    private static let units = [
        "\\u0061", "\\n", "\\\\", "&amp;", "&#38;", "&amp;amp;", "&", "%25", "%2525", "\\u005cu0061",
        "&#x26;amp;",
        "\\u0026amp;", "&amp", "a",
    ]

    @Test("undoing escapes takes steps in proportion to the text, however they are nested", arguments: units)
    func escapes(_ unit: String) {
        func steps(_ count: Int) -> Int {
            EscapedText(Array(String(repeating: unit, count: count).utf8).span).steps
        }
        let (short, long) = (steps(500), steps(2000))
        #expect(long <= 4 * short + 64, "\(short), then \(long)")
        #expect(long <= 3 * 2000 * unit.utf8.count)
    }

    @Test(
        "of a long text no more is decoded than a message needs",
        arguments: ["\\u0061", "\\n", "\\\\", "&amp;", "\\u00e9", "\\ud83d\\ude00", "&#38;", "\\u0026amp;"])
    func bounded(_ unit: String) throws {
        let body = Array("{\"message\":\"It failed: \(String(repeating: unit, count: 40_000))\"}".utf8)
        let json = try #require(JSONDocument(body))
        let message = try #require(json.member("message", of: json.root))
        let text = try #require(json.sentence(message))
        #expect(!unit.hasPrefix("\\") || text.count < MessageText.decodingLimit + 4)
        let decoded = HTMLEntities.decoded(text, limit: MessageText.decodingLimit)
        #expect(decoded.count < MessageText.decodingLimit + 8)
        #expect(decoded.string.hasPrefix("It failed: "))
        // The message is the same as if all had been decoded.
        let whole = try #require(json.string(message))
        #expect(MessageText.cleanSentence(text) == MessageText.clean(HTMLEntities.decoded(whole)))
    }

    @Test("JSON that is a message is decoded whole")
    func embedded() throws {
        let inner =
            "{\\\"message\\\":\\\"It failed.\\\",\\\"more\\\":\\\"\(String(repeating: "x", count: 30_000))\\\"}"
        let error = try NormalizerFixture("generic", 400, "{\"message\":\"\(inner)\"}").error()
        #expect(error.upstream.message?.string == "It failed.")
    }

    @Test("a member is found by an escaped name, which is decoded only if it can be the one")
    func names() throws {
        let long = String(repeating: "\\u0061", count: 1000)
        let json = try #require(
            JSONDocument(Array("{\"\(long)\":1,\"\\u006d\\u0065\":2,\"m\\u0065\":3}".utf8)))
        let found = try #require(json.member("me", of: json.root))
        #expect(json.raw(found) == "3")
    }
}
