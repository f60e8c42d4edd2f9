import BuiltIn
import TestSupport
import Testing

@Suite("weir profile suggest and draft", .blocking)
struct ProfileAuthoringTests {
    private static let secret = "sk_live_4f9a8b7c6d5e4f3a2b1c"

    @Test("from three unmapped errors, suggest makes a rule with which a running Weir maps the fourth")
    func suggestFromRunningWeir() throws {
        let upstream = try ScriptedUpstream { exchange in
            let number = exchange.request.target.split(separator: "/").last ?? ""
            try exchange.respond(
                .status(
                    418, fields: [("Content-Type", "application/json")],
                    body:
                        #"{"oops":{"kind":"pot_\#(number)","sentence":"The pot \#(number) cannot serve \#(Self.secret)"}}"#
                ))
        }
        let folder = try TemporaryDirectory()
        let profile = try folder.write("name: acme\n", to: "acme.yaml")
        let configuration = try folder.write(
            "reload: { on_change: off }\nproviders: { acme: { profile: '\(profile)', upstream: '\(upstream.url)' } }\n",
            to: "weir.yaml")
        let weir = try RunningWeir(["--config", configuration, "--listen", "127.0.0.1:0"])
        for number in 1...3 { #expect(try weir.get("/acme/\(number)").text.contains(#""mapped":false"#)) }
        let outcome = try CommandLine.run("profile", "suggest", "--from", "http://\(weir.address)")
        #expect(outcome.code == 0, "\(outcome.errorOutput)")
        #expect(!outcome.output.contains(Self.secret))
        #expect(
            outcome.output.contains("code: /oops/kind") && outcome.output.contains("message: /oops/sentence"))
        _ = try folder.write("name: acme\n" + outcome.output, to: "acme.yaml")
        #expect(try CommandLine.run("profile", "test", profile).code == 0)
        weir.process.send(.hangUp)
        try weir.process.waitForOutput(containing: #""message":"configuration reloaded""#)
        try eventually("the fourth error to be mapped", within: .seconds(30)) {
            let text = try weir.get("/acme/4").text
            return text.contains("pot_4") && !text.contains(#""mapped":false"#)
        }
        #expect(try weir.stop() == .code(0))
    }

    @Test("suggest reads recorded responses, tells the meanings of one form apart, and never prints a key")
    func suggestFromCases() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            """
            cases:
              - { status: 400, request: 'POST /a?key=\(Self.secret)', headers: { Content-Type: application/json, Authorization: 'Bearer \(Self.secret)' }, body: '{"err":{"code":"NO_SUCH_BOX","message":"The box does not exist","api_key":"hunter2"}}' }
              - { status: 400, headers: { Content-Type: application/json }, body: '{"err":{"code":"BOX_TAKEN","message":"This box already exists","api_key":"hunter3"}}' }
              - { status: 400, headers: { Content-Type: application/json }, body: '{"err":{"code":"BOX_DUP","message":"A duplicate of \(Self.secret)","api_key":"hunter4"}}' }
            """, to: "seen.yaml")
        let outcome = try CommandLine.run("profile", "suggest", file)
        #expect(outcome.code == 0)
        #expect(outcome.output.contains("is: not_found") && outcome.output.contains("is: already_exists"))
        #expect(!outcome.output.contains(Self.secret) && !outcome.output.contains("hunter"))
        let profile = try folder.write("name: mine\n" + outcome.output, to: "mine.yaml")
        let test = try CommandLine.run("profile", "test", profile)
        #expect(test.code == 0, "\(test.output)")
        let again = try CommandLine.run("profile", "suggest", file, "--profile", profile)
        #expect(again.code == 0 && again.output.isEmpty && again.errorOutput.contains("nothing to suggest"))
    }

    private static let document = """
        openapi: 3.1.0
        info: { title: The Box API, version: '1' }
        servers:
          - url: https://{region}.box.example/v1
            variables: { region: { default: eu } }
        security: [{ key: [] }]
        paths:
          /boxes/{id}:
            post:
              parameters: [{ $ref: '#/components/parameters/Idempotency' }]
              responses:
                '404': { $ref: '#/components/responses/Missing' }
                '409':
                  description: exists
                  content:
                    application/json:
                      schema: { $ref: '#/components/schemas/Error' }
                '429':
                  description: slow
                  headers:
                    X-RateLimit-Limit: {}
                    X-RateLimit-Remaining: {}
                    X-RateLimit-Reset: {}
                    Retry-After: {}
        components:
          parameters: { Idempotency: { name: Idempotency-Key, in: header } }
          securitySchemes: { key: { type: apiKey, in: header, name: X-Box-Key } }
          responses:
            Missing:
              description: none
              content:
                application/json:
                  examples:
                    one: { value: { fault: { code: BOX_NOT_FOUND, message: There is no such box } } }
          schemas:
            Error:
              type: object
              properties:
                fault:
                  type: object
                  properties:
                    code: { type: string, enum: [BOX_ALREADY_EXISTS] }
                    message: { type: string }
                    parent: { $ref: '#/components/schemas/Error' }
        """

