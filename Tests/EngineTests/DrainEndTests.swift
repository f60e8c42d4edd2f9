import Engine
import TestSupport
import Testing

/// What clients get when the grace period of a drain is over.
@Suite("the end of the grace period", .blocking)
struct DrainEndTests {
    /// What a request is in the middle of; nothing of its response has been sent.
    enum State: String, CaseIterable, Sendable {
        case sent, sentPost, sentHead, sentByHTTP10, sentRaw, connecting
        case shortBody, expectedBody, longBody, chunkedBody
        case answeredEarly, errorBody, refused, page

        var request: String {
            switch self {
            case .sent, .connecting, .errorBody: "GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n"
            case .sentPost: "POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
            case .sentHead: "HEAD /p/x HTTP/1.1\r\nHost: h\r\n\r\n"
            case .sentByHTTP10: "GET /p/x HTTP/1.0\r\n\r\n"
            case .sentRaw: "GET /p/x HTTP/1.1\r\nHost: h\r\nX-Error-Format: raw\r\n\r\n"
            case .shortBody: "POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello"
            case .expectedBody:
                "POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
            case .longBody, .answeredEarly:
                "POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nhello"
            case .chunkedBody:
                "POST /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
            case .refused: "POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello"
            case .page: "POST /-/errors HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello"
            }
        }

        var reachesProvider: Bool {
            ![.connecting, .shortBody, .expectedBody, .refused, .page].contains(self)
        }

        /// Status, code and effect of the problem.
        var problem: (status: Int, code: String, effect: String) {
            switch self {
            case .errorBody: (404, "not_found", "none")
            case .refused: (404, "route_not_found", "none")
            case .page: (405, "bad_client_request", "none")
            default: (503, "shutting_down", reachesProvider ? "unknown" : "none")
            }
        }
    }

    private static let tls = Result { try TLSFixture() }

    private static func withProxy(
        isEncrypted: Bool, state: State, workers: Int,
        _ body: (_ proxy: ProxyFixture, _ upstream: ScriptedUpstream, _ client: RawClient) throws -> Void
    ) throws {
        let upstream = try ScriptedUpstream()
        // A handshake that is never answered.
        let url = state == .connecting ? upstream.url.replacing("http:", with: "https:") : upstream.url
        var listen = "127.0.0.1:0"
        if isEncrypted {
            let identity = try tls.get().identity
            listen = """
                { address: 127.0.0.1:0, tls: { certificate: '\(identity.certificatePath)', key: '\(identity.keyPath)' } }
                """
        }
        let proxy = try ProxyFixture(
            yaml: """
                listen: \(listen)
                admin: { listen: 127.0.0.1:0 }
                workers: \(workers)
                limits: { drain: 1s }
                providers: { p: { profile: generic, upstream: '\(url)' } }
                """)
        defer { proxy.stop() }
        let client =
            isEncrypted
            ? try TLSEndings.shared.get().client(of: proxy.port, ending: .close) : try proxy.client()
        try body(proxy, upstream, client)
    }

