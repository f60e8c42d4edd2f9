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
        let tls = "\(nginx.authority.trust), http: '\(http)'"
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

    @Test(
        "a proxy's refusal may be over later only if its status is one that passes",
        arguments: [
            ("407 Proxy Authentication Required", false), ("403 Forbidden", false), ("404 Not Found", false),
            ("400 Bad Request", false), ("302 Found", false), ("501 Not Implemented", false),
            ("429 Too Many Requests", true),
            ("408 Request Timeout", true), ("500 Internal Server Error", true), ("502 Bad Gateway", true),
            ("503 Service Unavailable", true), ("504 Gateway Timeout", true),
        ], ["GET", "POST"])
    func retryable(refusal: (status: String, passes: Bool), method: String) throws {
        let proxy = try TunnelProxy(refusing: refusal.status)
        let retries = "retries: { max: 1, base: 1ms }"
        for upstream in ["http://provider.example", "https://provider.example"] {
            for http in ["auto", "1.1"] {
                let rest = "proxy: '127.0.0.1:\(proxy.port)', http: '\(http)', \(retries)"
                try withProxy(provider(upstream, rest)) { weir throws in
                    let response = try weir.exchange(method, "/p/x", body: method == "POST" ? "{}" : "")
                    #expect(response.code == "provider_unreachable")
                    #expect(response.problem["effect"] == "none")
                    #expect(response.problem["retryable"] == "\(refusal.passes)")
                    let series = #"weir_retries_total{provider="p",reason="connection"}"#
                    #expect(try weir.metric(series) == (refusal.passes ? 1 : 0))
                }
            }
        }
    }

    /// How a proxy fails to lead on.
    enum Misdeed: String, CaseIterable, Sendable {
        case closes, resets, closesInHead, sendsGarbage, sendsOddStatus, closesAfterSuccess

        func act(_ exchange: UpstreamExchange) throws {
            switch self {
            case .closes: exchange.close()
            case .resets: exchange.reset()
            case .closesInHead:
                try exchange.send("HTTP/1.1 200 Conn")
                exchange.close()
            case .sendsGarbage:
                try exchange.send("SSH-2.0-OpenSSH_9.2\r\n")
                exchange.close()
            case .sendsOddStatus:
                try exchange.send("HTTP/1.1 abc\r\n\r\n")
                exchange.close()
            case .closesAfterSuccess:
                try exchange.send("HTTP/1.1 200 OK\r\n\r\n")
                exchange.close()
            }
        }
    }

    @Test(
        "a proxy that hangs up leaves the provider unreachable, and nothing was sent",
        arguments: Misdeed.allCases, ["http", "https", "auto"])
    func hangUp(misdeed: Misdeed, kind: String) throws {
        // Behind a tunnel that stands, a request without TLS would be on its way.
        if misdeed == .closesAfterSuccess, kind == "http" { return }
        let proxy = try ScriptedUpstream(readingBodies: false) { try misdeed.act($0) }
        let scheme = kind == "http" ? "http" : "https"
        let rest = "proxy: 'http://127.0.0.1:\(proxy.port)', http: '\(kind == "auto" ? "auto" : "1.1")'"
        let limits = "limits: [{ requests: 1, per: 50s, by: provider }], max_wait: 0s"
        try withProxy(provider("\(scheme)://provider.example", "\(rest), \(limits)")) { weir throws in
            for _ in 1...2 {
                let response = try weir.exchange("POST", "/p/x", body: "{}")
                #expect(response.status == 502)
                #expect(response.code == "provider_unreachable", "\(response.text)")
                #expect(response.problem["effect"] == "none")
                #expect(response.problem["attempts"] == nil)
                #expect(response.problem["retryable"] == "true")
            }
        }
    }
}
