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

    @Test("a client that reads slowly does not hold up the others, nor fill the memory")
    func slowReader() throws {
        let directory = try TemporaryDirectory()
        _ = try directory.write(String(repeating: "0123456789abcdef", count: 4 << 16), to: "large")
        let nginx = try Nginx(server: "location /large { root \(directory.path); }")
        try withProxy(provider(nginx, ", limits: [], http: auto")) { proxy in
            #expect(try proxy.exchange("GET", "/p/echo").status == 200)
            let slow = try proxy.client(receiveBuffer: 4096)
            try slow.send("GET /p/large HTTP/1.1\r\nHost: h\r\n\r\n")
            for _ in 0..<20 { #expect(try proxy.exchange("GET", "/p/echo").status == 200) }
            #expect(try slow.readResponse().body.count == 4 << 20)
        }
    }
}
