import ProxyCore
import Testing

@Suite("JSON document")
struct JSONDocumentTests {
    private func document(_ text: String) throws -> JSONDocument {
        try #require(JSONDocument(Array(text.utf8)))
    }

    private func string(_ text: String, at pointer: String) throws -> String? {
        let document = try document(text)
        let pointer = try #require(JSONPointer(pointer))
        return document.value(at: pointer).flatMap(document.scalarText)?.string
    }

    @Test(
        "what RFC 8259 allows is read",
        arguments: [
            "{}", "[]", " [ ] ", "null", "true", "false", "0", "-0", "12.5e-3", #""""#,
            #"{"a":[1,{"b":null}],"c":""}"#,
            #""\u00e9\n\"\\\/""#, "[[[[]]]]", "\t\r\n1\n",
        ])
    func readsValid(text: String) { #expect(JSONDocument(Array(text.utf8)) != nil) }

    @Test(
        "what RFC 8259 forbids is refused",
        arguments: [
            "", " ", "{", "}", "[1,]", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "{a:1}", "01", "1.", ".5",
            "1e", "+1",
            "--1", "tru", "nulll", "[1 2]", #"{"a":1 "b":2}"#, #"""#, #""\x""#, #""\u12""#, "\"\n\"", "1 1",
            "[}", "{]", "'a'",
            "[1]]", "NaN",
        ])
    func refusesInvalid(text: String) { #expect(JSONDocument(Array(text.utf8)) == nil) }

    @Test("a pointer leads through objects and arrays")
    func followsPointers() throws {
        let text = #"{"a":{"b":["x",{"c/d":"y"}]},"":{"~":7},"0":"zero"}"#
        #expect(try string(text, at: "/a/b/0") == "x")
        #expect(try string(text, at: "/a/b/1/c~1d") == "y")
        #expect(try string(text, at: "//~0") == "7")
        #expect(try string(text, at: "/0") == "zero")
        #expect(try string(text, at: "/a/b/2") == nil)
        #expect(try string(text, at: "/a/b/01") == nil)
        #expect(try string(text, at: "/a/b/0/x") == nil)
        #expect(try string("[1,[2,3]]", at: "/1/1") == "3")
    }

    @Test("of two members with one name the last counts")
    func lastDuplicateWins() throws {
        #expect(try string(#"{"a":"first","b":1,"a":"last"}"#, at: "/a") == "last")
    }

    @Test("names are compared without their escapes")
    func namesAreUnescaped() throws { #expect(try string(#"{"\u0061b":"x"}"#, at: "/ab") == "x") }

    @Test("escapes become the characters they stand for, halves of pairs U+FFFD")
    func decodesEscapes() throws {
        #expect(try string(#""\u00e9\ud83d\ude00\t\/\\""#, at: "") == "é😀\t/\\")
        #expect(try string(#""\ud83dx\ude00""#, at: "") == "\u{FFFD}x\u{FFFD}")
        #expect(try string(#""\ud83d\u0041""#, at: "") == "\u{FFFD}A")
    }

    @Test("depth is limited, and no input exhausts the stack")
    func limitsDepth() {
        let most = JSONDocument.depthLimit
        #expect(
            JSONDocument(Array(repeating: 0x5B, count: most) + Array(repeating: 0x5D, count: most)) != nil)
        #expect(
            JSONDocument(Array(repeating: 0x5B, count: most + 1) + Array(repeating: 0x5D, count: most + 1))
                == nil)
        #expect(JSONDocument(Array(repeating: 0x5B, count: 1_000_000)) == nil)
    }

    @Test("the number of values is limited")
    func limitsNodes() {
        let tooMany = "[" + String(repeating: "1,", count: JSONDocument.nodeLimit) + "1]"
        #expect(JSONDocument(Array(tooMany.utf8)) == nil)
    }

    @Test("a range of the bytes can be read, and no range traps")
    func readsRange() {
        let bytes = Array("xx{\"a\":1}yy".utf8)
        #expect(JSONDocument(bytes, in: 2..<9) != nil)
        #expect(JSONDocument(bytes, in: 2..<8) == nil)
        #expect(JSONDocument(bytes, in: 5..<99) == nil)
    }
}
