import TestSupport
import Testing

@Suite("weir run with a credential in a file", .blocking)
struct CredentialReloadTests {
    private static func used(_ upstream: ScriptedUpstream) -> [String] {
        upstream.requests.map { $0.fields["Authorization"] ?? "" }
    }

    @Test(
        "a file beside the configuration is used for the next request, and the reload that follows changes nothing"
    )
    func nextRequest() throws {
        let folder = try TemporaryDirectory()
        let upstream = try ScriptedUpstream(answering: .ok())
        try folder.write("key-11111111\n", to: "key")
        let file = try folder.write(
            "providers: { p: { profile: generic, upstream: '\(upstream.url)', credential: '${file:key}' } }",
            to: "weir.yaml")
        let weir = try RunningWeir(["--config", file, "--listen", "127.0.0.1:0"])
        #expect(try weir.get("/p/x").status == 200)
        try folder.write("key-22222222\n", to: "next")
        #expect(try Subprocess.run("mv", [folder.path("next"), folder.path("key")]).exit == .code(0))
        #expect(try weir.get("/p/x").status == 200)
        #expect(Self.used(upstream) == ["Bearer key-11111111", "Bearer key-22222222"])
        try weir.process.waitForOutput(containing: "configuration reloaded", within: .seconds(60))
        #expect(try weir.get("/-/credentials").text.contains(#""state":"accepted""#))
        #expect(try weir.get("/p/x").status == 200)
        #expect(Self.used(upstream).last == "Bearer key-22222222")
        #expect(!weir.process.errorOutput.contains("key-"))
        #expect(try weir.stop() == .code(0))
    }
}
