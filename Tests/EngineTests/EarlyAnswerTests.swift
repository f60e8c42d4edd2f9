import Glibc
import TestSupport
import Testing

@Suite("a response before the request's end", .blocking)
struct EarlyAnswerTests {
    @Test("a provider that answers before it reads the body is believed", arguments: [200, 204, 413])
    func unread(status: Int) throws {
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in
            try exchange.respond(.status(status, body: status == 204 ? "" : "early"))
            try exchange.readBody(keeping: false)
        }
        try withProxy(to: upstream, provider: "timeouts: { idle: 2s, response: 2s }") { proxy in
            let client = try proxy.client()
            let sender = Background {
                try client.request("POST", "/p/a", body: String(repeating: "x", count: 6 << 20))
            }
            let response = try client.readResponse()
            #expect(response.status == status)
            #expect(response.isComplete)
            try sender.join()
            try proxy.expectNothingInFlight()
        }
    }

    @Test("a response does not wait for a client that never finishes its upload", arguments: [200, 413, 503])
    func unfinished(status: Int) throws {
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in
            let fields = [("Content-Type", "text/plain"), ("Date", "Sat, 21 Nov 2026 10:00:00 GMT")]
            try exchange.respond(.status(status, fields: fields, body: "early"))
            exchange.close()
        }
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.send("POST /p/a HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n")
            try client.send(String(repeating: "x", count: 100_000))
            let response = try client.readResponse(within: .seconds(20))
            #expect(response.status == status)
            #expect(response.isComplete)
            #expect(response.fields["Connection"] == "close")
            #expect(response.fields.values(of: "Date").count == 1)
            #expect(response.fields["X-Request-Id"] != nil)
            if status == 200 { #expect(response.text == "early") }
            try proxy.expectNothingInFlight(within: .promptly)
            // The client is not cut off while it goes on: it may not have read its answer yet.
            for _ in 0..<10 { try client.send(String(repeating: "x", count: 100_000)) }
            try client.expectClosed()
        }
    }

    @Test("a large response reaches a client that reads it slowly while it still sends")
    func large() throws {
        let body = [UInt8].pattern(200_000)
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in
            try exchange.respond(.status(200, body: body))
            try exchange.shutdownWrite()
            try exchange.readBody(keeping: false)
        }
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client(receiveBuffer: 4096)
            try client.send("POST /p/a HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\nxxx")
            let response = try client.readResponse()
            #expect(response.status == 200)
            #expect(response.body.bytes == body)
        }
    }

    @Test(
        "a response of any size comes through though its provider never reads the request",
        arguments: [200_000, 1_000_000, 5_000_000], [false, true])
    func unreadUpload(size: Int, readsLate: Bool) throws {
        let body = [UInt8].pattern(size)
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            let sender = Background {
                let framing = readsLate ? "Content-Length: 13000000" : "Transfer-Encoding: chunked"
                try client.send("POST /p/a HTTP/1.1\r\nHost: h\r\n\(framing)\r\n\r\n")
                for _ in 0..<13 {
                    if !readsLate { try client.send("f4240\r\n") }
                    try client.send([UInt8](repeating: 0x78, count: 1_000_000), within: .seconds(30))
                    if !readsLate { try client.send("\r\n") }
                }
                if !readsLate { try client.send("0\r\n\r\n") }
            }
            let exchange = try upstream.expectRequestHead()
            let answerer = Background {
                try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                try exchange.send(body, within: .seconds(30))
            }
            if readsLate { try sender.join(within: .seconds(30)) }
            let response = try client.readResponse(within: .seconds(30))
            #expect(response.status == 200)
            #expect(response.body.bytes == body)
            try answerer.join()
            // What was dropped must not look like a request with an end.
            #expect(try !exchange.readBody(keeping: false).isComplete)
            try sender.join(within: .seconds(30))
        }
    }

    @Test("a response arrives whole however slowly its client receives it, which still sends the request")
    func slowlyReceived() throws {
        let body = [UInt8].pattern(60_000)
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in
            try exchange.respond(.status(200, body: body))
            try exchange.shutdownWrite()
            try exchange.readBody(keeping: false)
        }
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client(receiveBuffer: 4096)
            try client.send("POST /p/a HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n")
            var received: [UInt8] = []
            // Longer than a client is waited for that receives nothing, and each pause shorter than that.
            for _ in 0..<4 {
                usleep(2_000_000)
                try client.send("xxx")
                received += try client.readBytes(atMost: 10_000)
            }
            while case let bytes = try client.readBytes(atMost: 10_000), !bytes.isEmpty { received += bytes }
            #expect(received.suffix(body.count) == body[...])
        }
    }

    @Test("a provider that reads slowly while its response waits gets the whole request")
    func slowlyRead() throws {
        let body = [UInt8].pattern(5_000_000)
        let upstream = try ScriptedUpstream(receiveBuffer: 65_536)
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            let sender = Background {
                try client.send("POST /p/a HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n")
                try client.send([UInt8](repeating: 0x78, count: 3_000_000), within: .seconds(30))
            }
            let exchange = try upstream.expectRequestHead()
            let answerer = Background {
                try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
                try exchange.send(body, within: .seconds(30))
            }
            var count = 0
            while count < 3_000_000 {
                let part = try exchange.readBytes(atMost: 40_000)
                try #require(!part.isEmpty)
                count += part.count
                // Longer in all than a provider may stand still.
                pauseThread(for: .milliseconds(20))
            }
            #expect(try client.readResponse(within: .seconds(30)).body.bytes == body)
            try answerer.join()
            try sender.join()
            exchange.close()
        }
    }

    @Test("a body that is too long is refused before its end")
    func tooLong() throws {
        let upstream = try ScriptedUpstream(readingBodies: false) { _ in }
        try withProxy(to: upstream, limits: "request_body: 1000") { proxy in
            let client = try proxy.client()
            try client.send("POST /p/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<3 { try client.send("190\r\n\(String(repeating: "x", count: 400))\r\n") }
            let response = try client.readResponse(within: .seconds(20))
            #expect(response.status == 413)
            #expect(response.problem["code"] == "request_too_large")
            try client.expectClosed()
        }
    }

    @Test("what is no HTTP behind a sound beginning is told, and the provider's transfer ends")
    func brokenBody() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.send("POST /p/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
            let exchange = try upstream.expectRequestHead()
            try client.send("2\r\nbad\r\n")
            let response = try client.readResponse()
            #expect(response.status == 400)
            #expect(response.problem["code"] == "bad_client_request")
            #expect(response.problem["effect"] == "unknown")
            #expect(response.problem["provider"] == "p")
            try client.expectClosed()
            #expect(try !exchange.readBody().isComplete)
            let series = #"weir_requests_total{provider="p",method="post",status_class="4xx"}"#
            #expect(try proxy.metric(series) == 1)
        }
    }
}
