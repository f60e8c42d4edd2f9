import TestSupport
import Testing

/// Bodies of which a large part is received where libmicrohttpd sends it.
@Suite("a large response that is relayed", .blocking)
struct LargeRelayTests {
    private static let kibi = 1 << 10
    /// Large bodies take their time on a busy machine.
    private static let patience = Duration.seconds(60)

    private static func head(_ size: Int, status: String = "200 OK") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: text/plain\r\nContent-Length: \(size)\r\n\r\n"
    }

    /// The body of `/SIZE/KEY`: of another key, it is another one at every place.
    private static func body(_ target: String) -> [UInt8] {
        let parts = target.split(separator: "/").suffix(2).compactMap { Int($0) }
        guard parts.count == 2 else { return [] }
        return Array([UInt8].pattern(parts[0] + parts[1]).dropFirst(parts[1]))
    }

    private static func upstream(behind: String = "") throws -> ScriptedUpstream {
        try ScriptedUpstream { exchange in
            let body = body(exchange.request.target)
            try exchange.send(
                Array(head(body.count).utf8) + body + Array(behind.utf8), within: Self.patience)
            exchange.finish()
        }
    }

    /// Reads `count` bytes of a body whose head has been read.
    private static func read(_ count: Int, from client: RawClient) throws -> [UInt8] {
        var seen: [UInt8] = []
        while seen.count < count {
            let part = try client.readBytes(atMost: min(1 << 18, count - seen.count), within: Self.patience)
            guard !part.isEmpty else { break }
            seen += part
        }
        return seen
    }

    /// Around what is received at once, and a block of the library's.
    static let sizes = [16, 32, 64, 80, 96, 128, 256, 272, 336, 512, 1024, 1040, 2048].flatMap {
        [$0 * kibi - 1, $0 * kibi, $0 * kibi + 1]
    }

    @Test("every byte of every size arrives, and both connections go on")
    func sizes() throws {
        let upstream = try Self.upstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            for size in Self.sizes {
                let target = "/\(size)/\(size % 97)"
                #expect(
                    try client.exchange("GET", "/p\(target)", within: Self.patience).body.bytes
                        == Self.body(target))
            }
            #expect(upstream.connectionCount == 1)
            #expect(
                try proxy.metric(#"weir_response_body_bytes_total{provider="p"}"#)
                    == Double(Self.sizes.reduce(0, +)))
        }
    }

    @Test("small responses and large ones, pipelined, come in their order")
    func pipelined() throws {
        let upstream = try Self.upstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            let targets = (0..<12).map { "/\($0 % 2 == 0 ? 3_000_000 + $0 : 100 + $0)/\($0)" }
            try client.send(targets.map { "GET /p\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
            for target in targets {
                #expect(try client.readResponse(within: Self.patience).body.bytes == Self.body(target))
            }
        }
    }

    @Test("many clients at once, slow ones among them, each get their own bytes", arguments: [1, 2])
    func manyClients(workers: Int) throws {
        let upstream = try Self.upstream()
        try withProxy(to: upstream, workers: workers) { proxy in
            let runs = (0..<12).map { index in
                Background {
                    let client = try proxy.client(receiveBuffer: index % 3 == 0 ? 16_384 : nil)
                    for round in 0..<2 {
                        let target = "/\((1 << 20) + index * 1000 + round)/\(index * 10 + round)"
                        let response = try client.exchange("GET", "/p\(target)", within: Self.patience)
                        #expect(response.body.bytes == Self.body(target))
                        #expect(try client.exchange("GET", "/p/10/\(index)").body.bytes.count == 10)
                    }
                }
            }
            for run in runs { try run.join(within: .seconds(120)) }
        }
    }

    @Test("a client that does not read yet gets every byte later, and others are served meanwhile")
    func stalledClient() throws {
        let size = 30 << 20
        let upstream = try Self.upstream()
        try withProxy(to: upstream) { proxy in
            let slow = try proxy.client(receiveBuffer: 16_384)
            try slow.request("GET", "/p/\(size)/5")
            #expect(try slow.readHead(within: Self.patience).status == 200)
            let other = try proxy.client()
            #expect(
                try other.exchange("GET", "/p/2000000/7", within: Self.patience).body.bytes
                    == Self.body("/2000000/7"))
            #expect(try Self.read(size, from: slow) == Self.body("/\(size)/5"))
            #expect(try slow.exchange("GET", "/p/10/3").body.bytes == Self.body("/10/3"))
        }
    }

    @Test("clients that disconnect in the middle leave no byte to the next one, and no descriptor")
    func leavingClients() throws {
        let upstream = try ScriptedUpstream { exchange in
            let body = Self.body(exchange.request.target)
            try exchange.send(Self.head(body.count), within: Self.patience)
            try exchange.send(body, within: Self.patience)
            exchange.finish()
        }
        let weir = try WeirProcess(to: upstream)
        let lasting = try weir.client()
        #expect(try lasting.exchange("GET", "/p/10/1").status == 200)
        let before = try ResourceUse(of: weir.process.processID).descriptors
        for round in 0..<10 {
            let leaving = try RawClient(port: weir.port, receiveBuffer: 16_384)
            try leaving.request("GET", "/p/10000000/\(round)")
            #expect(try leaving.readHead(within: Self.patience).status == 200)
            #expect(try Self.read(1 << 20, from: leaving).count == 1 << 20)
            if round % 2 == 0 { leaving.reset() } else { leaving.close() }
            let target = "/2000000/\(50 + round)"
            #expect(
                try weir.client().exchange("GET", "/p\(target)", within: Self.patience).body.bytes
                    == Self.body(target))
        }
        #expect(
            try lasting.exchange("GET", "/p/2000000/1", within: Self.patience).body.bytes
                == Self.body("/2000000/1"))
        // The connections to the provider may stay.
        try eventually("all descriptors to be closed") {
            let open = try ResourceUse(of: weir.process.processID).descriptors
            return open <= before + upstream.openConnectionCount
        }
    }

    @Test(
        "a provider that breaks off breaks the client's response off where it did", arguments: [true, false])
    func brokenOff(isReset: Bool) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            let body = Self.body("/10000000/9")
            let part = Array(body.prefix(4_000_000))
            for _ in 0..<3 {
                let client = try proxy.client()
                try client.request("GET", "/p/x")
                let exchange = try upstream.expectRequest()
                let sending = Background {
                    try exchange.send(Array(Self.head(body.count).utf8) + part, within: Self.patience)
                }
                #expect(try client.readHead(within: Self.patience).status == 200)
                #expect(try Self.read(part.count, from: client) == part)
                try sending.join()
                if isReset { exchange.reset() } else { exchange.close() }
                _ = try client.expectClosed()
            }
            try client.request("GET", "/p/x")
            try upstream.expectRequest().respond(.ok("{}"))
            #expect(try client.readResponse().text == "{}")
            #expect(
                try proxy.metric(#"weir_errors_total{provider="p",origin="network",code="connection_lost"}"#)
                    == 3)
        }
    }

    @Test("what a provider sends behind its response reaches nobody, and ends its connection")
    func surplus() throws {
        let upstream = try Self.upstream(behind: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            for index in 0..<8 {
                let target = "/\((1 << 20) + index)/\(index)"
                #expect(
                    try client.exchange("GET", "/p\(target)", within: Self.patience).body.bytes
                        == Self.body(target))
            }
        }
    }

    @Test("HTTP/1.0, HEAD, a part of a resource, and an error of the provider's own are what they are")
    func kinds() throws {
        let body = Self.body("/3000000/3")
        let upstream = try ScriptedUpstream { exchange in
            let status =
                exchange.request.target == "/part" ? "206 Partial Content" : "200 OK"
            try exchange.send(Self.head(body.count, status: status))
            if exchange.request.method != "HEAD" { try exchange.send(body, within: Self.patience) }
            exchange.finish()
        }
        try withProxy(to: upstream) { proxy in
            let old = try proxy.client()
            try old.send("GET /p/a HTTP/1.0\r\n\r\n")
            #expect(try old.readResponse(within: Self.patience).body.bytes == body)
            _ = try old.expectClosed()
            let client = try proxy.client()
            let head = try client.exchange("HEAD", "/p/a")
            #expect(head.status == 200 && head.body.bytes.isEmpty)
            let part = try client.exchange(
                "GET", "/p/part", fields: [("Range", "bytes=0-2999999")], within: Self.patience)
            #expect(part.status == 206 && part.body.bytes == body)
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test("a response that is on its way when Weir ends arrives whole")
    func drain() throws {
        let upstream = try Self.upstream()
        try withProxy(to: upstream, limits: "drain: 60s") { proxy in
            let client = try proxy.client(receiveBuffer: 16_384)
            try client.request("GET", "/p/20000000/4")
            #expect(try client.readHead(within: Self.patience).status == 200)
            #expect(try Self.read(1 << 20, from: client).count == 1 << 20)
            let stopping = Background { proxy.stop() }
            let rest = try Self.read(20_000_000 - (1 << 20), from: client)
            #expect(rest == Array(Self.body("/20000000/4").dropFirst(1 << 20)))
            try stopping.join(within: Self.patience)
        }
    }

    @Test("the end of a drain breaks off a response whose client does not read")
    func drainIsOver() throws {
        let upstream = try Self.upstream()
        try withProxy(to: upstream, limits: "drain: 1s") { proxy in
            let client = try proxy.client(receiveBuffer: 16_384)
            try client.request("GET", "/p/30000000/4")
            #expect(try client.readHead(within: Self.patience).status == 200)
            proxy.stop()
            let seen = try? Self.read(30_000_000, from: client)
            #expect((seen?.count ?? 0) < 30_000_000)
        }
    }

    @Test("a large response arrives whole through TLS")
    func encrypted() throws {
        let upstream = try Self.upstream()
        try TLSFixture().withProxy(to: upstream) { proxy, _, relay throws in
            let client = try proxy.client(on: relay.port)
            #expect(
                try client.exchange("GET", "/3000000/8", within: Self.patience).body.bytes
                    == Self.body("/3000000/8"))
            client.close()
        }
    }

    @Test("a client on a Unix domain socket gets every byte of a large response")
    func unixSocket() throws {
        let upstream = try Self.upstream()
        let directory = try TemporaryDirectory()
        let path = directory.path("weir.sock")
        let file = try directory.write(
            """
            listen: unix:\(path)
            workers: 1
            providers: { p: { profile: generic, upstream: '\(upstream.url)' } }

            """, to: "weir.yaml")
        let process = try Subprocess(try WeirBinary.path, ["run", "--config", file])
        try process.waitForOutput(containing: "listening", within: .seconds(30))
        let client = try RawClient(to: .unix(path: path), observing: expectValidProblem)
        for index in 0..<4 {
            let target = "/\(3_000_000 + index)/\(index)"
            #expect(
                try client.exchange("GET", "/p\(target)", within: Self.patience).body.bytes
                    == Self.body(target))
        }
    }
}
