import TestSupport
import Testing

@Suite(.blocking) struct StreamingTests {
    static let framings = ["Transfer-Encoding: chunked", "X-A: 1"]

    private func event(_ number: Int, _ framing: String) -> String {
        framing.hasPrefix("Transfer") ? "9\r\ndata: \(number)\n\n\r\n" : "data: \(number)\n\n"
    }

    @Test(
        "each event of a stream reaches the client before the next is sent", arguments: framings, [1.0, 1.1])
    func events(framing: String, version: Double) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("GET /p/x HTTP/\(version)\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n")
            let exchange = try upstream.expectRequest()
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\(framing)\r\n\r\n")
            #expect(try client.readHead().fields["Content-Type"] == "text/event-stream")
            for number in 0..<5 {
                try exchange.send(event(number, framing))
                var seen = ""
                while !seen.contains("data: \(number)\n\n") {
                    seen += try client.readBytes(atMost: 100).latin1
                }
            }
            if framing.hasPrefix("Transfer") { try exchange.send("0\r\n\r\n") }
            exchange.close()
        }
    }

    @Test("a stream of events may be silent for longer than another response", arguments: framings)
    func silence(framing: String) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: "timeouts: { idle: 200ms }") { proxy throws in
            for type in ["text/event-stream", "Text/Event-Stream;charset=utf-8", "text/plain"] {
                let client = try proxy.client()
                try client.send("GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n")
                let exchange = try upstream.expectRequest()
                try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\n\(framing)\r\n\r\n")
                _ = try client.readHead()
                for number in 0..<3 {
                    try exchange.send(event(number, framing))
                    var seen = ""
                    while !seen.contains("data: \(number)\n\n") {
                        seen += try client.readBytes(atMost: 100).latin1
                    }
                    guard type != "text/plain" else { break }
                    try exchange.expectSilence(for: .milliseconds(600))
                }
                // A client that leaves ends the one; the other's end is Weir's.
                if type != "text/plain" { client.close() }
                try exchange.expectClosed()
                if type == "text/plain" { try client.expectClosed() }
            }
        }
    }

    @Test("what may be silent forever is still over after its total time", arguments: ["idle", "response"])
    func silenceInTotal(timeout: String) throws {
        let upstream = try ScriptedUpstream()
        let timeouts = "timeouts: { \(timeout): off, total: 500ms }"
        try withProxy(to: upstream, provider: timeouts) { proxy throws in
            let client = try proxy.client()
            try client.send("GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n")
            let exchange = try upstream.expectRequest()
            if timeout == "idle" {
                try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
                #expect(try !client.readResponse().isComplete)
            } else {
                #expect(try client.readResponse().code == "provider_timeout")
            }
            try exchange.expectClosed()
        }
    }

    @Test("a client that takes nothing of a stream of events is left")
    func stalledReader() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, limits: "client_stall: 1s") { proxy throws in
            let client = try proxy.client(receiveBuffer: 4096)
            try client.send("GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n")
            let exchange = try upstream.expectRequest()
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            let sender = Background {
                while true { try exchange.send(String(repeating: "data: 1\n\n", count: 1000)) }
            }
            #expect(throws: (any Error).self) { try sender.join(within: .seconds(20)) }
            try proxy.expectNothingInFlight()
        }
    }

    @Test("a body that is streamed up is answered as it comes")
    func bothWays() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            let exchange = try upstream.expectRequestHead()
            for number in 0..<3 {
                try client.send("5\r\npart\(number)\r\n")
                var seen = ""
                while !seen.contains("part\(number)") { seen += try exchange.readBytes(atMost: 100).latin1 }
            }
            try client.send("0\r\n\r\n")
            var seen = ""
            while !seen.hasSuffix("0\r\n\r\n") { seen += try exchange.readBytes(atMost: 100).latin1 }
            try exchange.respond(.ok())
            exchange.close()
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test("a response that comes before the upload ends reaches the client behind it")
    func earlyAnswer() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
            let exchange = try upstream.expectRequestHead()
            try exchange.respond(.status(413, body: "too much").then(.close))
            try client.send([UInt8](repeating: 0, count: 200_000))
            let response = try client.readResponse()
            #expect(response.status == 413)
            #expect(response.problem["code"] == "payload_too_large")
        }
    }

    // MARK: Connections

    @Test("requests on one connection are answered in order, however they arrive")
    func pipelined() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.ok(exchange.request.target + exchange.request.text))
        }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            var bytes = ""
            for number in 0..<20 {
                bytes += "GET /p/\(number) HTTP/1.1\r\nHost: h\r\n\r\n"
                bytes += "POST /p/\(number) HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
                bytes +=
                    "POST /p/\(number) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n-\r\n0\r\n\r\n"
                bytes += "GET /none HTTP/1.1\r\nHost: h\r\n\r\n"
            }
            try client.send(bytes)
            for number in 0..<20 {
                #expect(try client.readResponse().text == "/\(number)")
                #expect(try client.readResponse().text == "/\(number){}")
                #expect(try client.readResponse().text == "/\(number)-")
                #expect(try client.readResponse().status == 404)
            }
            #expect(upstream.connectionCount == 1)
            #expect(try proxy.metric("weir_upstream_connections_opened_total{provider=\"p\"}") == 1)
        }
    }

    @Test("connections are used again on both sides, whatever the response")
    func reuse() throws {
        let upstream = try ScriptedUpstream { exchange in
            let status = Int(exchange.request.target.dropFirst()) ?? 200
            try exchange.respond(.status(status, body: status == 204 ? "" : "body"))
        }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for status in [200, 404, 500, 204, 302, 429, 201] {
                #expect(try client.exchange("GET", "/p/\(status)").status == status)
                #expect(try client.exchange("POST", "/p/\(status)", body: "{}").status == status)
            }
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test(
        "a provider that closes behind each response gets a connection for each request; its client keeps one"
    )
    func closingProvider() throws {
        let script = ScriptedResponse.status(200, fields: [("Connection", "close")], body: "body").then(
            .close)
        let upstream = try ScriptedUpstream(answering: script)
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for _ in 0..<4 {
                let response = try client.exchange("POST", "/p/x", body: "{}")
                #expect(response.text == "body")
                #expect(response.fields["Connection"] != "close")
            }
            #expect(upstream.connectionCount == 4)
        }
    }

    @Test("a client that asks for the end of its connection gets it; the provider's goes on")
    func closingClient() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            for _ in 0..<3 {
                let client = try proxy.client()
                let response = try client.exchange("GET", "/p/x", fields: [("Connection", "close")])
                #expect(response.fields["Connection"]?.lowercased() == "close")
                try client.expectClosed()
            }
            #expect(upstream.connectionCount == 1)
        }
    }

    static let oldAnswers: [(ScriptedResponse, Bool)] = [
        (.ok("body"), true), (.chunked(chunks: ["bo", "dy"]), false), (.untilClose(body: "body"), false),
    ]

    @Test(
        "a client of HTTP/1.0 gets no chunks: a length, or the end of its connection", arguments: oldAnswers)
    func oldClient(script: ScriptedResponse, hasLength: Bool) throws {
        let upstream = try ScriptedUpstream(answering: script)
        try withProxy(to: upstream) { proxy throws in
            for _ in 0..<5 {
                let client = try proxy.client()
                try client.send("GET /p/x HTTP/1.0\r\n\r\n")
                let response = try client.readResponse()
                #expect(response.text == "body")
                #expect(response.isComplete)
                #expect(response.fields["Transfer-Encoding"] == nil)
                if hasLength { #expect(response.fields["Content-Length"] == "4") }
                try client.expectClosed()
            }
            let lines = try #require(upstream.requests.first).rawBytes.headLines
            #expect(lines[0] == "GET /x HTTP/1.1")
        }
    }

    @Test("many clients on several workers each get their own answer")
    func manyClients() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.ok(exchange.request.target + exchange.request.text))
        }
        try withProxy(to: upstream, workers: 3) { proxy throws in
            let clients = (0..<24).map { number in
                Background {
                    let client = try proxy.client()
                    for round in 0..<20 {
                        let target = "/\(number)/\(round)"
                        let body = round % 2 == 0 ? "" : "body\(number)"
                        let response = try client.exchange(
                            round % 2 == 0 ? "GET" : "POST", "/p\(target)", body: body)
                        #expect(response.text == target + body)
                    }
                }
            }
            for client in clients { try client.join(within: .seconds(30)) }
            #expect(upstream.requestCount == 24 * 20)
            #expect(upstream.connectionCount <= 24)
        }
    }
}
