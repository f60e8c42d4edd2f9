import TestSupport
import Testing

@Suite(.blocking) struct ConversationTests {
    @Test("a request arrives byte for byte, and its response returns with order and case kept")
    func roundTrip() throws {
        let upstream = try ScriptedUpstream()
        let client = try RawClient(port: upstream.port)
        let sent =
            "POST /a%2Fb?x=%20 HTTP/1.1\r\nHoSt: x\r\nX-Twice: 1\r\nx-twice:  2 \r\nContent-Length: 3\r\n\r\nabc"
        try client.send(sent)
        let exchange = try upstream.expectRequest()
        #expect(exchange.request.requestLine == "POST /a%2Fb?x=%20 HTTP/1.1")
        #expect(exchange.request.target == "/a%2Fb?x=%20")
        #expect(exchange.request.fields.names == ["HoSt", "X-Twice", "x-twice", "Content-Length"])
        #expect(exchange.request.fields.values(of: "X-TWICE") == ["1", "2"])
        #expect(exchange.request.text == "abc")
        #expect(exchange.request.rawBytes == Array(sent.utf8))

        try exchange.respond(
            .status(422, reason: "No", fields: [("B-Second", "b"), ("A-First", "a")], body: "bad"))
        let response = try client.readResponse()
        #expect(response.statusLine == "HTTP/1.1 422 No")
        #expect(response.status == 422)
        #expect(response.fields.names == ["B-Second", "A-First", "Content-Length"])
        #expect(response.text == "bad")
        #expect(response.isComplete)
    }

    @Test("pipelined requests are received and answered one after the other on one connection")
    func pipelining() throws {
        let upstream = try ScriptedUpstream()
        let client = try RawClient(port: upstream.port)
        try client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
        for target in ["/1", "/2"] {
            let exchange = try upstream.expectRequest()
            #expect(exchange.request.target == target)
            try exchange.respond(.ok("\"\(target)\""))
        }
        #expect(try client.readResponse().text == "\"/1\"")
        #expect(try client.readResponse().text == "\"/2\"")
        #expect(upstream.connectionCount == 1)
        #expect(upstream.requestCount == 2)
    }

    @Test("requests on several connections are received in any order and answered apart")
    func severalConnections() throws {
        let upstream = try ScriptedUpstream()
        let clients = try (0..<5).map { _ in try RawClient(port: upstream.port) }
        for (number, client) in clients.enumerated() { try client.request("GET", "/\(number)") }
        for _ in clients {
            let exchange = try upstream.expectRequest()
            try exchange.respond(.ok("\"\(exchange.request.target)\""))
        }
        for (number, client) in clients.enumerated() {
            #expect(try client.readResponse().text == "\"/\(number)\"")
        }
        #expect(upstream.connectionCount == 5)
        #expect(Set(upstream.requests.map(\.target)) == ["/0", "/1", "/2", "/3", "/4"])
    }

    @Test("a client that disconnects is seen as closed, and one that resets as reset")
    func leaving() throws {
        let upstream = try ScriptedUpstream()
        let first = try RawClient(port: upstream.port)
        try first.request("GET", "/")
        let leaving = try upstream.expectRequest()
        first.close()
        #expect(try leaving.expectClosed() == .orderly)

        let second = try RawClient(port: upstream.port)
        try second.request("GET", "/")
        let resetting = try upstream.expectRequest()
        second.reset()
        try resetting.expectReset()
    }

    @Test("an upstream that closes or resets is seen so by the client")
    func upstreamEnds() throws {
        let upstream = try ScriptedUpstream()
        let first = try RawClient(port: upstream.port)
        try first.request("GET", "/")
        try upstream.expectRequest().close()
        #expect(try first.expectClosed() == .orderly)

        let second = try RawClient(port: upstream.port)
        try second.request("GET", "/")
        try upstream.expectRequest().reset()
        try second.expectReset()
    }

    @Test("what does not come is reported when the deadline passes, not waited for")
    func deadlines() throws {
        let upstream = try ScriptedUpstream()
        let short = Duration.milliseconds(30)
        #expect(throws: PeerError.timedOut(waitingFor: "a request")) {
            try upstream.expectRequest(within: short)
        }
        try upstream.expectNoRequest(for: short)
        let client = try RawClient(port: upstream.port)
        #expect(throws: PeerError.timedOut(waitingFor: "a start line")) {
            try client.readResponse(within: short)
        }
        #expect(throws: PeerError.self) { try client.expectClosed(within: short) }
        try client.expectSilence(for: short)
        try client.request("GET", "/unexpected")
        #expect(throws: PeerError.unexpected("request GET /unexpected HTTP/1.1")) {
            try upstream.expectNoRequest(for: .patience)
        }
    }

    @Test("a request head can be answered before its body was sent")
    func headOnly() throws {
        let upstream = try ScriptedUpstream()
        let client = try RawClient(port: upstream.port)
        try client.send("PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        let exchange = try upstream.expectRequestHead()
        #expect(exchange.request.body == nil)
        try exchange.respond(.status(413))
        #expect(try client.readResponse().status == 413)
        try client.send([UInt8](repeating: 7, count: 1_000_000))
        #expect(try exchange.readBody(keeping: false).count == 1_000_000)
    }

    @Test("a request body that breaks off is received as incomplete")
    func brokenRequest() throws {
        let upstream = try ScriptedUpstream()
        let client = try RawClient(port: upstream.port)
        try client.send("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
        try client.shutdownWrite()
        let body = try #require(try upstream.expectRequest().request.body)
        #expect(body.text == "hel")
        #expect(body.ending == .closed)
    }

    @Test("peers meet over IPv6 and over a Unix domain socket")
    func otherFamilies() throws {
        let directory = try TemporaryDirectory()
        for endpoint in [Endpoint.loopback6, .unix(path: directory.path("upstream.sock"))] {
            let upstream = try ScriptedUpstream(on: endpoint, answering: .ok("6"))
            #expect(try RawClient(to: upstream.endpoint).exchange("GET", "/").text == "6")
        }
    }
}
