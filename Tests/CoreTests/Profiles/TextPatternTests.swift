import Configuration
import Core
import Testing
import Wire

@Suite("Regular expressions in profiles")
struct TextPatternTests {
    /// Whether a rule with this pattern accepts the message.
    private func matches(_ pattern: String, _ message: String) throws -> Bool {
        let quoted = pattern.replacing("'", with: "''")
        let profile = try ProfileReader.read(
            text:
                "name: x\nread: { message: /m }\nrules: [{ name: r, when: { message: { matches: '\(quoted)' } }, is: gone }]",
            file: "x.yaml", generic: nil)
        var body = Array(#"{"m":"#.utf8)
        JSONWriter.string(message, into: &body)
        body.append(0x7D)
        let answer = ProviderAnswer(status: 400, fields: FieldBlock(), body: body)
        let facts = RequestFacts(method: "GET", path: "/")
        return ErrorNormalizer(profile: profile).normalize(answer, of: facts, at: 0)?.code == .gone
    }

    @Test(
        "the documented syntax is understood",
        arguments: [
            ("abc", "xabcx", true), ("abc", "abx", false), ("a.c", "axc", true), ("^b", "ab", false),
            ("^a", "ab", true),
            ("b$", "ab", true), ("a$", "ab", false), ("\\Aa.*b\\z", "a--b", true), ("a|b|cd", "xcd", true),
            ("^(a|b)c$", "bc", true),
            ("^(?:ab)+$", "ababab", true), ("^(?:ab)+$", "aba", false),
            ("^(?<year>\\d{4})-(?P<m>\\d{2})$", "2026-11", true),
            ("^a{3}$", "aaa", true), ("^a{3}$", "aaaa", false), ("^a{2,}$", "a", false),
            ("^a{2,}$", "aaaaa", true),
            ("^a{1,3}$", "aaaa", false), ("^a{0,2}$", "", true), ("^a{0,2}b$", "aab", true),
            ("^a{0}b$", "b", true), ("^a{0}b$", "ab", false),
            ("a{x}", "a{x}", true), ("^a*?b+?c??$", "aabb", true), ("[a-c]+x", "zabcx", true),
            ("^[^0-9]+$", "ab1", false),
            ("^[]a]+$", "a]", true), ("^[a-]+$", "a-a", true), ("[\\d_]+z", "1_2z", true),
            ("[^\\W]", "é", true), ("\\.", "a", false),
            ("\\.", "a.", true), ("\\bcat\\b", "a cat!", true), ("\\bcat\\b", "concat", false),
            ("\\Bcat", "concat", true),
            ("\\s\\S\\w\\W\\d\\D", "x .a-1x", true), ("\\x41\\u0042\\x{1F600}\\u{43}", "AB😀C", true),
            ("ä", "käse", true),
            ("^.$", "😀", true), ("(?i)LIMIT", "a Limit", true), ("limit", "a Limit", false),
            ("(?i:a)B", "AB", true), ("(?i:a)B", "Ab", false),
            ("(?i)Ä", "ä", true), ("(?i)[a-f]+9", "ABC9", true), ("(?i)[^a]", "A", false),
            ("a(?i)b(?-i)c", "aBc", true),
            ("a(?i)b(?-i)c", "aBC", false), ("(?s)a.b", "a b", true), ("(?im)^B", "x", false),
            ("(a*)*b", "aaab", true), ("(|a)+", "", false),
            ("(|a)+b", "b", true), ("()", "x", true), ("a||b", "x", true), ("'", "it's", true),
            ("\\/\\-\\ ", "/- x", true),
        ])
    func syntax(pattern: String, message: String, isFound: Bool) throws {
        // No message is nothing to search.
        #expect(try matches(pattern, message) == (isFound && !message.isEmpty))
    }

    @Test(
        "a pattern that would take forever with backtracking takes no time",
        arguments: [
            "^(a+)+$", "^(a|a)*$", "^(a*)*$", "(a?){30}a{30}b", "^(([a-z])+.)+[A-Z]([a-z])+$",
            "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x",
            "(x+x+)+y", "^(.+)+!$", "(a|aa)+$b",
        ])
    func linear(pattern: String) throws {
        let clock = ContinuousClock()
        for message in [String(repeating: "a", count: 999) + "!?", String(repeating: "x", count: 1000)] {
            let time = try clock.measure { _ = try matches(pattern, message) }
            // With backtracking the first of them would run for more than a year.
            #expect(time < .seconds(5))
        }
    }

    @Test(
        "what needs backtracking, and what is malformed, is a mistake with its place",
        arguments: [
            ("(a)\\1", "a back reference is not supported (character 4)"),
            ("a(?=b)", "lookaround is not supported (character 2)"),
            ("(?!b)", "lookaround"), ("(?<=b)", "lookaround"), ("(?<!b)", "lookaround"),
            ("(?>a)", "an atomic group is not supported"),
            ("a++", "a possessive repetition is not supported"), ("a**", "a repetition is repeated"),
            ("*a", "there is nothing to repeat"),
            ("a|+", "nothing to repeat"), ("(a", "the group is not closed (character 1)"),
            ("a)", "there is no group to close"),
            ("[a", "the class is not closed"), ("[]", "the class is not closed"), ("[z-a]", "exchanged"),
            ("a{3,2}", "exchanged"),
            ("a{1001}", "at most 1000"), ("a{,5}", "a repetition is {3}"), ("a{2, 5}", "a repetition is {3}"),
            ("a{1000}", "it is too large: more than 2000 steps"), ("((a{100}){100}){100}", "is too large"),
            ("\\p{L}", "\\p is not supported"),
            ("\\k<a>", "back reference"), ("(?x)a", "not supported; the options are"),
            ("\\", "a backslash needs a character"),
            ("\\xZZ", "malformed"), ("\\u{110000}", "malformed"), ("[[:alpha:]]", "needs a backslash"),
            ("[a&&b]", "not supported"),
            ("(?<1a>b)", "needs a name"), ("{2}", "nothing to repeat"),
            (
                String(repeating: "(", count: 101) + "a" + String(repeating: ")", count: 101),
                "nested too deeply"
            ),
        ])
    func mistakes(pattern: String, reason: String) throws {
        do {
            _ = try ProfileReader.read(
                text:
                    "name: x\nrules:\n  - { name: r, when: { message: { matches: '\(pattern)' } }, is: gone }",
                file: "x.yaml",
                generic: nil)
            Issue.record("no mistake")
        } catch {
            let mistake = try #require(error.all.first)
            #expect(error.all.count == 1)
            #expect(mistake.reason.contains(reason) && mistake.reason.contains("is not a regular expression"))
            #expect(mistake.line == 3 && mistake.column == 44)
        }
    }

    @Test(
        "a capture is the first group, or the whole match of a pattern without one",
        arguments: [
            ("a+", "xaaay", "aaa"), ("(a+)b", "aab", "aa"), ("x(?:a|b)(c)", "xbc", "c"),
            ("(?<n>[0-9]+) of ([0-9]+)", "3 of 40", "3"), ("in ([0-9.]+) ?s", "try again in 6.5s.", "6.5"),
            ("(a|ab)(c|bcd)", "abcd", "a"), ("(ab|a)(c|bcd)?", "abcd", "ab"), ("(a*)(a*)", "aaa", "aaa"),
            ("(a*?)(a*)$", "aaa", ""), ("<(.*)>", "<a><b>", "a><b"), ("<(.*?)>", "<a><b>", "a"),
            ("(a{2,3}?)", "aaaa", "aa"), ("(a{2,3})", "aaaa", "aaa"), ("(a??)b", "ab", "a"),
            ("(?:(a)|b)+", "ab", "a"), ("(a|b)+", "abab", "b"), ("^(.)(.)", "😀ä", "😀"),
            ("<Code>([^<]+)</Code>", "<E><Code>NoSuchKey</Code></E>", "NoSuchKey"),
            ("()", "x", ""), ("\\b(\\w+)$", "the last", "last"), ("(?i)KEY=(\\w+)", "key=Ab", "Ab"),
            ("(x)|a", "bax", nil), ("(x)", "abc", nil), ("b", "", nil), ("(?m)^(b.*)$", "a\nbc\nd", "bc"),
        ] as [(String, String, String?)])
    func capture(pattern: String, text: String, expected: String?) throws {
        #expect(try TextPattern(pattern).capture(in: Text(text))?.string == expected)
    }

    @Test("of the same patterns, a capture is what the regular expressions of the standard library find")
    func captureMatchesStandardLibrary() throws {
        var numbers = SeededNumbers(seed: 18)
        let atoms = ["a", "b", ".", "[ab]", "(a|b)", "(?:ab|a)", "(ab?)", "(?:a|b)"]
        let repetitions = ["", "", "", "*", "+", "?", "*?", "+?", "??", "{1,2}", "{2}"]
        for _ in 0..<400 {
            var pattern = ""
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                pattern += atoms[Int.random(in: 0..<atoms.count, using: &numbers)]
                pattern += repetitions[Int.random(in: 0..<repetitions.count, using: &numbers)]
            }
            var text = ""
            for _ in 0..<Int.random(in: 0...7, using: &numbers) { text += numbers.happens(0.4) ? "b" : "a" }
            var expected: String?
            if let match = try text.firstMatch(of: Regex(pattern)) {
                let hasGroup = match.output.count > 1
                expected = hasGroup ? match.output[1].substring.map { String($0) } : String(text[match.range])
            }
            let found = try TextPattern(pattern).capture(in: Text(text))?.string
            #expect(found == expected, "\(pattern) in \(text)")
        }
    }

