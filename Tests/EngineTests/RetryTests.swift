import Locking
import TestSupport
import Testing

@Suite("a request that is sent again", .blocking)
struct RetryTests {
    private static let twice = "retries: { max: 2, base: 20ms }"
    private static let answered = #"weir_retries_total{provider="p",reason="response"}"#
    private static let unanswered = #"weir_retries_total{provider="p",reason="connection"}"#

    private static let paused = #"weir_pauses_total{provider="p",reason="unavailable"}"#
    private static let longPause = ScriptedResponse.status(503, fields: [("Retry-After", "40")])

    /// Gives the answers in turn, the last one again and again.
    private static func upstream(_ answers: [ScriptedResponse]) throws -> ScriptedUpstream {
        let count = Lock(0)
        return try ScriptedUpstream { exchange in
            let number = count.withLock { count in
                count += 1
                return count
            }
            try exchange.readBody()
            try exchange.respond(answers[min(number, answers.count) - 1])
        }
    }

    @Test("a failure that is set aside is not shown, but counted")
    func setAside() throws {
        let upstream = try Self.upstream([.status(503), .status(500), .ok(#"{"a":1}"#)])
        try withProxy(to: upstream, provider: Self.twice) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x?y=1")
            #expect(response.status == 200)
            #expect(response.text == #"{"a":1}"#)
            #expect(response.fields["X-Error-Code"] == nil)
            #expect(upstream.requestCount == 3)
            #expect(try proxy.metric(Self.answered) == 2)
            #expect(try proxy.metric(#"weir_upstream_attempts_total{provider="p"}"#) == 3)
            #expect(try proxy.metric(#"weir_upstream_responses_total{provider="p",status="503"}"#) == 1)
            #expect(try proxy.metric(#"weir_upstream_responses_total{provider="p",status="200"}"#) == 1)
            try eventually("a line of the access log") { !proxy.log.exchanges.isEmpty }
            #expect(proxy.log.exchanges.first?.metadata.contains(#""attempts":3,"#) == true)
        }
    }

    @Test("the last failure is told when no further attempt is left", arguments: ["problem", "raw"])
    func exhausted(form: String) throws {
        let upstream = try Self.upstream([.status(503), .status(500), .status(502, body: "last")])
        try withProxy(to: upstream, provider: "\(Self.twice), errors: \(form)") { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 502)
            if form == "raw" {
                #expect(response.text == "last")
            } else {
                #expect(response.problem["attempts"] == "3")
                #expect(response.problem["code"]?.hasPrefix("provider_") == true)
            }
            #expect(upstream.requestCount == 3)
        }
    }

    @Test("what may have had an effect is not sent again")
    func effects() throws {
        let upstream = try Self.upstream([.status(503)])
        try withProxy(to: upstream, provider: Self.twice) { proxy throws in
            let response = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(response.code == "provider_unavailable")
            #expect(response.problem["attempts"] == "1")
            #expect(upstream.requestCount == 1)
            #expect(try proxy.metric(Self.answered) == 0)
        }
    }

    @Test("what was refused before it ran is sent again, body and all, not before Retry-After")
    func rateLimited() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.twice) { proxy throws in
            let client = try proxy.client()
            try client.request("POST", "/p/x", body: "hello")
            let first = try upstream.expectRequest()
            let begun = ContinuousClock.now
            try first.respond(.status(429, fields: [("Retry-After", "1")]))
            let second = try upstream.expectRequest()
            #expect(begun.duration(to: .now) >= .milliseconds(990))
            #expect(second.request.body?.text == "hello")
            #expect(second.request.head.fields["Content-Length"] == "5")
            try second.respond(.ok())
            #expect(try client.readResponse().status == 200)
            #expect(
                try proxy.metric(#"weir_provider_rejections_total{provider="p",code="rate_limited"}"#) == 1)
        }
    }

