import TestSupport
import Testing

@Suite("the slot of a request", .blocking)
struct PacingSlotTests {
    private static func limit(per time: String) -> String {
        "limits: [{ requests: 1, per: \(time), by: provider }], max_wait: 0s"
    }

    @Test("a slot is free at once if nothing was sent")
    func neverSent() throws {
        let upstream = try ScriptedUpstream()
        upstream.stop()
        try withProxy(to: upstream, provider: Self.limit(per: "60s")) { proxy in
            for _ in 1...3 {
                let response = try proxy.exchange("POST", "/p/a", body: "{}")
                #expect(response.code == "provider_unreachable")
                #expect(response.problem["effect"] == "none")
                #expect(response.problem["attempts"] == nil)
            }
            #expect(try proxy.metric(#"weir_upstream_attempts_total{provider="p"}"#) == 0)
        }
    }

    @Test("a slot is held for one window and a grace period if the connection broke")
    func connectionLost() throws {
        let upstream = try ScriptedUpstream { $0.reset() }
        try withProxy(to: upstream, provider: Self.limit(per: "20s")) { proxy in
            let asked = ContinuousClock.now
            let broken = try proxy.exchange("POST", "/p/a", body: "{}")
            #expect(broken.code == "connection_lost")
            #expect(broken.problem["effect"] == "unknown")
            #expect(broken.problem["attempts"] == "1")
            let refused = try proxy.exchange("POST", "/p/a", body: "{}")
            #expect(refused.code == "throttled")
            let gone = asked.duration(to: .now) / .seconds(1)
            #expect(refused.retryAfter <= 21 && refused.retryAfter >= 21 - gone)
        }
    }

    @Test("a slot is held for one window and a grace period if the client disconnected")
    func clientLeft() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.limit(per: "20s")) { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/a")
            let exchange = try upstream.expectRequest()
            let asked = ContinuousClock.now
            client.leave()
            try exchange.expectClosed()
            let refused = try proxy.exchange("GET", "/p/b")
            #expect(refused.code == "throttled")
            let gone = asked.duration(to: .now) / .seconds(1)
            #expect(refused.retryAfter <= 21 && refused.retryAfter >= 21 - gone)
        }
    }

    @Test(
        "a slot is freed before the response only with guarantee fast", arguments: ["fast", "strict"])
    func guarantee(kind: String) throws {
        let upstream = try ScriptedUpstream()
        let settings = "guarantee: \(kind), limits: [{ requests: 1, per: 300ms, by: provider }]"
        try withProxy(to: upstream, provider: settings) { proxy in
            let clients = try ["/p/a", "/p/b"].map { target in
                let client = try proxy.client()
                try client.request("GET", target)
                return client
            }
            let first = try upstream.expectRequest()
            if kind == "fast" {
                try upstream.expectRequest().respond(.ok())
                try first.respond(.ok())
            } else {
                try eventually("the other one to wait") {
                    try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1
                }
                try upstream.expectNoRequest(for: .milliseconds(600))
                try first.respond(.ok())
                try upstream.expectRequest().respond(.ok())
            }
            for client in clients { #expect(try client.readResponse().status == 200) }
        }
    }

    @Test("a slot's window begins at the first byte of the response, not at the sending")
    func firstByte() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.limit(per: "20s")) { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/a")
            let exchange = try upstream.expectRequest()
            pauseThread(for: .milliseconds(300))
            let begun = ContinuousClock.now
            try exchange.respond(.ok())
            #expect(try client.readResponse().status == 200)
            let refused = try client.exchange("GET", "/p/b")
            let gone = begun.duration(to: .now) / .seconds(1)
            #expect(refused.code == "throttled")
            #expect(refused.retryAfter >= 20 - gone && refused.retryAfter <= 20)
        }
    }
}
