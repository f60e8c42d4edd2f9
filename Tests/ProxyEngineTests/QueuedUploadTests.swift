import TestSupport
import Testing

/// Requests that wait for their turn with a body that nobody has read.
@Suite(.blocking) struct QueuedUploadTests {
    private static let depth = #"weir_queue_depth{provider="p"}"#
    private static let total = 200_000

    /// How a body is framed, and how much of it comes.
    enum Framing: CaseIterable, Sendable {
        case length, chunked

        var field: String {
            self == .length ? "Content-Length: \(QueuedUploadTests.total)" : "Transfer-Encoding: chunked"
        }

        /// The beginning of the body, with so many bytes; with all of them, its end as well.
        func body(_ count: Int) -> String {
            let bytes = String(repeating: "x", count: count)
            guard self == .chunked else { return bytes }
            let size = String(QueuedUploadTests.total, radix: 16)
            return "\(size)\r\n\(bytes)" + (count == QueuedUploadTests.total ? "\r\n0\r\n\r\n" : "")
        }
    }

    /// Sends a request's head, which must wait.
    private func queue(_ framing: Framing, in proxy: ProxyFixture) throws -> RawClient {
        #expect(try proxy.exchange("GET", "/p/0").status == 200)
        let client = try proxy.client()
        try client.send("POST /p/1 HTTP/1.1\r\nHost: h\r\n\(framing.field)\r\n\r\n")
        try eventually("the request to wait") { try proxy.metric(Self.depth) == 1 }
        return client
    }

    @Test(
        "a client that leaves the queue behind a part of its body gives up its place at once",
        arguments: Framing.allCases, [(1, true), (100_000, true), (1, false), (100_000, false)])
    func leaving(framing: Framing, part: (count: Int, halfCloses: Bool)) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(
            to: upstream, provider: "limits: [{ requests: 1, per: 60s, by: provider }], max_wait: 90s"
        ) { proxy in
            let client = try queue(framing, in: proxy)
            // The end comes with the last bytes: whether it is that of a client that still reads, only the body tells.
            try client.holdLastBytes()
            try client.send(framing.body(part.count))
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
        "a client that ends its side behind its whole body keeps its place, and gets its answer",
        arguments: Framing.allCases)
    func staying(framing: Framing) throws {
        let upstream = try ScriptedUpstream(answering: .ok("taken"))
        try withProxy(to: upstream, provider: "limits: [{ requests: 1, per: 5s, by: provider }]") { proxy in
            let client = try queue(framing, in: proxy)
            let sending = Background {
                try client.holdLastBytes()
                try client.send(framing.body(Self.total))
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
}
