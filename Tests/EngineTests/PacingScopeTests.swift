import TestSupport
import Testing

@Suite("limits of several kinds", .blocking)
struct PacingScopeTests {
    private func withLimits(
        _ limits: String, more: String = "", profile: String = "generic", workers: Int = 1,
        _ upstream: ScriptedUpstream, _ body: (ProxyFixture) throws -> Void
    ) throws {
        let provider =
            "{ profile: \(profile), upstream: '\(upstream.url)', max_wait: 0s, limits: [\(limits)]\(more) }"
        try withProxy("providers: { p: \(provider) }", upstreams: [upstream], workers: workers, body)
    }

    private func status(
        _ proxy: ProxyFixture, _ target: String, _ method: String = "GET", _ fields: [(String, String)] = []
    ) throws -> Int { try proxy.exchange(method, target, fields: fields).status }

    @Test("a request needs a slot of its tenant and one of the provider")
    func tenants() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let limits =
            "{ requests: 1, per: 60s, by: header X-Tenant }, { requests: 2, per: 60s, by: provider }"
        try withLimits(limits, upstream) { proxy throws in
            let first = try proxy.exchange("GET", "/p/a", fields: [("X-Tenant", "a")])
            #expect(first.status == 200)
            #expect(first.fields["RateLimit"]?.hasPrefix(#""1-per-60s";r=0;t="#) == true)
            #expect(
                first.fields["RateLimit-Policy"] == #""1-per-60s";q=1;w=60, "2-per-60s";q=2;w=60"#)
            let own = try proxy.exchange("GET", "/p/a", fields: [("X-Tenant", "a")])
            #expect(own.code == "throttled")
            #expect(own.text.contains(#""by":"header X-Tenant""#))
            #expect(try status(proxy, "/p/a", "GET", [("X-Tenant", "b")]) == 200)
            let shared = try proxy.exchange("GET", "/p/a", fields: [("X-Tenant", "c")])
            #expect(shared.code == "throttled")
            #expect(shared.text.contains(#""by":"provider""#))
            #expect(upstream.requestCount == 2)
        }
    }

    @Test("a limit by the body has a count for each value, and one for bodies that are not known")
    func bodies() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withLimits("{ requests: 1, per: 60s, by: body /model }", upstream) { proxy throws in
            func send(_ body: String) throws -> RawResponse { try proxy.exchange("POST", "/p/x", body: body) }
            #expect(try send(#"{"model":"a"}"#).status == 200)
            let second = try send(#"{"model":"a","more":1}"#)
            #expect(second.code == "throttled")
            #expect(second.text.contains(#""by":"body /model""#))
            #expect(try send(#"{"model":"b"}"#).status == 200)
            #expect(try send("no JSON").status == 200)
            #expect(try proxy.exchange("GET", "/p/x").code == "throttled")
            let long = #"{"model":"c","text":"\#(String(repeating: "x", count: 70_000))"}"#
            #expect(try send(long).code == "throttled")
            #expect(upstream.requestCount == 3)
        }
    }

    @Test("a cost that the body says is taken before the request is sent")
    func bodyCosts() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let limits = "{ requests: 5, per: 60s, cost: { at: body $.to, count: yes } }"
        try withLimits(limits, upstream) { proxy throws in
            #expect(try proxy.exchange("POST", "/p/x", body: #"{"to":[1,2,3]}"#).status == 200)
            #expect(try proxy.exchange("POST", "/p/x", body: #"{"to":[1,2,3]}"#).code == "throttled")
            #expect(try proxy.exchange("POST", "/p/x", body: #"{"to":[1,2]}"#).status == 200)
            #expect(try proxy.exchange("POST", "/p/x", body: "{}").code == "throttled")
        }
    }

    @Test(
        "a cost that the response says replaces the reserved one",
        arguments: [("/cost", 60), ("header X-Cost", 60), ("/none", 10)])
    func answerCosts(place: String, cost: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok(#"{"cost":60}"#, fields: [("X-Cost", "60")]))
        let limits = "{ requests: 100, per: 60s, cost: { answer: \(place), reserve: 10 } }"
        try withLimits(limits, upstream) { proxy throws in
            for _ in 0..<2 { #expect(try proxy.exchange("POST", "/p/x").status == 200) }
            let page = try proxy.client(on: proxy.adminPort).exchange("GET", "/-/limits").text
            #expect(page.contains(#""used":\#(2 * cost)"#), "\(page)")
            #expect(page.contains(#""notes":[{"policy":"default","note":"the cost of a request"#), "\(page)")
            #expect(try proxy.exchange("POST", "/p/x").status == (cost == 60 ? 429 : 200))
        }
    }

    @Test("a limit whose number responses report is kept to that number")
    func learned() throws {
        let upstream = try ScriptedUpstream(answering: .ok(fields: [("X-Limit", "2")]))
        try withLimits("{ requests: 5, per: 60s, learn: X-Limit }", upstream) { proxy throws in
            for _ in 0..<2 { #expect(try proxy.exchange("GET", "/p/x").status == 200) }
            #expect(try proxy.exchange("GET", "/p/x").code == "throttled")
            let page = try proxy.client(on: proxy.adminPort).exchange("GET", "/-/limits").text
            #expect(page.contains(#""limit":2,"used":2"#), "\(page)")
        }
    }

    @Test("a limit with routes and costs counts those alone, each by its weight")
    func routes() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let limits =
            "{ requests: 5, per: day, by: provider, routes: [POST /emails/**], cost: { POST /emails/bulk: 3 } }"
        try withLimits(limits, upstream) { proxy throws in
            #expect(try status(proxy, "/p/emails/bulk?x=1", "POST") == 200)
            #expect(try status(proxy, "/p/emails/bulk", "POST") == 429)
            #expect(try status(proxy, "/p/emails/a", "POST") == 200)
            for _ in 0..<8 { #expect(try status(proxy, "/p/emails/a") == 200) }
        }
    }

    @Test(
        "a cap of requests at one time frees its place at the end of the response, or when the client leaves")
    func concurrency() throws {
        let upstream = try ScriptedUpstream()
        try withLimits("{ concurrent: 1, by: provider }", upstream) { proxy throws in
            let first = try proxy.client()
            try first.request("GET", "/p/1")
            let exchange = try upstream.expectRequest()
            #expect(try proxy.exchange("GET", "/p/2").code == "throttled")
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
            let second = try proxy.client()
            try second.request("GET", "/p/3")
            try upstream.expectRequest().respond(.headThenStall(length: 10))
            try eventually("the head is there") { try proxy.exchange("GET", "/p/4").status == 429 }
            second.leave()
            let third = try proxy.client()
            try eventually("a place is free") {
                try proxy.metric(#"weir_requests_in_flight{provider="p"}"#) == 0
            }
            try third.request("GET", "/p/5")
            try upstream.expectRequest().respond(.ok())
            #expect(try third.readResponse().status == 200)
        }
    }

    @Test("a used-up quota stops what uses it, and nothing else")
    func quota() throws {
        let upstream = try ScriptedUpstream { exchange in
            guard exchange.request.target == "/emails", exchange.request.method == "POST" else {
                return try exchange.respond(.ok())
            }
            let body = #"{"message":"Daily quota.","error_code":"daily_quota_exceeded"}"#
            try exchange.respond(.status(429, fields: [("X-Daily-Reset", "3600")], body: body))
        }
        let limits = "{ requests: 100, per: 1s, by: group }"
        try withLimits(limits, profile: "lettr", upstream) { proxy throws in
            #expect(try proxy.exchange("POST", "/p/emails").code == "quota_exceeded")
            let refused = try proxy.exchange("POST", "/p/emails/scheduled")
            #expect(refused.code == "throttled")
            #expect(refused.retryAfter > 3500 && refused.retryAfter <= 3600)
            #expect(try status(proxy, "/p/emails") == 200)
            #expect(try proxy.metric(#"weir_paused_ledgers{provider="p"}"#) == 1)
            #expect(try proxy.metric(#"weir_pauses_total{provider="p",reason="quota_exceeded"}"#) == 1)
        }
    }

    @Test("limits that are only watched hold nothing back, and tell what they would have done")
    func observe() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withLimits("{ requests: 1, per: 60s }", more: ", pacing: observe", upstream) { proxy throws in
            for _ in 0..<4 { #expect(try status(proxy, "/p/a") == 200) }
            #expect(try proxy.metric(#"weir_pacing_observed_total{provider="p",outcome="refusal"}"#) == 3)
        }
    }

    @Test("what others use of the key is held back, and a limit that is not configured is told once")
    func foreignUsage() throws {
        let upstream = try ScriptedUpstream { exchange in
            let limit = exchange.request.target == "/odd" ? "7" : "10"
            let fields = [("X-RateLimit-Limit", limit), ("X-RateLimit-Remaining", "1")]
            try exchange.respond(.status(200, fields: fields, body: "ok"))
        }
        try withLimits("{ requests: 10, per: 60s, by: provider }", upstream) { proxy throws in
            let first = try proxy.exchange("GET", "/p/a")
            #expect(first.fields["RateLimit"]?.hasPrefix(#""default";r=1;"#) == true)
            #expect(try proxy.metric(#"weir_foreign_usage_ratio{provider="p"}"#) > 0)
            #expect(try status(proxy, "/p/odd") == 200)
            #expect(try proxy.metric(#"weir_limit_drift{provider="p"}"#) == 7)
            #expect(try proxy.exchange("GET", "/p/a").code == "throttled")
        }
    }

    @Test("the more urgent of two that wait goes first, and who named a wait is told that it counts")
    func urgency() throws {
        let upstream = try ScriptedUpstream()
        let provider =
            "{ profile: generic, upstream: '\(upstream.url)', limits: [{ requests: 1, per: 500ms }] }"
        try withProxy("providers: { p: \(provider) }", upstreams: [upstream]) { proxy throws in
            let first = try proxy.client()
            try first.request("GET", "/p/first")
            let exchange = try upstream.expectRequest()
            let later = try proxy.client()
            try later.request("GET", "/p/later")
            try eventually("one waits") { try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1 }
            let urgent = try proxy.client()
            try urgent.request("GET", "/p/urgent", fields: [("Priority", "u=1, i"), ("Prefer", "wait=9")])
            try eventually("two wait") { try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 2 }
            try exchange.respond(.ok())
            let second = try upstream.expectRequest()
            #expect(second.request.target == "/urgent")
            try second.respond(.ok())
            try upstream.expectRequest().respond(.ok())
            #expect(try first.readResponse().fields["Preference-Applied"] == nil)
            #expect(try urgent.readResponse().fields["Preference-Applied"] == "wait=9")
            #expect(try later.readResponse().status == 200)
        }
    }

    @Test("the limits' page says what is used, when a number of requests could be sent, and shows no key")
    func page() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withLimits("{ requests: 4, per: 60s, by: credential }", upstream) { proxy throws in
            let fields = [("Authorization", "Bearer secret-key")]
            for _ in 0..<2 { #expect(try status(proxy, "/p/a", "GET", fields) == 200) }
            let page = try proxy.exchange("GET", "/-/limits?cost=3")
            #expect(page.status == 200)
            #expect(page.fields["Content-Type"] == "application/json")
            #expect(page.text.contains(#""by":"credential","key":""#))
            #expect(page.text.contains(#""policy":"default","limit":4,"used":2,"remaining":2,"reset":"#))
            #expect(page.text.contains(#""wait":5"#), "\(page.text)")
            #expect(!page.text.contains("secret"))
            #expect(try proxy.exchange("GET", "/-/limits").text.contains(#""wait":0.0"#))
            #expect(try proxy.exchange("GET", "/-/limits?cost=9").text.contains(#","wait":"#) == false)
            for query in ["cost=0", "cost=x", "x", "cost=99999"] {
                #expect(try proxy.exchange("GET", "/-/limits?\(query)").status == 400, "\(query)")
            }
        }
    }

    @Test("the limits' page says who waits and since when, what is paused and for how long")
    func waitsAndPauses() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                exchange.request.target == "/slow"
                    ? .status(429, fields: [("Retry-After", "50")], body: "slow") : .ok())
        }
        let provider = "limits: [{ requests: 2, per: 40s, by: credential }], max_wait: 60s"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            let quick = [("Authorization", "Bearer quick")]
            for _ in 0..<2 { #expect(try status(proxy, "/p/a", "GET", quick) == 200) }
            let before = try proxy.exchange("GET", "/-/limits").text
            #expect(
                before.contains(#""queue":0,"oldest_wait":0.0,"in_flight":0,"ledgers_in_use":1"#), "\(before)"
            )
            #expect(before.contains(#""ledgers_paused":0"#) && !before.contains(#""paused""#), "\(before)")
            #expect(before.contains(#","exhausted_in":0.0}"#), "\(before)")
            let waiting = try proxy.client()
            try waiting.request("GET", "/p/b", fields: quick)
            #expect(try status(proxy, "/p/slow", "GET", [("Authorization", "Bearer slow")]) == 429)
            try eventually("it to wait") {
                try proxy.exchange("GET", "/-/limits").text.contains(#""queue":1"#)
            }
            let page = try proxy.exchange("GET", "/-/limits").text
            #expect(
                page.contains(#""queue":1,"oldest_wait":"#) && !page.contains(#""oldest_wait":0.0,"#),
                "\(page)")
            #expect(page.contains(#""ledgers_in_use":2,"ledgers_paused":1,"#), "\(page)")
            let paused = try #require(
                page.firstRange(of: #""paused":"rate_limited","paused_for":"#), "\(page)")
            let seconds = page[paused.upperBound...].prefix { $0.isNumber || $0 == "." }
            #expect((20.0...51).contains(try #require(Double(seconds))), "\(page)")
            waiting.leave()
        }
    }
}
