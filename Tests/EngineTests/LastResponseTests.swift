import Engine
import TestSupport
import Testing

/// A response behind which the connection ends arrives whole, whatever its client sends behind its request, and the connection ends in an
/// orderly way (RFC 9112 9.6).
@Suite("a last response", .blocking)
struct LastResponseTests {
    /// What the response is.
    enum Kind: CaseIterable, Sendable {
        case small, streamed, untilClose, problem, rawError, head, notFound, page

        var size: Int { self == .streamed || self == .untilClose ? 300_000 : 40 }
        var reachesProvider: Bool { self != .notFound && self != .page }

        var target: String {
            switch self {
            case .notFound: "/nowhere"
            case .page: "/livez"
            default: "/p/x"
            }
        }

        /// What the provider sends.
        var response: ScriptedResponse {
            let body = String(repeating: "x", count: size - 3) + "END"
            return switch self {
            case .untilClose: .chunked(chunks: [body])
            case .problem, .rawError: .status(404, body: body)
            case .head: .raw("HTTP/1.1 200 OK\r\nContent-Length: 40\r\nX-End: END\r\n\r\n")
            default: .ok(body)
            }
        }

        /// How the last part of it is recognised.
        var end: String {
            switch self {
            case .problem, .notFound, .page: "}"
            case .head: "\r\n\r\n"
            case .untilClose: ""
            default: "END"
            }
        }
    }

    /// What the client sends behind its request.
    enum Stray: String, CaseIterable, Sendable {
        case request = "GET /p/second HTTP/1.1\r\nHost: h\r\n\r\n"
        case emptyLine = "\r\n"
        case garbage = "\u{1}\u{2}\u{3}"
        case much

        var bytes: [UInt8] {
            self == .much ? [UInt8](repeating: 0x78, count: 100_000) : Array(rawValue.utf8)
        }
    }

    /// When it does so.
    enum Moment: CaseIterable, Sendable {
        /// While the request is answered, or at once where Weir answers by itself.
        case before
        /// When Weir has handed the whole response to the system, and the client has not received it.
        case behind
    }

    private static func request(_ kind: Kind, _ version: String) -> String {
        let fields =
            (version == "1.1" ? "Connection: close\r\n" : "")
            + (kind == .rawError ? "X-Error-Format: raw\r\n" : "")
        return "\(kind == .head ? "HEAD" : "GET") \(kind.target) HTTP/\(version)\r\nHost: h\r\n\(fields)\r\n"
    }

    @Test(
        "a last response arrives whole, and its connection is not reset, whatever the client sends behind its request",
        arguments: Kind.allCases.flatMap { kind in ["1.0", "1.1"].map { (kind, $0) } }, Stray.allCases)
    func plain(_ kindAndVersion: (Kind, String), _ stray: Stray) throws {
        let (kind, version) = kindAndVersion
        for moment in Moment.allCases {
            let upstream = try ScriptedUpstream()
            try withProxy(to: upstream) { proxy throws in
                let client = try proxy.client(receiveBuffer: 4096)
                try Self.play(kind, version, stray, moment, client, upstream) {
                    try proxy.expectNothingInFlight()
                    try proxy.settle()
                }
            }
        }
    }

    @Test(
        "the same through a Unix socket", arguments: Kind.allCases.filter(\.reachesProvider), Moment.allCases)
    func unixSocket(kind: Kind, moment: Moment) throws {
        let upstream = try ScriptedUpstream()
        let directory = try TemporaryDirectory()
        let path = directory.path + "/weir.sock"
        let weir = try WeirProcess(to: upstream, provider: "mount: /p, listen: unix:\(path)")
        for stray in Stray.allCases {
            let client = try RawClient(to: .unix(path: path))
            try Self.play(kind, "1.1", stray, moment, client, upstream, path: "/x") {
                try eventually("the response to be sent") {
                    try weir.client().exchange("GET", "/metrics").text.contains(
                        "weir_requests_in_flight{provider=\"p\"} 0")
                }
            }
        }
    }

