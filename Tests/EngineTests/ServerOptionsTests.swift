import TestSupport
import Testing

/// RFC 9110 9.3.7: the target `*` stands for the server itself.
@Suite("OPTIONS for the server itself", .blocking)
struct ServerOptionsTests {
    /// A slot for one request, which is taken.
    private static let limit = "limits: [{ requests: 1, per: 60s, by: provider }], max_wait: 0s"

    @Test(
        "Weir answers OPTIONS * itself, on every listener, without a slot",
        arguments: ["*", "http://localhost", "http://localhost:8080"],
        ["", "Max-Forwards: 0\r\n", "Max-Forwards: 5\r\n", "Origin: https://evil.example\r\n"])
    func answered(target: String, fields: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let providers = """
            providers: { p: { profile: generic, upstream: '\(upstream.url)', mount: /p, listen: 127.0.0.1:0, \
            credential: k, \(Self.limit) } }
            """
        let host = target == "*" ? "localhost" : String(target.dropFirst(7))
        try withProxy(providers, upstreams: [upstream], settings: "admin: { listen: 127.0.0.1:0 }") { proxy in
            for port in [proxy.port, try #require(proxy.providerPorts["p"]), proxy.adminPort] {
                let client = try proxy.client(on: port)
                for version in ["1.1", "1.1", "1.0"] {
                    try client.send("OPTIONS \(target) HTTP/\(version)\r\nHost: \(host)\r\n\(fields)\r\n")
                    let response = try client.readResponse()
                    #expect(response.status == 204 && response.body.count == 0)
                    let allowed =
                        port == proxy.adminPort
                        ? "GET, HEAD, OPTIONS" : "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
                    #expect(response.fields["Allow"] == allowed)
                    #expect(response.fields["Content-Length"] == nil)
                    #expect(response.fields["Content-Type"] == nil)
                }
                #expect(try client.expectClosed() == .orderly)
            }
            #expect(upstream.requestCount == 0)
            #expect(try proxy.metric("weir_queue_depth{provider=\"p\"}") == 0)
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
        }
    }

    @Test("OPTIONS * with a body is answered, however long the body is", arguments: [5, 8 << 20])
    func body(size: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, settings: "admin: { listen: 127.0.0.1:0 }") { proxy in
            for port in [proxy.port, proxy.adminPort] {
                let client = try proxy.client(on: port)
                try client.send("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(size)\r\n\r\n")
                try client.send([UInt8](repeating: 0x78, count: size))
                #expect(try client.readResponse().status == 204)
            }
            #expect(upstream.requestCount == 0)
        }
    }

    @Test("OPTIONS * is answered and counted while Weir drains")
    func draining() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, limits: "drain: 20s") { proxy in
            let (running, client) = (try proxy.client(), try proxy.client())
            #expect(try client.exchange("GET", "/livez").status == 200)
            try running.request("GET", "/p/a")
            let exchange = try upstream.expectRequest()
            proxy.drain()
            #expect(try client.exchange("OPTIONS", "*").status == 204)
            try exchange.respond(.ok())
            #expect(try running.readResponse().status == 200)
            proxy.stop()
        }
    }

    @Test(
        "other methods with *, and a malformed Max-Forwards, stay refused",
        arguments: ["GET", "HEAD", "POST", "DELETE", "options", "FOO"])
    func refused(method: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, settings: "admin: { listen: 127.0.0.1:0 }") { proxy in
            for port in [proxy.port, proxy.adminPort] {
                for target in ["*", "http://localhost"] {
                    let client = try proxy.client(on: port)
                    try client.request(method, target)
                    let response = try client.readResponse(toHead: method == "HEAD")
                    #expect(response.status == 400, "\(method) \(target)")
                    #expect(response.fields["X-Error-Code"] == "bad_client_request")
                }
                for (target, fields) in [
                    ("*", [("Max-Forwards", "x")]), ("**", []), ("*?a", []), ("http://other.test", []),
                    ("http://localhost?a", []),
                ] {
                    let client = try proxy.client(on: port)
                    try client.request("OPTIONS", target, fields: fields)
                    #expect(try client.readResponse().status == 400, "\(target) \(fields)")
                }
            }
            #expect(upstream.requestCount == 0)
        }
    }
}
