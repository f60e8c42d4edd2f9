import TestSupport
import Testing

/// A request that RFC 9112, or a limit, does not allow.
struct BadRequest: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let status: Int
    let code: String

    init(_ name: String, _ text: String, _ status: Int = 400, _ code: String = "bad_client_request") {
        testDescription = name
        bytes = text.latin1Bytes
        self.status = status
        self.code = code
    }

    /// A request with these lines behind Host.
    static func lines(
        _ name: String, _ lines: String, _ status: Int = 400, _ code: String = "bad_client_request",
        body: String = ""
    ) -> BadRequest {
        BadRequest(name, "POST /p/x HTTP/1.1\r\nHost: h\r\n\(lines)\r\n\r\n\(body)", status, code)
    }

    /// A request with this body, which stands before CR LF and a last chunk.
    static func chunks(
        _ name: String, _ body: String, _ status: Int = 400, _ code: String = "bad_client_request"
    ) -> BadRequest {
        .lines(name, "Transfer-Encoding: chunked", status, code, body: body + "\r\n0\r\n\r\n")
    }

    /// A GET of this target.
    static func target(
        _ name: String, _ target: String, _ status: Int = 400, _ code: String = "bad_client_request"
    ) -> BadRequest {
        BadRequest(name, "GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n", status, code)
    }
}

