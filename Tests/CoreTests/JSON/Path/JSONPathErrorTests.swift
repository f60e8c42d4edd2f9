import Core
import Testing

@Suite("mistakes of a JSONPath")
struct JSONPathErrorTests {
    /// The path, how many characters precede the mistake, and a part of the message.
    @Test(
        "an invalid path is refused with the place and what is allowed",
        arguments: [
            ("", 0, "begins with $"), ("a", 0, "begins with $"), ("/a", 0, "begins with $"),
            (" $", 0, "begins with $"),
            ("$ ", 1, "blanks"), ("$.a\n", 3, "blanks"), ("$a", 1, "unexpected 'a'"),
            ("$.a]", 3, "unexpected ']'"),
            ("$.", 2, "end of the path"), ("$..", 3, "end of the path"), ("$...a", 3, "unexpected '.'"),
            ("$.1", 2, "a name or *"), ("$.a-b", 3, "unexpected '-'"), ("$. a", 2, "unexpected ' '"),
            ("$.'a'", 2, "unexpected '''"), ("$.\u{7F}", 2, "control character"),
            ("$[", 2, "end of the path"), ("$[]", 2, "an index"), ("$[0", 1, "not closed"),
            ("$['a'", 1, "not closed"),
            ("$[,0]", 2, "unexpected ','"), ("$[0,]", 4, "unexpected ']'"), ("$[0 1]", 4, ", or ]"),
            ("$[a]", 2, "a name in quotes"),
            ("$[@.a]", 2, "a filter such as"), ("$[(@.a)]", 2, "a filter such as"),
            ("$[01]", 2, "leading zeros"), ("$[-0]", 2, "-0"), ("$[-01]", 2, "leading zeros"),
            ("$[-]", 2, "digit"),
            ("$[+1]", 2, "unexpected '+'"), ("$[1.0]", 3, "unexpected '.'"), ("$[1e0]", 3, "unexpected 'e'"),
            ("$[9007199254740992]", 2, "9007199254740991"), ("$[-9007199254740992]", 2, "9007199254740991"),
            ("$[99999999999999999999999999]", 2, "9007199254740991"),
            ("$[0:9007199254740992]", 4, "9007199254740991"),
            ("$[::-9007199254740992]", 4, "9007199254740991"), ("$[1:2:3:4]", 7, ", or ]"),
            ("$[:01]", 3, "leading zeros"),
            ("$[1:a]", 4, "unexpected 'a'"),
            ("$['a]", 2, "string is not closed"), (#"$["a']"#, 2, "string is not closed"),
            (#"$['a\"#, 4, "string is not closed"),
            (#"$['\"']"#, 3, "not an escape"), (#"$["\'"]"#, 3, "not an escape"),
            (#"$['\x41']"#, 3, "not an escape"),
            ("$['a\nb']", 4, "control characters"), ("$['\\\n']", 4, "control character"),
            (#"$['\u12']"#, 3, "four hexadecimal digits"), (#"$['\u12é4']"#, 3, "four hexadecimal digits"),
            (#"$['\ud800']"#, 3, "surrogate"), (#"$['\udc00']"#, 3, "surrogate"),
            (#"$['\ud800\u0041']"#, 3, "surrogate"),
            (#"$['é\ud800\ud800']"#, 4, "surrogate"),
            ("$[?]", 3, "unexpected ']'"), ("$[?", 3, "end of the path"), ("$[?@.a", 1, "not closed"),
            ("$[?@.a == ]", 10, "unexpected ']'"), ("$[?@.a = 1]", 7, "equality is =="),
            ("$[?@.a & @.b]", 7, "&&"),
            ("$[?@.a && ]", 10, "unexpected ']'"), ("$[?@.a || || @.b]", 10, "unexpected '|'"),
            ("$[?@.a and @.b]", 7, "&&"),
            ("$[?@.a =~ 'x']", 7, "equality is =="), ("$[?(@.a = 1)]", 8, "equality is =="),
            ("$[?(@.a]", 7, "unexpected ']'"), ("$[?(@.a", 3, "( is not closed"),
            ("$[?()]", 4, "unexpected ')'"), ("$[?@.a)]", 6, "unexpected ')'"),
            ("$[?1]", 3, "a literal is no test"), ("$[?'a']", 3, "a literal is no test"),
            ("$[?true]", 3, "a literal is no test"),
            ("$[?@.a && null]", 10, "a literal is no test"), ("$[?True]", 3, "unexpected 'T'"),
            ("$[?@.a == nil]", 10, "unknown word 'nil'"),
            ("$[?@ == undefined]", 8, "allowed: true, false, null"),
            ("$[?!@.a == 1]", 3, "parentheses"), ("$[?(@.a) == 1]", 3, "cannot be compared"),
            ("$[?1 == (1)]", 8, "unexpected '('"),
            ("$[?1 < @ < 3]", 9, "cannot be compared"), ("$[?@.* == 1]", 3, "value(…)"),
            ("$[?1 == @..a]", 8, "value(…)"),
            ("$[?@[0,1] == 1]", 3, "value(…)"), ("$[?@[0:1] == 1]", 3, "value(…)"),
            ("$[?$[?@] == 1]", 3, "value(…)"),
            ("$[?@ == 01]", 8, "leading zeros"), ("$[?@ == 1.]", 8, "behind its point"),
            ("$[?@ == .5]", 8, "unexpected '.'"),
            ("$[?@ == 1e]", 8, "exponent"), ("$[?@ == -]", 8, "digit"), ("$[?@ == +1]", 8, "unexpected '+'"),
            ("$[?size(@)==1]", 3, "allowed: count, length, match, search and value"),
            ("$[?count (@.*)==1]", 3, "directly behind it"),
            ("$[?length(@.a)]", 3, "is no test"), ("$[?count(@.*)]", 3, "is no test"),
            ("$[?value(@.*)]", 3, "is no test"),
            ("$[?length()==1]", 10, "one argument"), ("$[?length(@.a,@.b)==1]", 13, "one argument"),
            ("$[?length(@.*)==1]", 10, "value(…)"), ("$[?length(@.a == 1)==1]", 10, "is a condition"),
            ("$[?length((@.a))==1]", 10, "one argument"),
            ("$[?length(match(@,'a'))==1]", 10, "yield no value"),
            ("$[?length(@.a && @.b)==1]", 10, "is a condition"),
            ("$[?count(1)==1]", 9, "a query"), ("$[?count('a')==1]", 9, "a query"),
            ("$[?count(length(@))==1]", 9, "a query"),
            ("$[?count(@.a || @.b)==1]", 9, "is a condition"), ("$[?count(@.*", 12, "end of the path"),
            ("$[?value(null)==1]", 9, "a query"), ("$[?match(@.a)]", 12, "two arguments"),
            ("$[?match(@.a,'a','b')]", 16, "two arguments"),
            ("$[?match(@.*,'a')]", 9, "value(…)"), ("$[?match(@.a,@.*)]", 13, "value(…)"),
            ("$[?match(@.a,'a')==true]", 3, "cannot be compared"),
            ("$[?true==search(@.a,'a')]", 9, "cannot be compared"), ("$[?search(,'a')]", 10, "two arguments"),
        ])
    func mistakes(path: String, offset: Int, part: String) throws {
        let error = try #require(throws: JSONPathError.self) { try JSONPath(parsing: path) }
        #expect(error.offset == offset && error.message.contains(part), "\(error)")
        #expect(!error.description.utf8.contains { $0 < 0x20 || $0 == 0x7F })
        #expect(error.description.hasSuffix("(character \(offset + 1))"))
    }

    @Test("what is nested too deeply is refused, whatever nests, and a long path is not")
    func nesting() throws {
        func nested(_ count: Int, _ open: String, _ inner: String, _ close: String) -> String {
            String(repeating: open, count: count) + inner + String(repeating: close, count: count)
        }
        for (open, inner, close) in [
            ("[?@", ".a", "]"), ("[?$", "", "]"), ("[?@[?(@", "", ")]]"), ("[?value(@", "", ")==1]"),
        ] {
            _ = try JSONPath(parsing: "$" + nested(10, open, inner, close))
            let error = #expect(throws: JSONPathError.self) {
                try JSONPath(parsing: "$" + nested(100_000, open, inner, close))
            }
            #expect(error?.message.contains("nested too deeply; allowed: 32 levels") == true)
        }
        for count in [32, 31] {
            let path = "$[?" + nested(count, "(", "@", ")") + "]"
            let isRefused = (try? JSONPath(parsing: path)) == nil
            #expect(isRefused == (count == 32), "\(count) within a filter")
        }
        let document = try #require(JSONDocument(Array(#"[{"a":1}]"#.utf8)))
        let steps = String(repeating: "[0]", count: 20_000)
        #expect(try JSONPath(parsing: "$" + steps).nodes(in: document).isEmpty)
        let parts = Array(repeating: "@.b", count: 20_000).joined(separator: " || ")
        #expect(try JSONPath(parsing: "$[?\(parts) || @.a]").nodes(in: document) == [1])
    }
}
