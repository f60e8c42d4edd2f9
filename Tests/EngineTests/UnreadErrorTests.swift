import TestSupport
import Testing

@Suite("an error of a provider that is not read whole", .blocking)
struct UnreadErrorTests {
    private static let impatient = [("Prefer", "wait=0")]
    private static let refusal = ScriptedResponse.headThenStall(429, fields: [("Retry-After", "30")])

    /// Waits until the heads of all answers have come.
    private static func waitForHead(in proxy: ProxyFixture) throws {
        try eventually("the answer's head to be there") {
            try proxy.exchange("GET", "/-/limits").text.contains(#","in_flight":0,"ledgers_in_use""#)
        }
    }

    @Test("a 429 pauses the limit even if its client leaves before the body has come", arguments: [1, 2])
    func departure(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let settings = "limits: [{ requests: 100, per: 1s, by: provider }]"
        try withProxy(to: upstream, provider: settings, workers: workers) { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            try upstream.expectRequest().respond(Self.refusal)
            try Self.waitForHead(in: proxy)
            client.reset()
            try proxy.expectNothingInFlight()
            let next = try proxy.exchange("GET", "/p/x", fields: Self.impatient)
            #expect(next.code == "throttled")
            #expect(next.retryAfter > 1 && next.retryAfter <= 30)
            #expect(try proxy.metric(#"weir_pauses_total{provider="p",reason="rate_limited"}"#) == 1)
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("so it does where the request turns out to be too long, or to be none", arguments: [413, 400])
    func request(status: Int) throws {
        let upstream = try ScriptedUpstream()
        let settings = "limits: [{ requests: 100, per: 1s, by: provider }]"
        try withProxy(to: upstream, provider: settings, limits: "request_body: 1000") { proxy in
            let client = try proxy.client()
            try client.send(
                "PUT /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            try upstream.expectRequestHead().respond(Self.refusal)
            try Self.waitForHead(in: proxy)
            let chunk = "3e8\r\n\(String(repeating: "x", count: 1000))\r\n"
            try client.send(status == 413 ? chunk : "no size\r\n")
            #expect(try client.readResponse().status == status)
            try proxy.expectNothingInFlight()
            #expect(try proxy.exchange("GET", "/p/x", fields: Self.impatient).code == "throttled")
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("the client that disconnects with the request that tries proves nothing: the next one tries")
    func probe() throws {
        let upstream = try ScriptedUpstream()
        let settings = "limits: [{ requests: 100, per: 1s, by: provider }], max_wait: 60s"
        try withProxy(to: upstream, provider: settings) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            try upstream.expectRequest().respond(.status(429, fields: [("Retry-After", "1")]))
            #expect(try first.readResponse().code == "rate_limited")
            let leaver = try proxy.client()
            try leaver.request("GET", "/p/1")
            try upstream.expectRequest().respond(.headThenStall(400))
            try Self.waitForHead(in: proxy)
            leaver.reset()
            try proxy.expectNothingInFlight()
            let waiting = try (2...3).map { index in
                let client = try proxy.client()
                try client.request("GET", "/p/\(index)")
                return client
            }
            let probe = try upstream.expectRequest()
            try eventually("the other one to wait") {
                try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1
            }
            try upstream.expectNoRequest(for: .milliseconds(150))
            try probe.respond(.ok())
            try upstream.expectRequest().respond(.ok())
            for client in waiting { #expect(try client.readResponse().status == 200) }
        }
    }

    @Test("a 401 counts against its key even if its client leaves before the body has come")
    func refusedKey() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let key = [("Authorization", "Bearer bad")]
            for _ in 1...3 {
                let client = try proxy.client()
                try client.request("GET", "/p/x", fields: key)
                try upstream.expectRequest().respond(.headThenStall(401))
                try Self.waitForHead(in: proxy)
                client.reset()
                try proxy.expectNothingInFlight()
            }
            #expect(try proxy.exchange("GET", "/p/x", fields: key).code == "credentials_quarantined")
        }
    }

    /// How raw errors are asked for: in the configuration, or by the request.
    enum Raw: CaseIterable, Sendable {
        case configured, requested

        var settings: String { self == .configured ? ", errors: raw" : "" }
        var fields: [(String, String)] { self == .configured ? [] : [("X-Error-Format", "raw")] }
    }

    private static func long(_ status: Int, _ fields: [(String, String)] = []) -> (ScriptedResponse, String) {
        let text = String(repeating: "an error ", count: 50_000)
        return (.status(status, fields: fields, body: text), text)
    }

    @Test("relayed as it is, a 429 pauses the limit", arguments: Raw.allCases)
    func rawRefusal(raw: Raw) throws {
        let (answer, text) = Self.long(429, [("Retry-After", "30")])
        let upstream = try ScriptedUpstream(answering: answer)
        let settings = "limits: [{ requests: 100, per: 1s, by: provider }]\(raw.settings)"
        try withProxy(to: upstream, provider: settings) { proxy in
            let response = try proxy.exchange("GET", "/p/x", fields: raw.fields)
            #expect(response.status == 429 && response.isComplete && response.text == text)
            try proxy.expectNothingInFlight()
            #expect(try proxy.exchange("GET", "/p/x", fields: Self.impatient).code == "throttled")
            #expect(try proxy.metric(#"weir_pauses_total{provider="p",reason="rate_limited"}"#) == 1)
            let rejections = #"weir_provider_rejections_total{provider="p",code="rate_limited"}"#
            #expect(try proxy.metric(rejections) == 1)
        }
    }

    @Test("relayed as it is, a 500 is a failure for the circuit", arguments: Raw.allCases)
    func rawFailure(raw: Raw) throws {
        let (answer, text) = Self.long(500)
        let upstream = try ScriptedUpstream(answering: answer)
        let settings = "circuit_breaker: { minimum: 1, open_for: 1h }\(raw.settings)"
        try withProxy(to: upstream, provider: settings) { proxy in
            let response = try proxy.exchange("GET", "/p/x", fields: raw.fields)
            #expect(response.status == 500 && response.isComplete && response.text == text)
            try proxy.expectNothingInFlight()
            #expect(try proxy.exchange("GET", "/p/x", fields: raw.fields).code == "circuit_open")
        }
    }

    @Test("relayed as it is, a 401 counts against its key", arguments: Raw.allCases)
    func rawRefusedKey(raw: Raw) throws {
        let (answer, text) = Self.long(401)
        let upstream = try ScriptedUpstream(answering: answer)
        try withProxy(to: upstream, provider: "max_wait: 10s\(raw.settings)") { proxy in
            let fields = raw.fields + [("Authorization", "Bearer bad")]
            for _ in 1...3 {
                let response = try proxy.exchange("GET", "/p/x", fields: fields)
                #expect(response.status == 401 && response.isComplete && response.text == text)
            }
            #expect(try proxy.exchange("GET", "/p/x", fields: fields).code == "credentials_quarantined")
        }
    }
}
