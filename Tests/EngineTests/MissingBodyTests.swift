import TestSupport
import Testing

/// A body that does not come holds nothing that other requests need.
@Suite("a body that does not come", .blocking)
struct MissingBodyTests {
    /// How the request is framed, and what of its body arrives.
    struct Upload: CustomTestStringConvertible, Sendable {
        let framing: String
        let beginning: String
        let rest: String
        var testDescription: String { "\(framing), \(beginning.utf8.count) bytes" }
    }

    private static let size = 200_000

    private static let uploads = [
        Upload(framing: "Content-Length: 5", beginning: "", rest: "hello"),
        Upload(framing: "Content-Length: 5", beginning: "hell", rest: "o"),
        Upload(framing: "Content-Length: \(size)", beginning: "", rest: String(repeating: "x", count: size)),
        Upload(
            framing: "Transfer-Encoding: chunked", beginning: "", rest: UploadFraming.chunked.bytes("hello")),
        Upload(framing: "Transfer-Encoding: chunked", beginning: "5\r", rest: "\nhello\r\n0\r\n\r\n"),
    ]

    @Test(
        "a request whose body has not begun holds no slot, and is sent once it has", arguments: uploads,
        ["limits: [{ concurrent: 1, by: provider }]", "limits: [{ requests: 1000, per: 60s, by: provider }]"])
    func slot(upload: Upload, limits: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: "\(limits), max_wait: 0s") { proxy throws in
            let client = try proxy.client()
            try client.send(
                "POST /p/late HTTP/1.1\r\nHost: h\r\n\(upload.framing)\r\n\r\n\(upload.beginning)")
            try eventually("the request to begin") {
                try proxy.metric(#"weir_requests_in_flight{provider="p"}"#) == 1
            }
            try proxy.settle()
            for _ in 1...3 { #expect(try proxy.exchange("GET", "/p/other").status == 200) }
            #expect(upstream.requests.allSatisfy { $0.target == "/other" })
            try client.send(upload.rest)
            #expect(try client.readResponse().status == 200)
            let late = try #require(upstream.requests.last)
            #expect(
                late.target == "/late"
                    && late.body?.count == (upload.framing.hasSuffix("\(Self.size)") ? Self.size : 5))
            // The connection goes on.
            #expect(try client.exchange("GET", "/p/more").status == 200)
        }
    }

    private static let streamed = uploads.filter { !$0.framing.hasSuffix(" 5") }

    private static func head(_ upload: Upload) -> String {
        "POST /p/late HTTP/1.1\r\nHost: h\r\n\(upload.framing)\r\n\r\n\(upload.beginning)"
    }

    private static func waitForQueue(_ depth: Double, in proxy: ProxyFixture) throws {
        try eventually("\(depth) requests to wait") {
            try proxy.metric(#"weir_queue_depth{provider="p"}"#) == depth
        }
    }

    @Test("a request whose turn comes before its body gives the slot to others", arguments: streamed, [1, 2])
    func turn(upload: Upload, workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 60s"
        try withProxy(to: upstream, provider: provider, workers: workers) { proxy throws in
            let (first, late, other) = (try proxy.client(), try proxy.client(), try proxy.client())
            try first.request("GET", "/p/first")
            let exchange = try upstream.expectRequest()
            try late.send(Self.head(upload))
            try Self.waitForQueue(1, in: proxy)
            try other.request("GET", "/p/other")
            try Self.waitForQueue(2, in: proxy)
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
            let next = try upstream.expectRequest()
            #expect(next.request.target == "/other")
            try next.respond(.ok())
            #expect(try other.readResponse().status == 200)
            try late.send(upload.rest)
            let last = try upstream.expectRequest()
            #expect(last.request.target == "/late")
            try last.respond(.ok())
            #expect(try late.readResponse().status == 200)
        }
    }

    @Test("a request whose body arrives while it waits is sent when its turn comes", arguments: streamed)
    func bodyInQueue(upload: Upload) throws {
        let upstream = try ScriptedUpstream()
        let provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 60s"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            let (first, late, other) = (try proxy.client(), try proxy.client(), try proxy.client())
            try first.request("GET", "/p/first")
            let exchange = try upstream.expectRequest()
            try late.send(Self.head(upload))
            try Self.waitForQueue(1, in: proxy)
            try other.request("GET", "/p/other")
            try Self.waitForQueue(2, in: proxy)
            try late.send(upload.rest)
            try proxy.settle()
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
            for (target, client) in [("/late", late), ("/other", other)] {
                let next = try upstream.expectRequest()
                #expect(next.request.target == target)
                try next.respond(.ok())
                #expect(try client.readResponse().status == 200)
            }
        }
    }

