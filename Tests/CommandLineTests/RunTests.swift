import TestSupport
import Testing

@Suite("weir run", .blocking)
struct RunTests {
    @Test(
        "weir run without a file serves lemlist and Lettr, reports that only in its log, and exits with 0 when signalled"
    )
    func defaults() throws {
        let weir = try RunningWeir()
        #expect(try weir.get("/readyz").status == 200)
        #expect(try weir.get("/nowhere").status == 404)
        #expect(try weir.stop() == .code(0))
        let lines = weir.process.errorOutput.split(separator: "\n")
        #expect(weir.process.output.isEmpty && lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        for provider in ["lemlist", "lettr"] {
            #expect(
                lines.contains { $0.contains(#""provider":"\#(provider)""#) && $0.contains(#""limits":""#) })
        }
        #expect(lines.last?.contains(#""message":"stopped""#) == true)
    }

    @Test("weir run is the default command")
    func defaultCommand() throws {
        let process = try CommandLine.start("--listen", "127.0.0.1:0")
        try process.waitForOutput(containing: #""message":"listening""#)
        process.send(.interrupt)
        #expect(try process.waitForExit() == .code(0))
    }

    @Test("--provider names providers in place of a file")
    func namedProviders() throws {
        let upstream = try ScriptedUpstream(answering: .ok("{}"))
        let weir = try RunningWeir([
            "--listen", "127.0.0.1:0", "--provider", "lettr", "--provider", "mine=\(upstream.url)",
        ])
        #expect(try weir.get("/mine/x").status == 200)
        #expect(try weir.get("/lemlist/x").status == 404)
        #expect(try weir.stop() == .code(0))
    }

    @Test(
        "a --provider that cannot be is one line and a code",
        arguments: [
            (
                ["--provider", "strip"], Int32(1),
                "--provider:2:12: providers.strip: needs `upstream`: there is no profile 'strip'"
            ),
            (["--provider", "Stripe"], 1, "a provider's name"),
            (["--provider", "x=ftp://y"], 1, "must begin with http"),
            (["--provider", "x='"], 1, "providers.x.upstream"),
            (["--provider", "lettr", "--provider", "lettr"], 1, "providers.lettr: duplicate key"),
            (["--provider", "lettr", "--config", "/nowhere"], 64, "--provider is for runs without --config"),
        ])
    func wrongProviders(arguments: [String], code: Int32, expected: String) throws {
        let outcome = try CommandLine.run(["run", "--listen", "127.0.0.1:0"] + arguments)
        #expect(outcome.code == code && outcome.errorOutput.contains(expected), "\(outcome.errorOutput)")
    }

    @Test("flags win over the environment, the environment wins over the file")
    func precedence() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("listen: 127.0.0.2:0", to: "weir.yaml")
        let byFile = try RunningWeir(["--config", file])
        #expect(byFile.address.hasPrefix("127.0.0.2:"))
        let environment = ["WEIR_LISTEN": "127.0.0.3:0"]
        let byEnvironment = try RunningWeir(["--config", file], environment: environment)
        #expect(byEnvironment.address.hasPrefix("127.0.0.3:"))
        let byFlag = try RunningWeir(
            ["--config", file, "--listen", "127.0.0.4:0"], environment: environment)
        #expect(byFlag.address.hasPrefix("127.0.0.4:"))
        for weir in [byFile, byEnvironment, byFlag] { #expect(try weir.stop() == .code(0)) }
    }

    @Test("a port in use is reported in one line with exit code 69, on any address", arguments: ["2", "1"])
    func portInUse(workers: String) throws {
        let taken = try ScriptedUpstream()
        for flag in ["--listen", "--admin-listen"] {
            let other = flag == "--listen" ? "--admin-listen" : "--listen"
            let outcome = try CommandLine.run(
                "run", flag, "127.0.0.1:\(taken.port)", other, "127.0.0.1:0", "--workers", workers)
            #expect(outcome.code == 69 && outcome.output.isEmpty)
            #expect(
                outcome.errorOutput
                    == "weir: cannot listen on 127.0.0.1:\(taken.port): Address already in use\n")
        }
    }

    @Test("an address of another machine is reported in one line with exit code 69")
    func foreignAddress() throws {
        let outcome = try CommandLine.run("run", "--listen", "203.0.113.1:0")
        #expect(outcome.code == 69 && outcome.errorLines.count == 1)
        #expect(outcome.errorOutput.contains("203.0.113.1:0: Cannot assign requested address"))
    }

    @Test("an invalid or unreadable configuration is reported with exit code 1")
    func invalidConfiguration() throws {
        let missing = try CommandLine.run("run", "--config", "/nonexistent/weir.yaml")
        #expect(missing.code == 1 && missing.errorLines.count == 1)
        let folder = try TemporaryDirectory()
        let file = try folder.write("colour: blue", to: "weir.yaml")
        let outcome = try CommandLine.run("run", "--config", file)
        #expect(outcome.code == 1 && outcome.errorOutput.hasPrefix("\(file):1:1: colour: unknown key"))
        let flag = try CommandLine.run("run", "--workers", "many")
        #expect(flag.code == 1 && flag.errorOutput.hasPrefix("--workers: 'many' must be"))
        let variable = try CommandLine.run("run", environment: ["WEIR_LISTEN": "here"])
        #expect(variable.code == 1 && variable.errorOutput.hasPrefix("WEIR_LISTEN: 'here' must be"))
    }

    @Test("weir run uses the proxy from the environment, unless no_proxy names the provider")
    func environmentProxy() throws {
        let clean = Dictionary(
            uniqueKeysWithValues: ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].flatMap {
                [($0, ""), ($0.uppercased(), "")]
            })
        let nginx = try Nginx(hosts: ["provider.example"])
        let upstream = try ScriptedUpstream(answering: .ok())
        let folder = try TemporaryDirectory()
        for (scheme, port) in [("https", nginx.port), ("http", upstream.port)] {
            let url = "\(scheme)://provider.example:\(port)"
            let trust = nginx.authority.trust
            let more = scheme == "https" ? ", \(trust)" : ""
            let file = try folder.write(
                "providers: { p: { profile: generic, upstream: '\(url)'\(more) } }", to: "weir.yaml")
            let names = [scheme.uppercased() + "_PROXY", scheme + "_proxy", "ALL_PROXY"]
            for (name, excepted) in names.flatMap({ [($0, ""), ($0, "other.example,.example")] }) {
                let proxy = try TunnelProxy()
                var environment = clean
                environment[name] = "http://127.0.0.1:\(proxy.port)"
                environment["NO_PROXY"] = excepted
                let weir = try RunningWeir(
                    ["--config", file, "--listen", "127.0.0.1:0"], environment: environment)
                let response = try weir.get("/p/x")
                #expect(response.status == (excepted.isEmpty ? 200 : 502), "\(name) \(excepted)")
                #expect(proxy.requests.count == (excepted.isEmpty ? 1 : 0))
                #expect(try weir.stop() == .code(0))
            }
        }
    }

