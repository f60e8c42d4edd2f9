import TestSupport
import Testing

@Suite("a provider's response with a large head", .blocking)
struct LargeHeadTests {
    /// Lines of `Set-Cookie` with so many bytes, and a policy, behind these.
    private static func head(_ status: String, _ size: Int, _ lines: String = "") -> String {
        let cookies = (0..<size / 500).map { "Set-Cookie: c\($0)=\(String(repeating: "x", count: 480))\r\n" }
        return "HTTP/1.1 \(status)\r\n\(lines)\(cookies.joined())X-Last: last\r\n"
    }

    private func cookies(_ response: RawResponse) -> Int { response.fields.values(of: "Set-Cookie").count }

    /// Runs `body` with a client of plain HTTP, and one behind TLS.
    private func withClients(
        to upstream: ScriptedUpstream, provider: String = "", limits: String = "",
        _ body: (RawClient, String) throws -> Void
    ) throws {
        try withProxy(to: upstream, provider: provider, limits: limits) { proxy throws in
            try body(proxy.client(receiveBuffer: 4096), "/p")
        }
        let tls = try TLSFixture()
        let files = "certificate: '\(tls.identity.certificatePath)', key: '\(tls.identity.keyPath)'"
        let more = provider.isEmpty ? "" : ", \(provider)"
        let proxy = try ProxyFixture(
            yaml: """
                listen: { address: 127.0.0.1:0, tls: { \(files) } }
                workers: 1
                limits: { \(limits.isEmpty ? "" : limits + ", ")drain: 1s }
                providers: { p: { profile: generic, upstream: '\(upstream.url)'\(more) } }
                """)
        defer { proxy.stop() }
        let relay = try TLSRelay(to: proxy.port, trusting: tls.authority)
        let client = try proxy.client(on: relay.port, receiveBuffer: 4096)
        try body(client, "/p")
        client.close()
    }

