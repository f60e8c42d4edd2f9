import TestSupport
import Testing

/// `limits.client_stall` in the stages in which nothing but the client is waited for.
@Suite("a client that stands still", .blocking)
struct StallTests {
    /// How the replies arrive that a client does not read.
    enum Arrival: CaseIterable, Sendable {
        /// Whole, so that they are sent in one piece.
        case whole
        /// In two parts, and whole before the client has read them.
        case inParts
        /// As an error that is relayed.
        case raw

        var provider: String { self == .raw ? "errors: raw" : "" }

        func respond(_ exchange: UpstreamExchange) throws {
            let size = 200_000
            let status = self == .raw ? 400 : 200
            let head = "HTTP/1.1 \(status) X\r\nContent-Type: text/plain\r\nContent-Length: \(size)\r\n\r\n"
            let body = [UInt8](repeating: 0x61, count: size)
            var bytes = Array(head.utf8) + body
            if self == .inParts {
                try exchange.send(Array(bytes[..<1000]))
                pauseThread(for: .milliseconds(2))
                bytes.removeFirst(1000)
            }
            try exchange.respond(.raw(bytes))
        }
    }

    /// More replies than the sockets have room for.
    private static let count = 40

    private func expectAbort(_ proxy: ProxyFixture) throws {
        let aborts = #"weir_client_aborts_total{provider="p",stage="response"}"#
        try eventually("the client to be cut off", within: .seconds(20)) { try proxy.metric(aborts) == 1 }
        try proxy.expectNothingInFlight()
    }

    @Test(
        "a client that does not read its replies is cut off after client_stall, also when the provider is done",
        arguments: Arrival.allCases)
    func unread(arrival: Arrival) throws {
        let upstream = try ScriptedUpstream { try arrival.respond($0) }
        let limits = "client_stall: 1s, client_idle: 1h"
        try withProxy(to: upstream, provider: arrival.provider, limits: limits) { proxy in
            let client = try proxy.client(receiveBuffer: 4096)
            let request = "GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n"
            try client.send(String(repeating: request, count: Self.count))
            try expectAbort(proxy)
            withExtendedLifetime(client) {}
        }
    }

    @Test("a client that reads its replies slowly, but steadily, gets all of them")
    func slow() throws {
        let body = String(repeating: "a", count: 200_000)
        let upstream = try ScriptedUpstream(answering: .ok(body))
        try withProxy(to: upstream, limits: "client_stall: 1s, client_idle: 1h") { proxy in
            let client = try proxy.client(receiveBuffer: 4096)
            try client.send(String(repeating: "GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n", count: Self.count))
            let begun = ContinuousClock.now
            // All the while, the socket is full, and libmicrohttpd sends nothing.
            while begun.duration(to: .now) < .seconds(4) {
                #expect(try !client.readBytes(atMost: 2000).isEmpty)
                pauseThread(for: .milliseconds(50))
            }
            try eventually("all replies to be read", within: .seconds(60)) {
                _ = try client.readBytes(atMost: 1 << 20)
                return upstream.requestCount == Self.count
            }
            client.close()
        }
    }

    @Test(
        "a rejected request whose body stops gets its response long before client_stall",
        arguments: [
            "Content-Length: 10\r\n\r\nhello", "Content-Length: 10\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello", "Transfer-Encoding: chunked\r\n\r\n",
            "Expect: 100-continue\r\nContent-Length: 10\r\n\r\nhello",
        ], ["/nowhere", "/p/x"])
    func refused(upload: String, target: String) throws {
        let upstream = try ScriptedUpstream()
        let provider = "limits: [{ concurrent: 1, by: provider }], max_wait: 0s"
        let isWhole = target == "/p/x" && upload.hasPrefix("Content-Length")
        let limits = "client_stall: \(isWhole ? "1s" : "1h"), client_idle: 1h"
        try withProxy(to: upstream, provider: provider, limits: limits) { proxy in
            let other = try proxy.client()
            try other.request("GET", "/p/other")
            let exchange = try upstream.expectRequest()
            let client = try proxy.client()
            try client.send("POST \(target) HTTP/1.1\r\nHost: h\r\n\(upload)")
            if isWhole {
                // It is refused only once its body is here.
                try client.expectClosed()
            } else {
                let response = try client.readResponse()
                #expect(response.code == (target == "/p/x" ? "throttled" : "route_not_found"))
                try client.expectClosed()
            }
            try exchange.respond(.ok())
            #expect(try other.readResponse().status == 200)
            try proxy.expectNothingInFlight()
        }
    }

    /// Waits for more than client_idle: until two connections, one after the other, were closed as idle.
    private func outlastIdle(_ proxy: ProxyFixture) throws {
        for _ in 1...2 {
            let idle = try proxy.client()
            #expect(try idle.exchange("GET", "/livez").status == 200)
            try idle.expectClosed()
        }
    }

    @Test(
        "a client that pauses within its responses for longer than client_idle, but not than client_stall, gets all of them",
        arguments: [
            (Arrival.whole, false), (.inParts, false), (.raw, false), (.whole, true), (.inParts, true),
        ])
    func idleShorterThanStall(arrival: Arrival, isEncrypted: Bool) throws {
        let upstream = try ScriptedUpstream { try arrival.respond($0) }
        let limits = "client_stall: 60s, client_idle: 1s"
        func play(_ proxy: ProxyFixture, _ client: RawClient, _ target: String) throws {
            let count = 20
            try client.send(String(repeating: "GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n", count: count))
            #expect(try !client.readBytes(atMost: 1).isEmpty)
            try outlastIdle(proxy)
            var left = count * 200_000
            while left > 0 {
                let bytes = try client.readBytes(atMost: 1 << 20)
                guard !bytes.isEmpty else { break }
                left -= bytes.count { $0 == 0x61 }
            }
            #expect(left <= 0)
            client.close()
        }
        if isEncrypted {
            let tls = try TLSFixture()
            try tls.withProxy(to: upstream, limits: limits) { proxy, _, relay throws in
                try play(proxy, RawClient(port: relay.port, receiveBuffer: 4096), "/x")
            }
        } else {
            try withProxy(to: upstream, provider: arrival.provider, limits: limits) { proxy throws in
                try play(proxy, proxy.client(receiveBuffer: 4096), "/p/x")
            }
        }
    }

    @Test(
        "a client may pause within its body for longer than client_idle, if not for longer than client_stall")
    func idleShorterThanPause() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, limits: "client_stall: 60s, client_idle: 1s") { proxy in
            let client = try proxy.client()
            for target in ["/p/x", "/p/y"] {
                try client.send("POST \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello")
                try outlastIdle(proxy)
                try client.send("world")
                #expect(try client.readResponse().status == 200)
            }
            // Without a request, client_idle applies again.
            try client.expectClosed()
        }
    }
}
