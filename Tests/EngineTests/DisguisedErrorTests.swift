import TestSupport
import Testing

/// A profile with rules for successes, as those of Slack, GraphQL and Monday have them: it is `disguise` in ``ProxyFixture``.
enum DisguiseProfile {
    static let yaml = """
        name: disguise
        read: { code: [/error], message: [/message] }
        rules:
          - name: failed
            when: { status: 200-299, has: /errors }
            is: conflict
            answer_with: 409
          - name: code
            when: { status: 200-299, code: invalid_auth }
            is: unauthenticated
            answer_with: 401
          - name: page
            when: { status: 200-299, header: { name: X-Fault, equals: 'yes' } }
            is: provider_bad_response
            answer_with: 502
        """
}

@Suite("a success that may be an error in disguise", .blocking)
struct DisguisedErrorTests {
    private static let type = [("Content-Type", "application/json")]

    private func withProvider(
        _ upstream: ScriptedUpstream, _ more: String = "", limits: String = "",
        _ body: (ProxyFixture) throws -> Void
    ) throws {
        let provider = "{ profile: disguise, upstream: '\(upstream.url)'\(more) }"
        try withProxy("providers: { p: \(provider) }", upstreams: [upstream], limits: limits, body)
    }

    /// JSON of so many bytes that a rule would match if it were short enough.
    private static func json(_ count: Int) -> String {
        let start = #"{"errors":[{"message":"x"}],"pad":""#
        return start + String(repeating: "p", count: count - start.utf8.count - 2) + #""}"#
    }

