import Core
import Testing

@Suite("the member `problem` of a provider's JSON object")
struct MergedBodyTests {
    private func merged(_ body: String, _ problem: String = #"{"code":"x"}"#) -> String? {
        MergedBody.merging(Array(problem.utf8), into: Array(body.utf8)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// A body and what it becomes, `%` for the problem.
    static let objects: [(String, String)] = [
        ("{}", #"{"problem":%}"#),
        ("{ \n}", "{\"problem\":% \n}"),
        (#"{"a":1}"#, #"{"a":1,"problem":%}"#),
        ("\u{FEFF} {\n  \"a\" : 1\n}\r\n", "\u{FEFF} {\n  \"a\" : 1,\"problem\":%\n}\r\n"),
        (
            #"{"a":"\u00e9\/é","b":[1.0e+3,12345678901234567890],"a":{}}"#,
            #"{"a":"\u00e9\/é","b":[1.0e+3,12345678901234567890],"a":{},"problem":%}"#
        ),
        (#"{"a":"}"}"#, #"{"a":"}","problem":%}"#),
        (#"{"a":{"problem":1}}"#, #"{"a":{"problem":1},"problem":%}"#),
        // The provider's own member of that name.
        (#"{"problem":"x"}"#, #"{"problem":%}"#),
        (#"{"problem":{"a":[1]},"b":2}"#, #"{"b":2,"problem":%}"#),
        (#"{ "problem" : null , "b":2 }"#, #"{ "b":2,"problem":% }"#),
        (#"{"a":1, "problem":2, "b":3}"#, #"{"a":1, "b":3,"problem":%}"#),
        (#"{"a":1,"problem":2}"#, #"{"a":1,"problem":%}"#),
        (#"{"problem":1,"pr\u006fblem":2,"a":3,"problem":4}"#, #"{"a":3,"problem":%}"#),
        (#"{"problem":1,"problem":2}"#, #"{"problem":%}"#),
        (#"{"Problem":1,"problems":2}"#, #"{"Problem":1,"problems":2,"problem":%}"#),
    ]

    @Test("the member is inserted and no other byte changes", arguments: objects)
    func object(body: String, expected: String) throws {
        let problem = #"{"code":"not_found"}"#
        let result = try #require(merged(body, problem))
        #expect(result == expected.replacing("%", with: problem))
        let bytes = Array(result.utf8)
        let json = try #require(JSONDocument(bytes, in: (result.first == "\u{FEFF}" ? 3 : 0)..<bytes.count))
        var names: [String?] = []
        json.forEachMember(of: json.root) { name, _ in names.append(json.string(name).map { "\($0)" }) }
        #expect(names.last == "problem" && names.filter { $0 == "problem" }.count == 1)
    }

    @Test(
        "a body that is no JSON object has no place for the problem",
        arguments: [
            "", " ", "[]", #"[{"a":1}]"#, "null", "1", #""{}""#, "<html></html>", "no", "{", #"{"a":1"#,
            #"{"a":1}}"#,
            #"{"a":1,}"#, "{'a':1}", #"{"a":1} {"b":2}"#, "\u{B}{}", String(repeating: #"{"a":"#, count: 70),
            #"{"a":"# + String(repeating: "[", count: 70) + String(repeating: "]", count: 70) + "}",
        ])
    func others(body: String) { #expect(merged(body) == nil) }

    @Test("a body that is not UTF-8 has no place for the problem")
    func foreignBytes() {
        for bytes in [[0xE9], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xFF]] as [[UInt8]] {
            #expect(
                MergedBody.merging(
                    Array("{}".utf8), into: Array(#"{"a":""#.utf8) + bytes + Array(#""}"#.utf8)) == nil)
        }
    }

    @Test("a body that is cut anywhere has no place for the problem")
    func cuts() {
        let body = Array(#"{"a":[1,{"b":"c\u00e9"}],"d":true}"#.utf8)
        for count in 0..<body.count {
            #expect(MergedBody.merging([0x7B, 0x7D], into: Array(body[..<count])) == nil)
        }
    }
}
