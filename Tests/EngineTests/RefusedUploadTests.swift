import TestSupport
import Testing

/// A way to have a request refused while its client still sends.
struct Refusal: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let status: Int
    let code: String
    var method = "POST"
    var target = "/p/x"
    var fields = ""
    var provider = ""
    var limits = ""
    /// Whether the refusal comes from the body, and after `100 Continue`.
    var isOfBody = false
    var isOfLengthAlone = false
    /// What happens before, with another client of the same kind.
    var before: @Sendable (ProxyFixture, ScriptedUpstream, RawClient) throws -> Void = { _, _, _ in }

    init(_ name: String, _ status: Int, _ code: String, _ change: (inout Refusal) -> Void = { _ in }) {
        testDescription = name
        self.status = status
        self.code = code
        change(&self)
    }

    private static func answer(
        _ upstream: ScriptedUpstream, _ client: RawClient, _ response: ScriptedResponse,
        fields: [(String, String)] = []
    ) throws {
        try client.request("GET", "/p/before", fields: fields)
        try upstream.expectRequest().respond(response)
        _ = try client.readResponse()
    }

    static let all: [Refusal] = [
        Refusal("a limit that is used up", 429, "throttled") {
            $0.provider = "limits: [{ requests: 1, per: 60s, by: provider }], max_wait: 0s"
            $0.before = { _, upstream, client in try answer(upstream, client, .ok()) }
        },
        Refusal("as many at a time as may be", 429, "throttled") {
            $0.provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 0s"
            $0.before = { _, upstream, client in
                try client.request("GET", "/p/before")
                _ = try upstream.expectRequest()
            }
        },
        Refusal("a wait that is too long", 429, "queue_timeout") {
            $0.provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 200ms"
            $0.before = { _, upstream, client in
                try client.request("GET", "/p/before")
                _ = try upstream.expectRequest()
            }
        },
        Refusal("a key that is quarantined", 401, "credentials_quarantined") {
            $0.fields = "Authorization: Bearer bad\r\n"
            $0.before = { _, upstream, client in
                for _ in 1...3 {
                    try answer(
                        upstream, client, .status(401, body: "no"), fields: [("Authorization", "Bearer bad")])
                }
            }
        },
        Refusal("an open circuit", 503, "circuit_open") {
            $0.provider = "circuit_breaker: { minimum: 4, open_for: 1h }"
            $0.before = { _, upstream, client in
                for _ in 1...4 { try answer(upstream, client, .status(500)) }
            }
        },
        Refusal("the end of Weir", 503, "shutting_down") {
            $0.limits = "drain: 30s"
            $0.before = { proxy, upstream, client in
                try client.request("GET", "/p/before")
                _ = try upstream.expectRequest()
                proxy.drain()
            }
        },
        Refusal("no route", 404, "route_not_found") { $0.target = "/nowhere" },
        Refusal("a length above the limit", 413, "request_too_large") {
            $0.limits = "request_body: 1MiB"
            $0.isOfLengthAlone = true
        },
        Refusal("chunks above the limit", 413, "request_too_large") {
            $0.limits = "request_body: 1MiB"
            $0.isOfBody = true
        },
        Refusal("an expectation", 417, "bad_client_request") { $0.fields = "Expect: other\r\n" },
        Refusal("another host", 421, "bad_client_request") {
            $0.provider = "credential: k"
            $0.fields = "Host: evil.example\r\n"
        },
        Refusal("two hosts", 400, "bad_client_request") { $0.fields = "Host: h\r\nHost: h\r\n" },
        Refusal("TRACE", 501, "bad_client_request") { $0.method = "TRACE" },
        Refusal("a line that is no field", 400, "bad_client_request") { $0.fields = "X : a\r\n" },
        Refusal("fields above the limit", 431, "headers_too_large") {
            $0.fields = "X: \(String(repeating: "a", count: 13_000))\r\n"
        },
        Refusal("a target above the limit", 414, "uri_too_long") {
            $0.target = "/p/" + String(repeating: "a", count: 9000)
        },
        Refusal("POST to a page of Weir's", 405, "bad_client_request") { $0.target = "/metrics" },
        Refusal("a body for a page of Weir's", 413, "request_too_large") {
            $0.method = "GET"
            $0.target = "/-/limits"
        },
        Refusal("a page that is not there", 413, "request_too_large") {
            $0.method = "GET"
            $0.target = "/-/nothing"
        },
    ]
}