    @Test(
        "a success with 60 KB of fields is relayed whole, and the connection goes on",
        arguments: ["Content-Length: 5", "Transfer-Encoding: chunked", "Connection: close"])
    func relayed(framing: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            let body = framing.hasSuffix("chunked") ? "5\r\nhello\r\n0\r\n\r\n" : "hello"
            try exchange.respond(
                Self.head("201 Created", 60_000, framing + "\r\nLocation: /a\r\n") + "\r\n" + body)
            if framing.hasSuffix("close") { exchange.close() }
        }
        try withClients(to: upstream) { client, path throws in
            for _ in 1...3 {
                let response = try client.exchange("POST", "\(path)/a", body: "{}")
                #expect(response.status == 201 && response.text == "hello" && response.isComplete)
                #expect(cookies(response) == 120)
                #expect(response.fields["X-Last"] == "last" && response.fields["Location"] != nil)
                #expect(
                    response.fields["X-Request-Id"] != nil && response.fields.values(of: "Date").count == 1)
                #expect(response.fields["Connection"] == nil)
            }
        }
    }

    @Test("a success whose fields are more than limits.response_head loses some of them, and nothing else")
    func beyond() throws {
        let upstream = try ScriptedUpstream { exchange in
            let last = "ETag: \"e\"\r\nX-Request-Id: theirs\r\nContent-Type: text/plain\r\n"
            try exchange.respond(
                Self.head("201 Created", 200_000, "Content-Length: 5\r\nLocation: /a\r\n") + last
                    + "\r\nhello")
        }
        try withClients(to: upstream) { client, path throws in
            for _ in 1...2 {
                let response = try client.exchange("POST", "\(path)/a", body: "{}")
                #expect(response.status == 201 && response.text == "hello")
                #expect(cookies(response) > 80 && cookies(response) < 140)
                for name in ["Location", "ETag", "Content-Type"] { #expect(response.fields[name] != nil) }
                #expect(response.fields["X-Request-Id"] == "theirs")
            }
        }
    }

    @Test("a single field of 100 KB is dropped, and not the response")
    func longField() throws {
        let upstream = try ScriptedUpstream { exchange in
            let policy = "Content-Security-Policy: " + String(repeating: "a", count: 100_000)
            try exchange.respond("HTTP/1.1 200 OK\r\n\(policy)\r\nX-A: a\r\nContent-Length: 2\r\n\r\nok")
        }
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("POST", "/p/a", body: "{}")
            #expect(response.status == 200 && response.text == "ok" && response.fields["X-A"] == "a")
            #expect(response.fields["Content-Security-Policy"] == nil)
            let line = proxy.log.entries.first { $0.message.hasPrefix("response fields dropped") }
            #expect(
                line?.metadata.contains("dropped=1") == true && line?.metadata.contains("provider=p") == true)
        }
    }

    @Test("a smaller limits.response_head is kept")
    func configured() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                Self.head("200 OK", 20_000, "Content-Length: 2\r\n") + "Allow: GET\r\n\r\nok")
        }
        try withProxy(to: upstream, limits: "response_head: 4KiB") { proxy throws in
            let response = try proxy.exchange("GET", "/p/a")
            #expect(response.text == "ok" && response.fields["Allow"] == "GET")
            #expect(cookies(response) > 4 && cookies(response) < 9)
        }
    }

    @Test(
        "a problem keeps the provider's fields",
        arguments: [
            ("401 Unauthorized", "WWW-Authenticate: Bearer realm=\"r\""),
            ("405 Method Not Allowed", "Allow: GET"),
            ("404 Not Found", "Cache-Control: no-store"), ("429 Too Many Requests", "Retry-After: 7"),
            ("500 Internal Server Error", "X-Other: x"),
        ])
    func problem(status: String, line: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            let body = #"{"message":"no"}"#
            try exchange.respond(
                Self.head(status, 40_000, "\(line)\r\nContent-Type: application/json\r\n")
                    + "Content-Length: \(body.utf8.count)\r\n\r\n"
                    + (exchange.request.method == "HEAD" ? "" : body))
        }
        try withClients(to: upstream) { client, path throws in
            for method in ["GET", "POST", "HEAD"] {
                let response = try client.exchange(method, "\(path)/a", body: method == "POST" ? "{}" : "")
                #expect("\(response.status)" == status.prefix(3))
                #expect(cookies(response) == 80)
                #expect(response.fields[String(line.prefix { $0 != ":" })] != nil)
                #expect(response.fields["X-Error-Code"] != nil)
            }
        }
    }

    @Test("a raw error keeps the provider's fields")
    func raw() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(Self.head("400 Bad Request", 40_000, "Content-Length: 2\r\n") + "\r\nno")
        }
        try withClients(to: upstream, provider: "errors: raw") { client, path throws in
            let response = try client.exchange("GET", "\(path)/a")
            #expect(response.status == 400 && response.text == "no" && cookies(response) == 80)
        }
    }

    @Test(
        "a response without a body keeps its large head and its connection",
        arguments: [
            ("HEAD", "200 OK", ""), ("HEAD", "200 OK", "Content-Length: 17\r\n"),
            ("HEAD", "200 OK", "Transfer-Encoding: chunked\r\n"),
            ("GET", "304 Not Modified", "ETag: \"e\"\r\n"),
            ("GET", "304 Not Modified", "Content-Length: 17\r\n"), ("GET", "204 No Content", ""),
        ])
    func noBody(method: String, status: String, lines: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(Self.head(status, 40_000, lines) + "\r\n")
        }
        try withClients(to: upstream) { client, path throws in
            for _ in 1...3 {
                let response = try client.exchange(method, "\(path)/a")
                #expect("\(response.status)" == status.prefix(3) && cookies(response) == 80)
                #expect(response.fields["Connection"] == nil && response.fields["Transfer-Encoding"] == nil)
                #expect(response.fields["Content-Length"] == (lines.contains("17") ? "17" : nil))
            }
        }
    }

    @Test(
        "a large head leaves room for a body of any size, interim responses and trailers",
        arguments: [0, 3_000_000])
    func around(size: Int) throws {
        let body = [UInt8].pattern(size)
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            try exchange.send(
                Self.head("200 OK", 50_000, "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n") + "\r\n")
            if size > 0 {
                try exchange.send(String(size, radix: 16) + "\r\n")
                try exchange.send(body, within: .seconds(30))
                try exchange.send("\r\n")
            }
            try exchange.respond("0\r\nX-T: t\r\n\r\n")
        }
        try withClients(to: upstream) { client, path throws in
            let response = try client.exchange("GET", "\(path)/a", within: .seconds(30))
            #expect(response.status == 200 && response.body.bytes == body && cookies(response) == 100)
            #expect(response.informational.map(\.status) == [103])
            #expect(response.body.trailers["X-T"] == "t")
        }
    }

    @Test(
        "a head that the socket takes piece by piece arrives whole, and the next one behind it",
        arguments: [false, true])
    func slowReader(isHead: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                Self.head("200 OK", 250_000, "Content-Length: 2\r\n") + "\r\n" + (isHead ? "" : "ok"))
        }
        let limits = "response_head: 256KiB"
        try withClients(to: upstream, limits: limits) { client, path throws in
            let request = "\(isHead ? "HEAD" : "GET") \(path)/a HTTP/1.1\r\nHost: h\r\n\r\n"
            try client.send(request + request + request)
            try eventually("the first to be answered") { upstream.requestCount > 0 }
            for _ in 1...3 {
                // Less at a time than any socket holds.
                let response = try client.readResponse(toHead: isHead, within: .seconds(30))
                #expect(cookies(response) == 500 && response.fields["X-Last"] == "last")
                #expect(response.text == (isHead ? "" : "ok"))
            }
        }
    }

    @Test("a client that disconnects within a large head takes nothing with it")
    func leaving() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(Self.head("200 OK", 250_000, "Content-Length: 2\r\n") + "\r\nok")
        }
        try withProxy(to: upstream, limits: "response_head: 256KiB") { proxy throws in
            for number in 1...5 {
                let client = try proxy.client(receiveBuffer: 4096)
                try client.request("GET", "/p/\(number)")
                #expect(try client.readBytes(atMost: 1).count == 1)
                if number % 2 == 0 { client.reset() } else { client.close() }
            }
            let other = try proxy.client()
            for _ in 1...3 { #expect(try cookies(other.exchange("GET", "/p/x")) == 500) }
            try proxy.expectNothingInFlight()
        }
    }

    @Test("a large head goes to a client of HTTP/1.0, and beside a large request")
    func otherRequests() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(Self.head("200 OK", 14_000, "Content-Length: 2\r\n") + "\r\nok")
        }
        try withClients(to: upstream) { client, path throws in
            let more = String(repeating: "y", count: 11_000)
            let large = try client.exchange("GET", "\(path)/a", fields: [("X-More", more)])
            #expect(large.text == "ok" && cookies(large) == 28)
            try client.send("GET \(path)/a HTTP/1.0\r\nHost: h\r\n\r\n")
            let old = try client.readResponse()
            #expect(old.text == "ok" && cookies(old) == 28 && old.fields["Connection"] == "close")
        }
    }
}

