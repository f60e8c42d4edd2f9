import Core
import Foundation
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

    @Test("without a credential any name will do, and any page")
    func unconcerned() throws {
        let upstream = try ScriptedUpstream(answering: .ok("fine"))
        let page = [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
        try withProxy(to: upstream) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x", fields: host("any.example")).status == 200)
            #expect(try proxy.exchange("POST", "/p/x", fields: page, body: "x").status == 200)
            let preflight = page + [("Access-Control-Request-Method", "POST")]
            #expect(try proxy.exchange("OPTIONS", "/p/x", fields: preflight).status == 200)
            #expect(try proxy.exchange("GET", "/p/../x").status == 200)
        }
        try withProxy(to: upstream, provider: "credential: k", settings: "hosts: ['*']") { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x", fields: host("any.example")).status == 200)
            // No browser leaves it out.
            let old = try proxy.client()
            try old.send("GET /p/x HTTP/1.0\r\n\r\n")
            #expect(try old.readResponse().status == 200)
        }
    }

    /// What browsers send, and the status that it gets where Weir adds a credential, or from a page of Weir's own.
    static let requests: [(fields: [(String, String)], status: Int)] = [
        (
            [
                ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Mode", "cors"),
            ], 403
        ),
        (
            [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")],
            403
        ),
        ([("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")], 403),
        ([("Sec-Fetch-Site", "same-site")], 403),
        ([("Origin", "https://evil.example"), ("Content-Type", "application/x-www-form-urlencoded")], 403),
        ([("Origin", "null")], 403),
        ([("Origin", "http://localhost"), ("Origin", "https://evil.example")], 403),
        (
            [
                ("Origin", "https://evil.example"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                ("Sec-WebSocket-Version", "13"),
            ],
            403
        ),
        (
            [("Host", "evil.example"), ("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")],
            421
        ),
        ([("Host", "evil.example"), ("Sec-Fetch-Site", "same-origin")], 421),
        ([("Origin", "http://localhost:3000"), ("Sec-Fetch-Site", "same-origin")], 200),
        ([("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate")], 200),
        ([("Origin", "http://api.internal")], 200),
        ([("Host", "api.internal"), ("Origin", "http://api.internal:8080")], 200), ([], 200),
        ([("Origin", "http://[::1]:3000")], 200), ([("Referer", "https://docs.example/")], 200),
    ]

    @Test(
        "where Weir adds a credential, nothing that a web page of another site sends reaches the provider",
        arguments: ["GET", "POST"])
    func pages(method: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok("fine"))
        try withProxy(to: upstream, provider: "credential: k", settings: "hosts: [api.internal]") {
            proxy throws in
            let client = try proxy.client()
            for (fields, status) in Self.requests {
                let before = upstream.requestCount
                let body = method == "POST" ? "a=b" : ""
                let response = try client.exchange(method, "/p/x", fields: fields, body: body)
                #expect(response.status == status, "\(fields)")
                #expect(upstream.requestCount == before + (status == 200 ? 1 : 0), "\(fields)")
                guard status != 200 else { continue }
                #expect(response.code == "bad_client_request" && response.problem["effect"] == "none")
                #expect(response.fields["Proxy-Status"]?.hasSuffix("error=http_request_denied") == true)
            }
        }
    }

    @Test("a CORS preflight is not sent with Weir's credential, whatever page asks")
    func preflights() throws {
        let upstream = try ScriptedUpstream(answering: .ok("fine"))
        try withProxy(to: upstream, provider: "credential: k") { proxy throws in
            for origin in ["https://evil.example", "http://localhost:3000", "http://127.0.0.1"] {
                let fields = [("Origin", origin), ("Access-Control-Request-Method", "POST")]
                let response = try proxy.exchange("OPTIONS", "/p/x", fields: fields)
                #expect(response.status == 403 && response.fields["Access-Control-Allow-Origin"] == nil)
            }
            #expect(upstream.requestCount == 0)
            #expect(try proxy.exchange("OPTIONS", "/p/x").status == 200)
        }
    }

    private static let adminPaths = [
        "/-/", "/-", "/-/limits", "/-/requests", "/-/requests/x", "/-/unmapped", "/-/errors",
        "/-/errors/not_found",
        "/-/schema/problem.json", "/-/nothing", "/metrics", "/livez", "/readyz",
    ]

    @Test(
        "Weir's own pages are not for a page of another site, on whatever port they are",
        arguments: ["", "admin: { listen: 127.0.0.1:0 }"], adminPaths)
    func adminPages(settings: String, path: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok("fine"))
        try withProxy(to: upstream, settings: settings + "\nhosts: [api.internal]") { proxy throws in
            let client = try proxy.client(on: proxy.adminPort)
            let usual = try client.exchange("GET", path).status
            for (fields, status) in Self.requests {
                for method in ["GET", "HEAD"] {
                    let response = try client.exchange(method, path, fields: fields)
                    #expect(response.status == (status == 200 ? usual : status), "\(method) \(fields)")
                    #expect(response.fields["Access-Control-Allow-Origin"] == nil)
                }
            }
            // How probes and a scraper that knows an address ask.
            for host in ["10.0.0.7:9464", "[fd00::7]:9464", "localhost", "127.0.0.1"] {
                #expect(try client.exchange("GET", path, fields: [("Host", host)]).status == usual)
            }
        }
    }

    @Test(
        "a path with a dot segment is not sent with Weir's credential",
        arguments: [
            "/p/../../admin", "/p/..", "/p/.", "/p/a/./b", "/p/%2e%2e/admin", "/p/%2E./x", "/p/..%2fadmin",
            "/p/..%5Cadmin",
            "/p/..;/admin", "/p/%252e%252e/x", "/p/..\\admin", "http://localhost/p/../x", "/p/a/..?x",
            "/p/%c0%ae%c0%ae/x",
        ])
    func dotSegments(target: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok("fine"))
        let provider =
            "providers: { p: { profile: generic, upstream: '\(upstream.url)/v1', listen: 127.0.0.1:0, mount: /p, credential: k } }"
        try withProxy(provider, upstreams: [upstream]) { proxy throws in
            let own = try #require(proxy.providerPorts["p"])
            for (port, target) in [
                (proxy.port, target), (own, target.replacingOccurrences(of: "/p/", with: "/")),
            ] {
                for (method, body) in [("GET", ""), ("POST", "x")] {
                    let response = try proxy.client(on: port).exchange(method, target, body: body)
                    #expect(response.status == 400 && response.code == "bad_client_request", "\(target)")
                    #expect(response.problem["effect"] == "none" && response.problem["provider"] == "p")
                }
            }
            #expect(upstream.requestCount == 0)
            #expect(try proxy.exchange("GET", "/p/v1.0/.well-known/a..b?x=/../").status == 200)
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
