import Core
import Testing

@Suite("references to a provider's own address")
struct ReferenceRewriterTests {
    private func rewrite(
        _ value: String, name: String = "Location", upstream: String = "https://api.example.com/v1",
        target: String = "/v1/things/1?x=y", mount: String = "/example", hiding hidden: [String] = []
    ) throws -> String? {
        let rewriter = ReferenceRewriter(
            upstream: try UpstreamURL(parsing: upstream), hiding: hidden.map { Array($0.utf8) })
        return rewriter.rewritten(
            Array(name.utf8).span, Array(value.utf8).span, target: Array(target.utf8).span,
            mount: Array(mount.utf8).span
        ).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "one below the upstream's path becomes one below the mount",
        arguments: [
            ("https://api.example.com/v1/leads/1", "/example/leads/1"),
            ("https://api.example.com/v1", "/example"), ("https://api.example.com/v1/", "/example/"),
            ("https://api.example.com/v1?x=1", "/example?x=1"),
            ("https://api.example.com/v1#f", "/example#f"),
            ("HTTPS://API.Example.Com:443/v1/a?b=%2F#c", "/example/a?b=%2F#c"),
            ("https://api.example.com/v1//a", "/example//a"), ("https://api.example.com:/v1/a", "/example/a"),
            ("https://api.example.com./v1/a", "/example/a"),
            ("https://u:p@api.example.com/v1/a", "/example/a"),
            ("https://api.example.com/v2/../v1/a", "/example/a"),
            ("https://api.example.com/v1/b/./../a", "/example/a"),
            ("//api.example.com/v1/a", "/example/a"), ("//API.example.com:443/v1?x#y", "/example?x#y"),
            ("/v1/leads", "/example/leads"), ("/v1", "/example"), ("/v1/", "/example/"),
            ("/v1?x", "/example?x"),
            ("/v2/../v1/a", "/example/a"), ("/v1/%2e/a", "/example/a"),

        ])
    func below(value: String, expected: String) throws {
        #expect(try rewrite(value) == expected)
    }

    @Test(
        "any other stays as it is",
        arguments: [
            "https://api.example.com/v2/leads", "https://api.example.com/v10", "https://api.example.com/V1/a",
            "http://api.example.com/v1/a", "https://api.example.com:444/v1/a",
            "https://api.example.com.evil.test/v1",
            // Those that the client resolves to the same.
            "next", "2?page=3#f", "./next", "../x", "..", ".", "?page=2", "a/b:c", "\\\\evil.test",
            "../things/./a",
            "https://api.example.com@evil.test/v1", "https://www.example.com/v1/a", "", "#part", "https://",
            "https://api.example.com", "https://api.example.com/v1/../v2/a",
            "https://api.example.com/v1/%2E%2e/a",
            "https://api.example.com:x/v1/a", "https:v1/a", "https:/v1/a", "mailto:a@b.test", "urn:x:y",
            "https://api.example.com\\@evil.test/v1", "https://evil.test\\@api.example.com/v1/a",
        ])
    func other(value: String) throws {
        #expect(try rewrite(value) == nil)
    }

    @Test(
        "one that leads elsewhere at the provider becomes absolute, so that it is not taken for a path of Weir's",
        arguments: [
            ("/login", "https://api.example.com/login"), ("/v10/a", "https://api.example.com/v10/a"),
            ("/v1/../admin?x#y", "https://api.example.com/admin?x#y"),
            ("../../admin", "https://api.example.com/admin"),
            ("/", "https://api.example.com/"), ("//cdn.example.com/v1/a", "https://cdn.example.com/v1/a"),
            ("//api.example.com/v2", "https://api.example.com/v2"),
            ("//api.example.com:444/v1/a", "https://api.example.com:444/v1/a"),
            ("//u@cdn.example.com", "https://u@cdn.example.com"), ("/V1/a", "https://api.example.com/V1/a"),
        ])
    func elsewhere(value: String, expected: String) throws {
        #expect(try rewrite(value) == expected)
    }

    @Test("an address is compared as an address, a port as a number")
    func addresses() throws {
        #expect(try rewrite("http://[0:0:0:0:0:0:0:1]:09/a", upstream: "http://[::1]:9") == "/example/a")
        #expect(try rewrite("http://[::2]:9/a", upstream: "http://[::1]:9") == nil)
        #expect(try rewrite("http://127.0.0.1/a", upstream: "http://127.0.0.1:80") == "/example/a")
    }

