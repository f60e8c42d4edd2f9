import TestSupport
import Testing

@Suite("commands and an instance that requires a token", .blocking)
struct AccessTokenTests {
    private static let token = "token-of-the-callers"

    /// Starts an instance with these keys, which changes with its file.
    private func start(_ settings: String, in folder: TemporaryDirectory) throws -> RunningWeir {
        let file = try folder.write("listen: 127.0.0.1:0\n\(settings)\n", to: "weir.yaml")
        return try RunningWeir(["--config", file])
    }

    @Test("weir healthcheck needs no token")
    func healthcheck() throws {
        let folder = try TemporaryDirectory()
        let weir = try start("access: { token: \(Self.token) }", in: folder)
        let outcome = try CommandLine.run(
            "healthcheck", "--config", folder.path("weir.yaml"), environment: ["WEIR_LISTEN": weir.address])
        #expect(outcome.code == 0, "\(outcome.errorOutput)")
        #expect(try weir.stop() == .code(0))
    }

    @Test(
        "weir profile suggest --from presents the token of WEIR_TOKEN, and says so where it is missing or wrong"
    )
    func suggest() throws {
        let weir = try start("access: { token: \(Self.token) }", in: try TemporaryDirectory())
        func suggest(_ token: String) throws -> Subprocess.Outcome {
            try CommandLine.run(
                "profile", "suggest", "--from", "http://\(weir.address)", environment: ["WEIR_TOKEN": token])
        }
        for token in ["", "token-of-somebody-else"] {
            let outcome = try suggest(token)
            #expect(outcome.code == 1 && outcome.errorOutput.contains("returned 403; WEIR_TOKEN must be"))
        }
        #expect(try suggest("two\r\nfields: x").errorOutput.contains("visible ASCII"))
        #expect(try !suggest(Self.token).errorOutput.contains("403"))
        #expect(try weir.stop() == .code(0))
    }

    @Test("a reload applies the log level of the file, unless a flag has set it")
    func level() throws {
        let folder = try TemporaryDirectory()
        let weir = try start("log: { level: notice }\nreload: { on_change: off }", in: folder)
        func level() throws -> String { try weir.get("/-/log-level").text }
        #expect(try level() == #"{"level":"notice"}"#)
        try folder.write("listen: 127.0.0.1:0\nlog: { level: debug }\n", to: "weir.yaml")
        weir.process.send(.hangUp)
        try eventually("the level of the file") { try level() == #"{"level":"debug"}"# }
        #expect(try weir.stop() == .code(0))
    }
}
