import Core
import Testing

struct UpstreamURLTests {
    @Test(
        "a base URL is parsed",
        arguments: [
            ("https://api.lemlist.com/api", "https://api.lemlist.com", "api.lemlist.com", 443, "/api"),
            ("https://api.lemlist.com/api/", "https://api.lemlist.com", "api.lemlist.com", 443, "/api"),
            ("HTTP://Example.COM", "http://example.com", "example.com", 80, ""),
            ("http://example.com/", "http://example.com", "example.com", 80, ""),
            ("http://example.com:8080/v1/x", "http://example.com:8080", "example.com", 8080, "/v1/x"),
            ("https://example.com:443", "https://example.com", "example.com", 443, ""),
            ("https://example.com:80", "https://example.com:80", "example.com", 80, ""),
            ("http://127.0.0.1:9000/v1", "http://127.0.0.1:9000", "127.0.0.1", 9000, "/v1"),
            ("http://[0:0::1]:9/a%20b", "http://[::1]:9", "::1", 9, "/a%20b"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]", "2001:db8::1", 443, ""),
            ("http://my_service", "http://my_service", "my_service", 80, ""),
            ("http://a/@x", "http://a", "a", 80, "/@x"),
        ])
    func parts(text: String, origin: String, host: String, port: UInt16, prefix: String) throws {
        let url = try UpstreamURL(parsing: text)
        #expect(url.origin == origin)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.pathPrefix == prefix)
        #expect(try UpstreamURL(parsing: url.description) == url)
    }

    @Test(
        "an invalid base URL is rejected",
        arguments: [
            "", "example.com", "//example.com", "ftp://example.com", "https:example.com", "https://",
            "https:///x",
            "http://user@example.com", "http://user:pw@example.com/", "http://example.com?x",
            "http://example.com/#a",
            "http://example.com:", "http://example.com:0", "http://example.com:65536",
            "http://example.com:8o",
            "http://a..b", "http://a.", "http://-a", "http://a-", "http://a b", "http://a\tb",
            "http://a\r\nX: y",
            "http://ä.example", "http://127.1", "http://0x7f.0.0.1", "http://0x7f000001", "http://2130706433",
            "http://1.2.3.4.5", "http://256.1.1.1", "http://[::1", "http://::1", "http://[127.0.0.1]",
            "http://[]",
            "http://[::1]x", "http://a/b//c", "http://a/..", "http://a/./b", "http://a/%", "http://a/%2",
            "http://a/%zz",
            "http://a/<", "http://a\\b", "http://a/b\\c", "http://" + String(repeating: "a", count: 64),
            "http://a/" + String(repeating: "a", count: 2048),
        ])
    func refused(text: String) { #expect(throws: InvalidSetting.self) { try UpstreamURL(parsing: text) } }

    @Test("an IP address and localhost imply that a private address is intended")
    func privateByItself() throws {
        for text in ["http://127.0.0.1", "http://[::1]:8080", "https://10.0.0.1/x", "http://LOCALHOST:3000"] {
            #expect(try UpstreamURL(parsing: text).isPrivateByItself, "\(text)")
        }
        for text in ["http://example.com", "http://localhost.example.com", "http://service"] {
            #expect(try !UpstreamURL(parsing: text).isPrivateByItself, "\(text)")
        }
    }

    @Test("TLS and the Host field follow from the URL")
    func authority() throws {
        #expect(try UpstreamURL(parsing: "https://a").isTLS)
        #expect(try !UpstreamURL(parsing: "http://a").isTLS)
        #expect(try UpstreamURL(parsing: "http://[::1]:81").authority == "[::1]:81")
        #expect(try UpstreamURL(parsing: "http://a:80").authority == "a")
    }
}
