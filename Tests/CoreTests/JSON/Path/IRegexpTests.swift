import Testing

@testable import Core

@Suite("I-Regexp")
struct IRegexpTests {
    private func selects(_ function: String, _ pattern: String, _ text: String) throws -> Bool {
        var bytes: [UInt8] = []
        JSONWriter.string(text, into: &bytes)
        var literal: [UInt8] = []
        JSONWriter.string(pattern, into: &literal)
        let document = try #require(
            JSONDocument(Array("[{\"t\":".utf8) + bytes + Array(",\"p\":".utf8) + literal + Array("}]".utf8)))
        // JSON's strings in double quotes are strings of a path as well.
        let path = try JSONPath(parsing: "$[?\(function)(@.t, \(String(decoding: literal, as: UTF8.self)))]")
        let isSelected = !path.nodes(in: document).isEmpty
        let computed = try JSONPath(parsing: "$[?\(function)(@.t, @.p)]").nodes(in: document)
        #expect(
            !computed.isEmpty == isSelected, "a pattern of the document differs from a literal: \(pattern)")
        return isSelected
    }

    @Test(
        "a pattern of RFC 9485 matches the whole text",
        arguments: [
            ("", "", true), ("", "a", false), ("a", "a", true), ("a", "ab", false), ("a", "ba", false),
            ("ab|cd", "cd", true),
            ("ab|cd", "abd", false), ("a|ab", "ab", true), ("a||b", "", true), ("(a|b)*c", "abac", true),
            ("()a", "a", true),
            ("a?b", "b", true), ("a+", "", false), ("a+", "aaa", true), ("a*", "", true),
            ("a{2}", "aa", true), ("a{2}", "aaa", false),
            ("a{2,}", "aaaa", true), ("a{2,3}", "aaaa", false), ("a{0,1}b", "b", true),
            ("(ab){2}", "abab", true), ("(a*)*b", "aab", true),
            (".", "é", true), (".", "𝄞", true), (".", "\n", false), (".", "\r", false),
            (".", "\u{2028}", true), ("..", "é", false),
            ("[a-c]+", "abc", true), ("[^a-c]", "b", false), ("[^a-c]", "\n", true), ("[-a]", "-", true),
            ("[a-]", "-", true), ("[^-]", "a", true),
            ("[a.]", "x", false), ("[a.]", ".", true), ("[\\n\\r\\t]", "\t", true),
            ("[\\-\\]\\[\\\\]+", "-][\\", true), ("[\\^a]", "^", true), ("[a^]", "^", true),
            ("[$]", "$", true), ("\\.", "x", false),
            ("\\(\\)\\*\\+\\-\\?\\{\\|\\}\\^\\[\\]\\\\", "()*+-?{|}^[]\\", true), ("\\n", "\n", true),
            ("\\r\\t", "\r\t", true),
            ("^a$", "a", true), ("a^b", "a^b", false), ("a$b", "a$b", false),
            ("\\p{L}+", "aÉд中", true), ("\\p{L}", "1", false), ("\\p{Lu}", "É", true),
            ("\\p{Lu}", "é", false), ("\\p{Ll}", "é", true), ("\\p{Lt}", "ǅ", true),
            ("\\p{Lm}", "ʰ", true), ("\\p{Lo}", "中", true), ("\\P{L}", "1", true), ("\\P{L}", "a", false),
            ("[\\p{L}\\p{Nd}_]+", "aд٣_", true), ("[^\\p{L}]", "a", false),
            ("[\\P{L}]", "a", false), ("\\p{M}", "\u{0301}", true), ("\\p{Mn}", "\u{0301}", true),
            ("\\p{Mc}", "\u{0903}", true), ("\\p{Me}", "\u{20DD}", true),
            ("\\p{N}", "Ⅷ", true), ("\\p{Nd}", "٣", true), ("\\p{Nl}", "Ⅷ", true), ("\\p{No}", "½", true),
            ("\\p{P}", "!", true), ("\\p{Pc}", "_", true),
            ("\\p{Pd}", "-", true), ("\\p{Ps}", "(", true), ("\\p{Pe}", ")", true), ("\\p{Pi}", "«", true),
            ("\\p{Pf}", "»", true), ("\\p{Po}", "!", true),
            ("\\p{S}", "+", true), ("\\p{Sm}", "+", true), ("\\p{Sc}", "€", true), ("\\p{Sk}", "^", true),
            ("\\p{So}", "©", true), ("\\p{Z}", "\u{A0}", true),
            ("\\p{Zs}", " ", true), ("\\p{Zl}", "\u{2028}", true), ("\\p{Zp}", "\u{2029}", true),
            ("\\p{C}", "\u{1}", true), ("\\p{Cc}", "\n", true), ("\\p{Cf}", "\u{200B}", true),
            ("\\p{Co}", "\u{E000}", true), ("\\p{Cn}", "\u{378}", true), ("\\p{Cn}", "a", false),
        ])
    func matches(pattern: String, text: String, holds: Bool) throws {
        #expect(try selects("match", pattern, text) == holds)
    }

    @Test(
        "a search finds a pattern anywhere in the text",
        arguments: [
            ("b", "abc", true), ("d", "abc", false), ("", "abc", true), ("", "", true), ("^b", "abc", false),
            ("^a", "abc", true), ("c$", "abc", true),
            ("a$", "abc", false), ("b.", "ab\n", false), ("a{3}", "baaaab", true), ("\\p{Lu}", "abÇd", true),
            ("(ab|b)c", "xbc", true), ("é", "caf\u{E9}s", true),
        ])
    func searches(pattern: String, text: String, holds: Bool) throws {
        #expect(try selects("search", pattern, text) == holds)
    }

    @Test(
        "what is no I-Regexp matches nothing, not even itself",
        arguments: [
            "[", "]", "[]", "[^]", "[a", "(", ")", "(a", "a)", "*", "+", "?", "a**", "a+?", "a*+", "{1}",
            "a{", "a{}", "a{,2}", "a{2,1}", "a{1", "a{1,2", "a{x}", "a{1001}",
            "a{99999999999999999999}", "}", "a}", "\\", "\\d", "\\w", "\\s", "\\b", "\\A", "\\1", "\\u0041",
            "\\x41", "\\$", "\\/", "\\p", "\\p{", "\\p{}", "\\p{X}", "\\p{Lx}",
            "\\p{Cs}", "\\p{Letter}", "\\p{l}", "\\pL", "\\P{^L}", "[b-a]", "[a-b-c]", "[--a]", "[a--]",
            "[\\p{L}-z]", "[[a]]", "[a[]", "[\\d]", "(?:a)", "(?i)a", "(?=a)",
            "(((a{1000}){1000}){1000})", "a|*",
        ])
    func invalid(pattern: String) throws {
        for text in [pattern, "a", "", "aa"] {
            #expect(try !selects("match", pattern, text))
            #expect(try !selects("search", pattern, text))
        }
    }

    @Test(
        "arguments that are no strings match nothing",
        arguments: ["1", "null", "true", "@.list", "@.none", "@"])
    func noStrings(operand: String) throws {
        let document = try #require(JSONDocument(Array(#"[{"list":["a"],"s":"1"}]"#.utf8)))
        for arguments in ["\(operand), '.*'", "@.s, \(operand)"] {
            for function in ["match", "search"] {
                #expect(try JSONPath(parsing: "$[?\(function)(\(arguments))]").nodes(in: document).isEmpty)
                #expect(
                    try JSONPath(parsing: "$[?!\(function)(\(arguments))]").nodes(in: document).count == 1)
            }
        }
    }

    @Test("a pattern runs in linear time, however it repeats")
    func linear() throws {
        for pattern in ["(a*)*b", "(a|a)*b", "(a|aa)+b", "a*a*a*a*a*a*b", "(a{0,20}){0,20}b"] {
            let regexp = try #require(IRegexp(Text(pattern)))
            var steps = [1000, 2000].map { count in
                var steps = JSONPath.stepLimit * 10
                #expect(
                    !regexp.matches(Text(String(repeating: "a", count: count)), whole: true, steps: &steps))
                return JSONPath.stepLimit * 10 - steps
            }
            #expect(steps.removeLast() <= steps.removeLast() * 2 + 100, "\(pattern)")
        }
        var none = 10
        let regexp = try #require(IRegexp("a*"))
        #expect(!regexp.matches(Text(String(repeating: "a", count: 1000)), whole: true, steps: &none))
        #expect(none < 0)
    }
}
