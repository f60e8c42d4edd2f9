import TestSupport
import Testing

@Suite("weir run --config, when the file changes", .blocking)
struct ReloadTests {
    private static let reloaded = #""message":"configuration reloaded""#
    private static let refused =
        #""message":"configuration reload failed; the previous configuration stays in force""#

    /// A folder with a configuration, and the instance that runs with it.
    private struct Setting {
        let folder: TemporaryDirectory
        let weir: RunningWeir

        init(_ text: String, file: String = "weir.yaml") throws {
            folder = try TemporaryDirectory()
            try folder.write(text, to: file)
            weir = try RunningWeir(["--config", folder.path(file), "--listen", "127.0.0.1:0"])
        }

        /// Waits until `GET` of a target has this status.
        func expect(_ status: Int, of target: String) throws {
            try eventually("\(target) to be \(status)", within: .seconds(30), every: .milliseconds(20)) {
                try weir.get(target).status == status
            }
        }

        /// Sends SIGHUP, and waits for the line that says what came of it.
        func reload(expecting text: String) throws {
            let before = lines(with: text)
            weir.process.send(.hangUp)
            try eventually("a line with \(text)", within: .seconds(30)) { lines(with: text) > before }
        }

        func lines(with text: String) -> Int {
            weir.process.errorOutput.split(separator: "\n").count { $0.contains(text) }
        }

        func metric(_ series: String) throws -> String? {
            try weir.get("/metrics").text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
                .map { String($0.dropFirst(series.count + 1)) }
        }

        func stop() throws { #expect(try weir.stop() == .code(0)) }
    }

    /// A provider at `/NAME`, without watching unless said.
    private static func text(
        _ name: String, _ upstream: ScriptedUpstream, _ more: String = "", watch: String = "off"
    ) -> String {
        """
        reload: { on_change: \(watch) }
        providers:
          \(name): { profile: generic, upstream: '\(upstream.url)'\(more.isEmpty ? "" : ", \(more)") }

        """
    }

    @Test(
        "SIGHUP applies a new mount, new limits and a key from a secret's file, and a full window stays full")
    func signal() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let limits = "max_wait: 0s, limits: [{ requests: 2, per: 60s }]"
        let setting = try Setting(Self.text("a", upstream, limits))
        #expect(try setting.weir.get("/a/1").status == 200)
        try setting.folder.write("s3cret\n", to: "key")
        try setting.folder.write(
            Self.text("a", upstream, "mount: /b, credential: '${file:key}', \(limits)"), to: "weir.yaml")
        try setting.reload(expecting: Self.reloaded)
        try setting.expect(200, of: "/b/2")
        #expect(upstream.requests.last?.fields["Authorization"] == "Bearer s3cret")
        #expect(try setting.weir.get("/b/3").status == 429)
        #expect(try setting.weir.get("/a/4").status == 404)
        try setting.folder.write("0ther\n", to: "key")
        try setting.folder.write(
            Self.text(
                "a", upstream,
                "mount: /b, credential: '${file:key}', max_wait: 0s, limits: [{ requests: 3, per: 60s }]"),
            to: "weir.yaml")
        try setting.reload(expecting: Self.reloaded)
        try setting.expect(200, of: "/b/5")
        #expect(upstream.requests.last?.fields["Authorization"] == "Bearer 0ther")
        #expect(try setting.weir.get("/b/6").status == 429)
        #expect(upstream.requestCount == 3)
        try setting.reload(expecting: "configuration unchanged")
        #expect(try setting.metric(#"weir_config_reloads_total{result="success"}"#) == "3")
        try setting.stop()
        #expect(!setting.weir.process.errorOutput.contains("0ther"))
    }

