import TestSupport
import Testing

/// Many exchanges at once that end in every way there is; what the sanitizers and the fixture's end look for.
@Suite(.blocking) struct DisorderTests {
    /// What the provider does with a request for `/<number>`.
    private static func answer(_ exchange: UpstreamExchange) throws {
        switch Int(exchange.request.target.dropFirst()) ?? 0 {
        case 0: try exchange.respond(.ok(exchange.request.text))
        case 1: try exchange.respond(.chunked(chunks: ["a", "b"]))
        case 2: try exchange.respond(.untilClose(body: String(repeating: "c", count: 300_000)))
        case 3: exchange.close()
        case 4: exchange.reset()
        case 5: try exchange.respond(.wrongLength(declared: 100_000, body: "short"))
        case 6: try exchange.respond(.chunked(chunks: ["a"], terminated: false))
        case 7: try exchange.respond(.garbage)
        case 8: try exchange.respond(.status(500, body: String(repeating: "d", count: 200_000)))
        case 9: try exchange.respond(.headThenStall())
        case 10: break
        default: try exchange.respond(.status(404, body: "{}").then(.reset))
        }
    }

    @Test(
        "exchanges that end in every way at once leave nothing, and the next one is served",
        arguments: [1, 3])
    func disorder(workers: Int) throws {
        let upstream = try ScriptedUpstream(handler: Self.answer)
        let provider = "timeouts: { response: 200ms, idle: 200ms }"
        try withProxy(to: upstream, provider: provider, workers: workers) { proxy throws in
            let clients = (0..<12).map { number in
                Background {
                    for round in 0..<12 {
                        let client = try proxy.client()
                        let size = [0, 10, 100_000][(number + round) % 3]
                        let body = String(repeating: "b", count: size)
                        try? client.request(
                            size == 0 ? "GET" : "POST", "/p/\((number + round) % 12)", body: body)
                        switch (number * 7 + round) % 4 {
                        case 0: client.close()
                        case 1: client.reset()
                        default: _ = try? client.readResponse(within: .seconds(5))
                        }
                    }
                }
            }
            for client in clients { try client.join(within: .seconds(60)) }
            try proxy.expectNothingInFlight()
            // One of these connections, still open, would be used again, and reset under the next request.
            try eventually("the provider to reset what it resets behind an answer") {
                upstream.exchanges.allSatisfy { $0.request.target != "/11" || $0.isClosed }
            }
            let after = try proxy.exchange("POST", "/p/0", body: "still here")
            #expect(after.text == "still here", "\(after.text)")
        }
    }

    @Test("a server that ends breaks off what is in flight, and answers nobody twice")
    func endInFlight() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, limits: "drain: 0s") { proxy throws in
            let waiting = try proxy.client()
            try waiting.request("GET", "/p/waiting")
            let first = try upstream.expectRequest()
            let streaming = try proxy.client()
            try streaming.request("GET", "/p/streaming")
            let second = try upstream.expectRequest()
            try second.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            #expect(try streaming.readHead().status == 200)
            let uploading = try proxy.client()
            try uploading.send("PUT /p/up HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nhello")
            let third = try upstream.expectRequestHead()
            proxy.stop()
            for exchange in [first, second, third] { try exchange.expectClosed(within: .promptly) }
            for client in [waiting, uploading] {
                #expect(try client.readResponse().code == "shutting_down")
            }
            try waiting.expectClosed(within: .promptly)
            #expect(try streaming.readBytes(atMost: 100) == Array("hello".utf8))
            try streaming.expectClosed(within: .promptly)
            try uploading.expectClosed(within: .promptly)
        }
    }
}
