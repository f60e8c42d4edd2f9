import Foundation
import TestSupport
import Testing

/// References to the provider's own address in the fields of its answers.
@Suite(.blocking) struct LocationTests {
    private func answer(_ status: Int, _ url: String) -> ScriptedResponse {
        .status(
            status,
            fields: [
                ("Location", "\(url)/v1/things/1"), ("Content-Location", "\(url)/v1/things/1?full"),
                ("Link", "<\(url)/v1/things?page=2>; rel=\"next\", <https://other.test/>; rel=\"help\""),
            ])
    }

    @Test("an app that follows them stays with Weir", arguments: [201, 302, 303, 308])
    func followed(status: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            let host = try #require(exchange.request.fields["Host"])
            try exchange.respond(self.answer(status, "http://\(host)"))
        }
        try withProxy(to: upstream, prefix: "/v1") { proxy throws in
            let response = try proxy.exchange("POST", "/p/things")
            #expect(response.status == status)
            #expect(response.fields["Location"] == "/p/things/1")
            #expect(response.fields["Content-Location"] == "/p/things/1?full")
            #expect(
                response.fields["Link"]
                    == "</p/things?page=2>; rel=\"next\", <https://other.test/>; rel=\"help\"")
        }
    }

    @Test("in trailers and in the context of links they lead to Weir as well", arguments: ["GET", "POST"])
    func trailers(method: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            let host = try #require(exchange.request.fields["Host"])
            let links = "<http://\(host)/v1/a>; rel=next; anchor=\"http://\(host)/v1/b\""
            try exchange.respond(
                .chunked(
                    fields: [("Trailer", "Link, Refresh"), ("Link", links)], chunks: ["a", "b"],
                    trailers: [("Link", links), ("Refresh", "5; url=http://\(host)/v1/c"), ("X-Sum", "1")]))
        }
        try withProxy(to: upstream, prefix: "/v1") { proxy throws in
            let response = try proxy.exchange(method, "/p/things")
            let links = "</p/a>; rel=next; anchor=\"/p/b\""
            #expect(response.fields["Link"] == links && response.trailers["Link"] == links)
            #expect(response.trailers["Refresh"] == "5; url=/p/c" && response.trailers["X-Sum"] == "1")
        }
    }

    @Test("they stay as they are if that is configured, or if they lead elsewhere", arguments: [true, false])
    func untouched(isConfigured: Bool) throws {
        let elsewhere = isConfigured ? "" : "example."
        let upstream = try ScriptedUpstream { exchange in
            let host = try #require(exchange.request.fields["Host"])
            try exchange.respond(self.answer(201, "http://\(elsewhere)\(host)"))
        }
        let provider = isConfigured ? "rewrite_locations: off" : ""
        try withProxy(to: upstream, prefix: "/v1", provider: provider) { proxy throws in
            let response = try proxy.exchange("POST", "/p/things")
            #expect(response.fields["Location"]?.hasPrefix("http://") == true)
            #expect(response.fields["Link"]?.contains("<http://\(elsewhere)127.0.0.1") == true)
        }
    }

    /// References for a request to `/p/things/1?x=y` in front of `HOST/v1`, and what the client must get.
    private static let references = [
        ("/v1/next", "/p/next"), ("/v1", "/p"), ("next", "next"), ("./next", "./next"),
        ("../other", "../other"),
        ("?page=2", "?page=2"), ("//HOST/v1/a", "/p/a"), ("HTTP://HOST/v1/a?b#c", "/p/a?b#c"),
        ("http://user:pw@HOST/v1/a", "/p/a"), ("/v1/./b/../a", "/p/a"), ("#part", "#part"),
        ("/login", "http://HOST/login"),
        ("../../admin", "http://HOST/admin"), ("//cdn.test/v1/a", "http://cdn.test/v1/a"),
        ("/v1/%2e%2e/x", "http://HOST/x"),
        ("http://HOST/v2", "http://HOST/v2"), ("https://other.test/v1/a", "https://other.test/v1/a"),
        ("mailto:a@b.test", "mailto:a@b.test"), ("", ""),
    ]

    @Test(
        "a reference leads where the provider meant, through Weir if that is below the upstream",
        arguments: [201, 302, 103, 404, 200])
    func resolved(status: Int) throws {
        for (reference, expected) in Self.references {
            let upstream = try ScriptedUpstream { exchange in
                let host = try #require(exchange.request.fields["Host"])
                let value = reference.replacingOccurrences(of: "HOST", with: host)
                let fields = [
                    ("Location", value), ("Content-Location", value),
                    ("Link", "<\(value)>; rel=\"a\", <\(value)>"),
                    ("Refresh", "5; url=\(value)"),
                ]
                try exchange.respond(
                    status == 103
                        ? .informational(103, fields: fields, then: .ok())
                        : .status(status, fields: fields, body: "x"))
            }
            try withProxy(to: upstream, prefix: "/v1") { proxy throws in
                let response = try proxy.exchange(
                    "GET", "/p/things/1?x=y", fields: [("Host", "client.example")])
                let fields = response.informational.first?.fields ?? response.fields
                let host = "127.0.0.1:\(upstream.port)"
                let expected = expected.replacingOccurrences(of: "HOST", with: host)
                for name in ["Location", "Content-Location"] {
                    #expect(fields[name] == expected, "\(name) \(reference)")
                }
                #expect(fields["Link"] == "<\(expected)>; rel=\"a\", <\(expected)>", "\(reference)")
                #expect(fields["Refresh"] == "5; url=\(expected)", "\(reference)")
            }
        }
    }

    @Test(
        "on a provider's own port every path is the provider's, and a reference without its own path is absolute"
    )
    func ownPort() throws {
        let upstream = try ScriptedUpstream { exchange in
            let location = exchange.request.target.dropFirst("/v1/".count)
            try exchange.respond(.status(302, fields: [("Location", "/\(location)")]))
        }
        let provider =
            "providers: { p: { profile: generic, upstream: '\(upstream.url)/v1', listen: 127.0.0.1:0 } }"
        try withProxy(provider, upstreams: [upstream]) { proxy throws in
            let port = try #require(proxy.providerPorts["p"])
            for (target, expected) in [
                ("/v1/a", "/a"), ("/v1", "/"), ("/v1//evil.test", "/.//evil.test"),
                ("/v2", "\(upstream.url)/v2"),
            ] {
                #expect(try proxy.client(on: port).exchange("GET", target).fields["Location"] == expected)
            }
        }
    }

    @Test(
        "a client that follows a reference reaches the provider through Weir",
        arguments: ["/v1/b", "b", "../v1/b", "//HOST/v1/b", "?b"])
    func isFollowed(reference: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            let host = try #require(exchange.request.fields["Host"])
            let value = reference.replacingOccurrences(of: "HOST", with: host)
            try exchange.respond(
                exchange.request.target == "/v1/a"
                    ? .status(302, fields: [("Location", value)]) : .ok("there"))
        }
        try withProxy(to: upstream, prefix: "/v1", provider: "credential: k") { proxy throws in
            let location = try #require(try proxy.exchange("GET", "/p/a").fields["Location"])
            let base = try #require(URL(string: "http://127.0.0.1:\(proxy.port)/p/a"))
            let url = try #require(URL(string: location, relativeTo: base)?.absoluteString)
            let followed = url.dropFirst("http://127.0.0.1:\(proxy.port)".count)
            #expect(try proxy.exchange("GET", String(followed)).text == "there")
            let request = try #require(upstream.requests.last)
            #expect(request.target == (reference == "?b" ? "/v1/a?b" : "/v1/b"))
            #expect(request.fields["Authorization"] == "Bearer k")
        }
    }
}
