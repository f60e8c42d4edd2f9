import TestSupport
import Testing

@Suite("weir sandbox, and run --sandbox", .blocking)
struct SandboxTests {
    /// The commands that the start-up message ends with.
    private func commands(in message: String) -> [Substring] {
        message.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("  #") }
    }

    private func shell(_ command: Substring) throws -> String {
        try Subprocess.run("sh", ["-c", String(command)]).output
    }

    @Test("run --sandbox prints commands, and each of them shows what it promises")
    func pastedCommands() throws {
        let weir = try RunningWeir(["--sandbox", "--listen", "127.0.0.1:0"])
        try weir.process.waitForOutput(containing: "weir_provider_rejections")
        let commands = commands(in: weir.process.errorOutput)
        try #require(commands.count == 5)
        let success = try shell(commands[0])
        #expect(success.hasPrefix("HTTP/1.1 200 OK\r\n") && success.contains("cam_"))
        let failure = try shell(commands[1])
        #expect(failure.contains(#""code":"permission_denied""#) && failure.contains(#""detail":"Bad team""#))
        #expect(try shell(commands[2]).split(separator: " ").joined(separator: " ") == "50 200\n")
        #expect(try shell(commands[3]).contains(##""pointer":"#/to/0","code":"invalid_format""##))
        let rejections = try shell(commands[4]).split(separator: "\n")
        #expect(rejections.count == 4 && rejections.allSatisfy { $0.hasSuffix(" 0") })
        #expect(try weir.stop() == .code(0))
    }

    @Test("run --sandbox lists providers that are not simulated, and sends no configured key to the sandbox")
    func mixed() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            """
            providers:
              lemlist: { credential: the-real-key }
              other: { profile: generic, upstream: 'http://127.0.0.1:9' }
            """, to: "weir.yaml")
        let weir = try RunningWeir(["--sandbox", "--config", file, "--listen", "127.0.0.1:0"])
        try weir.process.waitForOutput(containing: "weir_provider_rejections")
        #expect(weir.process.errorOutput.contains("Not simulated, requests go to the real API: other"))
        #expect(try weir.get("/lemlist/team").status == 200)
        #expect(try weir.stop() == .code(0))
        #expect(!weir.process.errorOutput.contains("the-real-key"))
    }

    @Test("weir sandbox prints its addresses and keys, and its counters at the end")
    func alone() throws {
        let process = try CommandLine.start("sandbox", "--listen", "127.0.0.1:0")
        try process.waitForOutput(containing: "X-Sandbox-Case")
        let words = process.errorOutput.split(whereSeparator: \.isWhitespace)
        let url = try #require(
            words.first { $0.hasPrefix("http://127.0.0.1:") && $0.hasSuffix("/lemlist/api") })
        #expect(try shell("curl -s -u :lemlist_demo \(url)/team").contains("Weir sandbox"))
        process.send(.terminate)
        #expect(try process.waitForExit() == .code(0))
        #expect(process.errorOutput.contains("lemlist: 1 request, 0 rejected"))
    }

    @Test("weir sandbox exits with 69 for a port in use, and with a usage error for an invalid address")
    func addresses() throws {
        let taken = try ScriptedUpstream()
        let outcome = try CommandLine.run("sandbox", "--listen", "127.0.0.1:\(taken.port)")
        #expect(outcome.code == 69 && outcome.errorLines.count == 1)
        #expect(outcome.errorOutput.contains("Address already in use"))
        for address in ["here", "unix:/tmp/weir-sandbox.sock"] {
            #expect(try CommandLine.run("sandbox", "--listen", address).code == 64)
        }
    }
}
