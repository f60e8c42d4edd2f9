import TestSupport
import Testing

/// Answers that break off after their head has reached the client, or could have.
@Suite(.blocking) struct BrokenAnswerTests {
    enum Framing: String, CaseIterable, Sendable {
        case length = "Content-Length: 1000"
        case chunks = "Transfer-Encoding: chunked"
        case close = "X-A: 1"

        var part: String { self == .chunks ? "5\r\nhello\r\n" : "hello" }
    }

    enum Ending: CaseIterable, Sendable {
        case close, reset, stall

        func end(_ exchange: UpstreamExchange) {
            switch self {
            case .close: exchange.close()
            case .reset: exchange.reset()
            case .stall: break
            }
        }
    }

    static let breaks = Framing.allCases.flatMap { framing in Ending.allCases.map { (framing, $0) } }
        .filter { $0.0 != .close || $0.1 != .close }

    /// Lets a client of `version` get the head of an answer and then the end of it.
    private func breakOff(
        _ framing: Framing, _ ending: Ending, version: String, _ proxy: ProxyFixture,
        _ upstream: ScriptedUpstream
    ) throws -> (head: MessageHead, rest: String, end: ConnectionEnd) {
        let client = try proxy.client()
        try client.send("GET /p/x HTTP/\(version)\r\nHost: h\r\n\r\n")
        let exchange = try upstream.expectRequest()
        try exchange.send("HTTP/1.1 200 OK\r\n\(framing.rawValue)\r\n\r\n\(framing.part)")
        let head = try client.readHead()
        var rest = ""
        while !rest.contains("hello") { rest += try client.readBytes(atMost: 100).latin1 }
        ending.end(exchange)
        do {
            while true {
                let part = try client.readBytes(atMost: 100)
                guard !part.isEmpty else { return (head, rest, .orderly) }
                rest += part.latin1
            }
        } catch PeerError.reset {
            return (head, rest, .reset)
        }
    }

    @Test("a response that breaks off is seen as broken off", arguments: breaks)
    func broken(framing: Framing, ending: Ending) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: "timeouts: { idle: 300ms }") { proxy throws in
            let seen = try breakOff(framing, ending, version: "1.1", proxy, upstream)
            #expect(seen.head.status == 200)
            // Neither all of the announced length, nor the last chunk.
            if framing == .length {
                #expect(seen.head.fields["Content-Length"] == "1000")
                #expect(seen.rest == "hello")
            } else {
                #expect(seen.head.fields["Transfer-Encoding"] == "chunked")
                #expect(seen.rest == "5\r\nhello\r\n")
            }
            try proxy.expectNothingInFlight()
            let code = ending == .stall ? "provider_timeout" : "connection_lost"
            let series = "weir_errors_total{provider=\"p\",origin=\"network\",code=\"\(code)\"}"
            #expect(try proxy.metric(series) == 1)
        }
    }

    @Test(
        "a client of HTTP/1.0 sees a reset where nothing else could show that the response broke off",
        arguments: breaks)
    func brokenForHTTP10(framing: Framing, ending: Ending) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: "timeouts: { idle: 300ms }") { proxy throws in
            let seen = try breakOff(framing, ending, version: "1.0", proxy, upstream)
            #expect(seen.rest == "hello")
            if framing == .length {
                #expect(seen.head.fields["Content-Length"] == "1000")
            } else {
                #expect(seen.end == .reset)
            }
        }
    }

    static let atOnce: [(String, ScriptedResponse.Ending)] = [
        ("Content-Length: 1000\r\n\r\nhello", .close), ("Content-Length: 1000\r\n\r\nhello", .reset),
        ("Content-Length: 1000\r\n\r\n", .close),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", .close),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhel", .close),
        ("Transfer-Encoding: chunked\r\n\r\n", .close),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", .close),
        ("Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", .keepOpen),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", .keepOpen),
        ("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", .keepOpen),
    ]

    @Test(
        "a response that breaks off at once is a problem, or seen as broken off, never complete",
        arguments: atOnce)
    func brokenAtOnce(rest: String, ending: ScriptedResponse.Ending) throws {
        let script = ScriptedResponse(bytes: Array("HTTP/1.1 200 OK\r\n\(rest)".utf8), ending: ending)
        let upstream = try ScriptedUpstream(answering: script)
        try withProxy(to: upstream, provider: "timeouts: { idle: 2s }") { proxy throws in
            for _ in 0..<5 {
                let response = try proxy.exchange("GET", "/p/x")
                if response.status == 200 {
                    #expect(!response.isComplete)
                } else {
                    #expect(response.status == 502)
                    #expect(["connection_lost", "provider_bad_response"].contains(response.problem["code"]))
                    #expect(response.problem["effect"] == "unknown")
                }
            }
        }
    }

    @Test("more bytes than announced are not the client's, and not the next response's")
    func tooLong() throws {
        let long = ScriptedResponse.raw(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 201 No\r\n\r\n")
        let liar = try ScriptedUpstream(answering: long)
        try withProxy(to: liar) { proxy throws in
            let client = try proxy.client()
            for _ in 0..<3 {
                let response = try client.exchange("GET", "/p/x")
                #expect(response.status == 200)
                #expect(response.text == "hello")
            }
        }
    }

    // MARK: Errors that break off

    @Test("what has come of an error is enough to tell it", arguments: Ending.allCases)
    func brokenError(ending: Ending) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 404 No\r\nContent-Length: 1000\r\n\r\nno such thing")
            ending.end(exchange)
        }
        try withProxy(to: upstream, provider: "timeouts: { idle: 300ms }") { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 404)
            #expect(response.problem["code"] == "not_found")
            #expect(response.isComplete)
        }
    }

    @Test("100 MB of an error are cut: the problem comes, the provider's connection ends, memory stays")
    func endlessError() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 500 No\r\nContent-Length: 104857600\r\n\r\n")
            let piece = Array(repeating: UInt8(ascii: "x"), count: 1 << 20)
            for _ in 0..<100 { try exchange.send(piece) }
        }
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 500)
            #expect(response.problem["code"] == "provider_error")
            #expect(response.body.count < 16_384)
            try eventually("the upload to fail") { !upstream.failures.isEmpty }
        }
    }

    @Test(
        "an error that lies about its coding is a problem all the same",
        arguments: ["gzip", "br", "deflate", "zstd", "snail"])
    func lyingCoding(coding: String) throws {
        let script = ScriptedResponse.status(
            422, fields: [("Content-Type", "application/json"), ("Content-Encoding", coding)],
            body: #"{"message":"No."}"#)
        let upstream = try ScriptedUpstream(answering: script)
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 422)
            #expect(response.problem["code"] == "validation_failed")
            #expect(response.fields["Content-Encoding"] == nil)
        }
    }

    @Test("a good response that lies about its coding is none of Weir's business")
    func lyingCodingOfGoodAnswer() throws {
        let script = ScriptedResponse.status(200, fields: [("Content-Encoding", "gzip")], body: "plain")
        let upstream = try ScriptedUpstream(answering: script)
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.text == "plain")
            #expect(response.fields["Content-Encoding"] == "gzip")
        }
    }
}
