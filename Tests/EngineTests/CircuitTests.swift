import TestSupport
import Testing

@Suite("a provider that fails, behind a circuit breaker", .blocking)
struct CircuitTests {
    private static let state = #"weir_circuit_state{provider="p"}"#
    private static let depth = #"weir_queue_depth{provider="p"}"#

    @Test("a provider behind an open circuit gets no requests", arguments: [1, 2])
    func opens(workers: Int) throws {
        let upstream = try ScriptedUpstream(answering: .status(500))
        let settings = "circuit_breaker: { minimum: 4, open_for: 1h }"
        try withProxy(to: upstream, provider: settings, workers: workers) { proxy throws in
            #expect(try proxy.metric(Self.state) == 0)
            for _ in 1...4 { #expect(try proxy.exchange("GET", "/p/x").code == "provider_error") }
            let refused = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(refused.status == 503)
            #expect(refused.code == "circuit_open")
            #expect(refused.problem["retryable"] == "true" && refused.problem["effect"] == "none")
            #expect(refused.problem["attempts"] == nil)
            #expect(refused.retryAfter > 0 && refused.retryAfter <= 3600)
            #expect(upstream.requestCount == 4)
            #expect(try proxy.metric(Self.state) == 2)
            #expect(try proxy.exchange("GET", "/-/").text.contains("circuit open"))
        }
    }

    @Test("queued requests fail when the circuit opens", arguments: ["0", "1"])
    func queued(retries: String) throws {
        let upstream = try ScriptedUpstream()
        let settings =
            "circuit_breaker: { minimum: 2, open_for: 1h }, limits: [{ requests: 2, per: 2s, by: provider }],"
            + " max_wait: 60s, retries: { max: \(retries), base: 1ms }"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            let clients = try (1...5).map { _ in
                let client = try proxy.client()
                try client.request("GET", "/p/x")
                return client
            }
            let sent = try (1...2).map { _ in try upstream.expectRequest() }
            try eventually("the others to wait") { try proxy.metric(Self.depth) == 3 }
            for exchange in sent { try exchange.respond(.status(500)) }
            let codes = try clients.map { try $0.readResponse().code }
            #expect(codes.count { $0 == "provider_error" } == 2)
            #expect(codes.count { $0 == "circuit_open" } == 3)
            #expect(upstream.requestCount == 2)
        }
    }

    @Test("a half-open circuit sends its probe even if it had to wait for a slot")
    func queuedProbe() throws {
        let upstream = try ScriptedUpstream()
        let settings =
            "circuit_breaker: { minimum: 1, open_for: 100ms }, max_wait: 60s,"
            + " limits: [{ requests: 1, per: 1s, by: provider }]"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            try upstream.expectRequest().respond(.status(500))
            #expect(try client.readResponse().code == "provider_error")
            try eventually("the circuit to be half open") { try proxy.metric(Self.state) == 1 }
            try client.request("GET", "/p/probe")
            try upstream.expectRequest().respond(.ok())
            #expect(try client.readResponse().status == 200)
            #expect(try proxy.metric(Self.state) == 0)
        }
    }

    @Test("a reload that changes the provider closes its circuit, and no other reload does")
    func reload() throws {
        let upstream = try ScriptedUpstream(answering: .status(500))
        func yaml(_ more: String) -> String {
            let settings = "circuit_breaker: { minimum: 1, open_for: 1h }\(more)"
            return "listen: 127.0.0.1:0\nworkers: 1\n"
                + "providers: { p: { profile: generic, upstream: '\(upstream.url)', \(settings) } }"
        }
        let proxy = try ProxyFixture(yaml: yaml(""))
        defer { proxy.stop() }
        #expect(try proxy.exchange("GET", "/p/x").code == "provider_error")
        try proxy.reload(yaml: yaml("") + "\nlog: { access: off }")
        #expect(try proxy.exchange("GET", "/p/x").code == "circuit_open")
        try proxy.reload(yaml: yaml(", max_wait: 1s"))
        // The worker takes it at its own time.
        try eventually("the provider to be tried again") {
            try proxy.exchange("GET", "/p/x").code == "provider_error"
        }
        #expect(upstream.requestCount == 2)
    }

    @Test("an open circuit sends one probe after a while, and all requests once it succeeds")
    func recovers() throws {
        let upstream = try ScriptedUpstream()
        let settings = "circuit_breaker: { minimum: 1, open_for: 200ms }, timeouts: { response: 10s }"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            try upstream.expectRequest().reset()
            #expect(try client.readResponse().code == "connection_lost")
            try eventually("the circuit to be half open") { try proxy.metric(Self.state) == 1 }

            try client.request("GET", "/p/probe")
            let probe = try upstream.expectRequest()
            #expect(probe.request.target == "/probe")
            #expect(try proxy.exchange("GET", "/p/x").code == "circuit_open")
            try probe.respond(.status(404))
            #expect(try client.readResponse().code == "not_found")
            #expect(try proxy.metric(Self.state) == 0)

            try client.request("GET", "/p/x")
            try upstream.expectRequest().respond(.ok())
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test("a half-open circuit allows another probe after the first client disconnects")
    func lostProbe() throws {
        let upstream = try ScriptedUpstream()
        let settings = "circuit_breaker: { minimum: 1, open_for: 200ms }"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            try upstream.expectRequest().respond(.status(503))
            #expect(try client.readResponse().code == "provider_unavailable")
            try eventually("the circuit to be half open") { try proxy.metric(Self.state) == 1 }
            try client.request("GET", "/p/probe")
            _ = try upstream.expectRequest()
            client.reset()
            try proxy.expectNothingInFlight()
            let next = try proxy.client()
            try next.request("GET", "/p/probe")
            try upstream.expectRequest().respond(.ok())
            #expect(try next.readResponse().status == 200)
            #expect(try proxy.metric(Self.state) == 0)
        }
    }

    @Test("an open circuit prevents retries, and the failure is reported")
    func retries() throws {
        let upstream = try ScriptedUpstream(answering: .status(503))
        let settings = "circuit_breaker: { minimum: 2, open_for: 1h }, retries: { max: 5, base: 1ms }"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.code == "provider_unavailable")
            #expect(response.problem["attempts"] == "2")
            #expect(upstream.requestCount == 2)
        }
    }

    @Test("a provider without a circuit breaker gets all requests")
    func off() throws {
        let upstream = try ScriptedUpstream(answering: .status(500))
        try withProxy(to: upstream) { proxy throws in
            for _ in 1...25 { #expect(try proxy.exchange("GET", "/p/x").code == "provider_error") }
            #expect(try proxy.metric(Self.state) == 0)
        }
    }
}