    @Test("a file with mistakes changes nothing and is reported in one line; a corrected file is applied")
    func mistakes() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let good = Self.text("a", upstream)
        let setting = try Setting(good)
        let mistakes = [
            good + "colour: blue\nworkers: many\n": ["4:1: colour: unknown key", "5:10: workers: 'many'"],
            Self.text("b", upstream, "credential: '${file:nothing}'"): ["3:"],
            "listen: [": ["is not YAML"],
            " \n": ["is empty"],
        ]
        for (text, expected) in mistakes {
            try setting.folder.write(text, to: "weir.yaml")
            try setting.reload(expecting: Self.refused)
            let line = setting.weir.process.errorOutput.split(separator: "\n").last {
                $0.contains(Self.refused)
            }
            #expect(line?.contains(#""level":"error""#) == true)
            for mistake in expected { #expect(line?.contains(mistake) == true, "\(mistake)") }
            #expect(try setting.weir.get("/a/x").status == 200)
            #expect(try setting.metric("weir_config_last_reload_successful") == "0")
            #expect(try setting.weir.get("/-/").text.contains("the file has mistakes"))
        }
        #expect(try setting.metric(#"weir_config_reloads_total{result="failure"}"#) == "4")
        try setting.folder.write(good, to: "weir.yaml")
        try setting.reload(expecting: "configuration unchanged")
        #expect(try setting.metric("weir_config_last_reload_successful") == "1")
        try setting.stop()
    }

    @Test("changes that need a restart are reported by key, and all others are applied")
    func restart() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let setting = try Setting(Self.text("a", upstream))
        try setting.folder.write(
            Self.text("b", upstream) + "admin: { listen: 127.0.0.1:0 }\n", to: "weir.yaml")
        try setting.reload(expecting: #""keys":["admin.listen"]"#)
        try setting.expect(200, of: "/b/x")
        #expect(try setting.weir.get("/-/").text.contains("<code>admin.listen</code>"))
        try setting.stop()
    }

