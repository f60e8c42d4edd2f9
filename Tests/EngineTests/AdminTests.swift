import BuiltIn
import Core
import TestSupport
import Testing

@Suite("Weir's own pages", .blocking)
struct AdminTests {
    private func withPages(_ body: (ProxyFixture) throws -> Void) throws {
        try withProxy(to: try ScriptedUpstream(answering: .ok()), body)
    }

    @Test("liveness and readiness do not depend on a provider")
    func probes() throws {
        let upstream = try ScriptedUpstream()
        upstream.stop()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            for (path, body) in [("/livez", #"{"status":"alive"}"#), ("/readyz", #"{"status":"ready"}"#)] {
                let response = try client.exchange("GET", path)
                #expect(response.status == 200)
                #expect(response.text == body)
                #expect(response.fields["Content-Type"] == "application/json")
                #expect(response.fields["Cache-Control"] == "no-store")
                let head = try client.exchange("HEAD", path)
                #expect(head.status == 200)
                #expect(head.fields["Content-Length"] == "\(body.utf8.count)")
            }
        }
    }

    @Test("the schema is the one that ships")
    func schema() throws {
        try withPages { proxy in
            let response = try proxy.exchange("GET", "/-/schema/problem.json")
            #expect(response.text == BuiltIn.problemSchema)
            #expect(response.fields["Content-Type"] == "application/schema+json")
        }
    }

    @Test("every code has a page, in HTML and in JSON")
    func codes() throws {
        try withPages { proxy in
            let client = try proxy.client()
            for code in ProblemCode.allCases {
                let html = try client.exchange(
                    "GET", "/-/errors/\(code.name)", fields: [("Accept", "text/html,*/*;q=0.1")])
                #expect(html.status == 200)
                #expect(html.fields["Content-Type"] == "text/html; charset=utf-8")
                #expect(html.text.contains("<code>\(code.name)</code>"))
                let json = try client.exchange("GET", "/-/errors/\(code.name)")
                #expect(json.fields["Content-Type"] == "application/json")
                #expect(json.problem["code"] == code.name)
                #expect(json.problem["type"] == "/-/errors/\(code.name)")
                #expect(json.problem["status"] == "\(code.status)")
                #expect(json.problem["documentation"]?.isEmpty == false)
            }
            for path in ["/-/errors", "/-/errors/"] {
                let index = try client.exchange("GET", path)
                guard case .array(let entries)? = JSONSchema.parse(index.body.bytes) else {
                    Issue.record("\(index.text)")
                    continue
                }
                #expect(entries.count == ProblemCode.allCases.count)
            }
            let index = try client.exchange("GET", "/-/errors", fields: [("Accept", "text/html")])
            #expect(ProblemCode.allCases.allSatisfy { index.text.contains("/-/errors/\($0.name)\"") })
        }
    }

    @Test("the status page names the providers")
    func statusPage() throws {
        try withPages { proxy in
            for path in ["/-/", "/-"] {
                let page = try proxy.exchange("GET", path)
                #expect(page.status == 200)
                #expect(page.fields["Content-Type"] == "text/html; charset=utf-8")
                #expect(page.text.contains("<td>p</td>") && page.text.contains("/metrics"))
            }
        }
    }

    @Test(
        "an unknown admin path returns a problem",
        arguments: ["/-/nothing", "/-/errors/no_such", "/-/schema/"])
    func unknown(path: String) throws {
        try withPages { proxy in
            let response = try proxy.exchange("GET", path)
            #expect(response.status == 404)
            #expect(response.code == "route_not_found")
        }
    }

    @Test("problems of the pages have the fields that every problem has")
    func problemFields() throws {
        try withPages { proxy in
            for (method, path, status, error) in [
                ("GET", "/-/nothing", 404, "destination_not_found"),
                ("GET", "/-/requests/none", 404, "destination_not_found"),
                ("GET", "/-/limits?cost=0", 400, "http_request_error"),
                ("POST", "/metrics", 405, "http_request_error"),
            ] {
                let response = try proxy.exchange(method, path)
                #expect(response.status == status)
                let proxyStatus = response.fields.values(of: "Proxy-Status")
                #expect(proxyStatus.count == 1)
                #expect(proxyStatus.first?.hasPrefix("weir-") == true)
                #expect(proxyStatus.first?.hasSuffix("; error=\(error)") == true, "\(proxyStatus)")
                #expect(response.fields["X-Error-Code"] == response.problem["code"])
                #expect(response.fields["X-Request-Id"] == response.problem["request_id"])
                #expect(response.fields.values(of: "Cache-Control") == ["no-store"])
                #expect(response.fields["Content-Type"] == "application/problem+json")
            }
            #expect(try proxy.exchange("GET", "/livez").fields["Proxy-Status"] == nil)
        }
    }

    @Test(
        "admin pages accept only GET and HEAD",
        arguments: ["/metrics", "/livez", "/readyz", "/-/", "/-/errors/not_found"])
    func readOnly(path: String) throws {
        try withPages { proxy in
            let client = try proxy.client()
            for (method, body) in [
                ("POST", "{}"), ("DELETE", ""), ("PUT", String(repeating: "x", count: 100_000)),
            ] {
                let response = try client.exchange(method, path, body: body)
                #expect(response.status == 405)
                #expect(response.code == "bad_client_request")
                #expect(response.fields["Allow"] == "GET, HEAD")
            }
            #expect(try client.exchange("GET", "/livez").status == 200)
        }
    }

