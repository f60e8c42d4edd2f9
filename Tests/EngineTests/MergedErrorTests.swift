import Core
import TestSupport
import Testing

@Suite("merged errors", .blocking)
struct MergedErrorTests {
    private static let json = [("Content-Type", "application/json")]
    private static let merged = [("X-Error-Format", "merged")]
    private static let secret = "key-0123456789abcdef"

    private func respond(
        _ answer: ScriptedResponse, to method: String = "GET", profile: String = "generic",
        provider: String = "errors: merged", fields: [(String, String)] = []
    ) throws -> RawResponse {
        let upstream = try ScriptedUpstream(answering: answer)
        let configuration =
            "providers: { p: { profile: \(profile), upstream: '\(upstream.url)', limits: [], \(provider) } }"
        var response: RawResponse?
        try withProxy(configuration, upstreams: [upstream]) { proxy in
            response = try proxy.exchange(method, "/p/a", fields: fields)
        }
        return try #require(response)
    }

    /// The problem in a body whose other bytes are `body`, an object with at least one member.
    private func problem(in response: RawResponse, behind body: String) throws -> RawProblem {
        let head = body.dropLast() + #","problem":"#
        try #require(response.text.hasPrefix(head) && response.text.hasSuffix("}"), "\(response.text)")
        return RawProblem(Array(response.text.dropFirst(head.count).dropLast().utf8))
    }

    @Test("a JSON object keeps its bytes, its status and its fields, and gains the whole problem")
    func object() throws {
        let body = #"{ "error": {"code":"resource_missing","message":"No \u0073uch \/ customer","n":1.50e2}}"#
        let kept = [
            ("Content-Type", "application/json; charset=utf-8"), ("X-Request-Id", "req_1"),
            ("X-Should-Retry", "false"), ("Content-Language", "en"), ("Vary", "Accept"),
        ]
        let dropped = [
            ("ETag", "\"1\""), ("Last-Modified", "Tue, 01 Dec 2026 00:00:00 GMT"), ("Digest", "md5=x"),
            ("X-Error-Code", "theirs"),
        ]
        let upstream = try ScriptedUpstream(answering: .status(404, fields: kept + dropped, body: body))
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "/p/a", fields: Self.merged)
            #expect(response.status == 404)
            let own = try problem(in: response, behind: body)
            let alone = RawProblem(try proxy.exchange("GET", "/p/a").body.bytes)
            #expect(own["code"] == .string("not_found") && own.comparable == alone.comparable)
            for (name, value) in kept { #expect(response.fields.values(of: name) == [value], "\(name)") }
            for (name, _) in dropped.dropLast() { #expect(response.fields[name] == nil, "\(name)") }
            #expect(response.fields.values(of: "X-Error-Code") == ["not_found"])
            #expect(response.fields.values(of: "Cache-Control") == ["no-store"])
            #expect(response.fields["Proxy-Status"]?.hasSuffix("; received-status=404") == true)
            #expect(response.fields["Content-Length"] == "\(response.body.count)")
            guard case .string(let id)? = own["request_id"] else {
                throw PeerError.unexpected("no request_id")
            }
            let page = try proxy.exchange("GET", "/-/requests/\(id)")
            #expect(page.status == 200 && page.text.contains(#""problem":{"type":"/-/errors/not_found""#))
        }
    }

    /// Forms of the request, the configuration and the profile (`nil` for none), and the form of the response.
    static let orders: [(request: String?, configured: String?, result: String)] = [
        (nil, nil, "problem"), (nil, "merged", "merged"), (nil, "raw", "raw"), (nil, "problem", "problem"),
        ("merged", nil, "merged"), ("merged", "raw", "merged"), ("MERGED", "problem", "merged"),
        ("raw", "merged", "raw"), ("problem", "merged", "problem"), ("problem", "raw", "problem"),
        ("unknown", "merged", "merged"), ("unknown", nil, "problem"),
    ]