    @Test(
        "a change is reloaded automatically, whether the file is written in place, renamed over, or a link is replaced"
    )
    func updateStyles() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let folder = try TemporaryDirectory()
        // As Kubernetes mounts a ConfigMap: weir.yaml -> ..data/weir.yaml, ..data -> ..1.
        func version(_ number: Int, _ name: String) throws {
            try run("mkdir", folder.path("..\(number)"))
            try folder.write(Self.text(name, upstream, watch: "on"), to: "..\(number)/weir.yaml")
            try run("ln", "-sfn", "..\(number)", folder.path("..next"))
            try run("mv", "-T", folder.path("..next"), folder.path("..data"))
        }
        try version(1, "a")
        try run("ln", "-s", "..data/weir.yaml", folder.path("weir.yaml"))
        let weir = try RunningWeir(["--config", folder.path("weir.yaml"), "--listen", "127.0.0.1:0"])
        func expectProvider(_ name: String) throws {
            try eventually("/\(name)/ to be served", within: .seconds(30), every: .milliseconds(20)) {
                try weir.get("/\(name)/x").status == 200
            }
        }
        try expectProvider("a")
        try version(2, "b")
        try expectProvider("b")
        try folder.write(Self.text("c", upstream, watch: "on"), to: "..2/weir.yaml")
        try expectProvider("c")
        try folder.write(Self.text("d", upstream, watch: "on"), to: "new.yaml")
        try run("mv", folder.path("new.yaml"), folder.path("weir.yaml"))
        try expectProvider("d")
        // The same bytes in another file are no change; a mistake is told once, and not again at each look.
        try folder.write(Self.text("d", upstream, watch: "on"), to: "new.yaml")
        try run("mv", folder.path("new.yaml"), folder.path("weir.yaml"))
        try folder.write("colour: blue", to: "new.yaml")
        try run("mv", folder.path("new.yaml"), folder.path("weir.yaml"))
        try weir.process.waitForOutput(containing: Self.refused, within: .seconds(30))
        // A file that is gone for a while is a mistake as well.
        try run("rm", folder.path("weir.yaml"))
        try weir.process.waitForOutput(containing: "No such file", within: .seconds(30))
        try folder.write(Self.text("e", upstream, watch: "off"), to: "weir.yaml")
        try expectProvider("e")
        #expect(try weir.stop() == .code(0))
        let lines = weir.process.errorOutput.split(separator: "\n")
        #expect(lines.count { $0.contains(Self.reloaded) } == 4)
        #expect(lines.count { $0.contains(Self.refused) } == 2)
    }

    @Test("changes of a secret and of a profile that the file names are reloaded automatically")
    func namedFiles() throws {
        let upstream = try ScriptedUpstream(answering: .status(400, body: "odd"))
        let folder = try TemporaryDirectory()
        func profile(_ code: String) -> String {
            """
            name: mine
            credential: { sent_as: header X-Key }
            rules: [{ name: odd, when: { status: 400 }, is: \(code) }]

            """
        }
        try folder.write(profile("conflict"), to: "mine.yaml")
        try folder.write("one", to: "key")
        try folder.write(
            "providers: { a: { profile: ./mine.yaml, upstream: '\(upstream.url)', credential: '${file:key}' } }",
            to: "weir.yaml")
        let check = try CommandLine.run("check", folder.path("weir.yaml"))
        try #require(check.code == 0, "\(check.errorOutput)")
        let weir = try RunningWeir(["--config", folder.path("weir.yaml"), "--listen", "127.0.0.1:0"])
        #expect(try weir.get("/a/x").fields["X-Error-Code"] == "conflict")
        try folder.write(profile("gone"), to: "mine.yaml")
        try eventually("the new profile", within: .seconds(30), every: .milliseconds(20)) {
            try weir.get("/a/x").fields["X-Error-Code"] == "gone"
        }
        try folder.write("two", to: "key")
        try eventually("the new key", within: .seconds(30), every: .milliseconds(20)) {
            _ = try weir.get("/a/x")
            return upstream.requests.last?.fields["X-Key"] == "two"
        }
        #expect(try weir.stop() == .code(0))
    }

    @Test("with on_change off, a change is applied only after a signal")
    func off() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let setting = try Setting(Self.text("a", upstream))
        try setting.folder.write(Self.text("b", upstream), to: "weir.yaml")
        // Longer than a look and its settling would take.
        pauseThread(for: .milliseconds(1800))
        #expect(try setting.weir.get("/a/x").status == 200)
        try setting.reload(expecting: Self.reloaded)
        try setting.expect(200, of: "/b/x")
        try setting.stop()
    }

    @Test("SIGHUP without a file is logged, and with standard input it changes nothing")
    func withoutFile() throws {
        let weir = try RunningWeir()
        weir.process.send(.hangUp)
        try weir.process.waitForOutput(containing: "nothing to reload")
        #expect(try weir.get("/readyz").status == 200)
        #expect(try weir.stop() == .code(0))

        let piped = try Subprocess(
            WeirBinary.path, ["run", "--config", "-"], environment: ["WEIR_LISTEN": "127.0.0.1:0"],
            input: Array("providers: { a: { upstream: 'http://127.0.0.1:9' } }".utf8))
        try piped.waitForOutput(containing: #""message":"listening""#)
        piped.send(.hangUp)
        try piped.waitForOutput(containing: "configuration unchanged")
        piped.send(.terminate)
        #expect(try piped.waitForExit() == .code(0))
    }

    @Test("requests in flight survive a reload that is followed by a shutdown")
    func drain() throws {
        let upstream = try ScriptedUpstream()
        let setting = try Setting(Self.text("a", upstream))
        let client = try RawClient(port: setting.weir.port)
        try client.request("GET", "/a/x")
        let exchange = try upstream.expectRequest()
        try setting.folder.write(Self.text("b", upstream), to: "weir.yaml")
        setting.weir.process.send(.hangUp)
        setting.weir.process.send(.terminate)
        try setting.weir.process.waitForOutput(containing: #""message":"draining""#)
        try exchange.respond(.ok("done"))
        #expect(try client.readResponse().text == "done")
        #expect(try setting.weir.process.waitForExit() == .code(0))
    }

    @Test("the process may open as many files as the hard limit allows")
    func openFiles() throws {
        let program = try WeirBinary.path
        let process = try Subprocess(
            "sh", ["-c", "ulimit -Sn 200 && ulimit -Hn 3000 && exec \"$0\" --listen 127.0.0.1:0", program],
            environment: ["WEIR_WORKERS": "1"])
        try process.waitForOutput(containing: #""message":"listening""#)
        let limits = try Subprocess.run("cat", ["/proc/\(process.processID)/limits"]).output
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
        #expect(line.split(separator: " ").dropFirst(3).first == "3000")
        process.send(.terminate)
        #expect(try process.waitForExit() == .code(0))
    }

    private func run(_ program: String, _ arguments: String...) throws {
        let outcome = try Subprocess.run(program, arguments)
        try #require(outcome.code == 0, "\(outcome.errorOutput)")
    }
}