    @Test(
        "capturing takes time in proportion to the text, whatever the pattern",
        arguments: [
            "^((a+)+)$", "((a|a)*)b", "((a?){30}a{30}b)", "((?:x+x+)+)y", "(.*)(.*)(.*)(.*)x!",
        ])
    func linearCapture(pattern: String) throws {
        let clock = ContinuousClock()
        let compiled = try TextPattern(pattern)
        let time = clock.measure {
            for letter in ["a", "x"] {
                _ = compiled.capture(in: Text(String(repeating: letter, count: 999) + "!?"))
            }
        }
        #expect(time < .seconds(10))
    }

    @Test("a pattern is used by all threads at once")
    func concurrent() async throws {
        let pattern = try TextPattern("(?i)^(a|b)+$")
        var test = TextTest()
        test.add(pattern)
        var profile = Profile(name: "x")
        var rule = Rule(name: "r", profile: "x", result: .gone)
        rule.when.headers = [(name: "X", test: test)]
        profile.rules = [rule]
        let normalizer = ErrorNormalizer(profile: profile)
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<64 {
                group.addTask {
                    var fields = FieldBlock()
                    fields.append("X", index % 2 == 0 ? "abAB" : "abc")
                    let answer = ProviderAnswer(status: 400, fields: fields, body: [])
                    let error = normalizer.normalize(
                        answer, of: RequestFacts(method: "GET", path: "/"), at: 0)
                    return (error?.code == .gone) == (index % 2 == 0)
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
