import TestSupport
import Testing

/// Clients that wait for `100 Continue` before they send their body (RFC 9110 10.1.1).
@Suite("clients that wait to be told to go on", .blocking)
struct ExpectationTests {
    private static let oneAtATime = "limits: [{ requests: 1, per: 50ms, by: provider }]"

    /// A body and its framing.
    struct Upload: CustomTestStringConvertible, Sendable {
        let framing: UploadFraming
        let body: String
        var testDescription: String { framing.field(body.utf8.count) }
        /// As it is sent.
        var bytes: String { framing.bytes(body) }

        static let small = Upload(framing: .length, body: "hello")
        static let large = Upload(framing: .length, body: String(repeating: "x", count: 70_000))
        static let chunked = Upload(framing: .chunked, body: "hello")
        static let all = [small, large, chunked]
    }

    private func ask(_ client: RawClient, _ target: String, _ upload: Upload) throws {
        let field = upload.framing.field(upload.body.utf8.count)
        try client.send("POST \(target) HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\(field)\r\n\r\n")
    }

    @Test(
        "a client with a large body is told to go on when its turn has come, not before",
        arguments: [Upload.large, .chunked])
    func turn(upload: Upload) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.oneAtATime) { proxy throws in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            let exchange = try upstream.expectRequest()
            let client = try proxy.client()
            try ask(client, "/p/1", upload)
            try eventually("the request to wait") {
                try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1
            }
            try proxy.settle()
            try client.expectSilence(for: .zero)
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
            #expect(try client.readHead().status == 100)
            try client.send(upload.bytes)
            try upstream.expectRequest().respond(.ok())
            #expect(try client.readResponse().status == 200)
            #expect(upstream.requests.last?.body?.text == upload.body)
            // The connection goes on.
            try client.request("GET", "/p/2")
            try upstream.expectRequest().respond(.ok())
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test("a body that never comes holds no slot for long", arguments: Upload.all, [1, 2])
    func neverSent(upload: Upload, workers: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 20s"
        try withProxy(to: upstream, provider: provider, workers: workers) { proxy throws in
            let client = try proxy.client()
            try ask(client, "/p/never", upload)
            #expect(try client.readHead().status == 100)
            for number in 1...3 {
                #expect(try proxy.exchange("GET", "/p/\(number)", within: .seconds(8)).status == 200)
            }
            #expect(upstream.requests.map(\.target) == ["/1", "/2", "/3"])
            // It comes after all, and is as good as any other.
            try client.send(upload.bytes)
            #expect(try client.readResponse().status == 200)
            #expect(upstream.requests.last?.target == "/never")
            try client.request("GET", "/p/more")
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test("a body that comes late waits for its turn like any other", arguments: Upload.all)
    func late(upload: Upload) throws {
        let upstream = try ScriptedUpstream()
        let provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 20s"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            let client = try proxy.client()
            try ask(client, "/p/late", upload)
            #expect(try client.readHead().status == 100)
            let other = try proxy.client()
            try other.request("GET", "/p/other")
            let exchange = try upstream.expectRequest()
            try client.send(upload.bytes)
            try eventually("the request to wait") {
                try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1
            }
            try exchange.respond(.ok())
            #expect(try other.readResponse().status == 200)
            try upstream.expectRequest().respond(.ok())
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test("a body that comes too late for a slot is refused, and the response arrives", arguments: Upload.all)
    func tooLate(upload: Upload) throws {
        let upstream = try ScriptedUpstream()
        let provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 0s"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            let client = try proxy.client()
            try ask(client, "/p/late", upload)
            #expect(try client.readHead().status == 100)
            let other = try proxy.client()
            var exchange: UpstreamExchange?
            try eventually("the slot to come back") {
                try other.request("GET", "/p/other")
                exchange = try? upstream.expectRequest(within: .milliseconds(300))
                return exchange != nil ? true : try other.readResponse().status == 200
            }
            try client.send(upload.bytes)
            let response = try client.readResponse()
            #expect(response.status == 429 && response.code == "throttled")
            try exchange?.respond(.ok())
            #expect(try other.readResponse().status == 200)
        }
    }

    @Test(
        "a small body that comes slowly holds no slot, announced or not",
        arguments: ["", "Expect: 100-continue\r\n"])
    func slow(expectation: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 0s"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            let client = try proxy.client()
            try client.send("POST /p/slow HTTP/1.1\r\nHost: h\r\n\(expectation)Content-Length: 5\r\n\r\n")
            if !expectation.isEmpty { #expect(try client.readHead().status == 100) }
            for letter in ["h", "e", "l", "l"] {
                try client.send(letter)
                #expect(try proxy.exchange("GET", "/p/x").status == 200)
            }
            try client.send("o")
            #expect(try client.readResponse().status == 200)
            #expect(upstream.requests.last?.text == "hello")
        }
    }

    @Test("a client that would be refused is not told to go on", arguments: Upload.all)
    func refusedAtOnce(upload: Upload) throws {
        let upstream = try ScriptedUpstream(answering: .status(500))
        let provider = "circuit_breaker: { minimum: 4, open_for: 1h }"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            for _ in 1...4 { try proxy.exchange("GET", "/p/x") }
            let client = try proxy.client()
            try ask(client, "/p/1", upload)
            let response = try client.readResponse()
            #expect(response.code == "circuit_open" && response.informational.isEmpty)
            #expect(try client.expectClosed() == .orderly)
        }
    }

    @Test("a request that is told to go on leaves the one probe of an open circuit to others")
    func probe() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(exchange.request.target == "/bad" ? .status(500) : .ok())
        }
        let provider = "circuit_breaker: { minimum: 4, open_for: 1s }"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            for _ in 1...4 { try proxy.exchange("GET", "/p/bad") }
            let other = try proxy.client()
            try eventually("the circuit to allow a probe") {
                let client = try proxy.client()
                try ask(client, "/p/1", .small)
                return try client.readHead().status == 100
            }
            #expect(try other.exchange("GET", "/p/good").status == 200)
        }
    }

    @Test("a client whose turn does not come is told so, and not to go on")
    func noTurn() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "limits: [{ requests: 1, per: 60s, by: provider }], max_wait: 300ms"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/0").status == 200)
            let client = try proxy.client()
            try ask(client, "/p/1", .small)
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
        try withProxy(to: upstream, provider: "limits: [{ requests: 1, per: 60s, by: provider }]") {
            proxy throws in
            let client = try proxy.client()
            try ask(client, "/p/1", .small)
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
        try withProxy(to: upstream, limits: "client_stall: 1s") { proxy throws in
            let client = try proxy.client()
            try ask(client, "/p/1", .small)
            #expect(try client.readHead().status == 100)
            try client.expectClosed(within: .seconds(10))
            try proxy.expectNothingInFlight()
            #expect(upstream.requestCount == 0)
        }
    }
}
