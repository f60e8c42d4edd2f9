import TestSupport
import Testing

@Suite("weir explain", .blocking)
struct ExplainTests {
    private func members(_ text: String) -> [String: JSONSchema.Value] {
        if case .object(let members)? = JSONSchema.parse(Array(text.utf8)) { members } else { [:] }
    }

    @Test(
        "weir explain prints the problem as JSON to standard output, and profile and rule to standard error")
    func mapped() throws {
        let outcome = try CommandLine.run(
            "explain", "--provider", "lemlist", "--status", "400", "--body", "-", input: "Bad team")
        #expect(outcome.code == 0)
        let problem = members(outcome.output)
        #expect(problem["code"] == .string("permission_denied") && problem["detail"] == .string("Bad team"))
        #expect(problem["provider"] == .string("lemlist") && problem["effect"] == .string("none"))
        #expect(outcome.output.contains("\n  \"code\": \"permission_denied\",\n"))
        #expect(outcome.errorOutput == "matched rule 'another team' of the profile lemlist\n")
    }

    @Test("weir explain considers headers, method and path, and reports a pause")
    func headers() throws {
        let outcome = try CommandLine.run(
            "explain", "--provider", "lettr", "--status", "429", "--method", "POST", "--path", "/emails",
            "--header", "Retry-After: 7", "--header", "Content-Type: application/json", "--body", "-",
            input: #"{"message":"Rate limit exceeded.","error_code":"rate_limit_exceeded"}"#)
        let problem = members(outcome.output)
        #expect(problem["code"] == .string("rate_limited") && problem["retry_after"] == .number(7))
        #expect(problem["error_code"] == .string("rate_limit_exceeded"))
        #expect(outcome.errorLines.last == "Weir would send nothing more under this limit for 7 s")
    }

    @Test("weir explain decodes a content-coded body")
    func coded() throws {
        let gzip: [UInt8] = [
            31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 115, 74, 76, 81, 40, 73, 77, 204, 5, 0, 227, 70, 91, 148, 8, 0,
            0, 0,
        ]
        let outcome = try CommandLine.run(
            [
                "explain", "--provider", "lemlist", "--status", "400", "--header", "Content-Encoding: gzip",
                "--body", "-",
            ], input: gzip)
        #expect(members(outcome.output)["detail"] == .string("Bad team"), "\(outcome.errorOutput)")
    }

    @Test("weir explain reports that a response without a matching rule is relayed unchanged")
    func untouched() throws {
        let outcome = try CommandLine.run("explain", "--provider", "lettr", "--status", "200")
        #expect(outcome.code == 0 && outcome.output.isEmpty)
        #expect(outcome.errorOutput.hasPrefix("relayed unchanged"))
    }

    @Test("weir explain uses the profile and the type base of a configured provider")
    func configured() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write(
            "name: mine\nrules: [{ name: teapot, when: { status: 418 }, is: conflict }]", to: "mine.yaml")
        let file = try folder.write(
            """
            type_base: https://errors.example.com
            providers: { tea: { profile: mine.yaml, upstream: 'http://127.0.0.1:9', upstream_body: on } }
            """, to: "weir.yaml")
        let outcome = try CommandLine.run(
            "explain", "--config", file, "--provider", "tea", "--status", "418", "--body", "-",
            input: "teapot")
        #expect(members(outcome.output)["type"] == .string("https://errors.example.com/conflict"))
        #expect(outcome.output.contains(#""body": "teapot""#))
        #expect(outcome.errorOutput == "matched rule 'teapot' of the profile mine\n")
    }

    @Test(
        "an invalid argument is a usage error that names it",
        arguments: [
            (["--provider", "nobody", "--status", "400"], "'nobody'"),
            (["--provider", "lemlist", "--status", "4000"], "--status"),
            (["--provider", "lemlist", "--status", "400", "--header", "no colon"], "no colon"),
            (["--provider", "lemlist", "--status", "400", "--path", "x"], "--path"),
            (["--status", "400"], "--provider"),
        ])
    func wrongArguments(_ arguments: [String], _ named: String) throws {
        let outcome = try CommandLine.run(["explain"] + arguments)
        #expect(outcome.code == 64 && outcome.output.isEmpty)
        #expect(outcome.errorOutput.contains(named))
    }

    @Test("a body that cannot be read is reported in one line with exit code 1")
    func unreadableBody() throws {
        let outcome = try CommandLine.run(
            "explain", "--provider", "lemlist", "--status", "400", "--body", "/nonexistent")
        #expect(outcome.code == 1)
        #expect(outcome.errorOutput == "weir: /nonexistent cannot be read: No such file or directory\n")
    }
}
