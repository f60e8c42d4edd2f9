import BuiltIn
import TestSupport
import Testing

@Suite("weir profile", .blocking)
struct ProfileTests {
    @Test("the built-in profiles are listed with upstream and limits")
    func list() throws {
        let outcome = try CommandLine.run("profile", "list")
        #expect(outcome.code == 0)
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 1 + BuiltIn.profileNames.count && lines[0].hasPrefix("profile"))
        #expect(lines.contains { $0.hasPrefix("lemlist") && $0.contains("20 per 2s by credential") })
    }

    @Test("the recorded cases of all built-in profiles come out as recorded, and reach every rule")
    func testAll() throws {
        let outcome = try CommandLine.run("profile", "test")
        #expect(outcome.code == 0)
        let results = outcome.output.split(separator: "\n").filter { $0.contains("all as recorded") }
        #expect(results.map { String($0.prefix { $0 != ":" }) } == BuiltIn.profileNames)
    }

    @Test(
        "a profile file is tested with its own and the generic cases; a failure is reported with exit code 1")
    func mismatch() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            """
            name: mine
            cases:
              - { id: a-1, name: fits, status: 404, expect: { code: not_found, transient: no } }
              - { id: a-2, name: differs, status: 404, expect: { code: gone, transient: no } }
            """, to: "mine.yaml")
        let outcome = try CommandLine.run("profile", "test", file)
        #expect(outcome.code == 1)
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.first == "mine: a-2 (differs): code is not_found, should be gone")
        #expect(
            lines.last?.hasPrefix("mine: 2 cases and ") == true
                && lines.last?.hasSuffix("1 not as recorded; 0 of 0 rules reached") == true)
    }

    @Test("a rule that no case reaches is told and is exit 1, one that can never decide with the reason")
    func coverage() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            """
            name: mine
            read: { message: [/message, /never], code: { at: header X-Code } }
            waits: [{ header: Retry-After }, { seconds: 5, on: 503 }]
            rules:
              - { name: first, when: { status: 461, code: x }, is: gone, waits: [{ at: /w }] }
              - { name: all, when: { status: [461, 462] }, is: not_found }
              - { name: late, when: { status: 461, code: y }, is: conflict }
              - { name: untried, when: { status: 463 }, is: conflict }
              - { name: fine, when: { status: 464 }, is: success }
            cases:
              - { id: a, name: n, status: 461, headers: { X-Code: x }, body: '{"message":"m"}', expect: { code: gone, transient: no } }
              - { id: b, name: n, status: 462, headers: { Retry-After: '3' }, expect: { code: not_found, transient: no, retry_after: 3 } }
              - { id: c, name: n, status: 464, expect: untouched }
            """, to: "mine.yaml")
        let outcome = try CommandLine.run("profile", "test", file)
        #expect(outcome.code == 1)
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(
            lines.dropLast() == [
                "mine: the rule 'late' (rules[2]) can never decide: 'all' before it takes all its responses",
                "mine: no case reaches the rule 'untried' (rules[3])",
                "mine: these places found nothing in any case: read.message[1], waits[1], rules[0].waits[0]",
            ])
        #expect(lines.last?.hasSuffix("all as recorded; 3 of 5 rules reached") == true)
    }

    @Test("explain names the rule that passes a success")
    func success() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            "name: mine\nrules: [{ name: fine, when: { status: 404 }, is: success }]", to: "mine.yaml")
        let outcome = try CommandLine.run("explain", "--provider", file, "--status", "404")
        #expect(outcome.code == 0 && outcome.output.isEmpty)
        #expect(outcome.errorOutput.contains("rule 'fine' of the profile mine says that it is a success"))
    }

    @Test("the schema of profiles is printed")
    func schema() throws {
        let outcome = try CommandLine.run("profile", "schema")
        #expect(outcome.code == 0 && outcome.output.contains("\"title\": \"Weir profile\""))
    }

    @Test("mistakes of a profile file are reported with their positions")
    func mistakes() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("name: mine\nrulez: []", to: "mine.yaml")
        let outcome = try CommandLine.run("profile", "test", file)
        #expect(outcome.code == 1 && outcome.errorOutput.hasPrefix("\(file):2:1: rulez: unknown key"))
    }

    @Test("an unknown profile is a usage error that lists the known ones; a missing file exits with 1")
    func unknown() throws {
        let outcome = try CommandLine.run("profile", "test", "lemlst")
        #expect(outcome.code == 64 && outcome.errorLines.count == 1)
        #expect(outcome.errorOutput.contains(BuiltIn.profileNames.joined(separator: ", ")))
        #expect(try CommandLine.run("profile", "test", "/nonexistent.yaml").code == 1)
    }
}
