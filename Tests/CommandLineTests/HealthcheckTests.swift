import TestSupport
import Testing

@Suite("weir healthcheck", .blocking)
struct HealthcheckTests {
    private func healthcheck(_ environment: [String: String]) throws -> Subprocess.Outcome {
        try CommandLine.run("healthcheck", environment: environment)
    }

    @Test("weir healthcheck exits with 0 while an instance is ready, and with 1 if there is none")
    func readyOrNot() throws {
        let weir = try RunningWeir()
        #expect(try healthcheck(["WEIR_LISTEN": weir.address]).code == 0)
        #expect(try weir.stop() == .code(0))
        let outcome = try healthcheck(["WEIR_LISTEN": weir.address])
        #expect(outcome.code == 1)
        #expect(
            outcome.errorOutput == "weir: not ready: \(weir.address) cannot be reached: Connection refused\n")
    }

    @Test(
        "weir healthcheck probes the loopback address of an instance that listens on all addresses",
        arguments: ["0.0.0.0", "[::]"])
    func anyAddress(_ any: String) throws {
        let weir = try RunningWeir(["--listen", "\(any):0"])
        #expect(try healthcheck(["WEIR_LISTEN": "\(any):\(weir.port)"]).code == 0)
        #expect(try weir.stop() == .code(0))
    }

    @Test("weir healthcheck probes the admin address if there is one, and the environment overrides the file")
    func whichAddress() throws {
        let folder = try TemporaryDirectory()
        let admin = try ScriptedUpstream(answering: .ok())
        let main = try ScriptedUpstream(answering: .status(503))
        let both = try folder.write(
            "listen: \(main.endpoint)\nadmin: { listen: \(admin.endpoint) }", to: "both.yaml")
        #expect(try CommandLine.run("healthcheck", "--config", both).code == 0)
        #expect(admin.requests.first?.target == "/readyz" && main.requestCount == 0)
        let one = try folder.write("listen: \(admin.endpoint)", to: "one.yaml")
        #expect(try CommandLine.run("healthcheck", "--config", one).code == 0)
        let outcome = try CommandLine.run(
            "healthcheck", "--config", one, environment: ["WEIR_ADMIN_LISTEN": "\(main.endpoint)"])
        #expect(outcome.code == 1 && outcome.errorOutput.contains("/readyz at \(main.endpoint) returned 503"))
    }

    @Test("weir healthcheck probes a Unix domain socket")
    func unixSocket() throws {
        let folder = try TemporaryDirectory()
        let address = "unix:\(folder.path("weir.sock"))"
        let weir = try RunningWeir(["--listen", address])
        #expect(weir.address == address)
        #expect(try healthcheck(["WEIR_LISTEN": address]).code == 0)
        #expect(try weir.stop() == .code(0))
        #expect(try healthcheck(["WEIR_LISTEN": address]).code == 1)
    }

    @Test("an instance that is silent or does not speak HTTP is not ready, after at most 2 s")
    func silence() throws {
        let silent = try ScriptedUpstream { _ in }
        let start = ContinuousClock.now
        let outcome = try healthcheck(["WEIR_LISTEN": "\(silent.endpoint)"])
        #expect(outcome.code == 1 && outcome.errorOutput.contains("did not respond in time"))
        #expect(ContinuousClock.now - start < .seconds(20))
        let garbage = try ScriptedUpstream(answering: .raw("SSH-2.0-OpenSSH_9.2\r\n"))
        let other = try healthcheck(["WEIR_LISTEN": "\(garbage.endpoint)"])
        #expect(other.code == 1 && other.errorOutput.contains("does not speak HTTP"))
    }

    @Test("weir healthcheck reports a configuration with mistakes and an unknown port")
    func unknown() throws {
        #expect(try healthcheck(["WEIR_LISTEN": "here"]).errorOutput.hasPrefix("WEIR_LISTEN: 'here' must be"))
        #expect(try healthcheck(["WEIR_LISTEN": "127.0.0.1:0"]).errorOutput.contains("port 0"))
    }
}
