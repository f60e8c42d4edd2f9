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

    @Test("the recorded cases of all built-in profiles pass")
    func testAll() throws {
        let outcome = try CommandLine.run("profile", "test")
        #expect(outcome.code == 0)
        let results = outcome.output.split(separator: "\n").filter { $0.contains("all passed") }
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
                && lines.last?.hasSuffix("1 failed") == true)
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