    private static func play(
        _ kind: Kind, _ version: String, _ stray: Stray, _ moment: Moment, _ client: RawClient,
        _ upstream: ScriptedUpstream, path: String? = nil, untilSent: () throws -> Void
    ) throws {
        let request = request(kind, version).replacing("/p/x", with: path ?? "/p/x")
        let requests = upstream.requestCount
        let isSentAtOnce = moment == .before && !kind.reachesProvider
        try client.send(Array(request.utf8) + (isSentAtOnce ? stray.bytes : []))
        var responding: Background<Void>?
        if kind.reachesProvider {
            let exchange = try upstream.expectRequest()
            if moment == .before { try client.send(stray.bytes) }
            responding = Background { try exchange.respond(kind.response) }
        }
        var received: [UInt8] = []
        if moment == .behind {
            while received.count < max(1, kind.size - 12_000) {
                received += try client.readBytes(atMost: 1000)
            }
            try responding?.join()
            try untilSent()
            try client.send(stray.bytes)
        }
        while case let bytes = try client.readBytes(atMost: 1000), !bytes.isEmpty { received += bytes }
        try responding?.join()
        let text = String(decoding: received, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 "))
        #expect(text.hasSuffix(kind.end), "\(received.count) bytes")
        if kind == .untilClose { #expect(text.contains("END")) }
        #expect(text.utf8.count >= (kind == .head ? 0 : kind.size))
        client.close()
        #expect(upstream.requestCount == requests + (kind.reachesProvider ? 1 : 0))
    }

    /// A client that receives little at a time; the last line that it prints says how the connection ended.
    private static let script = """
        import socket, ssl, sys
        port, authority, request, stray = sys.argv[1:]
        context = ssl.create_default_context(cafile=authority)
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(60)
        line.connect(("127.0.0.1", int(port)))
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(received, sent, server_hostname="127.0.0.1")
        def flush():
            if data := sent.read(): line.sendall(data)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                flush()
                received.write(line.recv(65536))
        flush()
        tls.write(request.encode())
        flush()
        if stray == "notice":
            try: tls.unwrap()
            except ssl.SSLWantReadError: pass
        else: tls.write(stray.encode())
        flush()
        answer, hasNotice = b"", False
        while not hasNotice and (data := line.recv(1000)):
            received.write(data)
            try:
                while part := tls.read(65536): answer += part
                hasNotice = True
            except ssl.SSLWantReadError: pass
            except ssl.SSLZeroReturnError: hasNotice = True
        print(len(answer), answer[:12].decode(), answer.rstrip(b"0\\r\\n")[-3:].decode())
        print("close_notify" if hasNotice else "no close_notify", len(line.recv(1000)))
        """

    @Test(
        "a last response arrives whole through TLS, and behind it a close_notify and the end",
        arguments: [Kind.small, .streamed, .untilClose, .rawError],
        [Stray.request.rawValue, Stray.emptyLine.rawValue, "much", "notice"])
    func encrypted(kind: Kind, stray: String) throws {
        let upstream = try ScriptedUpstream()
        let tls = try TLSFixture()
        try tls.withProxy(to: upstream) { proxy, port, _ throws in
            for version in ["1.0", "1.1"] {
                let text = Self.request(kind, version).replacing("/p/x", with: "/x")
                let sent = stray == "much" ? String(repeating: "x", count: 100_000) : stray
                let client = Background {
                    try Subprocess.run(
                        "python3",
                        ["-c", Self.script, "\(port)", tls.authority.root.certificatePath, text, sent])
                }
                try upstream.expectRequest().respond(kind.response)
                let outcome = try client.join()
                let lines = outcome.output.split(separator: "\n")
                #expect(
                    lines.first?.hasSuffix(" HTTP/1.1 \(kind == .rawError ? 404 : 200) END") == true,
                    "\(outcome)")
                #expect(lines.last == "close_notify 0", "\(outcome)")
            }
            try proxy.expectNothingInFlight()
        }
    }

    @Test("a client that does not close its connection behind a last response is left after 5 s")
    func left() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let weir = try WeirProcess(to: upstream, drain: "30s")
        let probe = try weir.client()
        #expect(try probe.exchange("GET", "/livez").status == 200)
        let before = try ResourceUse(of: weir.process.processID).descriptors
        let clients = try (0..<20).map { _ in
            let client = try weir.client()
            try client.send("GET /nowhere HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(try client.readResponse().status == 404)
            #expect(try client.expectClosed() == .orderly)
            return client
        }
        #expect(try ResourceUse(of: weir.process.processID).descriptors >= before + 20)
        try eventually("the sockets to be closed", within: .seconds(20)) {
            try ResourceUse(of: weir.process.processID).descriptors <= before
        }
        withExtendedLifetime(clients) {}
    }

    @Test("a client that sends without end behind a last response is cut off")
    func endless() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("GET /nowhere HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(try client.readResponse().status == 404)
            let piece = [UInt8](repeating: 0x78, count: 1 << 20)
            var pieces = 0
            #expect(throws: PeerError.self) {
                while pieces < 512 {
                    try client.send(piece, within: .seconds(30))
                    pieces += 1
                }
            }
            #expect(pieces < 512)
        }
    }

    @Test("sockets behind last responses are bounded, and other clients are served")
    func bounded() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let weir = try WeirProcess(to: upstream, drain: "30s", descriptors: 200)
        var clients: [RawClient] = []
        for _ in 0..<300 {
            let client = try weir.client()
            try client.send("GET /p/x HTTP/1.0\r\n\r\n")
            #expect(try client.readResponse().status == 200)
            clients.append(client)
        }
        #expect(try weir.client().exchange("GET", "/p/x").status == 200)
    }
}
