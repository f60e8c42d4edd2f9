import Locking
import TestSupport
import Testing

@Suite("callers with a token", .blocking)
struct AccessTests {
    private static let token = "token-of-the-callers"
    private static let field = ("X-Weir-Token", token)
    private static let settings = "access: { token: [\(token), the-other-token-of-them] }"

    private func expectRefusal(_ response: RawResponse) {
        #expect(response.status == 403 && response.code == "bad_client_request")
        #expect(response.problem["origin"] == "client" && response.problem["effect"] == "none")
        #expect(response.fields["Proxy-Status"]?.hasSuffix("; error=http_request_denied") == true)
        #expect(response.fields["WWW-Authenticate"] == nil)
    }

    @Test("a request reaches its provider with a token, and not without one or with another")
    func providers() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, settings: Self.settings) { proxy in
            proxy.token.withLock { $0 = Self.token }
            let client = try proxy.client()
            #expect(try client.exchange("GET", "/p/a", fields: [Self.field]).status == 200)
            #expect(
                try client.exchange("GET", "/p/b", fields: [("x-weir-token", "the-other-token-of-them")])
                    .status == 200)
            expectRefusal(try client.exchange("GET", "/p/c"))
            expectRefusal(
                try client.exchange("POST", "/p/d", fields: [("X-Weir-Token", "wrong")], body: "{}"))
            expectRefusal(
                try client.exchange("GET", "/p/e", fields: [("Authorization", "Bearer \(Self.token)")]))
            expectRefusal(try client.exchange("OPTIONS", "*"))
            expectRefusal(try client.exchange("GET", "/nowhere"))
            #expect(upstream.requests.map(\.target) == ["/a", "/b"])
        }
    }

    @Test("the token is neither forwarded nor logged, and the app's own credential is forwarded")
    func secrecy() throws {
        let upstream = try ScriptedUpstream(answering: .status(400, body: "no"))
        try withProxy(to: upstream, settings: Self.settings) { proxy in
            proxy.token.withLock { $0 = Self.token }
            let client = try proxy.client()
            let own = ("Authorization", "Bearer key-of-the-app")
            _ = try client.exchange("GET", "/p/a", fields: [Self.field, own])
            let wrong = try client.exchange("GET", "/p/b", fields: [("X-Weir-Token", Self.token + "x")])
            let request = try #require(upstream.requests.first)
            #expect(request.fields["X-Weir-Token"] == nil && request.fields["Authorization"] == own.1)
            let pages = try ["/metrics", "/-/requests", "/-/"].map {
                try client.exchange("GET", $0, fields: [Self.field]).text
            }
            for text in pages + [proxy.log.text, wrong.text] { #expect(!text.contains(Self.token)) }
        }
    }

    @Test("admin pages need a token, also as a bearer's; probes need none")
    func pages() throws {
        try withProxy(to: try ScriptedUpstream(answering: .ok()), settings: Self.settings) { proxy in
            proxy.token.withLock { $0 = Self.token }
            let client = try proxy.client()
            for path in [
                "/metrics", "/-/", "/-/limits", "/-/requests", "/-/unmapped", "/-/errors", "/-/nothing",
            ] {
                expectRefusal(try client.exchange("GET", path))
                expectRefusal(try client.exchange("GET", path, fields: [("Authorization", "Bearer wrong")]))
                let status = path == "/-/nothing" ? 404 : 200
                #expect(try client.exchange("GET", path, fields: [Self.field]).status == status)
                let bearer = ("Authorization", "Bearer \(Self.token)")
                #expect(try client.exchange("GET", path, fields: [bearer]).status == status)
            }
            for path in ["/livez", "/readyz"] { #expect(try client.exchange("GET", path).status == 200) }
        }
    }

    @Test("a reload replaces the token for requests on connections that are open")
    func reload() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let providers = "providers: { p: { profile: generic, upstream: '\(upstream.url)' } }"
        try withProxy(providers, upstreams: [upstream]) { proxy in
            let client = try proxy.client()
            #expect(try client.exchange("GET", "/p/a").status == 200)
            try proxy.reload(
                yaml: "listen: 127.0.0.1:0\nworkers: 1\nlimits: { drain: 1s }\n\(Self.settings)\n\(providers)"
            )
            try eventually("the token to be required") { try client.exchange("GET", "/p/b").status == 403 }
            #expect(try client.exchange("GET", "/p/c", fields: [Self.field]).status == 200)
            try proxy.reload(yaml: "listen: 127.0.0.1:0\nworkers: 1\nlimits: { drain: 1s }\n\(providers)")
            try eventually("metrics to be open") { try client.exchange("GET", "/metrics").status == 200 }
        }
    }
}
