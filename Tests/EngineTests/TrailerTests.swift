import TestSupport
import Testing

@Suite("trailers", .blocking)
struct TrailerTests {
    private static let sum = [("X-Sum", "a, b"), ("Server-Timing", "x;dur=1"), ("X-Empty", "")]
    private static let headOnly = [
        ("Content-Length", "3"), ("Transfer-Encoding", "gzip"), ("Set-Cookie", "a=b"), ("Authorization", "x"),
        ("Connection", "close"), ("Content-Type", "text/x"), ("Host", "h"), ("X-Request-Id", "x"),
        ("Te", "x"),
        ("Location", "/"), ("If-Match", "x"), ("RateLimit-Policy", "x"), ("Proxy-Authenticate", "x"),
    ]

    private static func lines(_ trailers: [(String, String)]) -> String {
        trailers.map { "\($0.0): \($0.1)" }.joined(separator: "\n")
    }

    @Test("those of a response reach a client of HTTP/1.1, behind chunks", arguments: [false, true])
    func answers(isSlow: Bool) throws {
        let answer = ScriptedResponse.chunked(
            fields: [("Trailer", "X-Sum, Content-Length, Server-Timing")], chunks: ["hello ", "world"],
            trailers: Self.sum + Self.headOnly)
        let upstream = try ScriptedUpstream { exchange in
            if isSlow {
                try exchange.respondSlowly(answer, chunk: 20, every: .milliseconds(2))
            } else {
                try exchange.respond(answer)
            }
        }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for _ in 1...3 {
                let response = try client.exchange("GET", "/p/x")
                #expect(response.isComplete && response.text == "hello world")
                #expect(response.fields["Trailer"] == "X-Sum, Server-Timing")
                #expect(response.trailers.description == Self.lines(Self.sum))
            }
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test("those of a response are dropped where nothing can stand behind the body")
    func dropped() throws {
        let answer = ScriptedResponse.chunked(
            fields: [("Trailer", "X-Sum")], chunks: ["hello"], trailers: Self.sum)
        let upstream = try ScriptedUpstream(answering: answer)
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("GET /p/x HTTP/1.0\r\nHost: h\r\n\r\n")
            let response = try client.readResponse()
            #expect(response.text == "hello" && response.fields["Trailer"] == nil)
        }
    }

    @Test("too many, and those that are no fields, are left out; the body is whole")
    func limits() throws {
        let many = (0..<100).map { ("X-\($0)", String(repeating: "v", count: 60)) }
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                exchange.request.target == "/many"
                    ? .chunked(chunks: ["hello"], trailers: many)
                    : .raw(
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nno field\r\n"
                            + "X A: b\r\nX-B: \u{1}\r\nX-Sum: 1\r\n\r\n"))
        }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            let first = try client.exchange("GET", "/p/many")
            #expect(first.isComplete && first.text == "hello" && first.trailers.all.isEmpty)
            let second = try client.exchange("GET", "/p/odd")
            #expect(second.text == "hello" && second.trailers.description == Self.lines([("X-Sum", "1")]))
        }
    }

    @Test(
        "those of a chunked request reach the provider, each with its own request",
        arguments: [1, 7, 100_000])
    func requests(pieces: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: "credential: k") { proxy throws in
            let client = try proxy.client()
            var text = ""
            for number in 1...3 {
                text += "POST /p/\(number) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                text += "Trailer: X-Sum, Authorization\r\n\r\n5\r\nhello\r\n0\r\n"
                if number != 2 {
                    text += "X-Number: \(number)\r\n"
                    for (name, value) in Self.sum + Self.headOnly { text += "\(name): \(value)\r\n" }
                }
                text += "\r\n"
            }
            let bytes = Array(text.utf8)
            try client.sendSlowly(bytes, chunk: pieces, every: .zero)
            for _ in 1...3 { #expect(try client.readResponse().status == 200) }
            for (index, request) in upstream.requests.enumerated() {
                let number = ("X-Number", "\(index + 1)")
                #expect(request.text == "hello" && request.fields["Trailer"] == "X-Sum")
                #expect(
                    request.body?.trailers.description == Self.lines(index == 1 ? [] : [number] + Self.sum))
            }
        }
    }

    @Test("too many of a request are dropped, and the request arrives")
    func requestLimit() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            let many = (0..<80).map { "X-\($0): \(String(repeating: "v", count: 60))\r\n" }.joined()
            let chunks = "5\r\nhello\r\n0\r\n\(many)\r\n"
            let framing = ("Transfer-Encoding", "chunked")
            #expect(try client.exchange("POST", "/p/x", fields: [framing], body: chunks).status == 200)
            #expect(try client.exchange("GET", "/p/x").status == 200)
            #expect(upstream.requests.first?.body?.trailers.all.isEmpty == true)
        }
    }
}