    @Test(
        "draft makes a profile of an OpenAPI document that passes its own test, in YAML and with its cases beside it"
    )
    func draft() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(Self.document, to: "openapi.yaml")
        let outcome = try CommandLine.run("profile", "draft", file, "--name", "box")
        #expect(outcome.code == 0, "\(outcome.errorOutput)")
        for part in [
            "name: box", "region: eu", "header X-Box-Key", "header: Idempotency-Key", "POST /boxes/*",
            "limit: X-RateLimit-Limit", "remaining: X-RateLimit-Remaining", "reset: X-RateLimit-Reset",
            "header: Retry-After", "code: /fault/code", "message: /fault/message", "BOX_NOT_FOUND",
            "BOX_ALREADY_EXISTS", "# Guess",
        ] { #expect(outcome.output.contains(part), "\(part)") }
        let profile = try folder.write(outcome.output, to: "box.yaml")
        #expect(try CommandLine.run("profile", "test", profile).code == 0)
        let cases = folder.path("other.cases.yaml")
        let split = try CommandLine.run("profile", "draft", file, "--cases", cases)
        #expect(split.code == 0 && !split.output.contains("\ncases:"))
        #expect(split.output.contains("name: box"))
        let other = try folder.write(split.output, to: "other.yaml")
        #expect(try CommandLine.run("profile", "test", other).code == 0)
        #expect(try CommandLine.run("profile", "draft", file, "--cases", cases).code == 1)
    }

    /// Eight lists, each of which has ten times the one before.
    private static let aliasBomb: String = {
        var text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        var former = "a"
        for name in ["b", "c", "d", "e", "f", "g", "h"] {
            let aliases: [String] = Array(repeating: "*" + former, count: 10)
            text += name + ": &" + name + " [" + aliases.joined(separator: ",") + "]\n"
            former = name
        }
        return text
    }()

    @Test(
        "draft rejects a document that it cannot read with exit code 65 and the position",
        arguments: [
            ("", ":1:1: is empty"), ("a: [", "is not YAML"), ("{\"a\":", "is not YAML"),
            ("- 1", ":1:1: is not OpenAPI"),
            ("openapi: 2.0.0", ":1:10: is a version"), ("swagger: '2.0'", ":1:10: is OpenAPI 2.0"),
            ("openapi: 3.0.0\npaths: { /a: { $ref: '#/nowhere' } }", ":2:22: $ref leads nowhere"),
            ("openapi: 3.0.0\npaths: { /a: { $ref: '#/paths/~1a' } }", ":2:22: $ref leads to itself"),
            ("openapi: 3.0.0\npaths: { /a: { $ref: 'other.yaml' } }", "leads out of the document"),
            (String(repeating: "[", count: 100_000), ""),
            (
                "openapi: 3.0.0\na: " + String(repeating: "[", count: 150)
                    + String(repeating: "]", count: 150), "nested more deeply"
            ),
            ("\u{0}\u{1}\u{2}", "is not text"),
            (aliasBomb, "aliases repeat"),
        ])
    func badDocument(text: String, reason: String) throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(text, to: "openapi.yaml")
        let outcome = try CommandLine.run("profile", "draft", file)
        #expect(outcome.code == 65)
        #expect(
            outcome.errorOutput.contains(reason) && outcome.output.isEmpty,
            "\(outcome.errorOutput.prefix(300))")
    }

    @Test("suggest rejects what are no responses with exit code 65, and needs an input")
    func badResponses() throws {
        for text in ["", "a: 1", "cases: 1", "cases: [{ status: 99 }]", "cases: [1]", "[[["] {
            #expect(
                try CommandLine.run(["profile", "suggest", "-"], input: Array(text.utf8)).code == 65,
                "\(text)")
        }
        #expect(try CommandLine.run("profile", "suggest").code == 64)
        #expect(try CommandLine.run("profile", "suggest", "/nonexistent").code == 1)
        #expect(try CommandLine.run("profile", "suggest", "--from", "http://127.0.0.1:1").code == 1)
    }

    @Test(
        "every built-in profile serves by its name alone, or what is missing is named",
        arguments: BuiltIn.profileNames)
    func byName(name: String) throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("providers: { \(name): {} }\n", to: "weir.yaml")
        let outcome = try CommandLine.run("check", file)
        if outcome.code == 0 {
            let weir = try RunningWeir(
                ["--provider", name, "--listen", "127.0.0.1:0"], environment: ["WEIR_WORKERS": "1"])
            #expect(try weir.get("/readyz").status == 200)
            #expect(try weir.stop() == .code(0))
        } else {
            #expect(outcome.code == 1 && outcome.errorLines.count == 1)
            #expect(outcome.errorOutput.hasPrefix("\(file):1:"))
            #expect(
                ["upstream", "variables"].contains { outcome.errorOutput.contains($0) },
                "\(outcome.errorOutput)")
            let run = try CommandLine.run("run", "--provider", name, "--listen", "127.0.0.1:0")
            #expect(run.code != 0 && !run.errorOutput.isEmpty, "\(run.errorOutput)")
        }
    }
}
