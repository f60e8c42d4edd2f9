import Engine
import TestSupport
import Testing

@Suite("a port that speaks TLS with clients", .blocking)
struct TLSListenerTests {
    @Test("requests and answers of every size pass as without TLS, on one connection", arguments: [1, 2])
    func messages(workers: Int) throws {
        let large = [UInt8].pattern(3_000_000)
        let upstream = try ScriptedUpstream { exchange in
            let body = exchange.request.target == "/large" ? large : Array("{}".utf8)
            try exchange.respond(.status(200, body: body))
        }
        try TLSFixture().withProxy(to: upstream, workers: workers) { proxy, _, relay throws in
            let client = try proxy.client(on: relay.port)
            for index in 1...3 {
                #expect(try client.exchange("GET", "/\(index)?x=%2F").text == "{}")
                #expect(try client.exchange("POST", "/\(index)", body: "hello").status == 200)
            }
            let response = try client.exchange("POST", "/up", body: String(repeating: "x", count: 3_000_000))
            #expect(response.status == 200)
            #expect(upstream.requests.last?.body?.bytes.count == 3_000_000)
            #expect(try client.exchange("GET", "/large").body.bytes == large)
            client.close()
            #expect(upstream.requests.map(\.target).prefix(2) == ["/1?x=%2F", "/1"])
        }
    }

    @Test("a request that comes two bytes at a time, each in a record of its own, is one request")
    func slowly() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try TLSFixture().withProxy(to: upstream) { proxy, _, relay throws in
            let client = try proxy.client(on: relay.port)
            // No piece begins with a letter that the relay takes for a command.
            let head = "POST /ab HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            let text = head + "3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n"
            try client.sendSlowly(Array(text.utf8), chunk: 2, every: .milliseconds(1))
            #expect(try client.readResponse().status == 200)
            #expect(upstream.requests.first?.text == "abc")
            client.close()
        }
    }

    @Test("errors are problems")
    func problems() throws {
        let upstream = try ScriptedUpstream(answering: .status(404, body: "gone"))
        try TLSFixture().withProxy(to: upstream) { proxy, _, relay throws in
            let client = try proxy.client(on: relay.port)
            let response = try client.exchange("GET", "/a")
            #expect(response.status == 404 && response.code == "not_found")
            client.close()
        }
    }

    @Test("what is no HTTP is refused behind the requests before it, and reaches no provider")
    func malformed() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try TLSFixture().withProxy(to: upstream) { proxy, _, relay throws in
            let client = try proxy.client(on: relay.port)
            try client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost : h\r\n\r\nGET /c")
            #expect(try client.readResponse().status == 200)
            let refusal = try client.readResponse()
            #expect(refusal.status == 400 && refusal.code == "bad_client_request")
            #expect(refusal.isComplete && refusal.fields["Connection"] == "close")
            #expect(try client.expectClosed() == .orderly)
            #expect(upstream.requests.map(\.target) == ["/a"])
        }
    }

    @Test("a response does not wait for an upload that never ends; the client is told, and not cut off")
    func early() throws {
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in
            // A relay that has not read all of the client's bytes by the end of TLS resets the client's connection.
            var received = 0
            while received < 100_000 { received += try exchange.readBytes(atMost: 100_000 - received).count }
            try exchange.respond(.status(200, body: [UInt8].pattern(200_000)))
            try exchange.shutdownWrite()
            try exchange.readBody(keeping: false)
        }
        try TLSFixture().withProxy(to: upstream) { proxy, _, relay throws in
            let client = try proxy.client(on: relay.port, receiveBuffer: 4096)
            try client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n")
            try client.send(String(repeating: "x", count: 100_000))
            let response = try client.readResponse()
            #expect(response.status == 200 && response.body.bytes == [UInt8].pattern(200_000))
            #expect(response.fields["Connection"] == "close")
            try client.expectClosed()
        }
    }

    @Test("a body that is too long is refused before its end")
    func tooLong() throws {
        let upstream = try ScriptedUpstream(readingBodies: false) { _ in }
        try TLSFixture().withProxy(to: upstream, limits: "request_body: 1000") { proxy, _, relay throws in
            let client = try proxy.client(on: relay.port)
            try client.send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<3 { try client.send("190\r\n\(String(repeating: "x", count: 400))\r\n") }
            let response = try client.readResponse()
            #expect(response.status == 413 && response.code == "request_too_large")
            try client.expectClosed()
        }
    }

    @Test("a client that disconnects cancels its transfer")
    func departure() throws {
        let upstream = try ScriptedUpstream()
        try TLSFixture().withProxy(to: upstream) { proxy, _, relay throws in
            let client = try proxy.client(on: relay.port)
            try client.request("GET", "/a")
            let exchange = try upstream.expectRequest()
            try proxy.settle()
            client.close()
            try exchange.expectClosed()
            try proxy.expectNothingInFlight()
        }
    }

    @Test("a client that ends its side with its request gets its response, and then the end")
    func halfClose() throws {
        let upstream = try ScriptedUpstream(answering: .ok(#"{"half":true}"#))
        let tls = try TLSFixture()
        let script = """
            import os, socket, ssl, sys
            context = ssl.create_default_context(cafile=sys.argv[2])
            plain = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
            client = context.wrap_socket(plain, server_hostname="127.0.0.1")
            # Request and end in one segment: on a busy machine they would come apart.
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            client.sendall(b"GET /a HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n")
            socket.socket(fileno=os.dup(client.fileno())).shutdown(socket.SHUT_WR)
            answer = b""
            while part := client.recv(65536): answer += part
            print(answer.decode())
            """
        try tls.withProxy(to: upstream) { _, port, _ throws in
            let outcome = try Subprocess.run(
                "python3", ["-c", script, "\(port)", tls.authority.root.certificatePath])
            #expect(outcome.output.hasPrefix("HTTP/1.1 200 "), "\(outcome.errorOutput)")
            #expect(outcome.output.contains(#"{"half":true}"#))
        }
    }
}
