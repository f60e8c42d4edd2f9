import TestSupport
import Testing

@Suite("a provider that speaks HTTP/2", .blocking)
struct HTTP2Tests {
    private func provider(_ nginx: Nginx, _ rest: String = "") -> String {
        let tls = "tls: { ca_file: \(nginx.authority.root.certificatePath) }"
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

    @Test("a client that reads slowly does not hold up the others, and fills no more than libcurl's window")
    func slowReader() throws {
        let size = 256 << 20
        let directory = try TemporaryDirectory()
        _ = try directory.write(String(repeating: "0123456789abcdef", count: size >> 4), to: "large")
        let nginx = try Nginx(server: "location /large { root \(directory.path); }")
        let tls = "tls: { ca_file: \(nginx.authority.root.certificatePath) }"
        let weir = try WeirProcess(url: nginx.url, provider: "\(tls), limits: [], http: auto")
        for _ in 0..<5 { #expect(try weir.client().exchange("GET", "/p/echo").status == 200) }
        let before = try weir.residentBytes
        let slow = try RawClient(port: weir.port, receiveBuffer: 16_384)
        try slow.send("GET /p/large HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try slow.readHead().status == 200)
        var seen = 0
        while seen < size {
            let count = try slow.readBytes(atMost: 1 << 20).count
            guard count > 0 else { break }
            // A pause now and then, so that what would be hoarded is.
            if seen >> 25 < (seen + count) >> 25 {
                for _ in 0..<20 { #expect(try weir.client().exchange("GET", "/p/echo").status == 200) }
                let growth = try weir.residentBytes - before
                // > libcurl's window is 32 MiB, and cannot be made smaller: twice as much while a buffer of it grows.
                if !Sanitizer.isOn { #expect(growth <= 128 << 20, "grew by \(growth >> 10) KiB") }
            }
            seen += count
        }
        #expect(seen == size)
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

    @Test("a client that leaves ends its request, and not the connection that others share")
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
