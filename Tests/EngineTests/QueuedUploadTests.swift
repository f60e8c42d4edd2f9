import TestSupport
import Testing

/// Requests that wait for their turn with a body that nobody has read.
@Suite(.blocking) struct QueuedUploadTests {
    private static let depth = #"weir_queue_depth{provider="p"}"#
    private static let total = 200_000

    /// The beginning of the body, with so many bytes; with all of them, its end as well.
    private static func body(_ framing: UploadFraming, _ count: Int) -> String {
        framing.bytes(String(repeating: "x", count: count), of: total)
    }

    /// Sends a request's head, which must wait.
    private func queue(_ framing: UploadFraming, in proxy: ProxyFixture) throws -> RawClient {
        #expect(try proxy.exchange("GET", "/p/0").status == 200)
        let client = try proxy.client()
        try client.send("POST /p/1 HTTP/1.1\r\nHost: h\r\n\(framing.field(Self.total))\r\n\r\n")
        try eventually("the request to wait") { try proxy.metric(Self.depth) == 1 }
        return client
    }

    @Test(
        "a client that leaves the queue behind a part of its body gives up its place at once",
        arguments: UploadFraming.allCases, [(1, true), (100_000, true), (1, false), (100_000, false)])
    func leaving(framing: UploadFraming, part: (count: Int, halfCloses: Bool)) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(
            to: upstream, provider: "limits: [{ requests: 1, per: 60s, by: provider }], max_wait: 90s"
        ) { proxy in
            let client = try queue(framing, in: proxy)
            // The end comes with the last bytes: whether it is that of a client that still reads, only the body tells.
            try client.holdLastBytes()
            try client.send(Self.body(framing, part.count))
            if part.halfCloses { try client.shutdownWrite() } else { client.close() }
            try eventually("the place to be free", within: .promptly) {
                try proxy.metric(Self.depth) == 0
            }
            try proxy.expectNothingInFlight(within: .promptly)
            #expect(upstream.requests.map(\.target) == ["/0"])
            #expect(try proxy.metric(#"weir_client_aborts_total{provider="p",stage="queue"}"#) == 1)
        }
    }

    @Test(
        "a client that ends its side behind its whole body keeps its place, and gets its response",
        arguments: UploadFraming.allCases)
    func staying(framing: UploadFraming) throws {
        let upstream = try ScriptedUpstream(answering: .ok("taken"))
        try withProxy(to: upstream, provider: "limits: [{ requests: 1, per: 5s, by: provider }]") { proxy in
            let client = try queue(framing, in: proxy)
            let sending = Background {
                try client.holdLastBytes()
                try client.send(Self.body(framing, Self.total))
                try client.shutdownWrite()
            }
            let response = try client.readResponse()
            #expect(response.status == 200 && response.text == "taken")
            try sending.join()
            try client.expectClosed()
            #expect(upstream.requests.map(\.target) == ["/0", "/1"])
            #expect(upstream.requests.last?.body?.count == Self.total)
        }
    }

    @Test(
        "bytes that are no HTTP behind a waiting upload, and the end of its connection with them, end this upload alone",
        arguments: ["zz\r\n", "5\r\nhelloX", "FFFFFFFFFFFFFFFFF\r\n", "0\r\n\r\nGET\r\n\r\n"],
        ["half-close", "close", "reset", "open"])
    func malformedAndEnd(bytes: String, end: String) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: "limits: [{ concurrent: 1, by: provider }], max_wait: 60s") {
            proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/first")
            let exchange = try upstream.expectRequest()
            for head in ["", "Expect: 100-continue\r\n"] {
                let client = try RawClient(port: proxy.port)
                try client.holdLastBytes()
                try client.send(
                    "POST /p/x HTTP/1.1\r\nHost: h\r\n\(head)Transfer-Encoding: chunked\r\n\r\n\(bytes)")
                switch end {
                case "half-close": try client.shutdownWrite()
                case "close": client.close()
                case "reset": client.reset()
                default: break
                }
                try proxy.settle()
                if end == "open" || end == "half-close" { client.close() }
                try eventually("nobody to wait") { try proxy.metric(Self.depth) == 0 }
            }
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
            try proxy.expectNothingInFlight()
            #expect(upstream.requestCount == 1)
        }
    }

    /// Sends as much of a body of 64 MB as both systems buffer.
    private func fill(_ client: RawClient) throws {
        let piece = [UInt8](repeating: 0x78, count: 1 << 20)
        #expect(throws: PeerError.self) {
            while true { try client.send(piece, within: .milliseconds(500)) }
        }
    }

    @Test(
        "a client that closes behind more of its body than the system can buffer loses its place in the queue",
        arguments: ["close", "reset"])
    func leavingBehindMuch(end: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "limits: [{ requests: 1, per: 60s, by: provider }], max_wait: 90s"
        try withProxy(to: upstream, provider: provider) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/0").status == 200)
            let client = try proxy.client()
            try client.send("POST /p/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 64000000\r\n\r\n")
            try eventually("the request to wait") { try proxy.metric(Self.depth) == 1 }
            try fill(client)
            #expect(try proxy.metric(Self.depth) == 1)
            if end == "close" { client.close() } else { client.reset() }
            try eventually("the place to be free") { try proxy.metric(Self.depth) == 0 }
            try proxy.expectNothingInFlight()
            #expect(upstream.requestCount == 1)
            #expect(try proxy.metric(#"weir_client_aborts_total{provider="p",stage="queue"}"#) == 1)
        }
    }

    @Test("a client that closes behind a body that the provider does not read ends the attempt")
    func leavingBehindProvider() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: "timeouts: { response: 5m }") { proxy throws in
            let client = try proxy.client()
            try client.send("POST /p/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 64000000\r\n\r\n")
            let exchange = try upstream.expectRequestHead()
            try fill(client)
            client.close()
            try proxy.expectNothingInFlight()
            withExtendedLifetime(exchange) {}
        }
    }

    @Test(
        "a client that waits behind more of its body than the system can buffer keeps its place, and gets its response"
    )
    func stayingBehindMuch() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: "limits: [{ concurrent: 1, by: provider }], max_wait: 90s") {
            proxy throws in
            let first = try proxy.client()
            try first.request("GET", "/p/0")
            let exchange = try upstream.expectRequest()
            let client = try proxy.client()
            let size = 24 << 20
            try client.send("POST /p/1 HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
            try eventually("the request to wait") { try proxy.metric(Self.depth) == 1 }
            let sending = Background {
                try client.send([UInt8](repeating: 0x78, count: size), within: .seconds(60))
                try client.shutdownWrite()
            }
            // When the end of a later client has been noticed, this one has been checked as well.
            let other = try proxy.client()
            try other.send("POST /p/2 HTTP/1.1\r\nHost: h\r\nContent-Length: 64000000\r\n\r\n")
            try eventually("both to wait") { try proxy.metric(Self.depth) == 2 }
            try fill(other)
            other.close()
            try eventually("the other request to end") { try proxy.metric(Self.depth) == 1 }
            try exchange.respond(.ok())
            #expect(try first.readResponse().status == 200)
            let second = try upstream.expectRequest()
            #expect(second.request.target == "/1" && second.request.body?.count == size)
            try second.respond(.ok("taken"))
            #expect(try client.readResponse().text == "taken")
            try sending.join()
        }
    }
}
