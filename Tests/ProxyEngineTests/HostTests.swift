import ProxyCore
import TestSupport
import Testing

@Suite("who may use a credential that Weir adds", .blocking)
struct HostTests {
    private static let counter =
        #"weir_errors_total{provider="p",origin="client",code="bad_client_request"}"#

    private func host(_ name: String) -> [(String, String)] { [("Host", name)] }

    @Test("a request that asks for another name gets 421, and the provider nothing of it")
    func foreign() throws {
        let upstream = try ScriptedUpstream(answering: .ok("fine"))
        try withProxy(to: upstream, provider: "credential: k", settings: "hosts: [api.internal, '*.local']") {
            proxy throws in
            let client = try proxy.client()
            for name in ["evil.example", "evil.example:\(proxy.port)", "local", "127.0.0.1.evil.example"] {
                let refused = try client.exchange("POST", "/p/x", fields: host(name), body: "x")
                #expect(refused.status == 421 && refused.code == "bad_client_request")
                #expect(refused.fields["proxy-status"]?.hasSuffix("error=http_request_denied") == true)
            }
            let absolute = try client.exchange("GET", "http://evil.example/p/x", fields: host("evil.example"))
            #expect(absolute.status == 421)
            #expect(upstream.requestCount == 0)
            #expect(try proxy.metric(Self.counter) == 5)
            #expect(proxy.log.exchanges.filter { $0.metadata.contains(#""status":421"#) }.count == 5)
            for name in ["127.0.0.1:\(proxy.port)", "[::1]", "localhost", "API.internal:1", "a.local"] {
                #expect(try client.exchange("POST", "/p/x", fields: host(name), body: "x").status == 200)
            }
            #expect(upstream.requestCount == 5)
        }
    }

    @Test("without a credential, and on the admin paths, any name will do")
    func unconcerned() throws {
        let upstream = try ScriptedUpstream(answering: .ok("fine"))
        try withProxy(to: upstream) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x", fields: host("any.example")).status == 200)
        }
        try withProxy(to: upstream, provider: "credential: k") { proxy throws in
            #expect(try proxy.exchange("GET", "/metrics", fields: host("any.example")).status == 200)
            #expect(try proxy.exchange("GET", "/p/x", fields: host("any.example")).status == 421)
        }
        try withProxy(to: upstream, provider: "credential: k", settings: "hosts: ['*']") { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x", fields: host("any.example")).status == 200)
            // No browser leaves it out.
            let old = try proxy.client()
            try old.send("GET /p/x HTTP/1.0\r\n\r\n")
            #expect(try old.readResponse().status == 200)
        }
    }

    @Test("a large body of a request that asks for another name is not waited for")
    func largeBody() throws {
        let upstream = try ScriptedUpstream(answering: .ok("fine"))
        try withProxy(to: upstream, provider: "credential: k") { proxy throws in
            let client = try proxy.client()
            let length = ("Content-Length", "50000000")
            try client.request("POST", "/p/x", fields: host("evil.example") + [length])
            #expect(try client.readResponse().status == 421)
            #expect(upstream.requestCount == 0)
        }
    }

    @Test("a reload changes the names")
    func reload() throws {
        let upstream = try ScriptedUpstream(answering: .ok("fine"))
        let provider = "providers: { p: { profile: generic, upstream: '\(upstream.url)', credential: k } }"
        try withProxy(provider, upstreams: [upstream], settings: "hosts: [a.test]") { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x", fields: host("a.test")).status == 200)
            try proxy.reload(yaml: "listen: 127.0.0.1:0\nworkers: 1\nhosts: [b.test]\n\(provider)")
            try eventually("the new name to be allowed") {
                try proxy.exchange("GET", "/p/x", fields: host("b.test")).status == 200
            }
            #expect(try proxy.exchange("GET", "/p/x", fields: host("a.test")).status == 421)
        }
    }
}
