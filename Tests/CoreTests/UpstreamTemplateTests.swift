import Core
import Testing

@Suite("the variables of a base URL")
struct UpstreamTemplateTests {
    private static func url(_ text: String, _ values: [String: String]) throws -> String {
        try UpstreamTemplate(parsing: text).url { values[$0] }.description
    }

    @Test(
        "each position takes its variable",
        arguments: [
            (
                "https://{dc}.api.mailchimp.com/3.0", "https://us6.api.mailchimp.com/3.0",
                UpstreamTemplate.Position.label
            ),
            ("https://api-{dc}.example.com", "https://api-us6.example.com", .label),
            ("https://{dc}-x.{dc}.example.com:8443", "https://us6-x.us6.example.com:8443", .label),
            ("https://{dc}", "https://us6", .host), ("https://{dc}/api", "https://us6/api", .host),
            ("https://{dc}:8443/a", "https://us6:8443/a", .host),
            ("https://api.example.com/{dc}/v1", "https://api.example.com/us6/v1", .path),
            ("https://api.example.com/v1/x-{dc}", "https://api.example.com/v1/x-us6", .path),
        ])
    func positions(text: String, expected: String, position: UpstreamTemplate.Position) throws {
        let template = try UpstreamTemplate(parsing: text)
        #expect(template.names == ["dc"] && template.position(of: "dc") == position)
        #expect(try template.url { _ in "us6" }.description == expected)
    }

    @Test("a port can be a variable")
    func port() throws {
        #expect(try Self.url("http://localhost:{port}/v1", ["port": "8081"]) == "http://localhost:8081/v1")
        let both = try UpstreamTemplate(parsing: "http://{host}:{port}")
        #expect(both.names == ["host", "port"] && both.position(of: "port") == .port)
    }

    @Test(
        "a template that would let a variable choose the registered domain, or is none, is refused",
        arguments: [
            "https://{a}.com", "https://api.{a}", "https://api.{a}.com", "https://example{a}.com",
            "https://x.{a}.{b}.com",
            "https://{a}..com", "https://{a}.x.", "{a}://example.com", "https{a}://example.com",
            "example.com/{a}",
            "https://{A}.example.com", "https://{}.example.com", "https://{a.example.com",
            "https://a}.example.com",
            "https://{a{b}}.example.com", "https://{1a}.example.com", "https://u{a}@example.com",
            "https://{a}@b.example.com",
            "https://b.example.com:{a}1", "https://b.example.com/?{a}", "https://b.example.com/{a}/../x",
        ])
    func refused(text: String) {
        #expect(throws: InvalidSetting.self) { try UpstreamTemplate(parsing: text) }
    }

    /// Values that would lead elsewhere, at each position.
    private static let hostile = [
        "", ".", "..", "evil.com", "evil.com/", "a/b", "a@b", "a:1", "a?b", "a#b", "a%2fb", "-a", "a-", "a b",
        "a\n", "é", "{a}", "\\",
        String(repeating: "a", count: 64),
    ]

    @Test("no value changes the registered domain", arguments: hostile)
    func hostileLabels(value: String) throws {
        for text in ["https://{a}.api.example.com/v1", "https://x-{a}.example.com"] {
            let template = try UpstreamTemplate(parsing: text)
            #expect(template.mistake(in: value, of: "a") != nil, "\(value)")
        }
    }

    @Test(
        "no value leaves its path segment",
        arguments: ["", ".", "..", "a/b", "a?b", "a#b", "%2e", "a b", "a\\", "é", "{a}", "a@", "a;b"])
    func hostileSegments(value: String) throws {
        let template = try UpstreamTemplate(parsing: "https://api.example.com/{a}/v1")
        #expect(template.mistake(in: value, of: "a") != nil)
        #expect(template.mistake(in: "a-B.c_d~1", of: "a") == nil)
    }

    @Test("a host and a port have their own characters")
    func others() throws {
        let host = try UpstreamTemplate(parsing: "https://{a}/v1")
        for value in ["a/b", "u@b", "a?b", "a#b", "a b", ""] {
            #expect(host.mistake(in: value, of: "a") != nil, "\(value)")
        }
        for value in ["example.com", "example.com:8443", "10.0.0.1", "[::1]:80"] {
            #expect(host.mistake(in: value, of: "a") == nil, "\(value)")
        }
        let port = try UpstreamTemplate(parsing: "http://localhost:{a}")
        for value in ["0", "65536", "x", "+1", "8 0", "", "99999999999999999999"] {
            #expect(port.mistake(in: value, of: "a") != nil, "\(value)")
        }
        #expect(port.mistake(in: "65535", of: "a") == nil)
    }

    @Test("a variable that stands at two positions must fit both")
    func twice() throws {
        let template = try UpstreamTemplate(parsing: "https://{a}.example.com/{a}")
        #expect(template.names == ["a"] && template.mistake(in: "x_y", of: "a") != nil)
        #expect(template.mistake(in: "x-y", of: "a") == nil)
    }
}