@Suite(.blocking) struct BadRequestTests {
    static let requests: [BadRequest] =
        [
            // Lines
            .lines("a folded field", "X-A: a\r\n b"),
            .lines("a folded Content-Length", "Content-Len: 5\r\n gth: 5", body: "hello"),
            .lines(
                "a folded Transfer-Encoding", "Transfer-Enc: chunked\r\n oding: chunked", body: "0\r\n\r\n"),
            .lines("a field folded into nothing", "X-A: a\r\n "),
            .lines("a line that begins with a colon", ":a\r\nX-B: b"),
            .lines("a blank before the colon", "Content-Length : 5", body: "hello"),
            .lines("a tab before the colon", "X-A\t: 5"),
            .lines("a name with a bracket", "X(A: 5"),
            .lines("a name with obs-text", "X\u{E9}: 5"),
            .lines("a NUL in a value", "X-A: a\u{0}b"),
            .lines("a control character in a value", "X-A: a\u{1}b"),
            .lines("a DEL in a value", "X-A: a\u{7F}b"),
            .lines("a bare CR in a value", "X-A: a\rb"),
            .lines("a bare LF between fields", "X-A: a\nX-B: b"),
            BadRequest("bare LF everywhere", "GET /p/x HTTP/1.1\nHost: h\n\n"),
            BadRequest("a bare LF behind the request line", "GET /p/x HTTP/1.1\nHost: h\r\n\r\n"),
            BadRequest("a bare LF at the end of the head", "GET /p/x HTTP/1.1\r\nHost: h\r\n\n"),
            BadRequest("two blanks behind the method", "GET  /p/x HTTP/1.1\r\nHost: h\r\n\r\n"),
            BadRequest("two blanks behind the target", "GET /p/x  HTTP/1.1\r\nHost: h\r\n\r\n"),
            BadRequest("a method with a bracket", "G(T /p/x HTTP/1.1\r\nHost: h\r\n\r\n"),
            BadRequest("a NUL in the method", "G\u{0}T /p/x HTTP/1.1\r\nHost: h\r\n\r\n"),
            BadRequest("a NUL in the target", "GET /p/x\u{0}y HTTP/1.1\r\nHost: h\r\n\r\n"),
            // Framing
            .lines(
                "a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n"),
            .lines(
                "chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 5", body: "0\r\n\r\n"),
            .lines("two lengths that differ", "Content-Length: 5\r\nContent-Length: 6", body: "hello!"),
            .lines("the coding gzip", "Transfer-Encoding: gzip", body: "x"),
            .lines("the codings gzip, chunked", "Transfer-Encoding: gzip, chunked", body: "0\r\n\r\n"),
            .lines("chunked twice in a line", "Transfer-Encoding: chunked, chunked", body: "0\r\n\r\n"),
            .lines(
                "chunked in two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                body: "0\r\n\r\n"),
            .lines(
                "chunked and identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
                body: "0\r\n\r\n"),
            .lines("xchunked", "Transfer-Encoding: xchunked", body: "0\r\n\r\n"),
            BadRequest(
                "chunks of HTTP/1.0", "POST /p/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            BadRequest("HEAD with a body", "HEAD /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"),
            .lines("an expectation nobody knows", "Expect: other\r\nContent-Length: 5", 417),
            // Routing
            BadRequest("no Host", "GET /p/x HTTP/1.1\r\nX-A: a\r\n\r\n"),
            BadRequest("two Hosts", "GET /p/x HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"),
            BadRequest("two Hosts that differ", "GET /p/x HTTP/1.1\r\nHost: h\r\nhost: i\r\n\r\n"),
            BadRequest("CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", 501),
            BadRequest("CONNECT to a path", "CONNECT /p/x HTTP/1.1\r\nHost: h\r\n\r\n", 501),
            BadRequest("TRACE", "TRACE /p/x HTTP/1.1\r\nHost: h\r\n\r\n", 501),
            .target("another host", "http://example.com/p/x"),
            .target("another host over TLS", "https://example.com/p/x"),
            .target("Weir's host with a port", "http://h:1/p/x"),
            .target("userinfo before Weir's host", "http://u@h/p/x"),
            .target("an absolute form without a path", "http://h"), .target("another scheme", "ftp://h/p/x"),
            .target("an asterisk", "*"),
            .target("a relative path", "p/x"), .target("a host alone", "example.com:443"),
            .target("a fragment", "/p/x#f"), .target("a fragment in the query", "/p/x?a#f"),
            .target("a control character", "/p/x\u{1}"), .target("a DEL", "/p/x\u{7F}"),
            // Limits
            .target(
                "a target beyond 8 KiB", "/p/" + String(repeating: "a", count: 8190), 414, "uri_too_long"),
            .lines(
                "fields beyond 12 KiB", "X-A: " + String(repeating: "a", count: 12_300), 431,
                "headers_too_large"),
            .lines(
                "more than 100 fields", (0..<100).map { "X-\($0): a" }.joined(separator: "\r\n"), 431,
                "headers_too_large"),
            .lines(
                "a declared length beyond the limit", "Content-Length: 67108865", 413, "request_too_large"),
            .lines(
                "a length beyond all numbers", "Content-Length: 99999999999999999999", 413,
                "request_too_large"),
            .lines(
                "fields beyond the connection's memory", "X-A: " + String(repeating: "a", count: 20_000), 431,
                "headers_too_large"),
            .target(
                "a target beyond the connection's memory", "/p/" + String(repeating: "a", count: 20_000), 414,
                "uri_too_long"),
            // What libmicrohttpd would answer by itself, or misread
            .lines("a line without a colon", "hello"), .lines("a NUL in a name", "X-\u{0}A: b"),
            BadRequest("a tab behind the method", "GET\t/p/x HTTP/1.1\r\nHost: h\r\n\r\n"),
            BadRequest("a blank behind the version", "GET /p/x HTTP/1.1 \r\nHost: h\r\n\r\n"),
            BadRequest("a blank before the method", " GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n"),
            .lines("a list of lengths", "Content-Length: 5, 5", body: "hello"),
            .lines("a negative length", "Content-Length: -5", body: "hello"),
            .lines("a signed length", "Content-Length: +5", body: "hello"),
            .lines("a length in hexadecimal", "Content-Length: 0x5", body: "hello"),
            .lines("two numbers in a length", "Content-Length: 5 5", body: "hello"),
            .lines("an empty length", "Content-Length:"),
            .lines("an empty coding", "Transfer-Encoding:", body: "0\r\n\r\n"),
            BadRequest("no version", "GET /p/x\r\nHost: h\r\n\r\n"),
            BadRequest("HTTP/2", "GET /p/x HTTP/2.0\r\nHost: h\r\n\r\n", 505),
            BadRequest("HTTP/1.2", "GET /p/x HTTP/1.2\r\nHost: h\r\n\r\n", 505),
            BadRequest("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            BadRequest("a version in lower case", "GET /p/x http/1.1\r\nHost: h\r\n\r\n"),
            BadRequest("a version of one digit", "GET /p/x HTTP/1.\r\nHost: h\r\n\r\n"),
            BadRequest("another protocol", "GET /p/x SIP/2.0\r\nHost: h\r\n\r\n"),
            BadRequest("a TLS handshake", "\u{16}\u{3}\u{1}\u{0}\u{5}hello"),
            // Chunks
            .chunks("a size with a prefix", "0x5\r\nhello"), .chunks("a negative size", "-5\r\nhello"),
            .chunks("a signed size", "+5\r\nhello"), .chunks("a blank behind a size", "5 \r\nhello"),
            .chunks("a blank before a size", " 5\r\nhello"), .chunks("no size", "\r\nhello"),
            .chunks("a size beyond 64 bits", "10000000000000005\r\nhello"),
            .chunks("a size of all bits", "FFFFFFFFFFFFFFFF\r\nhello"),
            .chunks("a size beyond the limit", "4000001\r\n", 413, "request_too_large"),
            .chunks("no line end behind a chunk", "5\r\nhello0"),
            .chunks("a chunk that is longer than its size", "4\r\nhello"),
            .chunks("a bare LF behind a size", "5\nhello"),
            .chunks("a bare LF behind a chunk", "5\r\nhello\n0"),
            .chunks("a bare CR behind a size", "5\rhello"),
            .chunks("a bare CR in an extension", "5;a\rb\r\nhello"),
            .chunks("a NUL in an extension", "5;a\u{0}\r\nhello"),
            .chunks("a bare LF in an extension", "5;a\nb\r\nhello"),
            .chunks("an extension beyond 1 KiB", "5;" + String(repeating: "a", count: 1025) + "\r\nhello"),
            .chunks("a trailer with a bad name", "0\r\nX(A: b"),
            .chunks("a trailer without a colon", "0\r\nhello"),
            .chunks("a blank before a trailer's colon", "0\r\nX-A : b"),
            .chunks("a folded trailer", "0\r\nX-A: a\r\n b"),
            .chunks("a bare LF in the trailers", "0\r\nX-A: b\n"),
        ]
        + [
            "a b", "a/b", "user@h", "a,b", "a?b", "a%zz", "h:x", "h:65536", "h:-1", "h:80:80", ":80", "[::1",
            "[::1]x",
            "[zz]", "::1", "\"h\"", "a\\b",
        ].map { BadRequest("the Host \($0)", "GET /p/x HTTP/1.1\r\nHost: \($0)\r\n\r\n") }

    @Test(
        "a malformed request gets a problem, its connection ends, and nothing reaches the provider",
        arguments: requests)
    func malformed(_ request: BadRequest) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            // What a request like this leaves behind must not be taken for the next one.
            try client.send(request.bytes + Array("GET /p/smuggled HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
            let response = try client.readResponse(toHead: request.testDescription.hasPrefix("HEAD"))
            #expect(response.fields["Connection"] == "close")
            #expect(response.status == request.status)
            #expect(response.fields["X-Error-Code"] == request.code)
            if response.body.count > 0 {
                #expect(response.problem["origin"] == "client")
                #expect(response.problem["effect"] == "none")
                #expect(response.problem["retryable"] == "false")
            }
            try client.expectClosed()
            #expect(upstream.connectionCount == 0)
        }
    }

    @Test("limits are kept to the byte: what is just allowed is forwarded")
    func justAllowed() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, limits: "uri: 100, header_count: 3, request_body: 70000") {
            proxy throws in
            let client = try proxy.client()
            let target = "/p/" + String(repeating: "a", count: 97)
            #expect(try client.exchange("GET", target).status == 200)
            #expect(try client.exchange("GET", target, fields: [("X-A", "1"), ("X-B", "2")]).status == 200)
            let body = String(repeating: "b", count: 70_000)
            #expect(try client.exchange("POST", "/p/x", body: body).status == 200)
            #expect(try proxy.exchange("GET", target + "a").status == 414)
            let fields = [("X-A", "1"), ("X-B", "2"), ("X-C", "3")]
            #expect(try proxy.exchange("GET", target, fields: fields).status == 431)
            #expect(try proxy.exchange("POST", "/p/x", fields: [("Content-Length", "70001")]).status == 413)
            #expect(upstream.requestCount == 3)
        }
    }

    @Test(
        "a chunked body beyond the limit is refused, and the provider never sees it complete",
        arguments: [1000, 200_000])
    func longChunkedBody(limit: Int) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, limits: "request_body: \(limit)") { proxy throws in
            let client = try proxy.client()
            try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            try client.send("1\r\na\r\n")
            let exchange = try upstream.expectRequestHead()
            let piece = String(repeating: "b", count: 1000)
            for _ in 0..<(limit / 1000) { try client.send("3e8\r\n\(piece)\r\n") }
            #expect(try !exchange.readBody().isComplete)
            try client.send("0\r\n\r\n")
            let response = try client.readResponse()
            #expect(response.status == 413)
            #expect(response.problem["code"] == "request_too_large")
            #expect(response.problem["effect"] == "unknown")
        }
    }

    @Test(
        "a broken chunk ends the request, and the provider never sees it complete",
        arguments: [
            "zz\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
            "FFFFFFFFFFFFFFFFFF\r\nhello\r\n",
        ])
    func brokenChunk(body: String) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
            let exchange = try upstream.expectRequestHead()
            try client.send(body)
            #expect(try !exchange.readBody().isComplete)
            _ = try? client.readResponse()
            try proxy.expectNothingInFlight(within: .promptly)
        }
    }

    @Test(
        "garbage and half a request reach nobody and leave nothing",
        arguments: [
            "\u{16}\u{3}\u{1}\u{0}\u{5}hello\r\n\r\n", "GET /p/x HT", "\r\n\r\n\r\n", "GET",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ])
    func garbage(text: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send(text.latin1Bytes)
            try client.shutdownWrite()
            _ = try? client.readResponse(within: .milliseconds(200))
            client.close()
            #expect(upstream.connectionCount == 0)
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
        }
    }

    // MARK: Expect

    @Test("a client that waits for 100 gets it, and then the response", arguments: [5, 70_000])
    func expectContinue(size: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for _ in 0..<2 {
                try client.send(
                    "POST /p/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: \(size)\r\n\r\n"
                )
                #expect(try client.readHead().status == 100)
                try client.send([UInt8](repeating: 0x61, count: size))
                #expect(try client.readResponse().status == 200)
            }
            #expect(upstream.requests.allSatisfy { $0.fields["Expect"] == nil && $0.body?.count == size })
        }
    }

    @Test(
        "a client whose request is refused gets the response without 100",
        arguments: [
            ("/none", "Content-Length: 5", 404), ("/p/x", "Content-Length: 99999999", 413),
            ("/p/x", "Content-Length: 5\r\nContent-Length: 6", 400),
            ("/none", "Transfer-Encoding: chunked", 404),
        ])
    func expectRefused(target: String, framing: String, status: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send(
                "POST \(target) HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\(framing)\r\n\r\n")
            let response = try client.readResponse()
            #expect(response.status == status)
            #expect(response.informational.isEmpty)
            try client.expectClosed()
            #expect(upstream.connectionCount == 0)
        }
    }
}
