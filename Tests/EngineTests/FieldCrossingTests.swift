import TestSupport
import Testing

/// Which fields cross, in every form of message that there is on the wire.
///
/// What each class of fields does is in `FieldFormTests`; here each form has to follow that table.
@Suite("fields that cross, in every form of message", .blocking)
struct FieldCrossingTests {
    /// Fields that cross in no form.
    private static let hops = [
        ("Connection", "X-Hop, close, x-second"), ("X-Hop", "1"), ("x-second", "2"), ("X-HOP", "3"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"), ("TE", "gzip"), ("Upgrade", "h2c"),
        ("Proxy-Authenticate", "Basic"),
        ("Proxy-Authentication-Info", "x"),
    ]
    /// Fields that cross in each form but trailers.
    private static let kept = [
        ("X-Kept", "a, b"), ("X-Empty", ""), ("Set-Cookie", "a=b"), ("Allow", "GET"), ("Accept-Patch", "a/b"),
        ("Link", "<https://a.test/>"),
        ("Vary", "Origin"), ("WWW-Authenticate", "Digest"),
    ]
    /// Fields that are true of the provider's body.
    private static let body = [
        ("ETag", "\"x\""), ("Last-Modified", "Mon, 30 Nov 2026 17:42:54 GMT"), ("Digest", "x"),
        ("Content-Language", "de"),
        ("Content-Range", "bytes 0-1/2"), ("Accept-Ranges", "bytes"), ("Content-MD5", "x"),
    ]

    /// A way of a response to the client.
    enum Form: String, CaseIterable, CustomTestStringConvertible {
        case relay, head, raw, rawByRequest, problem, disguised, interim, trailer, retried
        var testDescription: String { rawValue }
    }

    private func expect(_ fields: MessageHead, _ form: Form) {
        expect(fields.fields.all.map { ($0.name, $0.value) }, form)
    }

    private func expect(_ fields: [(String, String)], _ form: Form) {
        let names = Set(fields.map { $0.0.lowercased() })
        for (name, _) in Self.hops where name.lowercased() != "connection" {
            #expect(!names.contains(name.lowercased()), "\(name) as \(form)")
        }
        for (name, value) in Self.kept where form != .trailer || name.hasPrefix("X-") {
            let values = fields.filter { $0.0 == name }.map(\.1)
            #expect(values == [value], "\(name) as \(form)")
        }
        for (name, _) in Self.body where form != .trailer {
            let isDropped = [.problem, .disguised, .retried].contains(form)
            #expect(names.contains(name.lowercased()) != isDropped, "\(name) as \(form)")
        }
        if form == .trailer { #expect(!names.contains("set-cookie") && !names.contains("content-range")) }
    }

    @Test(
        "what belongs to the provider's connection crosses in no form of a response, all else where it is true",
        arguments: Form.allCases)
    func responses(form: Form) throws {
        let all = Self.hops + Self.kept + Self.body
        let upstream = try ScriptedUpstream { exchange in
            switch form {
            case .relay: try exchange.respond(.ok(fields: all))
            case .head:
                try exchange.respond(.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\(lines(all))\r\n"))
            case .raw, .rawByRequest, .problem: try exchange.respond(.status(418, fields: all, body: "no"))
            case .disguised:
                try exchange.respond(
                    .status(302, fields: all + [("Location", "https://app.lettr.com/login")], body: ""))
            case .interim: try exchange.respond(.informational(103, fields: all, then: .ok("fine")))
            case .trailer:
                try exchange.respond(
                    .chunked(
                        fields: [("Connection", "X-Hop, x-second"), ("Trailer", "X-Hop, X-Kept")],
                        chunks: ["fine"],
                        trailers: Array(all.dropFirst())))
            case .retried:
                try exchange.respond(.status(503, fields: all + [("Retry-After", "0")], body: "no"))
            }
        }
        let provider =
            switch form {
            case .raw: "errors: raw"
            case .retried: "retries: { max: 2 }"
            default: "max_wait: 10s"
            }
        let profile = form == .disguised ? "lettr" : "generic"
        let providers = "providers: { p: { profile: \(profile), upstream: '\(upstream.url)', \(provider) } }"
        try withProxy(providers, upstreams: [upstream]) { proxy throws in
            let wanted = form == .rawByRequest ? [("X-Error-Format", "raw")] : []
            let response = try proxy.exchange(form == .head ? "HEAD" : "GET", "/p/x", fields: wanted)
            switch form {
            case .interim:
                expect(try #require(response.informational.first), form)
                #expect(response.fields["X-Kept"] == nil)
            case .trailer:
                expect(response.trailers.all.map { ($0.name, $0.value) }, form)
                #expect(response.fields["Trailer"] == "X-Kept" && response.text == "fine")
            default: expect(response.head, form)
            }
            let isProblem = [.problem, .disguised, .retried].contains(form)
            #expect((response.fields["X-Error-Code"] != nil) == isProblem)
            if form == .retried { #expect(upstream.requestCount > 1) }
        }
    }

    @Test(
        "what belongs to the client's connection reaches no provider, in a head, a trailer, or a request that is sent again",
        arguments: [false, true])
    func requests(isChunked: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            _ = try exchange.readBody()
            try exchange.respond(.status(503, fields: [("Retry-After", "0")], body: "no"))
        }
        let hops =
            Self.hops + [
                ("Proxy-Authorization", "Basic eA=="), ("HTTP2-Settings", "AAMAAABkAAQ"),
                ("Trailer", "X-Hop, X-Sum"),
            ]
        let sent = [("X-Kept", "1"), ("Accept-Language", "de"), ("Cookie", "a=b")]
        try withProxy(to: upstream, provider: "retries: { max: 1 }") { proxy throws in
            let client = try proxy.client()
            var text =
                "PUT /p/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nAuthorization: Bearer k\r\n"
            text += lines(hops + sent)
            text +=
                isChunked
                ? "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Hop: 1\r\nX-SECOND: 2\r\nX-Sum: 3\r\nKeep-Alive: x\r\n\r\n"
                : "Content-Length: 2\r\n\r\nhi"
            try client.send(text)
            #expect(try client.readResponse().status == 503)
            #expect(upstream.requestCount == (isChunked ? 1 : 2))
            for request in upstream.requests {
                let names = Set(request.fields.all.map { $0.name.lowercased() })
                for (name, _) in hops where name != "Trailer" {
                    #expect(!names.contains(name.lowercased()), "\(name)")
                }
                for (name, value) in sent { #expect(request.fields.values(of: name) == [value], "\(name)") }
                #expect(
                    request.fields["Authorization"] == "Bearer k"
                        && request.fields["Content-Type"] == "text/plain")
                #expect(request.fields["Trailer"] == (isChunked ? "X-Sum" : nil))
                let trailers = request.body?.trailers.all.map(\.name) ?? []
                #expect(trailers == (isChunked ? ["X-Sum"] : []))
            }
        }
    }

    @Test("a provider that names thousands of fields of its connection costs no more than it sends")
    func manyNames() throws {
        let names = (0..<2000).map { "X-\($0)" }
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: \(names.joined(separator: ","))\r\n"
        let fields = names.prefix(800).map { "\($0): v\r\n" }.joined()
        let upstream = try ScriptedUpstream(answering: .raw(head + fields + "X-Kept: 1\r\n\r\nok"))
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(
                response.text == "ok" && response.fields["X-Kept"] == "1" && response.fields["X-7"] == nil)
        }
    }

    // MARK: Statuses

    @Test(
        "a provider's 407 is about Weir's way to it, and reaches no client as one",
        arguments: ["", "errors: raw"], [false, true])
    func proxyAuthentication(provider: String, wantsRaw: Bool) throws {
        let fields = [("Proxy-Authenticate", "Basic realm=\"x\""), ("X-Kept", "1")]
        let upstream = try ScriptedUpstream { exchange in
            let body = exchange.request.target == "/long" ? String(repeating: "x", count: 200_000) : "{}"
            try exchange.respond(.status(407, fields: fields, body: body))
        }
        for profile in ["generic", "lemlist", "lettr"] {
            let providers =
                "providers: { p: { profile: \(profile), upstream: '\(upstream.url)', \(provider.isEmpty ? "max_wait: 1s" : provider) } }"
            try withProxy(providers, upstreams: [upstream]) { proxy throws in
                for (method, target) in [
                    ("GET", "/p/x"), ("POST", "/p/x"), ("HEAD", "/p/x"), ("GET", "/p/long"),
                ] {
                    let wanted = wantsRaw ? [("X-Error-Format", "raw")] : []
                    let response = try proxy.exchange(method, target, fields: wanted)
                    #expect(
                        response.status == 502 && response.fields["X-Error-Code"] == "provider_unreachable")
                    #expect(response.fields["Proxy-Authenticate"] == nil && response.fields["X-Kept"] == "1")
                    guard method != "HEAD" else { continue }
                    #expect(
                        response.text.contains(#""upstream":{"status":407"#)
                            && response.problem["origin"] == "network")
                    #expect(response.problem["effect"] == "none" && response.problem["retryable"] == "false")
                }
            }
        }
    }

    @Test("what a status means by a field is kept with the problem")
    func statusFields() throws {
        for (status, name, value) in [
            (416, "Content-Range", "bytes */47022"), (416, "Accept-Ranges", "bytes"),
            (401, "WWW-Authenticate", "Basic realm=\"x\""),
            (405, "Allow", "GET, PUT"), (415, "Accept-Patch", "application/json"),
            (415, "Accept", "text/plain"),
            (415, "Accept-Encoding", "gzip"), (429, "Retry-After", "7"), (503, "Retry-After", "7"),
            (413, "Retry-After", "7"),
            (451, "Link", "<https://a.test/>; rel=\"blocked-by\""), (409, "Location", "https://a.test/"),
            (401, "Cache-Control", "private"),
        ] {
            let upstream = try ScriptedUpstream(
                answering: .status(status, fields: [(name, value)], body: "no"))
            try withProxy(to: upstream) { proxy throws in
                for method in ["GET", "HEAD"] {
                    let response = try proxy.exchange(
                        method, "/p/\(method)", fields: [("Authorization", "Bearer \(method)")])
                    #expect(
                        response.status == status && response.fields.values(of: name) == [value],
                        "\(status) \(name)")
                }
            }
        }
    }

    private func lines(_ fields: [(String, String)]) -> String {
        fields.map { "\($0.0): \($0.1)\r\n" }.joined()
    }
}
