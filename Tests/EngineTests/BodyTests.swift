import TestSupport
import Testing

@Suite(.blocking) struct BodyTests {
    static let sizes = [1, 5, 1000, 16_384, 65_535, 65_536, 65_537, 200_000]

    /// A provider that sends back what it was sent, with a length.
    private func makeEcho() throws -> ScriptedUpstream {
        try ScriptedUpstream { exchange in
            try exchange.respond(.status(200, body: exchange.request.body?.bytes ?? []))
        }
    }

    @Test("a body with a length arrives whole in both directions, with its length", arguments: sizes)
    func length(size: Int) throws {
        let upstream = try makeEcho()
        try withProxy(to: upstream) { proxy throws in
            let body = [UInt8].pattern(size)
            let client = try proxy.client()
            for _ in 0..<2 {
                try client.send(
                    Array("POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n".utf8) + body)
                let response = try client.readResponse()
                #expect(response.body.bytes == body)
                #expect(response.fields["Content-Length"] == "\(size)")
            }
            #expect(upstream.requests.map { $0.fields["Content-Length"] } == ["\(size)", "\(size)"])
            #expect(upstream.requests.allSatisfy { $0.fields["Transfer-Encoding"] == nil })
            #expect(upstream.requests.allSatisfy { $0.fields["Expect"] == nil })
        }
    }

    @Test("a chunked body arrives whole, chunked again", arguments: [0] + sizes)
    func chunked(size: Int) throws {
        let upstream = try makeEcho()
        try withProxy(to: upstream) { proxy throws in
            let body = [UInt8].pattern(size)
            let client = try proxy.client()
            for piece in [1000, 65_536] {
                try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
                try client.send(chunks(of: body, size: piece))
                #expect(try client.readResponse().body.bytes == body)
            }
            #expect(upstream.requests.map { $0.fields["Transfer-Encoding"] } == ["chunked", "chunked"])
            #expect(upstream.requests.allSatisfy { $0.fields["Content-Length"] == nil })
        }
    }

    private func chunks(of body: [UInt8], size: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: size) {
            let piece = body[start..<min(start + size, body.count)]
            bytes += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    @Test("10 MB go through in both directions at once, with a length and chunked", arguments: [true, false])
    func large(hasLength: Bool) throws {
        let body = [UInt8].pattern(10_000_000)
        let upstream = try makeEcho()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            let framing = hasLength ? "Content-Length: \(body.count)" : "Transfer-Encoding: chunked"
            let bytes = hasLength ? body : chunks(of: body, size: 100_000)
            let sending = Background {
                try client.send("PUT /p/x HTTP/1.1\r\nHost: h\r\n\(framing)\r\n\r\n", within: .seconds(60))
                try client.send(bytes, within: .seconds(60))
            }
            let response = try client.readResponse(within: .seconds(60))
            try sending.join()
            #expect(response.body.bytes == body)
            #expect(upstream.requests.first?.body?.bytes == body)
        }
    }

    @Test("an empty body stays what it was: without a length, or of length 0")
    func empty() throws {
        let upstream = try ScriptedUpstream(answering: .status(200))
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
                #expect(try client.exchange(method, "/p/x").body.count == 0)
                #expect(try client.exchange(method, "/p/x", fields: [("Content-Length", "0")]).isComplete)
            }
            let lengths = upstream.requests.map { $0.fields["Content-Length"] }
            #expect(lengths == Array(repeating: [nil, "0"], count: 5).flatMap { $0 })
            #expect(upstream.requests.allSatisfy { $0.fields["Transfer-Encoding"] == nil })
        }
    }

    @Test("a body that arrives byte by byte is sent once it is whole")
    func slow() throws {
        let upstream = try makeEcho()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            let bytes = Array("POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello".utf8)
            try client.sendSlowly(bytes, every: .milliseconds(1))
            #expect(try client.readResponse().text == "hello")
        }
    }

    // MARK: Answers

    @Test("a chunked response arrives whole, and its connection goes on")
    func chunkedAnswer() throws {
        let upstream = try ScriptedUpstream(
            answering: .chunked(chunks: ["hello ", "world"], trailers: [("X-Sum", "1")]))
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for _ in 0..<3 { #expect(try client.exchange("GET", "/p/x").text == "hello world") }
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test(
        "a response that the end of the connection delimits arrives whole, and the client's connection goes on"
    )
    func untilClose() throws {
        let upstream = try ScriptedUpstream(
            answering: .untilClose(body: String(repeating: "a", count: 100_000)))
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for _ in 0..<3 {
                let response = try client.exchange("GET", "/p/x")
                #expect(response.body.count == 100_000)
                #expect(response.isComplete)
                #expect(response.body.framing != .untilClose)
            }
            #expect(upstream.connectionCount == 3)
        }
    }

    static let bodiless: [(String, String)] = [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n"),
        ("GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"),
        ("DELETE", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
    ]

    @Test(
        "a response without a body leaves nothing on the connection, and keeps its length",
        arguments: bodiless
    )
    func noBody(method: String, answer: String) throws {
        let upstream = try ScriptedUpstream(answering: .raw(answer))
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            let response = try client.exchange(method, "/p/x", within: .promptly)
            #expect("HTTP/1.1 \(response.status) ".count > 0 && answer.contains(" \(response.status) "))
            #expect(response.body.count == 0)
            if answer.contains("1234") { #expect(response.fields["Content-Length"] == "1234") }
            #expect(response.fields.values(of: "Content-Length").count <= 1)
            if response.fields["Connection"]?.lowercased() == "close" {
                try client.expectClosed()
            } else {
                // The next response is that of the next request: nothing came between.
                #expect(try client.exchange("GET", "/nowhere").status == 404)
                #expect(try client.exchange(method, "/p/x").status == response.status)
            }
        }
    }

    @Test("a change of protocol that nobody asked for is a response that makes no sense")
    func switching() throws {
        let upstream = try ScriptedUpstream(
            answering: .raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"))
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange(
                "GET", "/p/x", fields: [("Upgrade", "x"), ("Connection", "upgrade")])
            #expect(response.status == 502)
            #expect(response.problem["code"] == "provider_bad_response")
        }
    }
}
