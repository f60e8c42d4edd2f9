import TestSupport
import Testing

/// Clients that wait for `100 Continue` before they send their body (RFC 9110 10.1.1).
@Suite("clients that wait to be told to go on", .blocking)
struct ExpectationTests {
    private static let oneAtATime = "limits: [{ requests: 1, per: 50ms, by: provider }]"

    private func ask(_ client: RawClient, _ target: String, framing: String) throws {
        try client.send("POST \(target) HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\(framing)\r\n\r\n")
    }

    @Test(
        "a client is told to go on when its turn has come, not before",
        arguments: ["Content-Length: 5", "Content-Length: 70000", "Transfer-Encoding: chunked"])
    func turn(framing: String) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.oneAtATime) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            let exchange = try upstream.expectRequest()
            let client = try proxy.client()
            try ask(client, "/p/1", framing: framing)
            try eventually("the request to wait") {
                try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1
            }
            try proxy.settle()
            try client.expectSilence(for: .milliseconds(50))
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
            #expect(try client.readHead().status == 100)
            let body = framing.hasSuffix("70000") ? String(repeating: "x", count: 70_000) : "hello"
            try client.send(framing.hasSuffix("chunked") ? "5\r\nhello\r\n0\r\n\r\n" : body)
            try upstream.expectRequest().respond(.ok())
            #expect(try client.readResponse().status == 200)
            #expect(upstream.requests.last?.body?.text == body)
            // The connection goes on.
            try client.request("GET", "/p/2")
            try upstream.expectRequest().respond(.ok())
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test("a client whose turn does not come is told so, and not to go on")
    func noTurn() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "limits: [{ requests: 1, per: 60s, by: provider }], max_wait: 300ms"
        try withProxy(to: upstream, provider: provider) { proxy in
            #expect(try proxy.exchange("GET", "/p/0").status == 200)
            let client = try proxy.client()
            try ask(client, "/p/1", framing: "Content-Length: 5")
            let response = try client.readResponse()
            #expect(response.status == 429)
            #expect(response.informational.isEmpty)
            try client.expectClosed()
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("a client that is told to go on, and leaves, gives its slot back")
    func leaving() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: "limits: [{ requests: 1, per: 60s, by: provider }]") { proxy in
            let client = try proxy.client()
            try ask(client, "/p/1", framing: "Content-Length: 5")
            #expect(try client.readHead().status == 100)
            client.close()
            try proxy.expectNothingInFlight()
            #expect(try proxy.exchange("GET", "/p/2", within: .seconds(5)).status == 200)
            #expect(upstream.requests.map(\.target) == ["/2"])
        }
    }

    @Test("a client that is told to go on, and does not, is let go")
    func silent() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, limits: "client_stall: 1s") { proxy in
            let client = try proxy.client()
            try ask(client, "/p/1", framing: "Content-Length: 5")
            #expect(try client.readHead().status == 100)
            try client.expectClosed(within: .seconds(10))
            try proxy.expectNothingInFlight()
            #expect(upstream.requestCount == 0)
        }
    }
}
