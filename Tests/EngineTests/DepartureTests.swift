import TestSupport
import Testing

/// Clients that leave before their answer is complete.
@Suite(.blocking) struct DepartureTests {
    /// How a client leaves.
    enum Leaving: CaseIterable, Sendable {
        case close, reset, halfClose

        func leave(_ client: RawClient) throws {
            // Who ends its side right behind its request is taken for one that still reads.
            if self != .reset { pauseThread(for: .milliseconds(30)) }
            switch self {
            case .close: client.close()
            case .reset: client.reset()
            case .halfClose: try client.shutdownWrite()
            }
        }
    }

    @Test(
        "a client that disconnects cancels its upstream transfer", arguments: Leaving.allCases, [false, true])
    func whileWaiting(leaving: Leaving, isAsleep: Bool) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.request("POST", "/p/x", body: "{}")
            let exchange = try upstream.expectRequest()
            // A connection that has waited for a while sleeps in libmicrohttpd, which then sees nothing of it.
            if isAsleep { try proxy.settle() }
            try leaving.leave(client)
            try exchange.expectClosed(within: .promptly)
            try proxy.expectNothingInFlight(within: .promptly)
            #expect(try proxy.metric("weir_client_aborts_total{provider=\"p\",stage=\"upstream\"}") == 1)
        }
    }

    @Test(
        "a client that disconnects during its upload leaves the provider an unfinished one",
        arguments: Leaving.allCases, [false, true])
    func whileUploading(leaving: Leaving, isChunked: Bool) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 200000"
            try client.send("PUT /p/x HTTP/1.1\r\nHost: h\r\n\(framing)\r\n\r\n")
            try client.send(isChunked ? "5\r\nhello\r\n" : "hello")
            let exchange = try upstream.expectRequestHead()
            try leaving.leave(client)
            let body = try exchange.readBody(within: .promptly)
            #expect(!body.isComplete)
            try proxy.expectNothingInFlight(within: .promptly)
            #expect(try proxy.metric("weir_client_aborts_total{provider=\"p\",stage=\"request\"}") == 1)
        }
    }

    @Test(
        "of a body that was to be sent whole and did not come whole, nothing is sent",
        arguments: Leaving.allCases)
    func beforeTheBody(leaving: Leaving) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("PUT /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello")
            try eventually("the request to begin") {
                try proxy.metric("weir_requests_in_flight{provider=\"p\"}") == 1
            }
            try leaving.leave(client)
            try proxy.expectNothingInFlight(within: .promptly)
            try proxy.settle()
            #expect(upstream.connectionCount == 0)
        }
    }

    @Test(
        "a client that disconnects in the middle of its response cancels the rest",
        arguments: Leaving.allCases)
    func whileDownloading(leaving: Leaving) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            let piece = [UInt8](repeating: 0, count: 1 << 16)
            for _ in 0..<10_000 { try exchange.send(piece) }
        }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client(receiveBuffer: 4096)
            try client.request("GET", "/p/x")
            #expect(try client.readHead().status == 200)
            _ = try client.readBytes(atMost: 1000)
            try leaving.leave(client)
            try eventually("the provider's connection to end", within: .promptly) {
                !upstream.failures.isEmpty
            }
            try proxy.expectNothingInFlight(within: .promptly)
            #expect(try proxy.metric("weir_client_aborts_total{provider=\"p\",stage=\"response\"}") == 1)
        }
    }

    @Test(
        "a client that disconnects while its event stream is silent cancels it", arguments: Leaving.allCases)
    func whileSilent(leaving: Leaving) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            let exchange = try upstream.expectRequest()
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            #expect(try client.readHead().status == 200)
            _ = try client.readBytes(atMost: 100)
            try leaving.leave(client)
            try exchange.expectClosed(within: .promptly)
            try proxy.expectNothingInFlight(within: .promptly)
        }
    }

    @Test("a client that takes nothing of its response is let go after a while")
    func stalled() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            let piece = [UInt8](repeating: 0, count: 1 << 16)
            for _ in 0..<10_000 { try exchange.send(piece) }
        }
        try withProxy(to: upstream, limits: "client_stall: 1s") { proxy throws in
            let client = try proxy.client(receiveBuffer: 4096)
            try client.request("GET", "/p/x")
            #expect(try client.readHead().status == 200)
            try proxy.expectNothingInFlight(within: .seconds(20))
            try eventually("the provider's connection to end") { !upstream.failures.isEmpty }
        }
    }

    @Test("a client that stops sending its request is let go after a while", arguments: ["10", "200000"])
    func stalledUpload(length: String) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, limits: "client_stall: 1s") { proxy throws in
            let client = try proxy.client()
            try client.send("PUT /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\nhello")
            try client.expectClosed(within: .seconds(20))
            try proxy.expectNothingInFlight(within: .promptly)
        }
    }

    @Test("clients that leave between requests leave nothing behind", arguments: Leaving.allCases)
    func betweenRequests(leaving: Leaving) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            for _ in 0..<5 {
                let client = try proxy.client()
                #expect(try client.exchange("GET", "/p/x").status == 200)
                try leaving.leave(client)
            }
            let client = try proxy.client()
            try leaving.leave(client)
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test(
        "a client that ends its side with its request gets its response", arguments: ["", "hello"],
        [false, true])
    func endOfRequests(body: String, isSlow: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            if isSlow { try exchange.expectSilence(for: .milliseconds(100)) }
            try exchange.respond(.ok(#"{"a":1}"#))
        }
        try withProxy(to: upstream) { proxy throws in
            for _ in 0..<3 {
                let client = try proxy.client()
                let request =
                    "POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                try client.holdLastBytes()
                try client.send(isSlow ? request : request + request)
                try client.shutdownWrite()
                for _ in 0..<(isSlow ? 1 : 2) {
                    let response = try client.readResponse()
                    #expect(response.status == 200)
                    #expect(response.text == #"{"a":1}"#)
                }
                try client.expectClosed()
            }
        }
    }

    @Test(
        "a client that ends its side behind a long request gets its response, however slowly the provider reads",
        arguments: [false, true], [1, 2])
    func endOfLongRequest(isChunked: Bool, workers: Int) throws {
        let upstream = try ScriptedUpstream(receiveBuffer: 1 << 16)
        try withProxy(to: upstream, workers: workers) { proxy throws in
            let client = try proxy.client()
            let body = String(repeating: "x", count: 5_000_000)
            let sending = Background {
                let size = String(body.utf8.count, radix: isChunked ? 16 : 10)
                try client.holdLastBytes()
                try client.request(
                    "POST", "/p/x",
                    fields: [isChunked ? ("Transfer-Encoding", "chunked") : ("Content-Length", size)],
                    body: isChunked ? "\(size)\r\n\(body)\r\n0\r\n\r\n" : body)
                try client.shutdownWrite()
            }
            let exchange = try upstream.expectRequestHead()
            var tail = ""
            var count = 0
            while isChunked ? !tail.hasSuffix("0\r\n\r\n") : count < body.utf8.count {
                let piece = try exchange.readBytes(atMost: 200_000)
                try #require(!piece.isEmpty, "the request is whole, not \(count) bytes")
                count += piece.count
                tail = String((tail + piece.suffix(5).latin1).suffix(5))
                pauseThread(for: .milliseconds(2))
            }
            try sending.join()
            try exchange.respond(.ok("taken").then(.close))
            let response = try client.readResponse()
            #expect(response.status == 200 && response.text == "taken")
            try client.expectClosed()
        }
    }

    @Test("a client that ends its side with its request, and then breaks off, cancels its transfer")
    func breakingOff() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.holdLastBytes()
            try client.request("GET", "/p/x")
            try client.shutdownWrite()
            let exchange = try upstream.expectRequest()
            try proxy.settle()
            client.reset()
            try exchange.expectClosed(within: .promptly)
            try proxy.expectNothingInFlight(within: .promptly)
        }
    }
}
