import TestSupport
import Testing

/// What a provider says before its answer (RFC 9110 15.2).
@Suite("interim responses", .blocking)
struct InterimTests {
    private static let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"

    @Test(
        "one reaches the client at once, while the provider still works", arguments: ["GET", "HEAD", "POST"])
    func atOnce(method: String) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            for index in 1...3 {
                try client.request(method, "/p/\(index)", body: method == "POST" ? "{}" : "")
                let exchange = try upstream.expectRequest()
                try exchange.send(Self.hints)
                let hints = try client.readHead()
                #expect(hints.line == "HTTP/1.1 103 Early Hints")
                #expect(hints.fields.all.count == 1 && hints.fields["Link"] == "</p/a.css>; rel=preload")
                let answer =
                    method == "HEAD"
                    ? ScriptedResponse.raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") : .ok("{\"a\":1}")
                try exchange.respond(answer)
                let response = try client.readResponse(toHead: method == "HEAD")
                #expect(response.status == 200 && response.informational.isEmpty)
                #expect(response.fields["Link"] == nil)
                #expect(response.text == (method == "HEAD" ? "" : "{\"a\":1}"))
            }
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test("several arrive in their order, those without a name as well; 100 stays here")
    func several() throws {
        var answer = ScriptedResponse.ok("{}")
        for status in [199, 100, 103, 104, 102] { answer = .informational(status, then: answer) }
        let upstream = try ScriptedUpstream(answering: answer)
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            for _ in 1...3 {
                let response = try client.exchange("GET", "/p/x")
                #expect(response.status == 200 && response.text == "{}")
                #expect(response.informational.map(\.status) == [102, 104, 103, 199])
                #expect(response.informational.first?.line == "HTTP/1.1 102 Processing")
            }
        }
    }

    @Test("its fields cross as those of a response do, without any of Weir's, and none that frames a message")
    func fields() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, prefix: "/v1") { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            let exchange = try upstream.expectRequest()
            try exchange.send(
                "HTTP/1.1 103 Mine\r\nLink: <\(upstream.url)/v1/next>; rel=next\r\nConnection: close, X-Hop\r\n"
                    + "X-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
                    + "Trailer: X\r\nUpgrade: h2c\r\nX-Empty:\r\nX-Folded: a\r\n  b\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"
            )
            let interim = try client.readHead()
            #expect(interim.line == "HTTP/1.1 103 Early Hints")
            #expect(interim.fields.all.count == 5)
            #expect(interim.fields["Link"] == "</p/next>; rel=next")
            #expect(interim.fields["X-Empty"] == "")
            #expect(interim.fields["X-Folded"] == "a b")
            #expect(interim.fields.values(of: "X-Twice") == ["1", "2"])
            try exchange.respond(.ok())
            let response = try client.readResponse()
            #expect(response.status == 200 && response.fields["X-Twice"] == nil)
            #expect(response.fields["Connection"] == nil)
        }
    }

    @Test("one comes while the client still sends")
    func upload() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
            let exchange = try upstream.expectRequestHead()
            try exchange.send("HTTP/1.1 102 Processing\r\n\r\n")
            #expect(try client.readHead().status == 102)
            try client.send(String(repeating: "x", count: 100_000))
            try exchange.send(Self.hints)
            #expect(try client.readHead().status == 103)
            try client.send(String(repeating: "x", count: 100_000))
            try exchange.readBody()
            #expect(exchange.request.body?.count == 200_000)
            try exchange.respond(.ok())
            #expect(try client.readResponse().status == 200)
            try client.request("GET", "/p/next")
            try upstream.expectRequest().respond(.informational(103, then: .ok()))
            #expect(try client.readResponse().informational.map(\.status) == [103])
        }
    }

    @Test("none comes before the 100 that a client waits for, and those that come later do")
    func expectation() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.send(
                "POST /p/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
            // The provider hears of the request only when the body has begun.
            #expect(try client.readHead().status == 100)
            try client.send(String(repeating: "x", count: 50_000))
            let exchange = try upstream.expectRequestHead()
            try exchange.send(Self.hints)
            #expect(try client.readHead().status == 103)
            try client.send(String(repeating: "x", count: 50_000))
            try exchange.readBody()
            try exchange.respond(.ok())
            let response = try client.readResponse()
            #expect(response.status == 200 && response.informational.isEmpty)
        }
    }

    @Test("a client of HTTP/1.0 gets none")
    func old() throws {
        let upstream = try ScriptedUpstream(answering: .informational(103, then: .ok("{}")))
        try withProxy(to: upstream) { proxy in
            for field in ["", "Connection: keep-alive\r\n"] {
                let client = try proxy.client()
                try client.send("GET /p/x HTTP/1.0\r\nHost: h\r\n\(field)\r\n")
                let response = try client.readResponse()
                #expect(response.status == 200 && response.informational.isEmpty)
                #expect(response.text == "{}")
            }
        }
    }

    @Test("an error behind one is a problem like any other")
    func errors() throws {
        let upstream = try ScriptedUpstream { exchange in
            switch exchange.request.target {
            case "/gone": try exchange.respond(.informational(103, then: .status(404, body: "gone")))
            case "/switch": try exchange.respond(.informational(103, then: .informational(101, then: .ok())))
            default: try exchange.respond(.raw(Self.hints).then(.close))
            }
        }
        try withProxy(to: upstream) { proxy in
            for (target, code) in [
                ("/gone", "not_found"), ("/switch", "provider_bad_response"), ("/cut", "connection_lost"),
            ] {
                let response = try proxy.exchange("GET", "/p\(target)")
                #expect(response.code == code)
                #expect(response.informational.map(\.status) == [103])
                #expect(response.informational.first?.fields["X-Request-Id"] == nil)
            }
        }
    }

    @Test("none buys the provider time")
    func timeout() throws {
        let upstream = try ScriptedUpstream { exchange in
            for _ in 0..<40 {
                try exchange.send("HTTP/1.1 102 Processing\r\n\r\n")
                pauseThread(for: .milliseconds(50))
            }
            try exchange.respond(.ok())
        }
        try withProxy(to: upstream, provider: "timeouts: { response: 500ms }") { proxy in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 504 && response.code == "provider_timeout")
        }
    }

    @Test("a request that waits gets none before its turn, and its slot is held until the response")
    func pacing() throws {
        let upstream = try ScriptedUpstream()
        let limits = "limits: [{ requests: 1, per: 300ms, by: provider }]"
        try withProxy(to: upstream, provider: limits) { proxy in
            let (first, second) = (try proxy.client(), try proxy.client())
            try first.request("GET", "/p/1")
            let exchange = try upstream.expectRequest()
            try exchange.send(Self.hints)
            #expect(try first.readHead().status == 103)
            try second.request("GET", "/p/2")
            try eventually("the request to wait") {
                try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1
            }
            try upstream.expectNoRequest(for: .milliseconds(400))
            let answered = ContinuousClock.now
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
            let next = try upstream.expectRequest()
            #expect(answered.duration(to: .now) >= .milliseconds(300))
            try proxy.settle()
            try second.expectSilence(for: .milliseconds(20))
            try next.respond(.informational(103, then: .ok()))
            #expect(try second.readResponse().informational.count == 1)
        }
    }

    @Test("one of an attempt that failed, and one of the next, come before the one response")
    func retries() throws {
        let upstream = try ScriptedUpstream { exchange in
            let isFirst = exchange.request.connection == 0
            try exchange.respond(
                .informational(103, then: isFirst ? .status(503).then(.close) : .ok("{}")))
        }
        try withProxy(to: upstream, provider: "retries: { max: 2, base: 20ms }") { proxy in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 200 && response.text == "{}")
            #expect(response.informational.count == 2 && upstream.requestCount == 2)
        }
    }
}
