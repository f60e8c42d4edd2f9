import TestSupport
import Testing

/// Who keeps Weir waiting must not keep it busy.
///
/// What counts is the time of a process of its own, whatever runs beside it.
@Suite("a weir whose clients keep it waiting", .blocking)
struct IdleCostTests {
    /// Waits for a second in which `weir` takes less than 3 % of a processor.
    ///
    /// What still happens is over after a while; what goes on for ever is not. A process that spins gets more than that of any machine on
    /// which the tests end.
    private func expectIdle(_ weir: RunningWeir) throws {
        try eventually("a second that costs nothing") {
            let before = try ResourceUse(of: weir.process.processID).processorMilliseconds
            pauseThread(for: .seconds(1))
            return try ResourceUse(of: weir.process.processID).processorMilliseconds - before < 30
        }
    }

    @Test("a stalled TLS handshake uses no CPU")
    func handshake() throws {
        let folder = try TemporaryDirectory()
        let authority = try PrivateAuthority()
        defer { withExtendedLifetime(authority) {} }
        let identity = try authority.issue("server")
        let tls = "{ certificate: '\(identity.certificatePath)', key: '\(identity.keyPath)' }"
        let file = try folder.write("listen: { address: '127.0.0.1:0', tls: \(tls) }\n", to: "weir.yaml")
        let weir = try RunningWeir(["--config", file])
        let client = try RawClient(port: weir.port)
        try client.send([0x16])
        try expectIdle(weir)
        client.close()
        #expect(try weir.stop() == .code(0))
    }

    @Test("a client that was answered from the queue uses no CPU, whether it stays or disconnects")
    func answeredFromTheQueue() throws {
        let folder = try TemporaryDirectory()
        let upstream = try ScriptedUpstream()
        let file = try folder.write(
            """
            providers:
              p:
                profile: generic
                upstream: 'http://\(upstream.endpoint)'
                max_wait: 1s
                limits: [ { requests: 1, per: 500ms, by: provider } ]

            """, to: "weir.yaml")
        let weir = try RunningWeir(["--config", file, "--listen", "127.0.0.1:0"])
        // The provider leaves it without an answer: its slot is not free again.
        let first = try RawClient(port: weir.port)
        try first.request("GET", "/p/first")
        _ = try upstream.expectRequest()
        let client = try RawClient(port: weir.port)
        try client.send("POST /p/second HTTP/1.1\r\nHost: weir\r\nTransfer-Encoding: chunked\r\n\r\n")
        try client.send("5\r\nhello\r\n0\r\n\r\n")
        #expect(try client.readResponse().text.contains("queue_timeout"))
        try expectIdle(weir)
        client.close()
        try expectIdle(weir)
        first.close()
        #expect(try weir.stop() == .code(0))
    }
}
