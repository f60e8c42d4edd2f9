import Core
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

    private static let samples = [
        #"{"a":"x y","b":{"c":[1,-2.5e3,true,false,null,"é\u00e9\\\"",{"d":[]}],"e":{}},"f":"😀","g":""}"#,
        #"[{"a":1},[[["b"]]],"c",12,{"d":{"e":"f"}}]"#, #" { "a" : [ 1 , 2 ] , "b" : "c" } "#,
    ]

    /// Every scalar of a document by the way to it.
    private func scalars(
        _ document: JSONDocument, _ node: Int, at path: String, into found: inout [String: String]
    ) {
        switch document.kind(node) {
        case .object:
            document.forEachMember(of: node) { name, value in
                scalars(document, value, at: "\(path)/\(document.string(name)?.string ?? "")", into: &found)
            }
        case .array:
            var index = 0
            document.forEachElement(of: node) { element in
                scalars(document, element, at: "\(path)/\(index)", into: &found)
                index += 1
            }
        case .null: found[path] = "null"
        default: found[path] = document.scalarText(node)?.string
        }
    }

    @Test(
        "of a text that is cut anywhere, the scalars that are complete are those of the whole, and none is lost",
        arguments: samples)
    func cut(text: String) throws {
        let bytes = Array(text.utf8)
        var all: [String: String] = [:]
        let whole = try document(text)
        scalars(whole, whole.root, at: "", into: &all)
        var known = 0
        for end in 0...bytes.count {
            #expect(JSONDocument(bytes, in: 0..<end) == nil || end >= text.trimmedEnd)
            guard let document = JSONDocument(bytes, in: 0..<end, isCut: true) else {
                #expect(known == 0, "nothing at \(end)")
                continue
            }
            var found: [String: String] = [:]
            scalars(document, document.root, at: "", into: &found)
            #expect(found.allSatisfy { all[$0] == $1 }, "\(end)")
            #expect(found.count >= known)
            known = found.count
        }
        #expect(known == all.count)
    }
}

extension String {
    /// The bytes up to the last that is no blank.
    fileprivate var trimmedEnd: Int { utf8.count - utf8.reversed().prefix { $0 == 0x20 }.count }
}