    @Test("a connection that breaks is another cause; so is silence", arguments: ["reset", "silence"])
    func withoutAnswer(misdeed: String) throws {
        let count = Lock(0)
        let upstream = try ScriptedUpstream { exchange in
            let isFirst = count.withLock { count in
                count += 1
                return count == 1
            }
            if !isFirst { return try exchange.respond(.ok()) }
            if misdeed == "reset" { exchange.reset() }
        }
        let settings = "\(Self.twice), timeouts: { response: 2s }"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            #expect(try proxy.exchange("PUT", "/p/x", body: "{}").status == 200)
            #expect(try proxy.metric(Self.unanswered) == 1)
        }
    }

    @Test("what never left is tried again whatever the method, and is no attempt")
    func unreachable() throws {
        let upstream = try ScriptedUpstream()
        upstream.stopListening()
        try withProxy(to: upstream, provider: Self.twice) { proxy throws in
            let response = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(response.code == "provider_unreachable")
            #expect(response.problem["attempts"] == nil)
            #expect(try proxy.metric(Self.unanswered) == 2)
        }
    }

    @Test("an idempotency key that the provider honours makes it safe", arguments: [true, false])
    func idempotencyKey(isHonoured: Bool) throws {
        let upstream = try Self.upstream([.status(503), .ok()])
        let provider = "providers: { p: { profile: lettr, upstream: '\(upstream.url)', \(Self.twice) } }"
        try withProxy(provider, upstreams: [upstream]) { proxy throws in
            let path = isHonoured ? "/p/emails" : "/p/lists"
            let response = try proxy.exchange("POST", path, fields: [("Idempotency-Key", "k")], body: "{}")
            #expect(response.status == (isHonoured ? 200 : 503))
            #expect(upstream.requestCount == (isHonoured ? 2 : 1))
        }
    }

    @Test("a body that was streamed is not sent again")
    func streamed() throws {
        let upstream = try Self.upstream([.status(503), .ok()])
        try withProxy(to: upstream, provider: Self.twice) { proxy throws in
            let client = try proxy.client()
            try client.send("PUT /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            try client.send("2\r\n{}\r\n0\r\n\r\n")
            #expect(try client.readResponse().code == "provider_unavailable")
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("a client that will not wait gets the failure", arguments: ["Prefer", "Retry-After"])
    func impatient(reason: String) throws {
        let fields = reason == "Prefer" ? [] : [("Retry-After", "30")]
        let upstream = try Self.upstream([.status(429, fields: fields), .ok()])
        try withProxy(to: upstream, provider: Self.twice) { proxy throws in
            let wishes = reason == "Prefer" ? [("Prefer", "wait=0")] : []
            #expect(try proxy.exchange("GET", "/p/x", fields: wishes).code == "rate_limited")
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("only what is named is tried again")
    func causes() throws {
        let upstream = try Self.upstream([.status(503), .ok()])
        let settings = "retries: { max: 2, base: 20ms, on: [timeout, connection] }"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x").code == "provider_unavailable")
        }
    }

    @Test("a client that disconnects while its request waits for another attempt ends it")
    func departure() throws {
        let upstream = try Self.upstream([Self.longPause, .ok()])
        try withProxy(to: upstream, provider: "\(Self.twice), max_wait: 60s") { proxy throws in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            try eventually("the failure to be judged") { try proxy.metric(Self.paused) == 1 }
            client.leave()
            try proxy.expectNothingInFlight()
            #expect(upstream.requestCount == 1)
            #expect(try proxy.metric(#"weir_client_aborts_total{provider="p",stage="queue"}"#) == 1)
            #expect(try proxy.metric(#"weir_queue_wait_seconds_sum{provider="p"}"#) >= 0.03)
        }
    }

    @Test(
        "an attempt that would come after the time for all of them is not waited for",
        arguments: ["Retry-After", "limit"])
    func beyondTotal(reason: String) throws {
        let isAsked = reason == "Retry-After"
        let upstream = try Self.upstream([
            .status(503, fields: isAsked ? [("Retry-After", "50")] : []), .ok(),
        ])
        let limits = isAsked ? "[]" : "[{ requests: 1, per: 50s, by: provider }]"
        let settings = "\(Self.twice), max_wait: 60s, timeouts: { total: 5s }, limits: \(limits)"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.code == "provider_unavailable")
            #expect(response.problem["attempts"] == "1")
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("all attempts together take no longer than the time for all of them")
    func total() throws {
        let upstream = try ScriptedUpstream()
        let settings = "retries: { max: 5, base: 1ms }, timeouts: { response: 60s, total: 4s }"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            let first = try upstream.expectRequest()
            let begun = ContinuousClock.now
            pauseThread(for: .seconds(2))
            try first.respond(.status(503))
            let second = try upstream.expectRequest()
            let response = try client.readResponse()
            // Not four seconds from the second one.
            #expect(begun.duration(to: .now) < .seconds(6))
            #expect(response.code == "provider_timeout")
            #expect(response.problem["attempts"] == "2")
            try second.expectClosed()
            #expect(upstream.requestCount == 2)
        }
    }

    @Test("a body is sent again as long as it was read whole", arguments: [65_536, 65_537])
    func bodyBound(length: Int) throws {
        let upstream = try Self.upstream([.status(503), .ok()])
        try withProxy(to: upstream, provider: Self.twice) { proxy throws in
            let response = try proxy.exchange("PUT", "/p/x", body: String(repeating: "x", count: length))
            let isSentAgain = length == 65_536
            #expect(response.status == (isSentAgain ? 200 : 503))
            #expect(upstream.requestCount == (isSentAgain ? 2 : 1))
            #expect(upstream.requests.allSatisfy { $0.body?.bytes.count == length })
        }
    }

    @Test("a drain gives the last failure instead of another attempt")
    func drain() throws {
        let upstream = try Self.upstream([Self.longPause, .ok()])
        let settings = "\(Self.twice), max_wait: 60s"
        try withProxy(to: upstream, provider: settings, limits: "drain: 60s") { proxy throws in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            try eventually("the failure to be judged") { try proxy.metric(Self.paused) == 1 }
            proxy.drain()
            let response = try client.readResponse()
            #expect(response.code == "provider_unavailable")
            #expect(response.problem["attempts"] == "1")
            #expect(upstream.requestCount == 1)
            proxy.stop()
        }
    }

    @Test("a retry takes a slot like any other request")
    func slots() throws {
        let upstream = try Self.upstream([.status(500), .ok()])
        let settings = "\(Self.twice), limits: [{ requests: 1, per: 1s, by: provider }]"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            let begun = ContinuousClock.now
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 200)
            #expect(begun.duration(to: .now) >= .milliseconds(990))
            #expect(response.timing("queue") >= 900)
        }
    }

    @Test("no more are sent again than the budget allows")
    func budget() throws {
        let upstream = try Self.upstream([.status(503)])
        try withProxy(to: upstream, provider: "retries: { max: 5, base: 1ms, budget: 1% }") { proxy throws in
            let begun = ContinuousClock.now
            for _ in 1...10 { _ = try proxy.exchange("GET", "/p/x") }
            // A few at the start, and two a second.
            let allowed = 5 + 2 * (begun.duration(to: .now) / .seconds(1)) + 1
            #expect(try proxy.metric(Self.answered) <= allowed)
            #expect(upstream.requestCount >= 10)
        }
    }

    @Test(
        "a wait beyond all reason is no invitation to come back at once",
        arguments: [
            ("Retry-After", "99999999999"), ("Retry-After", "99999999999999999999999"),
            ("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"), ("Retry-After", "9999999999999"),
            ("X-RateLimit-Reset", "99999999999999999999999"), ("Retry-After-Ms", "99999999999999999999999"),
        ], ["[]", "[{ requests: 100, per: 1s, by: provider }]"])
    func never(field: (String, String), limits: String) throws {
        let upstream = try Self.upstream([.status(429, fields: [field]), .ok()])
        try withProxy(to: upstream, provider: "\(Self.twice), limits: \(limits)") { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 429 && response.code == "rate_limited")
            #expect(response.problem["retry_after"] == "2764800")
            #expect(response.fields["Retry-After"] == "2764800")
            #expect(upstream.requestCount == 1)
            guard limits != "[]" else { return }
            let next = try proxy.exchange("GET", "/p/x")
            #expect(next.code == "throttled" && next.retryAfter > 2_764_000)
        }
    }
}
