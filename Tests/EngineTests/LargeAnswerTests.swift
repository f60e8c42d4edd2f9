import TestSupport
import Testing

/// Bodies that go past Weir's buffers, from the provider's socket to where the client's library sends from.
@Suite("a response too large for one buffer", .blocking)
struct LargeAnswerTests {
    private static let buffer = 64 << 10
    /// Around every size at which the way of the bytes changes.
    static let sizes = [
        buffer - 1, buffer, buffer + 1, 2 * buffer - 1, 2 * buffer, 2 * buffer + 1, 5 * buffer, (5 << 20) + 7,
    ]

    private static func head(_ size: Int) -> String {
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: \(size)\r\n\r\n"
    }

    /// An upstream that answers `/SIZE` with so many bytes, each different from its neighbours.
    private static func upstream(behind: String = "") throws -> ScriptedUpstream {
        try ScriptedUpstream { exchange in
            let size = try #require(Int(exchange.request.target.dropFirst()))
            try exchange.send(
                Array(head(size).utf8) + .pattern(size) + Array(behind.utf8), within: .seconds(60))
            exchange.finish()
        }
    }

    @Test(
        "every byte of a large response arrives, and both connections serve the next request",
        arguments: sizes)
    func whole(size: Int) throws {
        let upstream = try Self.upstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            for _ in 0..<3 { #expect(try client.exchange("GET", "/p/\(size)").body.bytes == .pattern(size)) }
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test("a head and a body that come one after the other, in pieces, arrive whole", arguments: sizes)
    func inPieces(size: Int) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            let exchange = try upstream.expectRequest()
            try exchange.send(Self.head(size))
            // The head has reached the client: from here on the body is streamed.
            #expect(try client.readHead().status == 200)
            let body = [UInt8].pattern(size)
            let sending = Background {
                for start in stride(from: 0, to: size, by: 50_021) {
                    try exchange.send(Array(body[start..<min(size, start + 50_021)]), within: .seconds(60))
                }
                exchange.finish()
            }
            var seen: [UInt8] = []
            while seen.count < size { seen += try client.readBytes(atMost: 1 << 18) }
            try sending.join()
            #expect(seen == body)
        }
    }

    @Test("bytes after the declared length are not relayed", arguments: sizes)
    func bytesBehind(size: Int) throws {
        let upstream = try Self.upstream(behind: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            for _ in 0..<3 { #expect(try client.exchange("GET", "/p/\(size)").body.bytes == .pattern(size)) }
        }
    }

    @Test(
        "a provider that breaks off breaks the client's response off, whatever had been read",
        arguments: [true, false])
    func brokenOff(isReset: Bool) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            let exchange = try upstream.expectRequest()
            let part = [UInt8].pattern(3 << 20)
            try exchange.send(Self.head(5 << 20))
            #expect(try client.readHead().status == 200)
            let sending = Background { try exchange.send(part, within: .seconds(60)) }
            var seen: [UInt8] = []
            while seen.count < part.count { seen += try client.readBytes(atMost: 1 << 18) }
            try sending.join()
            #expect(seen == part)
            if isReset { exchange.reset() } else { exchange.close() }
            _ = try client.expectClosed()
            try eventually("the exchange to be counted") {
                try proxy.metric(
                    #"weir_errors_total{provider="p",origin="network",code="connection_lost"}"#) >= 1
            }
        }
    }

    @Test("a client that disconnects in the middle ends the provider's connection")
    func clientLeaves() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            let exchange = try upstream.expectRequest()
            try exchange.send(Self.head(50 << 20))
            #expect(try client.readHead().status == 200)
            let sending = Background { try? exchange.send(.pattern(50 << 20), within: .seconds(60)) }
            var count = 0
            while count < 1 << 20 { count += try client.readBytes(atMost: 1 << 16).count }
            client.close()
            _ = try exchange.expectClosed()
            try sending.join()
        }
    }

    @Test("many clients at once, slow ones among them, each get their own bytes")
    func manyClients() throws {
        let upstream = try Self.upstream()
        try withProxy(to: upstream, workers: 2) { proxy in
            let runs = (0..<8).map { index in
                Background {
                    let size = 5 * Self.buffer + index
                    let client =
                        index % 3 == 0
                        ? try RawClient(port: proxy.port, receiveBuffer: 16_384) : try proxy.client()
                    #expect(try client.exchange("GET", "/p/\(size)").body.bytes == .pattern(size))
                }
            }
            for run in runs { try run.join(within: .seconds(60)) }
        }
    }

    @Test("a large response arrives whole over TLS from the provider", arguments: sizes)
    func throughTLS(size: Int) throws {
        let files = try TemporaryDirectory()
        let body = String(repeating: "0123456789abcdef", count: size / 16 + 1).prefix(size)
        _ = try files.write(String(body), to: "file")
        let nginx = try Nginx(http2: false, server: "location /file { root \(files.path); }")
        let tls = nginx.authority.trust
        try withProxy("providers: { p: { profile: generic, upstream: '\(nginx.url)', \(tls) } }") { proxy in
            let client = try proxy.client()
            for _ in 0..<3 { #expect(try client.exchange("GET", "/p/file").text == body) }
            let slow = try RawClient(port: proxy.port, receiveBuffer: 16_384)
            #expect(try slow.exchange("GET", "/p/file").text == body)
            #expect(try proxy.metric(#"weir_upstream_connections_opened_total{provider="p"}"#) == 1)
        }
    }
}
