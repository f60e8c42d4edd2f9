import BuiltIn
import Configuration
import Core
import Foundation
import TestSupport
import Testing

@Suite("weir sandbox --profile", .blocking)
struct SandboxProfileTests {
    /// A sandbox, and Weir before it.
    private final class Pair {
        let folder: TemporaryDirectory
        let sandbox: Subprocess
        let weir: RunningWeir

        /// - Parameter adjust: changes the configuration that the sandbox printed.
        init(_ arguments: [String], folder: TemporaryDirectory, _ adjust: (String) -> String = { $0 }) throws
        {
            self.folder = folder
            sandbox = try Subprocess(WeirBinary.path, ["sandbox", "--listen", "127.0.0.1:0"] + arguments)
            try sandbox.waitForOutput(containing: "X-Sandbox-Case")
            let sandbox = sandbox
            try eventually { sandbox.output.hasPrefix("providers:") && sandbox.output.hasSuffix("}\n") }
            let file = try folder.write(adjust(sandbox.output), to: "weir.yaml")
            weir = try RunningWeir(["--config", file, "--listen", "127.0.0.1:0"])
        }

        func stop() throws {
            #expect(try weir.stop() == .code(0))
            sandbox.send(.terminate)
            #expect(try sandbox.waitForExit() == .code(0))
        }
    }

    @Test("every recorded case of every profile can be asked for, and Weir reports its code")
    func cases() throws {
        let folder = try TemporaryDirectory()
        // The hand-written imitations count recorded responses: their profiles are imitated from files here.
        var names = BuiltIn.profileNames.filter { !["lemlist", "lettr"].contains($0) }
        let profiles = try ProfileReader.builtIn(BuiltIn.profiles)
        for name in ["lemlist", "lettr"] {
            let text = try #require(BuiltIn.profileWithCases(named: name))
                .replacing("name: \(name)\n", with: "name: \(name)-copy\n")
            names.append(try folder.write(text, to: "\(name).yaml"))
        }
        let pair = try Pair(["--profile", names.joined(separator: ",")], folder: folder) { printed in
            // Refusals that are asked for would stop the following requests.
            printed.replacing(" }\n", with: ", pacing: observe, errors: problem, quarantine: off }\n")
        }
        var count = 0
        for profile in profiles {
            let mount = ["lemlist", "lettr"].contains(profile.name) ? "\(profile.name)-copy" : profile.name
            let client = try RawClient(port: pair.weir.port)
            for recorded in profile.cases where recorded.request.method != "HEAD" && recorded.status >= 200 {
                let response = try client.exchange(
                    recorded.request.method, "/\(mount)\(recorded.request.path)",
                    fields: [("X-Sandbox-Case", recorded.id), ("X-Error-Format", "problem")]
                        + (["POST", "PUT", "PATCH"].contains(recorded.request.method)
                            ? [("Content-Length", "0")] : []))
                let code = response.fields["X-Error-Code"]
                #expect(code == recorded.expectation?.code.name, "\(recorded.id)")
                count += 1
            }
        }
        #expect(count >= 600)
        try pair.stop()
    }

