import Locking
import TestSupport
import Testing

@Suite(.blocking) struct HandlerTests {
    @Test("a handler answers many connections at once, several requests on each")
    func manyConnections() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.ok("\"\(exchange.request.target) \(exchange.request.text)\""))
        }
        let work = (0..<8).map { number in
            Background { [port = upstream.port] in
                let client = try RawClient(port: port)
                return try (0..<5).map { try client.exchange("POST", "/\(number)/\($0)", body: "b").text }
            }
        }
        for (number, background) in work.enumerated() {
            #expect(try background.join() == (0..<5).map { "\"/\(number)/\($0) b\"" })
        }
        #expect(upstream.connectionCount == 8)
        #expect(upstream.requestCount == 40)
        #expect(upstream.failures.isEmpty)
    }

    @Test("a handler that does not answer leaves the client waiting, and sees it go")
    func noAnswer() throws {
        let upstream = try ScriptedUpstream { _ in }
        let client = try RawClient(port: upstream.port)
        try client.request("GET", "/")
        try eventually("the request to be read") { !upstream.exchanges.isEmpty }
        try client.expectSilence(for: .milliseconds(30))
        client.close()
        #expect(try upstream.exchanges.first?.expectClosed() == .orderly)
    }

    @Test("an answered connection that its client closes is seen as closed, beside the handler's thread")
    func closeAfterAnswer() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let client = try RawClient(port: upstream.port)
        #expect(try client.exchange("GET", "/").isComplete)
        let exchange = try #require(upstream.exchanges.first)
        #expect(throws: PeerError.self) { try exchange.expectClosed(within: .milliseconds(30)) }
        #expect(upstream.openConnectionCount == 1)
        client.close()
        try eventually("the connection to end") { upstream.openConnectionCount == 0 }
        #expect(upstream.failures.isEmpty)
    }

    @Test("a handler that throws closes the connection and is remembered")
    func failingHandler() throws {
        struct Refusal: Error {}
        let upstream = try ScriptedUpstream { _ in throw Refusal() }
        let client = try RawClient(port: upstream.port)
        try client.request("GET", "/")
        try client.expectClosed()
        #expect(upstream.failures.count == 1)
    }

    @Test("large bodies flow both ways, counted rather than kept")
    func largeBodies() throws {
        let size = 20_000_000
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in
            let received = try exchange.readBody(keeping: false).count
            try exchange.respond(.status(200, body: [UInt8](repeating: 1, count: received)))
        }
        let client = try RawClient(port: upstream.port)
        try client.send("PUT / HTTP/1.1\r\nContent-Length: \(size)\r\n\r\n")
        try client.send([UInt8](repeating: 1, count: size))
        let response = try client.readResponse(keepingBody: false)
        #expect(response.body.count == size)
        #expect(response.isComplete)
        #expect(response.text.isEmpty)
    }

    @Test("a client with a small receive buffer holds a fast sender back")
    func slowReader() throws {
        let sent = Lock(0)
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
            while sent.withLock({ $0 }) < 50_000_000 {
                try exchange.send([UInt8](repeating: 1, count: 100_000))
                sent.withLock { $0 += 100_000 }
            }
            exchange.finish()
        }
        let client = try RawClient(port: upstream.port, receiveBuffer: 4096)
        try client.request("GET", "/")
        _ = try client.readHead()
        var seen = -1
        try eventually("the sender to be held back", every: .milliseconds(50)) {
            defer { seen = sent.withLock { $0 } }
            return seen == sent.withLock { $0 }
        }
        #expect(sent.withLock { $0 } < 50_000_000)
    }

    @Test("slow senders send everything, piece by piece")
    func slowSenders() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respondSlowly(.ok("[1]"), chunk: 20, every: .milliseconds(1))
        }
        let client = try RawClient(port: upstream.port)
        for target in ["/1", "/2"] {
            let request = Array("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
            try client.sendSlowly(request, chunk: 3, every: .milliseconds(1))
            #expect(try client.readResponse().text == "[1]")
        }
        #expect(upstream.requests.map(\.target) == ["/1", "/2"])
    }

    @Test("a stopped upstream refuses connections and ends those it had")
    func stopping() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let client = try RawClient(port: upstream.port)
        #expect(try client.exchange("GET", "/").status == 200)
        upstream.stop()
        try client.expectClosed()
        #expect(throws: PeerError.self) { try RawClient(port: upstream.port) }
    }
}