    @Test("a request whose body has not begun leaves the probe of an open circuit to others")
    func probe() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(exchange.request.target == "/bad" ? .status(500) : .ok())
        }
        let provider = "circuit_breaker: { minimum: 4, open_for: 1s }"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            for _ in 1...4 { try proxy.exchange("GET", "/p/bad") }
            var late: RawClient?
            try eventually("the circuit to allow a probe") {
                late = try proxy.client()
                try late?.send("POST /p/late HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
                try proxy.settle()
                // One that is refused is answered, and over.
                return try proxy.metric(#"weir_requests_in_flight{provider="p"}"#) == 1
            }
            #expect(try proxy.exchange("GET", "/p/good").status == 200)
            try late?.send(UploadFraming.chunked.bytes("hello"))
            #expect(try late?.readResponse().status == 200)
        }
    }

    @Test("a request that would be refused is refused, whether its body begins or not", arguments: streamed)
    func refused(upload: Upload) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "limits: [{ requests: 1, per: 60s, by: provider }], max_wait: 0s"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/first").status == 200)
            let client = try proxy.client()
            try client.send(Self.head(upload))
            // The connection goes on behind a body that is not too long.
            if upload.framing.hasPrefix("Content-Length") { try client.send(upload.rest) }
            let response = try client.readResponse()
            #expect(response.status == 429 && response.code == "throttled")
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("a client whose body does not begin is let go after client_stall", arguments: streamed)
    func stalled(upload: Upload) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 20s"
        try withProxy(to: upstream, provider: provider, limits: "client_stall: 1s") { proxy throws in
            let clients = try (0..<3).map { _ in
                let client = try proxy.client()
                try client.send(Self.head(upload))
                return client
            }
            #expect(try proxy.exchange("GET", "/p/other").status == 200)
            #expect(try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 0)
            for client in clients { try client.expectClosed() }
            try proxy.expectNothingInFlight()
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("where nothing is waited for, a body is sent as it comes")
    func unlimited() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            let exchange = try upstream.expectRequestHead()
            try client.send(UploadFraming.chunked.bytes("hello"))
            #expect(try exchange.readBody().text == "hello")
            try exchange.respond(.ok())
            #expect(try client.readResponse().status == 200)
        }
    }

    /// A request that Weir answers itself.
    struct OwnAnswer: CustomTestStringConvertible, Sendable {
        let request: String
        let status: Int
        var testDescription: String { request }
    }

    private static let ownAnswers = [
        OwnAnswer(request: "POST /-/", status: 405), OwnAnswer(request: "POST /-/quit", status: 404),
        OwnAnswer(request: "DELETE /-/unmapped", status: 405),
        OwnAnswer(request: "GET /metrics", status: 200),
        OwnAnswer(request: "GET /livez", status: 200),
        OwnAnswer(request: "GET /-/none", status: 404), OwnAnswer(request: "PUT /readyz", status: 405),
        OwnAnswer(request: "OPTIONS *", status: 204), OwnAnswer(request: "OPTIONS /-/", status: 405),
        OwnAnswer(request: "POST /nowhere", status: 404), OwnAnswer(request: "GET /nowhere", status: 404),
    ]

    @Test(
        "a request that Weir answers itself gets its response even if its body never arrives, and its connection ends",
        arguments: ownAnswers,
        [
            "Content-Length: 5\r\n\r\n", "Content-Length: 5\r\n\r\nhell",
            "Transfer-Encoding: chunked\r\n\r\n5\r\n",
        ])
    func ownAnswer(answer: OwnAnswer, rest: String) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, limits: "client_stall: 1h, client_idle: 1h") { proxy throws in
            let client = try proxy.client()
            try client.send("\(answer.request) HTTP/1.1\r\nHost: localhost\r\n\(rest)")
            let response = try client.readResponse()
            // An admin page rejects a body of unknown length.
            let isPage = answer.request.hasPrefix("GET") && !answer.request.hasSuffix("nowhere")
            let isTooLong = isPage && rest.hasPrefix("Transfer")
            #expect(response.status == (isTooLong ? 413 : answer.status))
            try client.expectClosed()
            client.close()
        }
    }

    @Test(
        "a request that Weir answers itself keeps its connection if its body arrives with its head",
        arguments: ownAnswers)
    func ownAnswerToWhole(answer: OwnAnswer) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for _ in 1...2 {
                try client.send(
                    "\(answer.request) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
                #expect(try client.readResponse().status == answer.status)
            }
        }
    }
}