    @Test("none of a burst of requests through Weir is refused")
    func burst() throws {
        let pair = try Pair(["--profile", "notion,stripe=sandbox,resend"], folder: TemporaryDirectory())
        let key = ("Authorization", "Bearer sk_test")
        let paths = ["/notion/v1/pages", "/stripe/v1/charges", "/resend/emails"]
        let results = paths.map { path in
            let weir = pair.weir
            return (0..<9).map { _ in
                Background { try RawClient(port: weir.port).exchange("GET", path, fields: [key]).status }
            }
        }
        for result in results.joined() { #expect(try result.join() == 200) }
        pair.sandbox.send(.terminate)
        #expect(try pair.sandbox.waitForExit() == .code(0))
        for name in ["notion", "stripe", "resend"] {
            #expect(pair.sandbox.errorOutput.contains("\(name): 9 requests, 0 rejected"))
        }
        #expect(try pair.weir.stop() == .code(0))
    }

    @Test(
        "an unknown profile, tier or rule is an error that says what is allowed",
        arguments: [
            (["--profile", "githbu"], "is not one of: airtable, anthropic,"),
            (["--profile", "github,,stripe"], "a name is empty"), (["--profile", ""], "a name is empty"),
            (["--profile", "hubspot=gold"], "it has free, professional, enterprise, oauth"),
            (["--profile", "notion=gold"], "has no tiers"),
            (["--profile", "./none.yaml"], "cannot be read"), (["--behaviour", "/none"], "cannot be read"),
        ])
    func mistakes(arguments: [String], message: String) throws {
        let outcome = try CommandLine.run(["sandbox", "--listen", "127.0.0.1:0"] + arguments)
        #expect(outcome.code == 64 || outcome.code == 1)
        #expect(outcome.errorOutput.contains(message))
    }

    @Test(
        "a mistake in the file of rules is reported with its line and column",
        arguments: [
            ("", "1:1: is empty"), ("rules: []", "must have at least one element"),
            ("rule: 1", "1:1: rule: unknown key; allowed: rules"),
            ("rules: [{ delay: 1 }]", "1:18: rules[0].delay: '1' must be a time from 1ms to 10m"),
            ("rules:\n  - { abort: now }", "2:14: rules[0].abort: 'now' is not one of: head, body, reset"),
            ("rules: [{ profiles: nobody, delay: 1s }]", "'nobody' is not imitated; allowed: github"),
            ("rules: [{ routes: GET x, delay: 1s }]", "must be a method and a path"),
            ("rules: [{ seed: 1 }]", "needs one of: delay, abort, case, status, code, error_rate"),
            ("rules: [{ seed: 1, delay: 1s }]", "has a seed, which needs an error_rate"),
            ("rules: [{ case: stripe-037 }]", "is no recorded case of the profile 'github'"),
            ("rules: [{ case: github-002, status: 500 }]", "excludes status and code"),
            ("rules: [{ error_rate: 5 }]", "must be a percentage from 0% to 100%"),
            ("rules: [1]", "must be a mapping"), ("[", "is not YAML"),
        ])
    func rules(text: String, message: String) throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(text, to: "rules.yaml")
        let outcome = try CommandLine.run(
            "sandbox", "--listen", "127.0.0.1:0", "--profile", "github", "--behaviour", file)
        #expect(outcome.code == 1)
        #expect(outcome.errorOutput.contains(message), "\(outcome.errorOutput)")
    }

    @Test("the commands and the file on the page about the sandbox do what it says")
    func page() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/sandbox.md"), encoding: .utf8)
        let parts = page.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }
            .map(\.element)
        let console = parts.filter { $0.hasPrefix("console\n") }
            .flatMap { $0.dropFirst("console\n".count).split(separator: "\n") }
        let rules = try #require(parts.first { $0.hasPrefix("yaml\n") }).dropFirst("yaml\n".count)
        let folder = try TemporaryDirectory()
        let file = try folder.write(String(rules), to: "rules.yaml")
        let start = try #require(console.first).split(separator: " ").map(String.init)
        #expect(start[1] == "weir" && start[2] == "sandbox" && start[5] == ">")
        let pair = try Pair([start[3], start[4], "--behaviour", file], folder: folder)
        var runs = 0
        for (index, line) in console.enumerated() where line.hasPrefix("$ curl ") {
            let command = line.dropFirst(2).replacing(
                "127.0.0.1:8080", with: "127.0.0.1:\(pair.weir.port)")
            let outcome = try Subprocess.run("sh", ["-c", String(command)])
            #expect(outcome.output.split(separator: "\n").first == console[index + 1], "\(command)")
            runs += 1
        }
        #expect(runs == 3)
        let cut = try pair.weir.get("/github/search/code")
        #expect(cut.status == 401 && cut.fields["X-Error-Code"] == "unauthenticated")
        try pair.stop()
    }
}
