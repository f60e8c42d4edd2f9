import Core
import Testing

@Suite("mistakes of a JSON text")
struct JSONMistakeTests {
    @Test(
        "a text that is no JSON is refused with the place and what is allowed",
        arguments: [
            ("", 0, "unexpected end"), (" \n", 2, "unexpected end"), ("[1,2", 4, "unexpected end"),
            (#"{"a""#, 4, "unexpected end"), (#"{"a":"#, 5, "unexpected end"),
            (#"["ab"#, 4, "unexpected end"), ("-", 1, "unexpected end"), ("[1.", 3, "unexpected end"),
            ("x", 0, "'x'; allowed: a value"), ("[x", 1, "a value or ]"),
            ("[1,]", 3, "unexpected ']'; allowed: a value"), ("{1", 1, "a name in double quotes or }"),
            (#"{"a":1,}"#, 7, "unexpected '}'; allowed: a name"), (#"{"a" 1}"#, 5, "a colon"),
            ("[1 2]", 3, "a comma"), ("[1}", 2, "a comma"), (#"{"a":1]"#, 6, "a comma"),
            ("1 x", 2, "nothing behind"), ("{}{}", 2, "nothing behind"), ("[tru]", 1, "unexpected 't'"),
            ("[é]", 1, "unexpected 'é'"), ("[\u{1}]", 1, "control character"),
            ("[01]", 1, "leading zeros"), ("[-01]", 2, "leading zeros"), ("[1.x]", 3, "a digit"),
            ("[1e+x]", 4, "a digit"), ("[-x]", 2, "a digit"), ("[+1]", 1, "unexpected '+'"),
            ("[\"a\nb\"]", 3, "control character in a string"), (#"["a\x"]"#, 3, "invalid escape"),
            (#"["a\u12"]"#, 3, "invalid escape"), ("{\"\t\":1}", 2, "control character in a string"),
        ])
    func mistakes(text: String, offset: Int, part: String) throws {
        #expect(JSONDocument(Array(text.utf8)) == nil)
        let mistake = try #require(JSONMistake(in: Array(text.utf8)))
        #expect(mistake.offset == offset && mistake.message.contains(part), "\(mistake)")
    }

    @Test("a text beyond a limit is refused with the limit")
    func limits() throws {
        let deep = String(repeating: "[", count: 65)
        #expect(JSONMistake(in: Array(deep.utf8))?.message.contains("allowed: 64 levels") == true)
        #expect(JSONMistake(in: Array(deep.utf8))?.offset == 64)
        let many = "[" + Array(repeating: "0", count: JSONDocument.nodeLimit).joined(separator: ",") + "]"
        #expect(JSONMistake(in: Array(many.utf8))?.message.contains("allowed: 100000 values") == true)
    }

    @Test(
        "a text that is JSON has no mistake",
        arguments: ["{}", " [ 1 , -0.5e+3 ] ", #"{"a":{"b":[null,true,false,"\u00e9"]}}"#, "7"])
    func none(text: String) throws { #expect(JSONMistake(in: Array(text.utf8)) == nil) }

    @Test("a node is written without the blanks between its parts")
    func compact() throws {
        let document = try #require(JSONDocument(Array(" { \"a b\\\\\" : [ 1 ,\n\t\"x \\\" , y\" ] } ".utf8)))
        var output: [UInt8] = []
        document.writeCompactly(document.root, into: &output)
        #expect(String(decoding: output, as: UTF8.self) == #"{"a b\\":[1,"x \" , y"]}"#)
    }
}