/// A body's framing, and whether its client would wait for `100 Continue`.
struct UploadForm: CustomTestStringConvertible, Sendable {
    let isChunked: Bool
    let expects: Bool

    var testDescription: String { (isChunked ? "chunks" : "a length") + (expects ? ", Expect" : "") }

    static let all = [false, true].flatMap { chunked in
        [false, true].map { UploadForm(isChunked: chunked, expects: $0) }
    }

    func head(of refusal: Refusal, size: Int) -> String {
        var text = "\(refusal.method) \(refusal.target) HTTP/1.1\r\n"
        if !refusal.fields.contains("Host:") { text += "Host: localhost\r\n" }
        text += refusal.fields
        if expects, !refusal.fields.contains("Expect:") { text += "Expect: 100-continue\r\n" }
        return text + (isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(size)") + "\r\n\r\n"
    }

    func mayMeet(_ refusal: Refusal) -> Bool {
        isChunked ? !refusal.isOfLengthAlone : !refusal.isOfBody
    }

    /// Pieces of a body.
    func pieces(size: Int) -> [[UInt8]] {
        let piece = [UInt8](repeating: 0x78, count: 1 << 16)
        let all = [[UInt8]](
            repeating: isChunked ? Array("10000\r\n".utf8) + piece + [0x0D, 0x0A] : piece, count: size >> 16)
        return isChunked ? all + [Array("0\r\n\r\n".utf8)] : all
    }
}

@Suite("a refusal while the client still sends", .blocking)
struct RefusedUploadTests {
    private static let size = 8 << 20

