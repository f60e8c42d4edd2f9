import TestSupport
import Testing

@Suite(.blocking) struct TargetTests {
    static let rests = [
        "/", "/a", "/a/", "//", "//a//b//", "/a%2Fb", "/%2F", "/%41%62", "/a+b", "/a;b=c;d", "/../a/../..",
        "/.",
        "/..%2f..", "/a%00b", "/%", "/%zz", "/caf\u{C3}\u{A9}", "/\u{FF}\u{FE}", "/a?", "/?", "/?x=1&y=%20+",
        "/?a?b?c",
        "/?a&a&a=&=&&", "/a\\b|c^d`e{f}\"<>", "/?q=http://example.com/../x", "/:80/x", "/@x", "/*",
        "/~!$&'()*+,;=:@",
        "/?\u{E4}=\u{00B5}",
    ]

    @Test("path and query reach the provider byte for byte, without the mount", arguments: rests)
    func byteForByte(rest: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("GET /p\(rest) HTTP/1.1\r\nHost: h\r\n\r\n".latin1Bytes)
            #expect(try client.readResponse().status == 200)
            #expect(upstream.requests.map { $0.rawBytes.headLines[0] } == ["GET \(rest) HTTP/1.1"])
        }
    }

    @Test("a target of 7 KiB, of path or query, reaches the provider whole", arguments: ["/", "/?", "/?a&"])
    func long(start: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let rest = start + String(repeating: "a&b=", count: 7 * 256)
            #expect(try proxy.exchange("GET", "/p\(rest)").status == 200)
            #expect(upstream.requests.map(\.target) == [rest])
        }
    }

    @Test(
        "the upstream's own path stands before what follows the mount",
        arguments: [
            ("/p/a?x=1", "/v1/a?x=1"), ("/p", "/v1"), ("/p?x", "/v1?x"), ("/p/", "/v1/"), ("/p//a", "/v1//a"),
        ])
    func prefix(target: String, forwarded: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, prefix: "/v1") { proxy throws in
            #expect(try proxy.exchange("GET", target).status == 200)
            #expect(upstream.requests.map(\.target) == [forwarded])
        }
    }

    @Test(
        "a target that ends with the mount asks the provider for its root",
        arguments: [("/p", "/"), ("/p?x", "/?x")])
    func root(target: String, forwarded: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            #expect(try proxy.exchange("GET", target).status == 200)
            #expect(upstream.requests.map(\.target) == [forwarded])
        }
    }

    @Test(
        "a path under no mount is no provider's",
        arguments: ["/", "/q", "/pq", "/P", "/%70/x", "//p/x", "/../p"])
    func unrouted(target: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", target)
            #expect(response.status == 404)
            #expect(response.problem["code"] == "route_not_found")
            #expect(response.problem["origin"] == "proxy")
            #expect(response.problem["effect"] == "none")
            #expect(upstream.requestCount == 0)
        }
    }

    @Test("the absolute form with Weir's own authority is forwarded in origin form")
    func absoluteForm() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "http://localhost/p/a?b=http://x")
            #expect(response.status == 200)
            #expect(upstream.requests.map(\.target) == ["/a?b=http://x"])
            #expect(upstream.requests.map { $0.fields["Host"] } == ["127.0.0.1:\(upstream.port)"])
        }
    }

    @Test("a provider with a listener of its own gets every path, the admin paths too")
    func ownListener() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "{ profile: generic, upstream: '\(upstream.url)', listen: '127.0.0.1:0' }"
        try withProxy("providers: { p: \(provider) }", upstreams: [upstream]) { proxy throws in
            let port = try #require(proxy.providerPorts["p"])
            for target in ["/", "/p/x", "/metrics", "/-/", "//x"] {
                #expect(try proxy.client(on: port).exchange("GET", target).status == 200)
            }
            #expect(upstream.requests.map(\.target) == ["/", "/p/x", "/metrics", "/-/", "//x"])
        }
    }

    @Test(
        "any method that is a token is forwarded as it is",
        arguments: [
            "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get", "M-SEARCH",
            "X!#$%&'*+.^_`|~9",
        ])
    func methods(method: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            #expect(try client.exchange(method, "/p/x").status == 200)
            #expect(try client.exchange(method, "/p/x", body: "{}").status == 200)
            #expect(try client.exchange(method, "/p/x").status == 200)
            #expect(upstream.requests.map(\.method) == [method, method, method])
            #expect(upstream.requests.map(\.text) == ["", "{}", ""])
            #expect(upstream.connectionCount == 1)
        }
    }
}
