import TestSupport
import Testing

@Suite("retry_after of a provider's refusal", .blocking)
struct RetryPromiseTests {
    private static let impatient = [("Prefer", "wait=0")]

    private func withLimit(
        _ limit: String, settings: String = "", _ body: (ProxyFixture, ScriptedUpstream) throws -> Void
    ) throws {
        let upstream = try ScriptedUpstream()
        let providers =
            "providers: { p: { profile: generic, upstream: '\(upstream.url)', limits: [\(limit)] } }"
        try withProxy(providers, upstreams: [upstream], settings: settings) { try body($0, upstream) }
    }

    /// Sends a request that is refused by the provider in this way; returns what the client is told.
    private func refusal(
        _ proxy: ProxyFixture, _ upstream: ScriptedUpstream, status: Int = 429, _ fields: [(String, String)]
    ) throws -> RawResponse {
        let client = try proxy.client()
        try client.request("GET", "/p/a", fields: Self.impatient)
        try upstream.expectRequest().respond(.status(status, fields: fields, body: "slow down"))
        return try client.readResponse()
    }

    /// A request that comes after so many seconds and waits for nothing is let through.
    private func expectAdmission(after seconds: Double, _ proxy: ProxyFixture, _ upstream: ScriptedUpstream)
        throws
    {
        pauseThread(for: .seconds(seconds))
        let client = try proxy.client()
        try client.request("GET", "/p/a", fields: Self.impatient)
        try upstream.expectRequest().respond(.ok())
        #expect(try client.readResponse().status == 200)
    }

    @Test(
        "retry_after is the provider's reset, and a request at that time is sent, however large the window is",
        arguments: [
            "{ requests: 1000, per: 24h, by: provider }", "{ requests: 1000, per: day, by: provider }",
            "{ requests: 5000, per: month, by: provider }", "{ requests: 257, per: 1h, by: provider }",
        ], ["X-RateLimit-Remaining", "RateLimit"])
    func coarseWindow(limit: String, dialect: String) throws {
        try withLimit(limit) { proxy, upstream in
            let fields =
                dialect == "RateLimit"
                ? [("RateLimit", "\"a\";r=0;t=1"), ("Retry-After", "1")]
                : [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1")]
            let refused = try refusal(proxy, upstream, fields)
            #expect(refused.code == "rate_limited" && refused.retryAfter == 1)
            try expectAdmission(after: refused.retryAfter, proxy, upstream)
        }
    }

    @Test(
        "retry_after is later than the provider's if Weir would reject a request before",
        arguments: [429, 503])
    func ownSlots(status: Int) throws {
        try withLimit("{ requests: 1, per: 2s, by: provider }") { proxy, upstream in
            let refused = try refusal(proxy, upstream, status: status, [("Retry-After", "1")])
            #expect(refused.retryAfter == 2)
            #expect(refused.fields["Retry-After"] == "2")
            try expectAdmission(after: refused.retryAfter, proxy, upstream)
        }
    }

    @Test("retry_after is the provider's if a request at that time waits no longer than it may")
    func patience() throws {
        try withLimit("{ requests: 1, per: 2s, by: provider }") { proxy, upstream in
            let client = try proxy.client()
            try client.request("GET", "/p/a")
            try upstream.expectRequest().respond(.status(429, fields: [("Retry-After", "1")], body: ""))
            #expect(try client.readResponse().retryAfter == 1)
        }
    }

    @Test("retry_after is not earlier than the end of a longer pause caused by another response")
    func longerPause() throws {
        try withLimit("{ requests: 100, per: 1s, by: provider }") { proxy, upstream in
            let clients = try (0..<2).map { _ in try proxy.client() }
            var exchanges: [UpstreamExchange] = []
            for client in clients {
                try client.request("GET", "/p/a", fields: Self.impatient)
                exchanges.append(try upstream.expectRequest())
            }
            let answers = try zip(clients, exchanges).enumerated().map { index, pair in
                let seconds = index == 0 ? "3" : "1"
                try pair.1.respond(.status(429, fields: [("Retry-After", seconds)], body: ""))
                return try pair.0.readResponse()
            }
            #expect(answers[0].retryAfter == 3)
            #expect(answers[1].retryAfter > 1 && answers[1].retryAfter <= 3)
            try expectAdmission(after: answers[1].retryAfter, proxy, upstream)
        }
    }
}
