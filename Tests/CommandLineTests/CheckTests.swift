import TestSupport
import Testing

@Suite("weir check", .blocking)
struct CheckTests {
    @Test("weir check prints a summary of a valid file")
    func valid() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("providers: { lemlist: { max_wait: 3s } }", to: "weir.yaml")
        let outcome = try CommandLine.run("check", file)
        #expect(outcome.code == 0 && outcome.errorOutput.isEmpty)
        #expect(outcome.output.contains("\(file) is valid"))
        #expect(outcome.output.contains("20 per 2s by credential") && outcome.output.contains("≤ 3s"))
    }

    @Test("weir check warns if clients elsewhere can use a key that Weir adds")
    func exposedKeys() throws {
        func output(_ settings: String) throws -> String {
            try CommandLine.run("check", "-", input: settings).output
        }
        let provider = "providers: { lemlist: { credential: k }, lettr: {} }"
        let told =
            "any client that reaches 0.0.0.0:80 can use the key of lemlist if its Host is an address, localhost"
        #expect(try output("listen: 0.0.0.0:80\n\(provider)").contains("\(told); `hosts` may name more"))
        let named = try output("listen: 0.0.0.0:80\nhosts: [Api.internal, '*.b']\n\(provider)")
        #expect(named.contains("\(told) or one of `hosts`: api.internal, *.b"))
        #expect(try !output("listen: 127.0.0.1:80\n\(provider)").contains("any client"))
        #expect(try !output("listen: 0.0.0.0:80\nproviders: { lettr: {} }").contains("any client"))
        let own = "listen: 127.0.0.1:80\nproviders: { lemlist: { listen: '[::]:81', credential: k } }"
        #expect(try output(own).contains("any client that reaches [::]:81 can use the key of lemlist"))
    }

    @Test("standard input is checked like a file")
    func standardInput() throws {
        #expect(try CommandLine.run("check", "-", input: "workers: 2").code == 0)
        let outcome = try CommandLine.run("check", "-", input: "worker: 2")
        #expect(outcome.code == 1 && outcome.errorOutput.hasPrefix("-:1:1: worker: unknown key"))
    }

    @Test("weir check prints all mistakes, one per line, with file, line, column and key")
    func mistakes() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            """
            listen: nowhere
            providers:
              lemlist: { max_wait: 3 parsecs, credential: "${WEIR_TEST_MISSING}" }
            colour: blue
            """, to: "weir.yaml")
        let outcome = try CommandLine.run("check", file)
        #expect(outcome.code == 1 && outcome.output.isEmpty)
        #expect(outcome.errorLines.count == 4)
        for place in [
            ":1:9: listen: 'nowhere' must be", ":3:24: providers.lemlist.max_wait: '3 parsecs' must be",
            ":3:47: providers.lemlist.credential: ", ":4:1: colour: unknown key",
        ] {
            #expect(outcome.errorLines.contains { $0.hasPrefix(file + place) }, "\(place)")
        }
        #expect(outcome.errorOutput.contains("WEIR_TEST_MISSING"))
    }

    @Test("weir check reports mistakes of a profile file together with those of the configuration")
    func profileMistakes() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write("name: mine\nrulez: []", to: "mine.yaml")
        let file = try folder.write(
            "providers: { mine: { profile: mine.yaml, upstream: 'http://127.0.0.1:9' } }\ncolour: blue",
            to: "weir.yaml")
        let lines = try CommandLine.run("check", file).errorLines
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("\(file):2:1: colour: unknown key") == true)
        #expect(lines.last?.hasPrefix("\(folder.path("mine.yaml")):2:1: rulez: unknown key") == true)
    }

    @Test(
        "mistakes only in a profile file make the configuration invalid, without follow-up errors"
    )
    func onlyProfileMistakes() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write("rules: []", to: "mine.yaml")
        let file = try folder.write("providers: { mine: { profile: mine.yaml } }", to: "weir.yaml")
        let outcome = try CommandLine.run("check", file)
        #expect(outcome.code == 1)
        #expect(outcome.errorOutput == "\(folder.path("mine.yaml")):1:1: needs a 'name'\n")
    }

    @Test("paths in a configuration are relative to its folder, wherever Weir is started")
    func relativePaths() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write("name: mine\nupstream: https://api.example.com", to: "mine.yaml")
        _ = try folder.write("k3y", to: "key")
        let file = try folder.write(
            "providers: { mine: { profile: mine.yaml, credential: '${file:key}', tls: { ca_file: key } } }",
            to: "weir.yaml")
        let outcome = try CommandLine.run("check", file)
        #expect(outcome.code == 0, "\(outcome.errorOutput)")
        #expect(outcome.output.contains("https://api.example.com") && !outcome.output.contains("k3y"))
    }

    @Test("why limits are not exact is printed below the table")
    func notes() throws {
        let outcome = try CommandLine.run(
            "check", "-",
            input: """
                providers: { a: { profile: generic, upstream: 'http://127.0.0.1:1', limits: [
                  { name: ip, requests: 5, per: 1s, note: by IP address }, { requests: 9, per: 1m, learn: X-Limit }] } }
                """)
        #expect(outcome.code == 0, "\(outcome.errorOutput)")
        #expect(outcome.output.contains("not exact: the limit ip of a: by IP address\n"))
        #expect(outcome.output.contains("not exact: the limit 9-per-60s of a: the number is read from"))
    }

    @Test("a file that cannot be read is reported in one line with exit code 1")
    func unreadable() throws {
        let outcome = try CommandLine.run("check", "/nonexistent/weir.yaml")
        #expect(outcome.code == 1)
        #expect(outcome.errorOutput == "/nonexistent/weir.yaml: cannot be read: No such file or directory\n")
    }

    @Test("a profile file that cannot be read is one mistake at its key")
    func missingProfile() throws {
        let outcome = try CommandLine.run("check", "-", input: "providers: { mine: { profile: nope.yaml } }")
        #expect(outcome.code == 1 && outcome.errorLines.count == 1)
        #expect(outcome.errorOutput.hasPrefix("-:1:31: providers.mine.profile: 'nope.yaml' is neither"))
    }

    @Test("--print-schema prints the configuration's JSON Schema, without a file")
    func schema() throws {
        let outcome = try CommandLine.run("check", "--print-schema")
        #expect(outcome.code == 0 && JSONSchema(outcome.output) != nil)
        #expect(outcome.output.contains(#""max_wait""#))
    }

    @Test("weir check without a file is a usage error")
    func noFile() throws {
        let outcome = try CommandLine.run("check")
        #expect(outcome.code == 64 && outcome.errorOutput.contains("<file>"))
    }
}