@Suite("a response without a body and a length", .blocking)
struct NoLengthTests {
    @Test(
        "a client keeps its connection (RFC 9112 6.3)",
        arguments: [
            ("GET", "304 Not Modified", ""), ("HEAD", "200 OK", ""), ("HEAD", "304 Not Modified", ""),
            ("HEAD", "200 OK", "Transfer-Encoding: chunked\r\n"),
            ("GET", "304 Not Modified", "Transfer-Encoding: chunked\r\n"),
            ("HEAD", "200 OK", "Content-Length: 5\r\n"), ("GET", "304 Not Modified", "Content-Length: 5\r\n"),
            ("HEAD", "204 No Content", ""), ("POST", "304 Not Modified", ""),
            ("HEAD", "200 OK", "Connection: close\r\n"),
        ], [false, true])
    func kept(_ response: (method: String, status: String, lines: String), isTLS: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond("HTTP/1.1 \(response.status)\r\n\(response.lines)ETag: \"e\"\r\n\r\n")
            if response.lines.contains("close") { exchange.close() }
        }
        func check(_ client: RawClient, _ path: String) throws {
            for _ in 1...3 {
                let answer = try client.exchange(
                    response.method, "\(path)/a", fields: [("If-None-Match", "\"e\"")],
                    body: response.method == "POST" ? "{}" : "")
                #expect("\(answer.status)" == response.status.prefix(3))
                #expect(answer.fields["Content-Length"] == (response.lines.contains("5") ? "5" : nil))
                #expect(answer.fields["Transfer-Encoding"] == nil && answer.fields["Connection"] == nil)
                #expect(answer.fields["ETag"] == "\"e\"")
            }
            // One that speaks HTTP/1.0 asks for it, and is told.
            try client.send("HEAD \(path)/a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
            let old = try client.readResponse(toHead: true)
            #expect(old.fields["Connection"]?.lowercased() == "keep-alive")
            try client.request("HEAD", "\(path)/a", fields: [("Connection", "close")])
            #expect(try client.readResponse(toHead: true).fields["Connection"] == "close")
            try client.expectClosed()
        }
        if isTLS {
            try TLSFixture().withProxy(to: upstream) { proxy, _, relay throws in
                let client = try proxy.client(on: relay.port)
                try check(client, "")
                client.close()
            }
        } else {
            try withProxy(to: upstream) { proxy throws in try check(proxy.client(), "/p") }
        }
    }

    @Test("responses to pipelined HEAD requests are not mixed up")
    func pipelined() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond("HTTP/1.1 200 OK\r\nX-Target: \(exchange.request.target)\r\n\r\n")
        }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send((1...5).map { "HEAD /p/\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
            for number in 1...5 {
                #expect(try client.readResponse(toHead: true).fields["X-Target"] == "/\(number)")
            }
        }
    }
}
