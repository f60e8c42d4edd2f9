import TestSupport
import Testing

@Suite("a proxy on the way to the provider", .blocking)
struct EgressProxyTests {
    private func provider(_ upstream: String, _ rest: String) -> String {
        "providers: { p: { profile: generic, upstream: '\(upstream)', \(rest) } }"
    }

    @Test("requests go through a tunnel, whose connection is used again", arguments: ["auto", "1.1"])
    func tunnel(http: String) throws {
        let nginx = try Nginx()
        let proxy = try TunnelProxy()
        let tls = "tls: { ca_file: \(nginx.authority.root.certificatePath) }, http: '\(http)'"
        let rest = "\(tls), proxy: 'http://user:p%40ss@127.0.0.1:\(proxy.port)'"
        try withProxy(provider(nginx.url, rest)) { weir throws in
            for _ in 0..<3 {
                let response = try weir.exchange("GET", "/p/echo/x")
                #expect(response.status == 200)
                #expect(response.text.contains(#""target":"/echo/x""#))
            }
        }
        // Before the version is known, libcurl's own connection is used.
        #expect(proxy.requests.count == 1)
        let head = try #require(proxy.requests.first)
        #expect(head.hasPrefix("CONNECT localhost:\(nginx.port) HTTP/1.1\r\n"))
        #expect(head.contains("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n"))
    }

    @Test("a provider without TLS is reached through a tunnel as well")
    func plaintext() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let proxy = try TunnelProxy()
        let rest = "proxy: 'http://127.0.0.1:\(proxy.port)'"
        try withProxy(provider("http://provider.example:\(upstream.port)", rest)) { weir throws in
            #expect(try weir.exchange("POST", "/p/x", body: "{}").status == 200)
        }
        #expect(upstream.requests.map(\.target) == ["/x"])
        #expect(proxy.requests.first?.hasPrefix("CONNECT provider.example:\(upstream.port) ") == true)
    }

    @Test("a proxy that refuses is told from a provider that does, and nothing was sent")
    func refusal() throws {
        let proxy = try TunnelProxy(refusing: "407 Proxy Authentication Required")
        let rest = "proxy: '127.0.0.1:\(proxy.port)'"
        for upstream in ["http://provider.example", "https://provider.example"] {
            try withProxy(provider(upstream, rest)) { weir throws in
                let response = try weir.exchange("POST", "/p/x", body: "{}")
                #expect(response.status == 502)
                #expect(response.code == "provider_unreachable")
                #expect(response.problem["effect"] == "none")
                #expect(response.problem["detail"] == "The proxy on the way to the provider answered 407.")
            }
        }
    }
}
