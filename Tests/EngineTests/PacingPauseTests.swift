import TestSupport
import Testing

@Suite("what a provider's response does to its ledger", .blocking)
struct PacingPauseTests {
    private static let impatient = [("Prefer", "wait=0")]

    private static func provider(_ profile: String, _ upstream: ScriptedUpstream) -> String {
        "providers: { p: { profile: \(profile), upstream: '\(upstream.url)',"
            + " limits: [{ requests: 100, per: 1s, by: provider }] } }"
    }

    @Test("a 429 pauses the ledger for Retry-After; then one probe is sent, and its success opens it")
    func pause() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(Self.provider("generic", upstream), upstreams: [upstream]) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            let fields = [("Retry-After", "1")]
            try upstream.expectRequest().respond(.status(429, fields: fields, body: "slow down"))
            let rejected = try first.readResponse()
            let begun = ContinuousClock.now
            #expect(rejected.code == "rate_limited")
            #expect(rejected.fields["Retry-After"] == "1")
            #expect(
                try proxy.metric(#"weir_provider_rejections_total{provider="p",code="rate_limited"}"#) == 1)
            #expect(try proxy.metric(#"weir_pauses_total{provider="p",reason="rate_limited"}"#) == 1)

            let refused = try proxy.exchange("GET", "/p/1", fields: Self.impatient)
            #expect(refused.code == "throttled")
            #expect(refused.retryAfter > 0 && refused.retryAfter <= 1)

            let waiting = try (2...3).map { index in
                let client = try proxy.client()
                try client.request("GET", "/p/\(index)")
                return client
            }
            let probe = try upstream.expectRequest()
            #expect(begun.duration(to: .now) > .milliseconds(800))
            try eventually("the other one to wait") {
                try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1
            }
            try upstream.expectNoRequest(for: .milliseconds(150))
            try probe.respond(.ok())
            try upstream.expectRequest().respond(.ok())
            for client in waiting { #expect(try client.readResponse().status == 200) }
        }
    }

    @Test(
        "a 429 that says that nothing is left, and no reset, holds a long window until its Retry-After",
        arguments: [
            "{ requests: 1000, per: 24h, by: provider }", "{ requests: 1000, per: day, by: provider }",
        ],
        ["Retry-After: 1\r\n", "Retry-After: 1, 1\r\n", "Retry-After-Ms: 900\r\n", ""])
    func longWindow(limit: String, field: String) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: "limits: [\(limit)]") { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/0")
            let body = field.isEmpty ? #"{"retry_after":1}"# : ""
            try upstream.expectRequest().respond(
                "HTTP/1.1 429 No\r\nX-RateLimit-Limit: 1000\r\nX-RateLimit-Remaining: 0\r\n\(field)"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(try client.readResponse().retryAfter == 1)
            let next = try proxy.client()
            try next.request("GET", "/p/1")
            try upstream.expectRequest().respond(.ok())
            #expect(try next.readResponse().status == 200)
        }
    }

    @Test("a rejected probe pauses the ledger again")
    func secondRefusal() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.status(429, fields: [("Retry-After", "1")], body: "slow down"))
        }
        try withProxy(Self.provider("generic", upstream), upstreams: [upstream]) { proxy in
            for _ in 1...2 {
                let response = try proxy.exchange("GET", "/p/0")
                #expect(response.code == "rate_limited")
            }
            #expect(try proxy.exchange("GET", "/p/2", fields: Self.impatient).code == "throttled")
            #expect(upstream.requestCount == 2)
            #expect(try proxy.metric(#"weir_pauses_total{provider="p",reason="rate_limited"}"#) == 2)
        }
    }

    @Test("lemlist's plan limit of monitoring pauses nothing")
    func monitoring() throws {
        let upstream = try ScriptedUpstream { exchange in
            let fields = [("Retry-After", "2")]
            let answer = ScriptedResponse.status(429, fields: fields, body: "Monitoring limit exceeded")
            try exchange.respond(answer)
        }
        try withProxy(Self.provider("lemlist", upstream), upstreams: [upstream]) { proxy in
            for _ in 1...2 {
                let response = try proxy.exchange("GET", "/p/0", fields: Self.impatient)
                #expect(response.code == "quota_exceeded")
            }
            #expect(upstream.requestCount == 2)
        }
    }

    @Test("lemlist's Retry-After on successful responses has no effect", arguments: [200, 404, 500])
    func retryAfterOnEverything(status: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.status(status, fields: [("Retry-After", "2")], body: "text"))
        }
        try withProxy(Self.provider("lemlist", upstream), upstreams: [upstream]) { proxy in
            for _ in 1...2 {
                let response = try proxy.exchange("GET", "/p/0", fields: Self.impatient)
                #expect(response.status == status)
                #expect((response.fields["Retry-After"] == nil) == (status != 200))
            }
        }
    }

    @Test("a 503 pauses the ledger only with Retry-After", arguments: [true, false])
    func unavailable(isNamed: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.status(503, fields: isNamed ? [("Retry-After", "30")] : []))
        }
        try withProxy(Self.provider("generic", upstream), upstreams: [upstream]) { proxy in
            #expect(try proxy.exchange("GET", "/p/0").code == "provider_unavailable")
            let next = try proxy.exchange("GET", "/p/1", fields: Self.impatient)
            #expect(next.code == (isNamed ? "throttled" : "provider_unavailable"))
        }
    }

    @Test("a 429 pauses the ledger even if its body never ends")
    func stalledRefusal() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.headThenStall(429, fields: [("Retry-After", "30")]))
        }
        let provider =
            "providers: { p: { profile: generic, upstream: '\(upstream.url)', timeouts: { idle: 1s } } }"
        try withProxy(provider, upstreams: [upstream]) { proxy in
            let response = try proxy.exchange("GET", "/p/0")
            #expect(response.status == 429)
            #expect(response.code == "rate_limited")
            #expect(try proxy.exchange("GET", "/p/1", fields: Self.impatient).code == "throttled")
        }
    }
}