    @Test("a short one is an error", arguments: ["problem", "raw"])
    func short(errors: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok(Self.json(1000), fields: Self.type))
        try withProvider(upstream, ", errors: \(errors)") { proxy in
            let response = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(response.status == (errors == "raw" ? 200 : 409))
            #expect(errors == "raw" ? response.text == Self.json(1000) : response.code == "conflict")
        }
    }

    /// How a body is framed and sent.
    enum Form: CaseIterable, Sendable {
        case length, chunked, untilClose, slow, http10

        func send(_ body: String, _ exchange: UpstreamExchange, fields: String) throws {
            let head = "Content-Type: application/json\r\n\(fields)"
            let size = body.utf8.count
            switch self {
            case .length:
                try exchange.respond("HTTP/1.1 200 OK\r\n\(head)Content-Length: \(size)\r\n\r\n\(body)")
            case .http10:
                try exchange.respond(.raw("HTTP/1.0 200 OK\r\n\(head)\r\n\(body)").then(.close))
            case .untilClose:
                try exchange.respond(.raw("HTTP/1.1 200 OK\r\n\(head)\r\n\(body)").then(.close))
            case .chunked, .slow:
                let half = String(body.prefix(body.count / 2))
                let rest = String(body.dropFirst(half.count))
                try exchange.send("HTTP/1.1 200 OK\r\n\(head)Transfer-Encoding: chunked\r\n\r\n")
                for part in [half, rest] {
                    try exchange.send("\(String(part.utf8.count, radix: 16))\r\n\(part)\r\n")
                    if self == .slow { try exchange.expectSilence(for: .milliseconds(50)) }
                }
                try exchange.respond("0\r\nX-Sum: 7\r\n\r\n")
            }
        }
    }

    @Test(
        "one that is longer than an error may be is relayed whole and unchanged",
        arguments: Form.allCases, [1025, 65_536, 300_000])
    func long(form: Form, size: Int) throws {
        let body = Self.json(size)
        let upstream = try ScriptedUpstream { try form.send(body, $0, fields: "X-Own: 1\r\n") }
        // 65,536 bytes are more than one limit, and not more than the other.
        try withProvider(upstream, limits: "error_body: 1KiB") { proxy in
            let client = try proxy.client()
            for method in ["GET", "POST"] {
                let response = try client.exchange(method, "/p/x", body: method == "POST" ? "{}" : "")
                #expect(response.status == 200 && response.isComplete, "\(response.text.prefix(200))")
                #expect(response.text == body)
                #expect(response.fields["X-Own"] == "1")
                #expect(response.fields["X-Error-Code"] == nil)
                if form == .chunked || form == .slow { #expect(response.trailers["X-Sum"] == "7") }
            }
        }
        #expect(upstream.requestCount == 2)
    }

    @Test(
        "one that turns out to be no error is relayed unchanged, trailers and all", arguments: Form.allCases)
    func innocent(form: Form) throws {
        let body = #"{"data":{"id":1}}"#
        let upstream = try ScriptedUpstream { try form.send(body, $0, fields: "ETag: \"e\"\r\n") }
        try withProvider(upstream) { proxy in
            let client = try proxy.client()
            for _ in 1...3 {
                let response = try client.exchange("POST", "/p/x", body: "{}")
                #expect(response.status == 200 && response.isComplete && response.text == body)
                #expect(response.fields["ETag"] == "\"e\"")
                if form == .chunked || form == .slow { #expect(response.trailers["X-Sum"] == "7") }
            }
        }
    }

    @Test(
        "a stream is not held back",
        arguments: [
            "text/event-stream", "application/x-ndjson", "application/octet-stream", "text/plain", nil,
        ])
    func stream(type: String?) throws {
        let upstream = try ScriptedUpstream()
        try withProvider(upstream, ", timeouts: { error_body: 1h }") { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            let exchange = try upstream.expectRequest()
            let field = type.map { "Content-Type: \($0)\r\n" } ?? ""
            try exchange.send("HTTP/1.1 200 OK\r\n\(field)Transfer-Encoding: chunked\r\n\r\n")
            try exchange.send("8\r\ndata: 1\n\r\n")
            // Before anything else comes.
            #expect(try client.readHead().status == 200)
            #expect(String(decoding: try client.readBytes(atMost: 8), as: UTF8.self).hasPrefix("8"))
            client.leave()
            try exchange.expectClosed()
        }
    }

    @Test("JSON that comes slowly is relayed after a bounded time, and goes on", arguments: [200, 201])
    func slow(status: Int) throws {
        let upstream = try ScriptedUpstream()
        try withProvider(upstream, ", timeouts: { error_body: 200ms }") { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            let exchange = try upstream.expectRequest()
            try exchange.send(
                "HTTP/1.1 \(status) OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            try exchange.send("a\r\n{\"errors\":\r\n")
            // It arrives though the provider sends no more.
            #expect(try client.readHead().status == status)
            var received = ""
            while !received.contains("errors") {
                received += String(decoding: try client.readBytes(atMost: 64), as: UTF8.self)
            }
            try exchange.respond("4\r\n[1]}\r\n0\r\n\r\n")
            while !received.hasSuffix("0\r\n\r\n") {
                received += String(decoding: try client.readBytes(atMost: 64), as: UTF8.self)
            }
            #expect(received.contains(#"{"errors":"#) && received.contains("[1]}"))
        }
    }

    @Test(
        "one that breaks off is never taken for the whole", arguments: ["close", "reset", "stall"],
        [true, false])
    func broken(ending: String, hasLength: Bool) throws {
        let framing = hasLength ? "Content-Length: 100" : "Transfer-Encoding: chunked"
        let part = hasLength ? #"{"data":"# : "8\r\n{\"data\":\r\n"
        let upstream = try ScriptedUpstream { exchange in
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\(framing)\r\n\r\n"
            let response = ScriptedResponse.raw(head + part)
            try exchange.respond(
                response.then(ending == "close" ? .close : ending == "reset" ? .reset : .stall))
        }
        try withProvider(upstream, ", timeouts: { idle: 300ms }") { proxy in
            let response = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(response.status != 200 || !response.isComplete)
            if response.status != 200 {
                #expect(response.code == (ending == "stall" ? "provider_timeout" : "connection_lost"))
                #expect(response.problem["effect"] == "unknown")
                #expect(response.problem["attempts"] == "1")
            }
        }
    }

    @Test("a compressed one is examined where it is short, and relayed as it is where it is not")
    func coded() throws {
        let samples: [(coding: String, bytes: [UInt8], isError: Bool)] = [
            ("deflate", Self.stored(Self.json(900)), true),
            ("deflate", Self.stored(#"{"data":1}"#), false),
            ("deflate", Self.stored(Self.json(60_000)), false),
            // Short until it is decoded.
            ("br", CodedSamples.brotliBomb, false),
        ]
        for (coding, bytes, isError) in samples {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: \(coding)\r\n"
                + "Content-Length: \(bytes.count)\r\n\r\n"
            let upstream = try ScriptedUpstream(answering: .raw(Array(head.utf8) + bytes))
            try withProvider(upstream, limits: "error_body: 1KiB") { proxy in
                let response = try proxy.exchange("GET", "/p/x")
                #expect(response.status == (isError ? 409 : 200), "\(bytes.count) bytes")
                if !isError {
                    #expect(response.body.bytes == bytes)
                    #expect(response.fields["Content-Encoding"] == coding)
                }
            }
        }
    }

    /// A text as `deflate`, in one block that is not compressed (RFC 1951 3.2.4).
    private static func stored(_ text: String) -> [UInt8] {
        let count = UInt16(text.utf8.count)
        return [1, UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF), UInt8(~count >> 8)]
            + Array(text.utf8)
    }

    @Test("what cannot be decoded is relayed as it is", arguments: ["gzip", "snappy", "br"])
    func undecodable(coding: String) throws {
        let body = #"{"errors":[1]}"#
        let fields = Self.type + [("Content-Encoding", coding)]
        let upstream = try ScriptedUpstream(answering: .ok(body, fields: fields))
        try withProvider(upstream) { proxy in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 200 && response.text == body)
        }
    }

    @Test("a response without a body is relayed at once", arguments: ["HEAD", "204", "304"])
    func bodiless(kind: String) throws {
        let status = Int(kind) ?? 200
        let upstream = try ScriptedUpstream { exchange in
            let length = status == 204 ? "" : "Content-Length: 900000\r\n"
            try exchange.respond(
                "HTTP/1.1 \(status) OK\r\nContent-Type: application/json\r\n\(length)X-A: 1\r\n\r\n")
        }
        try withProvider(upstream, ", timeouts: { error_body: 1h }") { proxy in
            let client = try proxy.client()
            for _ in 1...3 {
                let method = kind == "HEAD" ? "HEAD" : "GET"
                try client.send("\(method) /p/x HTTP/1.1\r\nHost: h\r\n\r\n")
                let response = try client.readResponse(toHead: kind == "HEAD")
                #expect(response.status == status && response.fields["X-A"] == "1")
                #expect(response.fields["X-Error-Code"] == nil)
            }
        }
    }

    @Test("a rule about the head alone makes an error of it, however long it is")
    func headAlone() throws {
        let upstream = try ScriptedUpstream { exchange in
            let body = Self.json(100_000)
            try exchange.respond(
                "HTTP/1.1 200 OK\r\nX-Fault: yes\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        try withProvider(upstream) { proxy in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 502 && response.code == "provider_bad_response")
        }
    }

    @Test(
        "over HTTP/2 as over HTTP/1.1, a short one is an error and a long one is relayed",
        arguments: ["auto", "1.1"])
    func http2(http: String) throws {
        let long = Self.json(300_000)
        let upstream = try ScriptedUpstream(answering: .ok(long, fields: Self.type))
        let nginx = try Nginx(
            server: """
                location /short { return 200 '{"errors":[1]}'; }
                location /long { proxy_pass \(upstream.url); }
                """)
        let tls = nginx.authority.trust
        try withProxy(
            "providers: { p: { profile: disguise, upstream: '\(nginx.url)', http: '\(http)', \(tls) } }"
        ) {
            proxy in
            for _ in 1...2 {
                #expect(try proxy.exchange("GET", "/p/short").code == "conflict")
                let response = try proxy.exchange("GET", "/p/long")
                #expect(response.status == 200 && response.isComplete && response.text == long)
            }
        }
    }
}
