import ProxyCore
import Testing

@Suite("references to a provider's own address")
struct ReferenceRewriterTests {
    private func rewrite(
        _ value: String, name: String = "Location", upstream: String = "https://api.example.com/v1",
        mount: String = "/example"
    ) throws -> String? {
        let rewriter = ReferenceRewriter(upstream: try UpstreamURL(parsing: upstream))
        return rewriter.rewritten(
            Array(name.utf8).span, Array(value.utf8).span, mount: Array(mount.utf8).span
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
            ("https://api.example.com/v1//a", "/example//a"),
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
            "https://api.example.com@evil.test/v1", "https://www.example.com/v1/a", "/v1/leads", "leads", "",
            "//api.example.com/v1/a", "https://", "https://api.example.com",
        ])
    func other(value: String) throws {
        #expect(try rewrite(value) == nil)
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

    @Test("the fields that hold references are known in any case")
    func names() {
        func concerns(_ name: String) -> Bool { ReferenceRewriter.concerns(Array(name.utf8).span) }
        #expect(["Location", "content-location", "LINK"].allSatisfy(concerns))
        #expect(!["Etag", "x-header", "Locations", "Date"].contains(where: concerns))
    }
}