    @Test(
        "a request for a page is as well-formed as any other",
        arguments: [
            ("", 400), ("Host: a\r\nHost: b\r\n", 400), ("Host: a b\r\n", 400),
            ("Host: a\r\nExpect: x\r\n", 417),
        ])
    func malformed(fields: String, status: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.send("GET /metrics HTTP/1.1\r\n\(fields)\r\n")
            let response = try client.readResponse()
            #expect(response.status == status)
            #expect(response.code == "bad_client_request")
        }
    }

    @Test(
        "the pages that a problem links to are on the port that it came from",
        arguments: ["", "admin: { listen: 127.0.0.1:0 }"], [1, 2])
    func linkedPages(settings: String, workers: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                exchange.request.target == "/-/limits" ? .ok("theirs") : .status(418, body: "no"))
        }
        let provider =
            "providers: { p: { profile: generic, upstream: '\(upstream.url)', mount: /p, listen: 127.0.0.1:0 } }"
        try withProxy(provider, upstreams: [upstream], workers: workers, settings: settings) { proxy throws in
            let own = try #require(proxy.providerPorts["p"])
            for (port, target) in [
                (proxy.port, "/p/x"), (proxy.port, "/nowhere"), (own, "/x"), (proxy.adminPort, "/-/nothing"),
            ] {
                let sent = try proxy.client(on: port).exchange("GET", target)
                let type = try #require(sent.problem["type"])
                let page = try proxy.client(on: port).exchange("GET", type)
                #expect(page.status == 200 && page.problem["code"] == sent.code, "\(target)")
                let html = try proxy.client(on: port).exchange("GET", type, fields: [("Accept", "text/html")])
                #expect(html.fields["Content-Type"] == "text/html; charset=utf-8")
                #expect(try proxy.client(on: port).exchange("GET", "/-/errors").status == 200)
                let schema = try proxy.client(on: port).exchange("GET", "/-/schema/problem.json")
                #expect(schema.text == BuiltIn.problemSchema)
                let evil = try proxy.client(on: port).exchange(
                    "GET", type, fields: [("Host", "evil.example")])
                #expect(evil.status == 421 && !evil.text.contains("documentation"))
                // What the admin pages say themselves is not kept.
                guard port != proxy.adminPort || target.hasPrefix("/p") || target == "/nowhere" else {
                    continue
                }
                let instance = try #require(sent.problem["instance"])
                try eventually("the page of \(instance)") {
                    try proxy.client(on: port).exchange("GET", instance).status == 200
                }
                let cross = [("Sec-Fetch-Site", "cross-site")]
                #expect(try proxy.client(on: port).exchange("GET", instance, fields: cross).status == 403)
                #expect(try proxy.client(on: port).exchange("POST", instance).status == 405)
            }
            // All other pages are where the admin paths are, and a provider's own port has the provider's.
            #expect(try proxy.client(on: own).exchange("GET", "/-/limits").text == "theirs")
            #expect(try proxy.client(on: own).exchange("GET", "/metrics").status == 418)
            for path in [
                "/-/", "/-/limits", "/-/requests", "/-/requests/", "/-/unmapped", "/metrics", "/livez",
            ] {
                let status = try proxy.client(on: proxy.port).exchange("GET", path).status
                #expect(status == (settings.isEmpty ? 200 : 404), "\(path)")
                #expect(try proxy.client(on: proxy.adminPort).exchange("GET", path).status == 200)
            }
        }
    }

    @Test("paths that only resemble admin pages are routed to providers")
    func lookalikes() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "providers: { p: { profile: generic, mount: /, upstream: '\(upstream.url)' } }"
        try withProxy(provider, upstreams: [upstream]) { proxy in
            for path in ["/metricsx", "/metrics/", "/livezz", "/-x", "/ready", "/x?/metrics"] {
                let response = try proxy.exchange("GET", path)
                #expect(response.text == "{}")
            }
            #expect(upstream.requestCount == 6)
            #expect(try proxy.exchange("GET", "/livez?verbose").text.contains("alive"))
        }
    }

    @Test("with a listener of their own, admin pages are served only there")
    func ownListener() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, workers: 2, settings: "admin: { listen: 127.0.0.1:0 }") { proxy in
            #expect(proxy.adminPort != proxy.port)
            for path in ["/metrics", "/livez", "/-/"] {
                let response = try proxy.exchange("GET", path)
                #expect(response.status == 404)
                #expect(response.code == "route_not_found")
                #expect(try proxy.client(on: proxy.adminPort).exchange("GET", path).status == 200)
            }
            let elsewhere = try proxy.client(on: proxy.adminPort).exchange("GET", "/p/a")
            #expect(elsewhere.status == 404)
            #expect(elsewhere.code == "route_not_found")
            #expect(upstream.requestCount == 0)
        }
    }

    @Test(
        "a provider with a port of its own is served there at /, pages and mounts are not", arguments: [1, 2])
    func providerListener(workers: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let providers =
            "providers: { own: { profile: generic, listen: 127.0.0.1:0, upstream: '\(upstream.url)/v1' },"
            + " both: { profile: generic, listen: 127.0.0.1:0, mount: /b, upstream: '\(upstream.url)/v2' } }"
        try withProxy(providers, upstreams: [upstream], workers: workers) { proxy in
            let own = try #require(proxy.providerPorts["own"])
            let both = try #require(proxy.providerPorts["both"])
            for (port, target) in [
                (own, "/a?b"), (own, "/livez"), (own, "/b/c"), (both, "/d"), (proxy.port, "/b/e"),
            ] {
                #expect(try proxy.client(on: port).exchange("GET", target).status == 200)
            }
            #expect(upstream.requests.map(\.target) == ["/v1/a?b", "/v1/livez", "/v1/b/c", "/v2/d", "/v2/e"])
            #expect(try proxy.exchange("GET", "/own/a").status == 404)
        }
    }
}
