import TestSupport
import Testing

@Suite(.blocking) struct FieldTests {
    /// The lines that reach the provider when a client sends these, but for Host and Via.
    private func forwarded(_ lines: [String], method: String = "GET", provider: String = "") throws
        -> [String]
    {
        let upstream = try ScriptedUpstream(answering: .ok())
        var received: [String] = []
        try withProxy(to: upstream, provider: provider) { proxy throws in
            let client = try proxy.client()
            let head = ["\(method) /p/x HTTP/1.1", "Host: 192.0.2.1"] + lines
            try client.send((head + ["", ""]).joined(separator: "\r\n").latin1Bytes)
            #expect(try client.readResponse().status == 200)
            received = try #require(upstream.requests.first).rawBytes.headLines
        }
        #expect(received.filter { $0.hasPrefix("Host:") }.count == 1)
        #expect(received.filter { $0.hasPrefix("Via:") }.count == 1)
        return received.dropFirst().filter { !$0.hasPrefix("Host:") && !$0.hasPrefix("Via:") }
    }

    @Test("fields reach the provider in order, repeated, in their own case, with every byte of their values")
    func unchanged() throws {
        let lines = [
            "X-One: 1", "x-one: 2", "X-MiXeD: a, b ,c", "X-Empty:", "X-Quoted: \"a\\\"b\"",
            "X-Obs: caf\u{E9}\u{FF}\u{80}",
            "X-Tab: a\tb", "X-Colon: :a:", "Cookie: a=1; b=2", "Cookie: c=3", "Accept: application/json",
            "X-Name!#$%&'*+.^_`|~9: v", "X-Long: " + String(repeating: "v", count: 7000), "ETag: \"x\"",
        ]
        #expect(try forwarded(lines) == lines)
    }