    @Test("an unknown flag or command is a usage error")
    func usage() throws {
        #expect(try CommandLine.run("--sandbx").code == 64)
        #expect(try CommandLine.run("explode").code == 64)
    }

    @Test("--version names Weir, Swift and both libraries")
    func version() throws {
        let outcome = try CommandLine.run("--version")
        #expect(outcome.code == 0 && outcome.output.hasPrefix("weir "))
        for name in ["Swift 6", "libcurl ", "libmicrohttpd "] { #expect(outcome.output.contains(name)) }
    }

    @Test("weir run finishes requests in flight on a signal; a second Ctrl-C ends it at once")
    func secondInterrupt() throws {
        let silent = try ScriptedUpstream()
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            "providers: { slow: { profile: generic, upstream: '\(silent.url)' } }", to: "weir.yaml")
        let weir = try RunningWeir(["--config", file, "--listen", "127.0.0.1:0"])
        let client = try RawClient(port: weir.port)
        try client.request("GET", "/slow/")
        let exchange = try silent.expectRequest()
        weir.process.send(.interrupt)
        try weir.process.waitForOutput(containing: #""message":"draining""#)
        #expect(weir.process.isRunning)
        weir.process.send(.interrupt)
        #expect(try weir.process.waitForExit() == .signal(Subprocess.Signal.interrupt.number))
        withExtendedLifetime(exchange) {}
    }

    @Test("weir run prints text for people, not JSON, on a terminal")
    func terminal() throws {
        let program = try WeirBinary.path
        let process = try Subprocess(
            "python3", ["-c", "import pty, sys; pty.spawn(sys.argv[1:])", program, "--listen", "127.0.0.1:0"])
        try process.waitForOutput(containing: "by credential")
        #expect(process.output.contains("listens on 127.0.0.1:") && !process.output.contains("{"))
    }

    @Test("weir run drains when its terminal is closed")
    func closedTerminal() throws {
        let script = """
            import os, pty, sys
            child, terminal = pty.fork()
            if child == 0: os.execv(sys.argv[1], ["weir", "--listen", "127.0.0.1:0"])
            while b"by credential" not in os.read(terminal, 65536): pass
            os.close(terminal)
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            """
        let outcome = try Subprocess.run("python3", ["-c", script, WeirBinary.path], within: .seconds(60))
        #expect(outcome.code == 0)
    }
}
