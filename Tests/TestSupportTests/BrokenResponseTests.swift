import TestSupport
import Testing

@Suite(.blocking) struct BrokenResponseTests {
    private func response(to script: ScriptedResponse, method: String = "GET") throws -> RawResponse {
        let upstream = try ScriptedUpstream(answering: script)
        return try RawClient(port: upstream.port).exchange(method, "/")
    }

    @Test("a chunked body with trailers is complete and decoded")
    func chunked() throws {
        let script = ScriptedResponse.chunked(chunks: ["hello ", "world"], trailers: [("X-Sum", "11")])
        let response = try response(to: script)
        #expect(response.isComplete)
        #expect(response.text == "hello world")
        #expect(response.body.chunkSizes == [6, 5])
        #expect(response.trailers["x-sum"] == "11")
    }

    @Test("a chunked body without its last chunk is incomplete")
    func unterminated() throws {
        let response = try response(to: .chunked(chunks: ["hello"], terminated: false))
        #expect(!response.isComplete)
        #expect(response.body.ending == .closed)
        #expect(response.text == "hello")
    }

    @Test("a chunk size that is no number is malformed")
    func badChunkSize() throws {
        let raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"
        #expect(try response(to: .raw(raw)).body.ending == .malformed("chunk size zz"))
    }

    @Test("a body shorter than its declared length is incomplete, whether closed or reset")
    func tooShort() throws {
        let script = ScriptedResponse.wrongLength(declared: 10, body: "short")
        #expect(try response(to: script).body.ending == .closed)
        #expect(try response(to: script.then(.close)).text == "short")

        let upstream = try ScriptedUpstream()
        let client = try RawClient(port: upstream.port)
        try client.request("GET", "/")
        let exchange = try upstream.expectRequest()
        try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        _ = try client.readHead()
        #expect(try client.readBytes(atMost: 5) == Array("short".utf8))
        exchange.reset()
        try client.expectReset()
    }

    @Test("a body delimited by the end of the connection is complete at an orderly end")
    func untilClose() throws {
        let response = try response(to: .untilClose(body: "all of it"))
        #expect(response.body.framing == .untilClose)
        #expect(response.isComplete)
        #expect(response.text == "all of it")
    }

    @Test("a head whose body never comes times out")
    func stall() throws {
        let upstream = try ScriptedUpstream()
        let client = try RawClient(port: upstream.port)
        try client.request("GET", "/")
        let exchange = try upstream.expectRequest()
        try exchange.respond(.headThenStall(length: 3))
        // All of the head is there.
        #expect(throws: PeerError.timedOut(waitingFor: "3 more bytes of body")) {
            try client.readResponse(within: .milliseconds(50))
        }
    }

    @Test("responses without a body are not waited for")
    func bodiless() throws {
        #expect(try response(to: .status(204)).body.framing == .none)
        let raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
        #expect(try response(to: .raw(raw), method: "HEAD").isComplete)
    }

    @Test("informational responses are kept apart from the final one")
    func informational() throws {
        let script = ScriptedResponse.informational(103, fields: [("Link", "</a>")], then: .ok("1"))
        let response = try response(to: script)
        #expect(response.informational.map(\.line) == ["HTTP/1.1 103 Early"])
        #expect(response.informational.first?.fields["Link"] == "</a>")
        #expect(response.status == 200)
    }

    @Test("bytes that are not HTTP are reported, not trusted")
    func garbage() throws {
        #expect(throws: PeerError.self) { try response(to: .garbage) }
    }
}
