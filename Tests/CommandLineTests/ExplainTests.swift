import TestSupport
import Testing

@Suite("weir explain", .blocking)
struct ExplainTests {
    private func members(_ text: String) -> [String: JSONSchema.Value] {
        if case .object(let members)? = JSONSchema.parse(Array(text.utf8)) { members } else { [:] }
    }

    @Test("the problem is JSON on standard output, profile and rule are on standard error")
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

    @Test("headers, method and path count, and a pause is told")
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

    @Test("a coded body is decoded")
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

    @Test("an answer that no rule is about passes untouched")
    func untouched() throws {
        let outcome = try CommandLine.run("explain", "--provider", "lettr", "--status", "200")
        #expect(outcome.code == 0 && outcome.output.isEmpty)
        #expect(outcome.errorOutput.hasPrefix("relayed unchanged"))
    }

    @Test("a provider of a configuration is explained by its profile, with its type base")
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
        "a wrong argument is a usage error and says which",
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

    @Test("a body that cannot be read is one line and exit 1")
    func unreadableBody() throws {
        let outcome = try CommandLine.run(
            "explain", "--provider", "lemlist", "--status", "400", "--body", "/nonexistent")
        #expect(outcome.code == 1)
        #expect(outcome.errorOutput == "weir: /nonexistent cannot be read: No such file or directory\n")
    }
}
