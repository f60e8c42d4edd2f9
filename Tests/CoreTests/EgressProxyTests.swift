import Core
import Testing

@Suite("the proxy that the environment names")
struct EgressProxyTests {
    private func proxy(_ upstream: String, _ variables: [String: String]) throws -> String? {
        try EgressProxy.fromEnvironment(for: UpstreamURL(parsing: upstream)) { variables[$0] }?.url.value
    }

    @Test("the variable of the upstream's scheme is used, in lower case first, else the one for all")
    func variables() throws {
        let all = [
            "https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1", "HTTP_PROXY": "c:1",
            "ALL_PROXY": "http://d",
        ]
        #expect(try proxy("https://api.example", all) == "http://a:1")
        #expect(try proxy("http://api.example", all) == "http://c:1")
        #expect(try proxy("https://api.example", ["ALL_PROXY": "socks5h://u:p@d"]) == "socks5h://u:p@d")
        #expect(try proxy("https://api.example", ["https_proxy": ""]) == nil)
        #expect(try proxy("https://api.example", ["http_proxy": "http://a:1"]) == nil)
    }

    @Test(
        "this machine is reached directly",
        arguments: ["http://localhost:1", "http://127.0.0.2", "https://[::1]:8"])
    func loopback(upstream: String) throws {
        #expect(try proxy(upstream, ["all_proxy": "http://a:1"]) == nil)
    }

    @Test(
        "no_proxy names hosts, domains, addresses and blocks, with ports",
        arguments: [
            ("*", true), ("example", true), (".example", true), ("API.example", true),
            ("api.example:443", true),
            ("api.example:80", false), ("pi.example", false), ("other, x.api.example", false),
            ("a b api.example", true),
            ("", false), (".", false),
        ])
    func names(list: String, isDirect: Bool) throws {
        let found = try proxy("https://api.example", ["all_proxy": "p:1", "NO_PROXY": list])
        #expect((found == nil) == isDirect)
    }

    @Test(
        "addresses are compared as numbers",
        arguments: [
            ("192.0.2.1", "192.0.2.0/24", true), ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "0.0.0.0/0", true),
            ("192.0.2.1", "192.0.3.0/24", false), ("192.0.2.1", "192.0.2.0/33", false),
            ("192.0.2.1", "2.1", false),
            ("[2001:db8::1]", "2001:db8:0:0::1", true), ("[2001:db8::1]", "[2001:db8::1]:80", true),
            ("[2001:db8::1]", "2001:db8::/32", true), ("[2001:db8::1]", "2001:db8::/128", false),
            ("[2001:db8::1]", "2001:db9::/32", false), ("[2001:db8::1]", "10.0.0.0/8", false),
        ])
    func addresses(host: String, list: String, isDirect: Bool) throws {
        let found = try proxy("http://\(host)", ["all_proxy": "p:1", "no_proxy": list])
        #expect((found == nil) == isDirect)
    }

    @Test(
        "what is no proxy is refused, with the variable's name and without its value",
        arguments: [
            "ftp://a", "http://", "http://a:0", "http://a:70000", "http://a/path", "a b", "http://u:p@",
        ])
    func mistakes(text: String) {
        #expect {
            try proxy("https://api.example", ["HTTPS_PROXY": text])
        } throws: { error in
            let reason = (error as? InvalidSetting)?.reason ?? ""
            return reason.contains("HTTPS_PROXY") && !reason.contains(text)
        }
    }

    @Test("user and password are never shown")
    func secrecy() throws {
        let proxy = try EgressProxy(parsing: "http://user:pass@host:3128")
        #expect(!"\(proxy)".contains("pass"))
        #expect(proxy.display == "http://host:3128")
    }
}