    @Test(
        "a Cookie reaches the provider whatever its size, and its client gets one response",
        arguments: ["Cookie", "cookie", "COOKIE"])
    func cookies(name: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let values = [
            (1...300).map { "c\($0)=1" }.joined(separator: "; "), String(repeating: "v", count: 8000),
            "a=\"" + String(repeating: "w", count: 11_000) + "\"", "", "=; ;,",
        ]
        try withProxy(to: upstream) { proxy in
            for method in ["GET", "POST"] {
                let client = try proxy.client()
                for value in values {
                    let body = method == "POST" ? "Content-Length: 2\r\n\r\n{}" : "\r\n"
                    try client.send("\(method) /p/x HTTP/1.1\r\nHost: h\r\n")
                    try client.sendSlowly(Array(name.utf8), every: .microseconds(500))
                    try client.send(": \(value)\r\n\(body)")
                    #expect(try client.readResponse().status == 200)
                    let request = try #require(upstream.requests.last)
                    #expect(
                        request.rawBytes.headLines.contains(value.isEmpty ? "\(name):" : "\(name): \(value)"))
                }
                // The next response is that of the next request: nothing came between.
                #expect(try client.exchange("GET", "/nowhere").status == 404)
            }
            #expect(upstream.requestCount == 2 * values.count)
        }
    }

    @Test("blanks around a value are not part of it")
    func trimmed() throws {
        #expect(try forwarded(["X-A:1", "X-B: \t 2 \t ", "X-C:   "]) == ["X-A: 1", "X-B: 2", "X-C:"])
    }

    @Test("nothing is added that the client did not say, but Via")
    func nothingAdded() throws {
        #expect(try forwarded([]) == [])
        #expect(try forwarded(["Content-Length: 0"], method: "POST") == ["Content-Length: 0"])
        #expect(try forwarded([], method: "POST") == [])
        #expect(try forwarded([], method: "PUT") == [])
    }

    @Test("the provider sees its own Host, and Weir in Via behind those that were there")
    func hostAndVia() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            try proxy.exchange("GET", "/p/x", fields: [("Via", "1.0 edge"), ("Host", "client.example")])
            let request = try #require(upstream.requests.first)
            #expect(request.fields.values(of: "Host") == ["127.0.0.1:\(upstream.port)"])
            let via = request.fields.values(of: "Via")
            #expect(via.count == 2)
            #expect(via.first == "1.0 edge")
            #expect(via.last?.hasPrefix("1.1 weir-") == true)
        }
    }

    @Test("a request that came through this instance already is refused as a loop")
    func loop() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            try proxy.exchange("GET", "/p/x")
            let via = try #require(upstream.requests.first?.fields["Via"])
            let response = try proxy.exchange("GET", "/p/x", fields: [("Via", "\(via), 1.1 other")])
            #expect(response.problem["code"] == "bad_client_request")
            #expect(response.fields["Proxy-Status"]?.contains("proxy_loop_detected") == true)
            #expect(upstream.requestCount == 1)
        }
    }

    @Test(
        "what belongs to the connection, to Weir or to the client's network stays here",
        arguments: [
            "Connection: close", "Connection: keep-alive", "Keep-Alive: timeout=5",
            "Proxy-Connection: keep-alive",
            "Proxy-Authorization: Basic eA==", "Proxy-Authenticate: Basic", "Proxy-Authentication-Info: x",
            "TE: trailers",
            "Trailer: X-Sum", "Upgrade: websocket", "X-Forwarded-For: 10.0.0.1", "x-forwarded-host: a",
            "X-Forwarded-Proto: https", "Forwarded: for=10.0.0.1", "X-Real-IP: 10.0.0.1",
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b",
            "baggage: a=b",
            "Priority: u=1", "X-Error-Format: problem", "Prefer: wait=5",
        ])
    func dropped(line: String) throws {
        #expect(try forwarded(["X-Before: 1", line, "X-After: 2"]) == ["X-Before: 1", "X-After: 2"])
    }

    @Test("what Connection names stays here, but never what frames, routes or authorises the message")
    func nominated() throws {
        let lines = ["Connection: X-Hop, close, x-other", "X-Hop: 1", "X-Kept: 2", "X-Other: 3", "x-hop: 4"]
        #expect(try forwarded(lines) == ["X-Kept: 2"])
        let attack = [
            "Connection: Authorization, Content-Type, Host", "Authorization: Bearer k", "Content-Type: a/b",
        ]
        #expect(try forwarded(attack) == ["Authorization: Bearer k", "Content-Type: a/b"])
    }

    @Test("of Prefer only the wait is Weir's")
    func prefer() throws {
        let lines = ["Prefer: return=minimal, wait=5, respond-async"]
        #expect(try forwarded(lines) == ["Prefer: return=minimal, respond-async"])
    }

    @Test("the client's own request id reaches the provider and comes back")
    func requestID() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x", fields: [("X-Request-Id", "abc-123")])
            #expect(response.fields.values(of: "X-Request-Id") == ["abc-123"])
            #expect(upstream.requests.first?.fields["X-Request-Id"] == "abc-123")
            #expect(try proxy.exchange("GET", "/p/x").fields["X-Request-Id"]?.isEmpty == false)
            let bad = try proxy.exchange("GET", "/p/x", fields: [("X-Request-Id", "a b\u{E9}")])
            #expect(bad.fields["X-Request-Id"] != "a b\u{E9}")
        }
    }

    @Test(
        "a response that is relayed keeps the provider's own request id; a problem has Weir's, and tells both"
    )
    func providersRequestID() throws {
        let upstream = try ScriptedUpstream { exchange in
            let fields = [("X-Request-Id", "theirs")]
            try exchange.respond(
                exchange.request.target == "/bad"
                    ? .status(404, fields: fields, body: "no") : .ok(fields: fields))
        }
        try withProxy(to: upstream) { proxy throws in
            let given = [("X-Request-Id", "ours-1")]
            let relayed = try proxy.exchange("GET", "/p/x", fields: given)
            #expect(relayed.fields.values(of: "X-Request-Id") == ["theirs"])
            let problem = try proxy.exchange("GET", "/p/bad", fields: given)
            #expect(problem.fields.values(of: "X-Request-Id") == ["ours-1"])
            #expect(problem.problem["request_id"] == "ours-1")
            #expect(problem.text.contains(#""request_id":"theirs""#))
            let raw = try proxy.exchange("GET", "/p/bad", fields: given + [("X-Error-Format", "raw")])
            #expect(raw.fields.values(of: "X-Request-Id") == ["theirs"])
            try eventually("the access log") { proxy.log.exchanges.count >= 3 }
            #expect(proxy.log.exchanges.allSatisfy { $0.metadata.contains(#""request_id":"ours-1""#) })
        }
    }

    @Test("a configured credential takes the place of the client's, and is in no log")
    func credential() throws {
        let given = ["Authorization: Basic Zm9vOmJhcg==", "X-A: 1"]
        let lines = try forwarded(given, provider: "credential: held-key")
        #expect(lines == ["X-A: 1", "Authorization: Bearer held-key"])
        let upstream = try ScriptedUpstream(answering: .status(401, body: "held-key is wrong"))
        try withProxy(to: upstream, provider: "credential: held-key") { proxy throws in
            let response = try proxy.exchange("GET", "/p/x?access_token=client-key")
            #expect(response.status == 401)
            #expect(!response.text.contains("held-key"))
            try eventually("a line of the access log") { !proxy.log.exchanges.isEmpty }
            #expect(!proxy.log.text.contains("held-key"))
            #expect(!proxy.log.text.contains("client-key"))
        }
    }

    // MARK: Answers

    /// The lines that reach a client when the provider sends these, but for those that Weir adds.
    private func returned(_ lines: [String], body: String = "") throws -> [String] {
        let head = ["HTTP/1.1 200 Fine"] + lines + ["Content-Length: \(body.utf8.count)", "", body]
        let upstream = try ScriptedUpstream(answering: .raw(head.joined(separator: "\r\n").latin1Bytes))
        var received: [String] = []
        try withProxy(to: upstream) { proxy throws in
            let request = "GET /p/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            received = try proxy.client().sendAndReadAll(Array(request.utf8)).headLines
        }
        let added = ["Date:", "X-Request-Id:", "Server-Timing:", "Content-Length:", "Connection:"]
        return received.dropFirst().filter { line in !added.contains { line.hasPrefix($0) } }
    }

    @Test("fields reach the client in order, repeated, in their own case, with every byte of their values")
    func answerUnchanged() throws {
        let lines = [
            "X-One: 1", "x-one: 2", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", "X-MiXeD: a, b ,c",
            "X-Obs: caf\u{E9}\u{FF}\u{80}", "X-Tab: a\tb", "Content-Type: text/plain", "ETag: W/\"x\"",
            "Content-Encoding: gzip", "Location: https://other.test/elsewhere?x=1", "Server: other",
            "X-Colon: :a:",
            "X-Name!#$%&'*+.^_`|~9: v", "X-Long: " + String(repeating: "v", count: 7000),
        ]
        #expect(try returned(lines) == lines)
    }

    @Test("an empty field of the provider reaches the client empty")
    func answerEmptyField() throws {
        let lines = try returned(["X-Empty:", "X-Blank:   ", "X-After: 1"])
        #expect(
            lines.map { $0.trimmingSuffix(while: { $0 == " " }) } == ["X-Empty:", "X-Blank:", "X-After: 1"])
    }

    @Test(
        "what belongs to the provider's connection stays here",
        arguments: [
            "Connection: X-Hop", "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic",
            "Proxy-Connection: close",
            "Trailer: X-Sum", "Upgrade: h2c", "TE: trailers",
        ])
    func answerDropped(line: String) throws {
        let hop = line.hasSuffix("X-Hop") ? ["X-Hop: 1"] : []
        #expect(try returned(["X-Before: 1", line] + hop + ["X-After: 2"]) == ["X-Before: 1", "X-After: 2"])
    }

    @Test("a folded field of the provider reaches the client as one line")
    func answerFolded() throws {
        #expect(try returned(["X-Folded: a", "  b", "X-After: 1"]) == ["X-Folded: a b", "X-After: 1"])
    }

    @Test(
        "every status from 200 on is relayed as it is",
        arguments: [200, 201, 202, 203, 206, 207, 226, 299, 300, 302, 308, 399])
    func statuses(status: Int) throws {
        let upstream = try ScriptedUpstream(answering: .status(status, body: "body"))
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == status)
            #expect(response.text == "body")
        }
    }
}

extension StringProtocol {
    /// The text without the characters at its end that fulfil `condition`.
    func trimmingSuffix(while condition: (Character) -> Bool) -> String {
        String(reversed().drop(while: condition).reversed())
    }
}
