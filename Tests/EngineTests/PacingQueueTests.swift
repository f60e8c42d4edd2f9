import TestSupport
import Testing

@Suite("the queue in front of a provider", .blocking)
struct PacingQueueTests {
    private static let depth = #"weir_queue_depth{provider="p"}"#

    private static func limit(_ requests: Int, per time: String, wait: String = "60s") -> String {
        "limits: [{ requests: \(requests), per: \(time), by: provider }], max_wait: \(wait)"
    }

    /// Sends a request that must wait, and waits until it does, behind those before it.
    private func queue(
        _ target: String, at place: Int, in proxy: ProxyFixture, fields: [(String, String)] = []
    ) throws -> RawClient {
        let client = try proxy.client()
        try client.request("GET", target, fields: fields)
        try eventually("\(target) to wait at \(place)") { try proxy.metric(Self.depth) == Double(place) }
        return client
    }

    @Test("requests are sent in the order in which they came, whichever worker has them", arguments: [1, 4])
    func order(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.limit(1, per: "50ms"), workers: workers) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            // While the provider takes its time, nobody's turn comes.
            let exchange = try upstream.expectRequest()
            let clients = try (1...3).map { try queue("/p/\($0)", at: $0, in: proxy) }
            try exchange.respond(.ok())
            for number in 1...3 {
                let next = try upstream.expectRequest()
                #expect(next.request.target == "/\(number)")
                try next.respond(.ok())
            }
            for client in [first] + clients { #expect(try client.readResponse().status == 200) }
        }
    }

    @Test("a full queue refuses at once")
    func full() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: Self.limit(1, per: "5s"), limits: "queue: 2") { proxy in
            #expect(try proxy.exchange("GET", "/p/0").status == 200)
            let waiting = try (1...2).map { try queue("/p/\($0)", at: $0, in: proxy) }
            let refused = try proxy.exchange("GET", "/p/3")
            #expect(refused.status == 429)
            #expect(refused.code == "throttled")
            #expect(refused.problem["effect"] == "none")
            #expect(refused.problem["detail"] == "As many requests wait for their turn as may.")
            #expect(refused.retryAfter > 5)
            #expect(refused.problem["attempts"] == nil)
            #expect(try proxy.metric(#"weir_queue_refusals_total{provider="p",reason="queue_full"}"#) == 1)
            for client in waiting { client.leave() }
            try eventually("the queue to be empty") { try proxy.metric(Self.depth) == 0 }
        }
    }

    @Test("with max_wait 0s nothing ever waits")
    func neverQueues() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = Self.limit(2, per: "60s", wait: "0s")
        try withProxy(to: upstream, provider: provider) { proxy in
            for _ in 1...2 { #expect(try proxy.exchange("GET", "/p/a").status == 200) }
            let refused = try proxy.exchange("POST", "/p/a", body: "{}")
            #expect(refused.status == 429)
            #expect(refused.code == "throttled")
            #expect(refused.problem["origin"] == "proxy")
            #expect(refused.problem["retryable"] == "true")
            #expect(refused.problem["waited"] == nil)
            #expect((50...60).contains(refused.retryAfter))
            #expect(refused.fields["Retry-After"] == "\(Int(refused.retryAfter.rounded(.up)))")
            #expect(refused.text.contains(#""limit":{"requests":2,"per":60,"remaining":0,"by":"provider"}"#))
            #expect(upstream.requestCount == 2)
            #expect(try proxy.metric(#"weir_queue_refusals_total{provider="p",reason="max_wait"}"#) == 1)
        }
    }

    @Test("Prefer: wait refuses at once, and says exactly when to come back")
    func preference() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: Self.limit(1, per: "2s")) { proxy in
            let client = try proxy.client()
            let impatient = [("Prefer", "wait=0")]
            #expect(try client.exchange("GET", "/p/0").status == 200)
            let asked = ContinuousClock.now
            let refused = try client.exchange("GET", "/p/1", fields: impatient)
            let answered = ContinuousClock.now
            #expect(refused.code == "throttled")
            #expect(refused.retryAfter > 0 && refused.retryAfter <= 2)
            let wait = Duration.seconds(refused.retryAfter)
            // The wait began between question and answer: what is answered this early came too early.
            pauseThread(for: wait / 2)
            let early = try client.exchange("GET", "/p/2", fields: impatient)
            if ContinuousClock.now < asked + wait { #expect(early.code == "throttled") }
            pauseThread(for: ContinuousClock.now.duration(to: answered + wait))
            #expect(try client.exchange("GET", "/p/3", fields: impatient).status == 200)
            #expect(upstream.requests.first?.fields["Prefer"] == nil)
            #expect(try proxy.metric(#"weir_queue_refusals_total{provider="p",reason="prefer_wait"}"#) >= 1)
        }
    }

    @Test("a wait that turns out longer than max_wait ends in queue_timeout")
    func timeout() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.limit(1, per: "50ms", wait: "300ms")) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            let exchange = try upstream.expectRequest()
            // How long the provider will take nobody knows: the second may wait, and does in vain.
            let late = try proxy.exchange("GET", "/p/1")
            #expect(late.status == 429)
            #expect(late.code == "queue_timeout")
            #expect(late.problem["effect"] == "none")
            #expect(late.problem["attempts"] == nil)
            let waited = try #require(late.problem["waited"].flatMap { Double($0) })
            #expect(waited >= 0.3 && waited < 5)
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("a client that leaves the queue gives up its place")
    func leaving() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.limit(1, per: "2s")) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            let exchange = try upstream.expectRequest()
            let leaver = try queue("/p/1", at: 1, in: proxy)
            let next = try queue("/p/2", at: 2, in: proxy)
            leaver.leave()
            try eventually("the place to be free") { try proxy.metric(Self.depth) == 1 }
            let answered = ContinuousClock.now
            try exchange.respond(.ok())
            let second = try upstream.expectRequest()
            #expect(second.request.target == "/2")
            #expect(answered.duration(to: .now) < .seconds(3.9), "as if nobody had been before it")
            try second.respond(.ok())
            for client in [first, next] { #expect(try client.readResponse().status == 200) }
            #expect(try proxy.metric(#"weir_client_aborts_total{provider="p",stage="queue"}"#) == 1)
        }
    }

    @Test("what a client waited that left the queue is time in the queue, not Weir's own")
    func timeOfLeaving() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: Self.limit(1, per: "50s")) { proxy in
            #expect(try proxy.exchange("GET", "/p/0").status == 200)
            let leaver = try queue("/p/1", at: 1, in: proxy)
            pauseThread(for: .milliseconds(500))
            leaver.leave()
            try proxy.expectNothingInFlight()
            let queue = try proxy.metric(#"weir_queue_wait_seconds_sum{provider="p"}"#)
            #expect(queue >= 0.5)
            #expect(try proxy.metric(#"weir_proxy_overhead_seconds_sum{provider="p"}"#) < queue)
        }
    }

    @Test("answers say what is left of the limit, and where the time went")
    func fields() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(exchange.request.target == "/bad" ? .status(404, body: "no") : .ok())
        }
        try withProxy(to: upstream, provider: Self.limit(2, per: "1s")) { proxy in
            let client = try proxy.client()
            let start = ContinuousClock.now
            let first = try client.exchange("GET", "/p/0")
            let whole = (ContinuousClock.now - start) / .milliseconds(1)
            #expect(first.fields["RateLimit-Policy"] == #""default";q=2;w=1"#)
            #expect(first.fields["RateLimit"] == #""default";r=1;t=1"#)
            #expect(first.timing("queue") == 0)
            #expect(first.timing("upstream") > 0 && first.timing("proxy") >= 0)
            #expect(first.timing("upstream") + first.timing("proxy") <= whole)
            #expect(try client.exchange("GET", "/p/1").fields["RateLimit"] == #""default";r=0;t=1"#)
            // The third waits, and is an error of the provider's.
            let third = try client.exchange("GET", "/p/bad")
            #expect(third.code == "not_found")
            #expect(third.problem["attempts"] == "1")
            let waited = try #require(third.problem["waited"].flatMap { Double($0) })
            #expect(waited > 0.5 && waited < 5)
            #expect(third.fields.values(of: "RateLimit").count == 1)
        }
    }

    @Test("a body that waits is held back, and goes through intact", arguments: [true, false])
    func heldBodies(isChunked: Bool) throws {
        let upstream = try ScriptedUpstream()
        let piece = (0..<1 << 16).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        try withProxy(to: upstream, provider: Self.limit(1, per: "50ms")) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            let exchange = try upstream.expectRequest()
            let client = try proxy.client()
            let framing = isChunked ? ("Transfer-Encoding", "chunked") : ("Content-Length", "\(48 << 16)")
            try client.request("POST", "/p/1", fields: [framing])
            let sender = Background {
                for _ in 0..<48 {
                    if isChunked { try client.send("10000\r\n") }
                    try client.send(piece)
                    if isChunked { try client.send("\r\n") }
                }
                if isChunked { try client.send("0\r\n\r\n") }
            }
            try eventually("the request to wait") { try proxy.metric(Self.depth) == 1 }
            #expect(upstream.requestCount == 1)
            try exchange.respond(.ok())
            try upstream.expectRequest().respond(.ok())
            for client in [first, client] { #expect(try client.readResponse().status == 200) }
            try sender.join()
            let body = try #require(upstream.requests.last?.body)
            #expect(body.isComplete && body.count == 48 << 16)
            #expect(
                stride(from: 0, to: body.count, by: 1 << 16).allSatisfy { start in
                    Array(body.bytes[start..<start + 1 << 16]) == piece
                })
        }
    }

    @Test("time that the client took to send its body is not time in the queue")
    func slowBodies() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: Self.limit(1, per: "600ms", wait: "700ms")) { proxy in
            let client = try proxy.client()
            try client.request("POST", "/p/1", fields: [("Content-Length", "2")])
            pauseThread(for: .milliseconds(500))
            #expect(try proxy.exchange("GET", "/p/0").status == 200)
            try client.send("{}")
            let response = try client.readResponse()
            #expect(response.status == 200, "\(response.text)")
            #expect(response.timing("queue") <= 700)
        }
    }
}