    @Test("a reference is resolved against the request, whose base may have no path of its own")
    func bases() throws {
        #expect(try rewrite("next", target: "/v1") == "https://api.example.com/next")
        #expect(try rewrite("next", target: "/v1/") == nil)
        #expect(try rewrite("next", upstream: "https://a.test", target: "/?k=v") == nil)
        #expect(try rewrite("?x", target: "/v1") == nil)
        #expect(try rewrite("x", target: "/v1/a?b=/c/d") == nil)
        #expect(try rewrite("/x?y", upstream: "https://a.test", mount: "") == nil)
        #expect(try rewrite("x", target: "/v1", mount: "") == "https://api.example.com/x")
        #expect(try rewrite("x", target: "/v1/a", mount: "") == nil)
        #expect(try rewrite("\\x", target: "/v1/a", mount: "") == nil)
        #expect(try rewrite("../../x", target: "/v1/a", mount: "") == "https://api.example.com/x")
    }

    @Test("the parameter with Weir's own credential does not come back below the mount")
    func hidden() throws {
        for (value, expected) in [
            ("/v1/a?key=s&page=2", "/example/a?page=2"), ("?page=2&k%65y=s#f", "/example/things/1?page=2#f"),
            ("https://api.example.com/v1/a?key=s", "/example/a"),
        ] { #expect(try rewrite(value, hiding: ["key"]) == expected) }
        let links = "</v1/a?key=s&p=1>; rel=next, <https://api.example.com/v1?p=0&key=s>; rel=prev"
        #expect(
            try rewrite(links, name: "Link", hiding: ["key"])
                == "</example/a?p=1>; rel=next, </example?p=0>; rel=prev")
    }

    @Test(
        "the reference of a Refresh is one as well",
        arguments: [
            ("5; url=/v1/a", "5; url=/example/a"), ("0;URL='/v1/a'", "0;URL='/example/a'"),
            ("0; Url = \"/v1/next\" ", "0; Url = \"/example/next\" "),
            ("3, url=/login", "3, url=https://api.example.com/login"),
            ("5", nil), ("5; /v1/a", nil), ("", nil), ("url", nil), ("0; url='", nil),
            ("0; url=\"/v1/a", "0; url=\"/example/a"),
        ] as [(String, String?)])
    func refreshes(value: String, expected: String?) throws {
        #expect(try rewrite(value, name: "Refresh") == expected)
    }

    @Test(
        "where every path is the provider's, it becomes a path, and never a host",
        arguments: [
            ("http://127.0.0.1:9/a", "/a"), ("http://127.0.0.1:9", "/"), ("http://127.0.0.1:9?x", "/?x"),
            ("http://127.0.0.1:9//evil.test/a", "/.//evil.test/a"),
        ])
    func root(value: String, expected: String) throws {
        #expect(try rewrite(value, upstream: "http://127.0.0.1:9", mount: "") == expected)
    }

    @Test("each link between brackets is looked at, and nothing else of the field is changed")
    func links() throws {
        let value =
            #"<https://api.example.com/v1/a?page=2>; rel="next <https://api.example.com/v1/q>", <https://other.test/>; "#
            + #"rel=last,<https://api.example.com/v1/b>;title="\"<""#
        let expected =
            #"</example/a?page=2>; rel="next <https://api.example.com/v1/q>", <https://other.test/>; "#
            + #"rel=last,</example/b>;title="\"<""#
        #expect(try rewrite(value, name: "Link") == expected)
        #expect(try rewrite("<https://other.test/>; rel=next", name: "Link") == nil)
        #expect(try rewrite("<https://api.example.com/v1/a", name: "Link") == "</example/a")
    }

    @Test(
        "the context of a link is a reference as well",
        arguments: [
            ("</v1/a>; anchor=\"/v1/b\"", "</example/a>; anchor=\"/example/b\""),
            (
                "</v1/a>;ANCHOR = \"https://api.example.com/v1\";rel=x",
                "</example/a>;ANCHOR = \"/example\";rel=x"
            ),
            ("<>; rel=x ;anchor=/v1/b, </v1/c>", "<>; rel=x ;anchor=/example/b, </example/c>"),
            ("<#x>; anchor=\"#y\"", nil), ("<#x>; title=\"anchor=/v1/b\"", nil),
            ("<#x>; xanchor=\"/v1/b\"", nil),
            ("<#x>; anchor=\"/login\"", "<#x>; anchor=\"https://api.example.com/login\""),
            ("<#x>; anchor", nil),
            ("<#x>; anchor=", nil), ("<#x>; anchor=\"", nil), ("<#x>; anchor=\"#\\", nil),
        ] as [(String, String?)])
    func anchors(value: String, expected: String?) throws {
        #expect(try rewrite(value, name: "Link") == expected)
    }

    @Test("the fields that hold references are known in any case")
    func names() {
        func concerns(_ name: String) -> Bool { ReferenceRewriter.concerns(Array(name.utf8).span) }
        #expect(["Location", "content-location", "LINK", "refresh"].allSatisfy(concerns))
        #expect(!["Etag", "x-header", "Locations", "Date"].contains(where: concerns))
    }
}
