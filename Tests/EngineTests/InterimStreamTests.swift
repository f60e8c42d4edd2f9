import TestSupport
import Testing

/// Interim answers among the other bytes that a client gets: whole, in their place, and not too many.
@Suite("interim responses among others", .blocking)
struct InterimStreamTests {
    private let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"

    @Test("of pipelined requests, each gets its own, behind the whole response to the one before")
    func pipelining() throws {
        let size = 3_000_000
        let large = [UInt8].pattern(size)
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 103 Early Hints\r\nX-Target: \(exchange.request.target)\r\n\r\n")
            let isLarge = exchange.request.target.hasPrefix("/large")
            try exchange.respond(.status(200, body: isLarge ? large : Array("{}".utf8)))
        }
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client(receiveBuffer: 4096)
            let targets = (0..<8).map { $0 % 2 == 0 ? "/large/\($0)" : "/\($0)" }
            for target in targets { try client.send("GET /p\(target) HTTP/1.1\r\nHost: h\r\n\r\n") }
            for target in targets {
                let response = try client.readResponse()
                #expect(response.status == 200 && response.isComplete)
                #expect(response.body.bytes == (target.hasPrefix("/large") ? large : Array("{}".utf8)))
                // A client that has not taken the last answer gets none, rather than a part of one.
                for interim in response.informational { #expect(interim.fields["X-Target"] == target) }
            }
            #expect(try client.exchange("GET", "/p/next").informational.map(\.status) == [103])
        }
    }

    @Test("of many small pipelined requests, each gets its own")
    func crowd() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                .informational(103, fields: [("X-Target", exchange.request.target)], then: .ok("{}")))
        }
        try withProxy(to: upstream, provider: "limits: []") { proxy in
            let client = try proxy.client()
            try client.send((0..<50).map { "GET /p/\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
            for index in 0..<50 {
                let response = try client.readResponse()
                #expect(response.status == 200 && response.text == "{}")
                #expect(response.informational.map { $0.fields["X-Target"] } == ["/\(index)"])
            }
        }
    }

    @Test("one that is large is dropped, and so are those behind the eighth")
    func limits() throws {
        let upstream = try ScriptedUpstream { exchange in
            let isLong = exchange.request.target == "/long"
            var answer = ScriptedResponse.ok("{}")
            for index in (0..<12).reversed() {
                let fill = isLong && index == 1 ? String(repeating: "x", count: 5000) : ""
                answer = .informational(
                    103, fields: [("X-Index", "\(index)"), ("X-Fill", fill)], then: answer)
            }
            try exchange.respond(answer)
        }
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            for target in ["/p/many", "/p/long", "/p/many"] {
                let response = try client.exchange("GET", target)
                #expect(response.status == 200 && response.text == "{}")
                let expected = (0..<8).filter { target == "/p/many" || $0 != 1 }.map { "\($0)" }
                #expect(response.informational.map { $0.fields["X-Index"] } == expected)
            }
        }
    }

    @Test("a provider that sends them forever sends no answer")
    func endless() throws {
        let upstream = try ScriptedUpstream(
            answering: .raw(String(repeating: hints, count: 2000)).then(.close))
        try withProxy(to: upstream) { proxy in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.code == "provider_bad_response" && response.status == 502)
            #expect(response.informational.count == 8)
        }
    }

    @Test("a client that reads nothing holds nothing up")
    func slowClient() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.informational(103, then: .ok(String(repeating: " ", count: 3_000_000))))
        }
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client(receiveBuffer: 4096)
            for _ in 0..<3 { try client.send("GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n") }
            #expect(try proxy.exchange("GET", "/p/y").informational.count == 1)
            for _ in 0..<3 {
                let response = try client.readResponse(keepingBody: false)
                #expect(response.body.count == 3_000_000 && response.isComplete)
            }
        }
    }

    @Test("a client that has ended its side with its request gets them, and its response")
    func halfClosed() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.holdLastBytes()
            try client.request("GET", "/p/x")
            try client.shutdownWrite()
            let exchange = try upstream.expectRequest()
            for _ in 0..<3 {
                try exchange.send(hints)
                #expect(try client.readHead().status == 103)
                pauseThread(for: .milliseconds(30))
            }
            try exchange.respond(.ok())
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test("a client that disconnects behind one ends the request")
    func departure() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            for isReset in [false, true] {
                let client = try proxy.client()
                try client.request("GET", "/p/x")
                let exchange = try upstream.expectRequest()
                try exchange.send(hints)
                #expect(try client.readHead().status == 103)
                if isReset { client.reset() } else { client.close() }
                for _ in 0..<6 { try? exchange.send(hints) }
                try exchange.expectClosed()
            }
        }
    }

    @Test("a client of TLS gets them too, at once")
    func encrypted() throws {
        let upstream = try ScriptedUpstream()
        try TLSFixture().withProxy(to: upstream) { proxy, _, relay throws in
            let client = try proxy.client(on: relay.port)
            for index in 1...3 {
                try client.request("GET", "/\(index)")
                let exchange = try upstream.expectRequest()
                for status in [103, 102, 150] {
                    try exchange.send("HTTP/1.1 \(status) X\r\nX-Index: \(index)\r\n\r\n")
                    let interim = try client.readHead()
                    #expect(interim.status == status && interim.fields["X-Index"] == "\(index)")
                }
                try exchange.respond(.status(200, body: [UInt8].pattern(100_000)))
                let response = try client.readResponse()
                #expect(response.status == 200 && response.body.bytes == [UInt8].pattern(100_000))
            }
            client.close()
        }
    }
}
