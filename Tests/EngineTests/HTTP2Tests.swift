import TestSupport
import Testing

@Suite("a provider that speaks HTTP/2", .blocking)
struct HTTP2Tests {
    private func provider(_ nginx: Nginx, _ rest: String = "") -> String {
        let tls = nginx.authority.trust
        return "providers: { p: { profile: generic, upstream: '\(nginx.url)', \(tls)\(rest) } }"
    }

    @Test(
        "HTTP/2 is spoken where it is offered and wanted",
        arguments: [(true, "auto", "HTTP/2.0"), (false, "auto", "HTTP/1.1"), (true, "1.1", "HTTP/1.1")])
    func negotiation(isOffered: Bool, setting: String, spoken: String) throws {
        let nginx = try Nginx(http2: isOffered)
        try withProxy(provider(nginx, ", http: '\(setting)'")) { proxy in
            for index in 0..<4 {
                let response = try proxy.exchange("GET", "/p/echo/\(index)?a=%2F")
                #expect(response.text.contains(#""protocol":"\#(spoken)""#))
                #expect(response.text.contains(#""target":"/echo/\#(index)?a=%2F""#))
            }
            #expect(try proxy.exchange("POST", "/p/take", body: "{}").status == 200)
        }
    }

    @Test("requests at the same time share one connection")
    func multiplexing() throws {
        let nginx = try Nginx()
        try withProxy(provider(nginx, ", limits: [], http: auto")) { proxy in
            #expect(try proxy.exchange("GET", "/p/echo").status == 200)
            let clients = try (0..<20).map { _ in try proxy.client() }
            for client in clients { try client.send("GET /p/echo HTTP/1.1\r\nHost: h\r\n\r\n") }
            for client in clients { #expect(try client.readResponse().status == 200) }
            #expect(try proxy.metric(#"weir_upstream_connections_opened_total{provider="p"}"#) == 1)
        }
    }

    /// An nginx with a file of `size` bytes at `/large`, and Weir before it with an open connection.
    private func large(_ size: Int) throws -> (directory: TemporaryDirectory, nginx: Nginx, weir: WeirProcess)
    {
        let directory = try TemporaryDirectory()
        _ = try directory.write(String(repeating: "0123456789abcdef", count: size >> 4), to: "large")
        let nginx = try Nginx(server: "location /large { root \(directory.path); }")
        let tls = nginx.authority.trust
        let weir = try WeirProcess(url: nginx.url, provider: "\(tls), limits: [], http: auto")
        for _ in 0..<5 { #expect(try weir.client().exchange("GET", "/p/echo").status == 200) }
        return (directory, nginx, weir)
    }

    @Test("a response to a client that reads slowly arrives whole, and needs a window of memory")
    func slowReader() throws {
        let size = 100 << 20
        let (directory, nginx, weir) = try large(size)
        defer { withExtendedLifetime((directory, nginx)) {} }
        let before = try ResourceUse(of: weir.process.processID)
        let slow = try RawClient(port: weir.port, receiveBuffer: 16_384)
        try slow.send("GET /p/large HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try slow.readHead().status == 200)
        var seen = 0
        var largest = before.residentBytes
        while seen < size {
            let count = try slow.readBytes(atMost: 65_536).count
            guard count > 0 else { break }
            // What would be read ahead has been by the time that others were answered.
            if seen >> 23 < (seen + count) >> 23 {
                for _ in 0..<20 { #expect(try weir.client().exchange("GET", "/p/echo").status == 200) }
                largest = max(largest, try weir.residentBytes)
            }
            seen += count
        }
        #expect(seen == size)
        let growth = largest - before.residentBytes
        if !Sanitizer.isOn { #expect(growth <= 8 << 20, "grew by \(growth >> 10) KiB") }
    }

    @Test("many clients that read slowly share a connection with a fast one, which they do not hold up")
    func slowReaders() throws {
        let size = 16 << 20
        let (directory, nginx, weir) = try large(size)
        defer { withExtendedLifetime((directory, nginx)) {} }
        let before = try ResourceUse(of: weir.process.processID)
        let slow = try (0..<12).map { _ in try RawClient(port: weir.port, receiveBuffer: 16_384) }
        for client in slow {
            try client.send("GET /p/large HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readHead().status == 200)
        }
        for _ in 0..<3 {
            let fast = try weir.client().exchange("GET", "/p/large", keepingBody: false)
            #expect(fast.isComplete && fast.body.count == size)
        }
        let stalled = try ResourceUse(of: weir.process.processID)
        let growth = stalled.residentBytes - before.residentBytes
        if !Sanitizer.isOn { #expect(growth <= 12 * (4 << 20), "grew by \(growth >> 10) KiB") }
        for client in slow {
            var seen = 0
            while seen < size {
                let count = try client.readBytes(atMost: 1 << 20).count
                guard count > 0 else { break }
                seen += count
            }
            #expect(seen == size)
        }
        let metrics = try weir.client().exchange("GET", "/metrics").text
        #expect(metrics.contains(#"weir_upstream_connections_opened_total{provider="p"} 1"# + "\n"))
    }

    @Test("clients that do not read cost no processor time")
    func stalledReaders() throws {
        let (directory, nginx, weir) = try large(16 << 20)
        defer { withExtendedLifetime((directory, nginx)) {} }
        let clients = try (0..<4).map { _ in try RawClient(port: weir.port, receiveBuffer: 16_384) }
        for client in clients {
            try client.send("GET /p/large HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.readHead().status == 200)
        }
        // What is read ahead has been when it takes no more time.
        var use = try ResourceUse(of: weir.process.processID).processorMilliseconds
        try eventually("the weir to be at rest", every: .milliseconds(500)) {
            let before = use
            use = try ResourceUse(of: weir.process.processID).processorMilliseconds
            return use - before <= 10
        }
        for client in clients { client.reset() }
        #expect(try weir.client().exchange("GET", "/p/echo").status == 200)
    }

    @Test("PING is answered while all responses of a connection wait for their clients")
    func pingWhilePaused() throws {
        let peer = try HTTP2Peer()
        let tls = peer.authority.trust
        let providers =
            "providers: { p: { profile: generic, upstream: '\(peer.url)', \(tls), http: auto, limits: [] } }"
        try withProxy(providers) { proxy in
            let client = try proxy.client(receiveBuffer: 16_384)
            try client.request("GET", "/p/x")
            let connection = try peer.accept()
            let request = try connection.expectRequest()
            try connection.send(.head(request.stream, status: 200))
            // Until the client, which does not read, holds the response up.
            var sent = 0
            repeat {
                try connection.send(.ping())
                try connection.expectPong()
                sent += try connection.sendBody(of: request, atMost: 1 << 20)
            } while connection.window(of: request) > 0 && sent < 64 << 20
            #expect(sent < 64 << 20)
            for _ in 0..<3 {
                try connection.send(.ping())
                try connection.expectPong()
            }
            client.reset()
        }
    }

    @Test(
        "a provider may send no more than a window ahead of a client that does not read, whatever that one sends"
    )
    func window() throws {
        let peer = try HTTP2Peer()
        let tls = peer.authority.trust
        let providers =
            "providers: { p: { profile: generic, upstream: '\(peer.url)', \(tls), http: auto, limits: [] } }"
        try withProxy(providers) { proxy in
            let client = try proxy.client(receiveBuffer: 16_384)
            try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n")
            let connection = try peer.accept()
            let request = try connection.expectRequest()
            try connection.send(.head(request.stream, status: 200))
            var sent = 0
            // The client's body goes on all the while, and its end is not sent.
            for _ in 0..<39 {
                try client.send([UInt8](repeating: 0x62, count: 100_000))
                try connection.allow(100_000, of: request)
                var taken = 0
                while taken < 90_000 { taken += try connection.expectBody(of: request) }
                let more = try connection.sendBody(of: request, atMost: 8 << 20)
                #expect(more <= 1 << 20)
                sent += more
            }
            #expect(sent <= 5 << 19, "\(sent) bytes")
            client.reset()
        }
    }

    /// An nginx that leads what begins with `/slow` to `upstream`.
    private func nginx(to upstream: ScriptedUpstream) throws -> Nginx {
        try Nginx(server: "location /slow { proxy_pass http://127.0.0.1:\(upstream.port); }")
    }

    @Test(
        "a connection that is lost in the middle of a request leaves its effect unknown, and sends it once",
        arguments: ["GET", "POST", "DELETE"])
    func connectionLost(method: String) throws {
        let upstream = try ScriptedUpstream()
        let nginx = try nginx(to: upstream)
        try withProxy(provider(nginx, ", limits: [], http: auto")) { proxy in
            #expect(try proxy.exchange("GET", "/p/echo").text.contains("HTTP/2.0"))
            let client = try proxy.client()
            try client.request(method, "/p/slow", body: method == "POST" ? "{}" : "")
            _ = try upstream.expectRequest()
            nginx.stop()
            let response = try client.readResponse()
            #expect(response.status == 502)
            #expect(response.code == "connection_lost")
            #expect(response.problem["effect"] == "unknown")
            #expect(response.problem["attempts"] == "1")
            #expect(response.problem["retryable"] == (method == "POST" ? "false" : "true"))
            #expect(upstream.requestCount == 1)
        }
    }

    @Test("a client that disconnects ends its request, and not the connection that others share")
    func leaving() throws {
        let upstream = try ScriptedUpstream()
        let nginx = try nginx(to: upstream)
        try withProxy(provider(nginx, ", limits: [], http: auto")) { proxy in
            #expect(try proxy.exchange("GET", "/p/echo").text.contains("HTTP/2.0"))
            let client = try proxy.client()
            try client.request("GET", "/p/slow")
            let exchange = try upstream.expectRequest()
            client.reset()
            try eventually("the client to be gone") {
                try proxy.metric(#"weir_requests_in_flight{provider="p"}"#) == 0
            }
            // > libcurl 7.88 keeps the reset of a stream until something else is sent on the connection.
            #expect(try proxy.exchange("GET", "/p/echo").status == 200)
            try exchange.expectClosed()
            #expect(try proxy.metric(#"weir_upstream_connections_opened_total{provider="p"}"#) == 1)
        }
    }
}