    @Test("the request decides the form before the configuration", arguments: orders)
    func order(_ order: (request: String?, configured: String?, result: String)) throws {
        let body = #"{"message":"no"}"#
        let response = try respond(
            .status(404, fields: Self.json, body: body),
            provider: order.configured.map { "errors: \($0)" } ?? "max_wait: 10s",
            fields: order.request.map { [("X-Error-Format", $0)] } ?? [])
        #expect((response.fields["X-Error-Code"] == nil) == (order.result == "raw"))
        #expect(
            (response.fields["Content-Type"] == "application/problem+json") == (order.result == "problem"))
        switch order.result {
        case "merged": #expect(try problem(in: response, behind: body)["code"] == .string("not_found"))
        case "raw": #expect(response.text == body)
        default: #expect(response.code == "not_found")
        }
    }

    /// Bodies that have no place for a problem.
    static let others: [(String, [UInt8])] = [
        ("application/json", Array(#"[{"message":"no"}]"#.utf8)), ("application/json", Array("null".utf8)),
        ("application/json", Array(#"{"message":"cut"#.utf8)), ("text/plain", Array("no".utf8)),
        ("text/html", Array("<html><title>No</title></html>".utf8)), ("application/json", []),
        ("application/json", Array(#"{"a":""#.utf8) + [0xE9] + Array(#""}"#.utf8)),
        ("application/json; charset=iso-8859-1", Array(#"{"a":""#.utf8) + [0xE9] + Array(#""}"#.utf8)),
        (
            "application/json; charset=utf-16le",
            Array("{}".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })
        ),
        ("image/png", [0x89, 0x50, 0x4E, 0x47, 0, 1, 2]), ("application/json", [0xFF, 0, 0x7B]),
    ]

    @Test("any other body passes unchanged, and header fields report the problem", arguments: others)
    func other(type: String, body: [UInt8]) throws {
        let fields = [
            ("Content-Type", type), ("ETag", "\"1\""), ("X-Request-Id", "theirs"), ("Retry-After", "7"),
        ]
        let response = try respond(.status(429, fields: fields, body: body))
        #expect(response.status == 429 && response.body.bytes == body && response.isComplete)
        for (name, value) in fields { #expect(response.fields.values(of: name) == [value], "\(name)") }
        #expect(response.fields["X-Error-Code"] == "rate_limited")
        #expect(response.fields["Proxy-Status"]?.hasSuffix("; received-status=429") == true)
    }

    @Test(
        "a content coding is removed where the problem is inserted, and stays elsewhere",
        arguments: [("gzip", CodedSamples.gzip), ("deflate", CodedSamples.zlib), ("br", CodedSamples.brotli)])
    func codings(coding: String, body: [UInt8]) throws {
        let fields = [
            ("Content-Type", "application/json"), ("Content-Encoding", coding), ("Vary", "Accept-Encoding"),
        ]
        let response = try respond(.status(404, fields: fields, body: body))
        #expect(response.fields["Content-Encoding"] == nil && response.fields["Vary"] == "Accept-Encoding")
        #expect(response.text.contains(#""Not found.""#) && response.text.contains(#","problem":{"type":"#))
        let broken = try respond(.status(404, fields: fields, body: Array(body.dropLast(body.count / 2))))
        #expect(broken.fields["Content-Encoding"] == coding && broken.fields["X-Error-Code"] == "not_found")
        #expect(broken.body.bytes == Array(body.dropLast(body.count / 2)))
    }

    @Test(
        "a body that is too long to be read is relayed, and header fields report the problem",
        arguments: [true, false])
    func long(isChunked: Bool) throws {
        let text = #"{"message":"no","more":""# + String(repeating: "x", count: 200_000) + #""}"#
        let fields = Self.json + [("Retry-After", "30"), ("ETag", "\"1\"")]
        let response = try respond(
            isChunked ? .raw(chunked(404, fields, text)) : .status(404, fields: fields, body: text))
        #expect(response.status == 404 && response.isComplete && response.text == text)
        #expect(response.fields["X-Error-Code"] == "not_found" && response.fields["ETag"] == "\"1\"")
        #expect(response.fields["Content-Length"] == (isChunked ? nil : "\(text.utf8.count)"))
    }

    private func chunked(_ status: Int, _ fields: [(String, String)], _ text: String) -> String {
        "HTTP/1.1 \(status) No\r\nTransfer-Encoding: chunked\r\n"
            + fields.map { "\($0): \($1)\r\n" }.joined()
            + "\r\n\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n0\r\n\r\n"
    }

    @Test("a body that is slow is relayed, and header fields report the problem")
    func slow() throws {
        let upstream = try ScriptedUpstream()
        let settings = "errors: merged, timeouts: { error_body: 200ms }"
        try withProxy(to: upstream, provider: settings) { proxy throws in
            let client = try proxy.client()
            try client.request("GET", "/p/a")
            let exchange = try upstream.expectRequest()
            try exchange.send(
                "HTTP/1.1 503 No\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"message\":"
            )
            let head = try client.readHead()
            #expect(head.fields["X-Error-Code"] == "provider_unavailable" && head.status == 503)
            try exchange.send("\"no\"}")
        }
    }

    @Test("a body that breaks off is a problem: it must not look complete")
    func brokenOff() throws {
        let response = try respond(
            .wrongLength(404, fields: Self.json, declared: 100, body: #"{"message":"no"}"#))
        #expect(response.code == "not_found" && response.fields["Content-Type"] == "application/problem+json")
    }

    @Test("HEAD: the fields report the problem, and nothing is said of a body that is not known")
    func head() throws {
        let text =
            "HTTP/1.1 404 No\r\nContent-Length: 1000\r\nContent-Type: application/json\r\nETag: \"1\"\r\n"
            + "Content-Encoding: gzip\r\n\r\n"
        let response = try respond(.raw(text), to: "HEAD")
        #expect(response.status == 404 && response.body.count == 0)
        #expect(response.fields["X-Error-Code"] == "not_found")
        #expect(response.fields["Content-Type"] == "application/json")
        for name in ["Content-Length", "ETag", "Content-Encoding"] {
            #expect(response.fields[name] == nil, "\(name)")
        }
    }

    @Test("trailers stay, but those about bytes that have changed")
    func trailers() throws {
        let body = #"{"message":"no"}"#
        let text =
            "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Digest\r\n\r\n"
            + "10\r\n\(body)\r\n0\r\nX-Sum: 1\r\nDigest: md5=x\r\n\r\n"
        let response = try respond(.raw(text), fields: [("TE", "trailers")])
        _ = try problem(in: response, behind: body)
        #expect(
            response.isComplete && response.trailers["X-Sum"] == "1" && response.trailers["Digest"] == nil)
    }

    @Test("the provider's Retry-After stays where Weir knows no time to wait, and is Weir's where it does")
    func retryAfter() throws {
        let body = #"{"message":"no"}"#
        let fields = { Self.json + [("Retry-After", $0)] }
        let passing = try respond(.status(429, fields: fields("7.2"), body: body))
        #expect(passing.fields.values(of: "Retry-After") == ["8"])
        #expect(try problem(in: passing, behind: body).retryAfter == 8)
        let lasting = try respond(.status(400, fields: fields("7"), body: body))
        #expect(lasting.fields.values(of: "Retry-After") == ["7"])
        #expect(try problem(in: lasting, behind: body).retryAfter == nil)
    }

    @Test("where caches may store an error, Vary keeps its forms apart")
    func vary() throws {
        let answer = ScriptedResponse.status(
            404, fields: Self.json + [("Cache-Control", "max-age=60"), ("Vary", "Accept")], body: #"{"a":1}"#)
        for form in ["merged", "problem"] {
            let response = try respond(answer, fields: [("X-Error-Format", form)])
            #expect(response.fields.values(of: "Cache-Control") == ["max-age=60"])
            #expect(response.fields.values(of: "Vary") == ["Accept", "X-Error-Format"])
        }
    }

    @Test("Weir's own key is hidden in the body and in the problem, and the client's own is not")
    func secrets() throws {
        let body = #"{"message":"Bad key \#(Self.secret)","url":"/a?k=\#(Self.secret)"}"#
        let hidden = body.replacing(Self.secret, with: "[redacted]")
        let answer = ScriptedResponse.status(400, fields: Self.json, body: body)
        let own = try respond(answer, provider: "errors: merged, credential: '\(Self.secret)'")
        #expect(!own.text.contains(Self.secret))
        #expect(try problem(in: own, behind: hidden)["detail"] == .string("Bad key [redacted]"))
        let theirs = try respond(answer, fields: [("Authorization", "Bearer \(Self.secret)")])
        #expect(try problem(in: theirs, behind: body)["detail"] == .string("Bad key [redacted]"))
        // What cannot be searched for the key is a problem.
        let long = ScriptedResponse.status(
            404, fields: Self.json,
            body: #"{"a":""# + String(repeating: "x", count: 100_000) + Self.secret + #""}"#)
        let problem = try respond(long, provider: "errors: merged, credential: '\(Self.secret)'")
        #expect(problem.code == "not_found" && problem.fields["Content-Type"] == "application/problem+json")
    }

    @Test(
        "a body whose coding expands beyond what is searched for Weir's own key is a problem",
        arguments: ["merged", "raw"])
    func expandingBody(form: String) throws {
        // `{"a":"`, 70,000 letters, the key and `"}`, by zlib: more than `limits.error_body` in few bytes.
        let hex =
            "78daedc1b90d80301000b05dae47e2ffb60921342c0042ecce1294b69f48b1c605000000000000000000000000"
            + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
            + "00000000000000000000fcee2c7755376dd70fe3342f69cb7b39e2fd000c733bf4"
        let body = stride(from: 0, to: hex.utf8.count, by: 2).compactMap {
            UInt8(hex.dropFirst($0).prefix(2), radix: 16)
        }
        let upstream = try ScriptedUpstream(
            answering: .status(404, fields: Self.json + [("Content-Encoding", "deflate")], body: body))
        try withProxy(
            to: upstream, provider: "errors: \(form), credential: '\(Self.secret)'"
        ) { proxy throws in
            let problem = try proxy.exchange("GET", "/p/a")
            #expect(
                problem.fields["Content-Type"] == "application/problem+json" && problem.code == "not_found")
            let own = try proxy.exchange("GET", "/p/a", fields: [("X-Error-Format", form)])
            #expect(own.fields["Content-Encoding"] == nil)
        }
    }

    @Test("the status is the provider's, unless a rule names one or it is to be that of the code")
    func status() throws {
        let body = #"{"message":"no"}"#
        let refusal = ScriptedResponse.status(418, fields: Self.json, body: body)
        #expect(try respond(refusal).status == 418)
        let canonical = try respond(refusal, provider: "errors: merged, status: canonical")
        #expect(canonical.status == 400)
        #expect(try problem(in: canonical, behind: body)["status"] == .number(400))
        let unknown = try respond(.status(799, fields: Self.json, body: body))
        #expect(unknown.status == 502)
    }

    @Test("Weir's own errors and a provider's 407 are problems")
    func ownErrors() throws {
        let unreachable = try respond(.status(407, body: "no"))
        #expect(unreachable.status == 502 && unreachable.code == "provider_unreachable")
        #expect(unreachable.fields["Content-Type"] == "application/problem+json")
        let dead = try FreePort.next()
        try withProxy(
            "providers: { p: { upstream: 'http://127.0.0.1:\(dead)', errors: merged } }", upstreams: []
        ) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/a").code == "provider_unreachable")
            #expect(try proxy.exchange("GET", "/other", fields: Self.merged).code == "route_not_found")
        }
    }

    @Test("a success passes as it is")
    func success() throws {
        let response = try respond(.ok(#"{"a":1}"#, fields: Self.json))
        #expect(
            response.status == 200 && response.text == #"{"a":1}"# && response.fields["X-Error-Code"] == nil)
    }

    @Test("of several attempts the last one is merged, and the problem counts them")
    func retried() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.status(503, fields: Self.json + [("Retry-After", "0")], body: #"{"a":1}"#))
        }
        try withProxy(to: upstream, provider: "errors: merged, retries: { max: 1, base: 1ms }") {
            proxy throws in
            let response = try proxy.exchange("GET", "/p/a")
            #expect(try problem(in: response, behind: #"{"a":1}"#)["attempts"] == .number(2))
        }
    }
}