    @Test(
        "a client that writes 8 MB before it reads gets its refusal", arguments: Refusal.all, UploadForm.all)
    func refused(_ refusal: Refusal, _ form: UploadForm) throws {
        guard form.mayMeet(refusal) else { return }
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: refusal.provider, limits: refusal.limits) { proxy throws in
            let client = try proxy.client()
            // Accepted before a drain can begin.
            #expect(try client.exchange("GET", "/livez").status == 200)
            let other = try proxy.client()
            try refusal.before(proxy, upstream, other)
            let requests = upstream.requestCount
            try client.send(form.head(of: refusal, size: Self.size))
            for piece in form.pieces(size: Self.size) { try client.send(piece, within: .seconds(30)) }
            let response = try client.readResponse(within: .seconds(30))
            #expect(response.status == refusal.status && response.code == refusal.code)
            #expect(response.isComplete && response.fields["Connection"] == "close")
            if !refusal.isOfBody { #expect(response.informational.isEmpty) }
            #expect(response.status != 405 || response.fields["Allow"] == "GET, HEAD")
            #expect(try client.expectClosed() == .orderly)
            if !refusal.isOfBody { #expect(upstream.requestCount == requests) }
            other.close()
            // It accepts no client any more that could ask what is in flight.
            if refusal.code == "shutting_down" { proxy.stop() }
        }
    }

    private static let script = """
        import socket, ssl, sys
        port, authority, head, size, chunked = sys.argv[1:]
        context = ssl.create_default_context(cafile=authority)
        plain = socket.create_connection(("127.0.0.1", int(port)), timeout=30)
        client = context.wrap_socket(plain, server_hostname="127.0.0.1")
        client.sendall(head.encode())
        piece = b"x" * 65536
        if chunked == "true": piece = b"10000\\r\\n" + piece + b"\\r\\n"
        for _ in range(int(size) // 65536): client.sendall(piece)
        if chunked == "true": client.sendall(b"0\\r\\n\\r\\n")
        answer = b""
        while part := client.recv(65536): answer += part
        print(answer.decode())
        """

    @Test("the same over TLS", arguments: Refusal.all, UploadForm.all)
    func encrypted(_ refusal: Refusal, _ form: UploadForm) throws {
        // A client that was there before a drain is not what the script is.
        guard form.mayMeet(refusal), refusal.code != "shutting_down" else { return }
        let upstream = try ScriptedUpstream()
        let tls = try TLSFixture()
        let files = "certificate: '\(tls.identity.certificatePath)', key: '\(tls.identity.keyPath)'"
        let more = refusal.provider.isEmpty ? "" : ", \(refusal.provider)"
        let proxy = try ProxyFixture(
            yaml: """
                listen: { address: 127.0.0.1:0, tls: { \(files) } }
                workers: 1
                limits: { \(refusal.limits.isEmpty ? "" : refusal.limits + ", ")drain: 1s }
                providers: { p: { profile: generic, upstream: '\(upstream.url)'\(more) } }
                """)
        defer { proxy.stop() }
        let relay = try TLSRelay(to: proxy.port, trusting: tls.authority)
        let other = try proxy.client(on: relay.port)
        try refusal.before(proxy, upstream, other)
        let outcome = try Subprocess.run(
            "python3",
            [
                "-c", Self.script, "\(proxy.port)", tls.authority.root.certificatePath,
                form.head(of: refusal, size: Self.size), "\(Self.size)", "\(form.isChunked)",
            ], within: .seconds(60))
        var lines = outcome.output
        if refusal.isOfBody, lines.hasPrefix("HTTP/1.1 100 ") {
            lines.removeFirst("HTTP/1.1 100 Continue\r\n\r\n".count)
        }
        #expect(lines.hasPrefix("HTTP/1.1 \(refusal.status) "), "\(outcome.output) \(outcome.errorOutput)")
        #expect(lines.contains(#""code":"\#(refusal.code)""#))
        other.close()
    }

    @Test("a client that has its refusal, and goes on, is cut off after a while", arguments: UploadForm.all)
    func endless(_ form: UploadForm) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, limits: "request_body: 1GiB") { proxy throws in
            let client = try proxy.client()
            let refusal = Refusal("no route", 404, "route_not_found") { $0.target = "/nowhere" }
            try client.send(form.head(of: refusal, size: 1 << 30))
            #expect(try client.readResponse().status == 404)
            var pieces = 0
            #expect(throws: PeerError.self) {
                while pieces < 4096 {
                    for piece in form.pieces(size: 1 << 16).prefix(1) {
                        try client.send(piece, within: .seconds(30))
                    }
                    pieces += 1
                }
            }
            #expect(pieces < 4096)
            try proxy.expectNothingInFlight()
        }
    }

    @Test("a client of HTTP/1.0, and one at a provider's own port, get their refusal", arguments: [1, 2])
    func otherClients(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let providers =
            "providers: { p: { profile: generic, upstream: '\(upstream.url)', listen: 127.0.0.1:0, "
            + "limits: [{ concurrent: 1, by: provider }], max_wait: 0s } }"
        try withProxy(providers, upstreams: [upstream], workers: workers) { proxy throws in
            let port = try #require(proxy.providerPorts["p"])
            let other = try proxy.client(on: port)
            try other.request("GET", "/before")
            _ = try upstream.expectRequest()
            for version in ["1.0", "1.1"] {
                let client = try proxy.client(on: port)
                try client.send("POST /a HTTP/\(version)\r\nHost: h\r\nContent-Length: \(Self.size)\r\n\r\n")
                let form = UploadForm(isChunked: false, expects: false)
                for piece in form.pieces(size: Self.size) { try client.send(piece, within: .seconds(30)) }
                let response = try client.readResponse()
                #expect(response.status == 429 && response.isComplete)
                #expect(try client.expectClosed() == .orderly)
            }
            other.close()
        }
    }

    @Test(
        "a provider that is lost while the client sends is told, and the response arrives",
        arguments: UploadForm.all)
    func lostProvider(_ form: UploadForm) throws {
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in exchange.reset() }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            let upload = Refusal("", 502, "connection_lost")
            try client.send(form.head(of: upload, size: Self.size))
            for piece in form.pieces(size: Self.size) { try client.send(piece, within: .seconds(30)) }
            let response = try client.readResponse(within: .seconds(30))
            #expect(response.status == 502 && response.code == "connection_lost" && response.isComplete)
            #expect(response.problem["effect"] == "unknown")
        }
    }

    @Test("a client that is refused, and ends its side, is not waited for")
    func done() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send(
                "POST /nowhere HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
            try client.shutdownWrite()
            #expect(try client.readResponse().status == 404)
            #expect(try client.expectClosed(within: .seconds(4)) == .orderly)
        }
    }
}
