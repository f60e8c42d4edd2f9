import TestSupport
import Testing

@Suite("RateLimit and RateLimit-Policy on answers", .blocking)
struct RateLimitFieldTests {
    private static func limit(_ requests: Int, per time: String, wait: String = "60s") -> String {
        "limits: [{ requests: \(requests), per: \(time), by: provider }], max_wait: \(wait)"
    }

    private func expectFields(
        _ response: RawResponse, _ state: String, _ policy: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(response.fields.values(of: "RateLimit") == [state], sourceLocation: sourceLocation)
        #expect(response.fields.values(of: "RateLimit-Policy") == [policy], sourceLocation: sourceLocation)
    }

    @Test("ours stand behind the provider's own, in the same list", arguments: [200, 400])
    func merged(status: Int) throws {
        let fields = [
            ("RateLimit", #""theirs";r=5;t=9"#), ("Ratelimit-Policy", #""theirs";q=9;w=9"#),
            ("X-Other", "stays"), ("RateLimit", #""day"; r=70;t=900"#),
        ]
        let upstream = try ScriptedUpstream(answering: .status(status, fields: fields, body: "text"))
        try withProxy(to: upstream, provider: Self.limit(2, per: "60s")) { proxy in
            let response = try proxy.exchange("GET", "/p/0")
            #expect(response.status == status)
            expectFields(
                response, #""theirs";r=5;t=9, "day"; r=70;t=900, "default";r=1;t=60"#,
                #""theirs";q=9;w=9, "default";q=2;w=60"#)
            #expect(response.fields["X-Other"] == "stays")
        }
    }

    @Test("where the provider uses a name of ours, ours get a prefix", arguments: [200, 500])
    func renamed(status: Int) throws {
        let fields = [("RateLimit", #""default";r=5;t=9"#)]
        let upstream = try ScriptedUpstream(answering: .status(status, fields: fields, body: "text"))
        try withProxy(to: upstream, provider: Self.limit(2, per: "60s")) { proxy in
            expectFields(
                try proxy.exchange("GET", "/p/0"), #""default";r=5;t=9, "weir-default";r=1;t=60"#,
                #""weir-default";q=2;w=60"#)
        }
    }

    @Test(
        "a provider's value that is no list of names stays alone",
        arguments: [
            [("RateLimit", "limit=100, remaining=50, reset=30")], [("RateLimit", #""open;r=1"#)],
            [("RateLimit-Policy", "100;w=60")],
            [("RateLimit", #""default";r=1;t=1"#), ("RateLimit-Policy", #""weir-default";q=2;w=2"#)],
        ])
    func leftAlone(fields: [(String, String)]) throws {
        let upstream = try ScriptedUpstream(answering: .status(200, fields: fields, body: "text"))
        try withProxy(to: upstream, provider: Self.limit(2, per: "60s")) { proxy in
            let response = try proxy.exchange("GET", "/p/0")
            for name in ["RateLimit", "RateLimit-Policy"] {
                #expect(response.fields.values(of: name) == fields.filter { $0.0 == name }.map(\.1))
            }
        }
    }

    @Test("who is refused by the pacer learns when there is room")
    func refused() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: Self.limit(1, per: "60s", wait: "0s")) { proxy in
            #expect(try proxy.exchange("GET", "/p/0").status == 200)
            let refused = try proxy.exchange("GET", "/p/1")
            #expect(refused.code == "throttled")
            expectFields(
                refused, #""default";r=0;t=\#(try #require(refused.fields["Retry-After"]))"#,
                #""default";q=1;w=60"#)
        }
    }

    @Test("a full queue leaves nothing, whatever its limit has")
    func full() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: Self.limit(1, per: "5s"), limits: "queue: 1") { proxy in
            #expect(try proxy.exchange("GET", "/p/0").status == 200)
            let waiting = try proxy.client()
            try waiting.request("GET", "/p/1")
            try eventually("it to wait") { try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1 }
            let refused = try proxy.exchange("GET", "/p/2")
            #expect(refused.code == "throttled")
            expectFields(
                refused, #""default";r=0;t=\#(try #require(refused.fields["Retry-After"]))"#,
                #""default";q=1;w=5"#)
        }
    }

    @Test("who waited in vain learns what is left")
    func timedOut() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.limit(1, per: "50ms", wait: "300ms")) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            let exchange = try upstream.expectRequest()
            let late = try proxy.exchange("GET", "/p/1")
            #expect(late.code == "queue_timeout")
            #expect(late.fields["RateLimit"]?.hasPrefix(#""default";r=0;t="#) == true)
            #expect(late.fields["RateLimit-Policy"] == #""default";q=1;w=1"#)
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
        }
    }

    @Test("a provider that cannot be reached has used nothing, and what broke off has")
    func network() throws {
        let upstream = try ScriptedUpstream { $0.close() }
        try withProxy(to: upstream, provider: Self.limit(3, per: "60s")) { proxy in
            let lost = try proxy.exchange("POST", "/p/0", body: "{}")
            #expect(lost.code == "connection_lost")
            #expect(lost.fields["RateLimit"]?.hasPrefix(#""default";r=2;t="#) == true)
            upstream.stop()
            let unreachable = try proxy.exchange("GET", "/p/1")
            #expect(unreachable.code == "provider_unreachable")
            #expect(unreachable.fields["RateLimit"]?.hasPrefix(#""default";r="#) == true)
        }
    }

    @Test("during a pause nothing is left until its end")
    func paused() throws {
        let upstream = try ScriptedUpstream(
            answering: .status(429, fields: [("Retry-After", "30")], body: "slow"))
        try withProxy(to: upstream, provider: Self.limit(5, per: "1s", wait: "0s")) { proxy in
            let first = try proxy.exchange("GET", "/p/0")
            #expect(first.code == "rate_limited")
            expectFields(first, #""default";r=0;t=30"#, #""default";q=5;w=1"#)
            let second = try proxy.exchange("GET", "/p/1")
            #expect(second.code == "throttled")
            expectFields(
                second, #""default";r=0;t=\#(try #require(second.fields["Retry-After"]))"#,
                #""default";q=5;w=1"#)
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("what a guard holds back learns of the limit as well")
    func heldBack() throws {
        let upstream = try ScriptedUpstream(answering: .status(401, body: "{}"))
        try withProxy(to: upstream, provider: Self.limit(9, per: "60s")) { proxy in
            let key = [("Authorization", "Bearer wrong")]
            for _ in 1...3 {
                #expect(try proxy.exchange("GET", "/p/0", fields: key).code == "unauthenticated")
            }
            let held = try proxy.exchange("GET", "/p/0", fields: key)
            #expect(held.code == "credentials_quarantined")
            #expect(held.fields["RateLimit"]?.hasPrefix(#""default";r=6;t="#) == true)
            #expect(held.fields["RateLimit-Policy"] == #""default";q=9;w=60"#)
        }
    }

    @Test("a bad request, an unknown path and a provider without limits are told of none")
    func none() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: Self.limit(2, per: "60s")) { proxy in
            for (target, fields) in [("/nowhere", []), ("/p/0", [("Expect", "miracle")])] {
                let response = try proxy.exchange("GET", target, fields: fields)
                #expect(response.status >= 400)
                #expect(response.fields["RateLimit"] == nil && response.fields["RateLimit-Policy"] == nil)
            }
        }
        try withProxy(to: upstream, provider: "limits: []") { proxy in
            upstream.stop()
            let response = try proxy.exchange("GET", "/p/0")
            #expect(response.code == "provider_unreachable")
            #expect(response.fields["RateLimit"] == nil && response.fields["RateLimit-Policy"] == nil)
        }
    }
}