    @Test(
        "a request without any part of a response gets a problem when the grace period is over",
        arguments: State.allCases, [(false, 1), (false, 2), (true, 1)])
    func problem(state: State, setting: (isEncrypted: Bool, workers: Int)) throws {
        try Self.withProxy(isEncrypted: setting.isEncrypted, state: state, workers: setting.workers) {
            proxy, upstream, client in
            // It has been accepted, whatever is slow.
            #expect(try client.exchange("GET", "/nowhere").status == 404)
            try client.send(state.request)
            switch state {
            case .refused, .page:
                // Nothing counts them; a single worker reads what is there before what arrives later.
                if setting.isEncrypted || setting.workers > 1 { return }
                try proxy.settle()
            default:
                try eventually("the request to begin") {
                    try proxy.metric(#"weir_requests_in_flight{provider="p"}"#) == 1
                }
            }
            if state == .expectedBody { #expect(try client.readHead().status == 100) }
            if state.reachesProvider {
                let exchange = try upstream.expectRequestHead()
                if state == .errorBody {
                    try exchange.send("HTTP/1.1 404 No\r\nContent-Type: text/plain\r\n\r\nNo such thing")
                } else if state == .answeredEarly {
                    try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
                }
            } else if state == .connecting {
                _ = try? upstream.expectRequestHead(within: .milliseconds(50))
            }
            let end = Background { proxy.stop() }
            let response = try client.readResponse(toHead: state == .sentHead)
            let expected = state.problem
            #expect(response.status == expected.status)
            #expect(response.fields["X-Error-Code"] == expected.code)
            if state != .sentHead {
                #expect(response.code == expected.code && response.isComplete)
                #expect(response.problem["effect"] == expected.effect)
                #expect((response.problem["attempts"] == nil) == !state.reachesProvider)
            }
            #expect(response.fields["Connection"] == "close")
            #expect(try client.expectClosed() == .orderly)
            client.close()
            try end.join()
        }
    }

    @Test("a response that has begun is cut off when the grace period is over, and no problem follows it")
    func begun() throws {
        try Self.withProxy(isEncrypted: false, state: .sent, workers: 1) { proxy, upstream, client in
            try client.send(State.sent.request)
            let exchange = try upstream.expectRequest()
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            #expect(try client.readHead().status == 200)
            #expect(try client.readBytes(atMost: 5) == Array("hello".utf8))
            proxy.stop()
            try client.expectClosed()
        }
    }

    @Test("a client that still sends 8 MB, and then reads, gets the problem of the end of the grace period")
    func sending() throws {
        let upstream = try ScriptedUpstream()
        let proxy = try ProxyFixture(
            yaml: """
                listen: 127.0.0.1:0
                workers: 1
                limits: { drain: 300ms }
                providers: { p: { profile: generic, upstream: '\(upstream.url)' } }
                """)
        defer { proxy.stop() }
        let client = try proxy.client()
        try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n")
        let sending = Background { try client.send([UInt8](repeating: 0x78, count: 8_000_000)) }
        _ = try upstream.expectRequestHead()
        let end = Background { proxy.stop() }
        try sending.join()
        let response = try client.readResponse()
        #expect(response.code == "shutting_down" && response.isComplete)
        client.close()
        try end.join()
    }

    @Test("a client that does not close its connection holds the end up for a second at most")
    func bounded() throws {
        try Self.withProxy(isEncrypted: false, state: .sent, workers: 1) { proxy, upstream, client in
            try client.send(State.sent.request)
            _ = try upstream.expectRequest()
            let start = ContinuousClock.now
            proxy.stop()
            #expect(ContinuousClock.now - start < .seconds(4))
            #expect(try client.readResponse().code == "shutting_down")
        }
    }

    private static let script = """
        import socket, ssl, sys
        context = ssl.create_default_context(cafile=sys.argv[2])
        plain = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
        client = context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False)
        if len(sys.argv[3]) > 0:
            client.sendall(sys.argv[3].encode())
            if sys.argv[4] == "answered": client.recv(65536)
        print("ready", flush=True)
        # Without a close_notify, this raises.
        while client.recv(65536): pass
        print("close_notify", flush=True)
        """

    @Test(
        "a TLS connection without an unfinished response ends with a close_notify when Weir ends",
        arguments: [
            ("GET /livez HTTP/1.1\r\nHost: h\r\n\r\n", "answered"), ("", ""),
            ("GET /p/x HTTP/1.1\r\nHost: w", ""), ("GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n", ""),
        ], [1, 2])
    func closeNotify(_ sent: (text: String, answered: String), workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let tls = try Self.tls.get()
        let proxy = try ProxyFixture(
            yaml: """
                listen: { address: 127.0.0.1:0, tls: { certificate: '\(tls.identity.certificatePath)', \
                key: '\(tls.identity.keyPath)' } }
                workers: \(workers)
                limits: { drain: 300ms }
                providers: { p: { profile: generic, upstream: '\(upstream.url)' } }
                """)
        defer { proxy.stop() }
        let client = try Subprocess(
            "python3",
            [
                "-c", Self.script, "\(proxy.port)", tls.authority.root.certificatePath, sent.text,
                sent.answered,
            ])
        try client.waitForOutput(containing: "ready")
        proxy.stop()
        #expect(try client.waitForExit() == .code(0), "\(client.errorOutput)")
        #expect(client.output.contains("close_notify"))
    }

    @Test(
        "a client of a kept connection receives its whole last response when Weir ends, even if it sends more",
        arguments: [1, 2])
    func kept(workers: Int) throws {
        let size = 200_000
        let upstream = try ScriptedUpstream(answering: .ok(String(repeating: "x", count: size)))
        let proxy = try ProxyFixture(
            yaml: """
                listen: 127.0.0.1:0
                workers: \(workers)
                limits: { drain: 10s }
                providers: { p: { profile: generic, upstream: '\(upstream.url)' } }
                """)
        defer { proxy.stop() }
        let client = try RawClient(port: proxy.port, receiveBuffer: 4096)
        let request = "GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n"
        try client.send(request)
        #expect(try client.readHead().status == 200)
        try proxy.expectNothingInFlight()
        let end = Background { proxy.stop() }
        try eventually("the listener to be closed") { (try? RawClient(port: proxy.port)) == nil }
        try client.send(request)
        var received: [UInt8] = []
        while case let bytes = try client.readBytes(atMost: 1 << 16), !bytes.isEmpty { received += bytes }
        // The response to the second request may follow.
        #expect(received.prefix(size).count { $0 == 0x78 } == size)
        client.close()
        try end.join()
    }
}
