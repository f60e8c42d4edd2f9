import Core
import Testing
import Wire

@Suite("requests that a web page could have sent")
struct PageGuardTests {
    private func refusal(
        _ fields: [(String, String)], names: [String] = [], isOptions: Bool = false
    ) throws -> PageGuard.Refusal? {
        var pages = PageGuard(names: try names.map { name throws in try HostPattern(parsing: name) })
        for (name, value) in fields { pages.take(name: Array(name.utf8).span, value: Array(value.utf8).span) }
        return pages.refusal(isOptions: isOptions)
    }

    @Test(
        "an origin whose host would be allowed in Host is allowed",
        arguments: [
            "http://127.0.0.1:8080", "https://127.0.0.1", "http://localhost:3000", "HTTP://LocalHost",
            "http://[::1]:80",
            "http://[::1]", "http://localhost.", "http://api.internal:81", "https://a.local",
            "http://192.0.2.1:",
        ])
    func allowedOrigins(_ origin: String) throws {
        #expect(try refusal([("Origin", origin)], names: ["api.internal", "*.local"]) == nil)
    }

    @Test(
        "any other origin is refused, null and what is no origin as well",
        arguments: [
            "null", "NULL", "", "https://evil.example", "http://evil.example:8080",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example", "file://", "http://", "http:///", "://localhost", "localhost",
            "http:localhost", "http:/localhost", "http://localhost/", "http://user@localhost",
            "http://evil@127.0.0.1",
            "http://localhost http://evil.example", "http://localhost, http://evil.example",
            "http://localhost:x",
            "http://[::1", "chrome-extension://abcdefghijklmnop", "http://xn--evil", "http://2130706433",
            "http://0x7f.1",
            "http://evil.example#@localhost", "http://evil.example\\@localhost", "*", "http://*",
        ])
    func refusedOrigins(_ origin: String) throws {
        #expect(try refusal([("origin", origin)], names: ["api.internal"]) == .origin)
        // One that is allowed does not make up for it.
        #expect(try refusal([("Origin", "http://localhost"), ("Origin", origin)]) == .origin)
        #expect(try refusal([("Origin", origin), ("Origin", "http://localhost")]) == .origin)
    }

    @Test(
        "an origin of another scheme than http and https is refused, whatever its host and the other fields",
        arguments: [
            "moz-extension", "chrome-extension", "safari-web-extension", "extension", "file", "ftp", "ws",
            "wss",
            "app", "capacitor", "ionic", "tauri", "vscode-webview", "about", "blob", "data", "httpx",
            "https+",
            "shttp", "htt", "http ", "",
        ])
    func otherSchemes(_ scheme: String) throws {
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost", "[::1]", "api.internal"] {
            let origin = ("Origin", "\(scheme)://\(host)")
            #expect(try refusal([origin], names: ["api.internal"]) == .origin)
            for site in ["none", "same-origin"] {
                #expect(
                    try refusal([origin, ("Sec-Fetch-Site", site)], names: ["api.internal"]) == .origin)
                #expect(try refusal([("Sec-Fetch-Site", site), ("Origin", "null")]) == .origin)
            }
        }
    }

    @Test(
        "Sec-Fetch-Site is same-origin or none",
        arguments: [
            ("same-origin", true), ("none", true), ("None", true), ("same-site", false),
            ("cross-site", false),
            ("", false), ("same-origin, cross-site", false), ("unknown", false),
        ])
    func sites(_ value: String, _ isAllowed: Bool) throws {
        #expect(try (refusal([("Sec-Fetch-Site", value)]) == nil) == isAllowed)
        #expect(try (refusal([("sec-fetch-site", "none"), ("SEC-FETCH-SITE", value)]) == nil) == isAllowed)
    }

    @Test("a preflight is refused from any page, another OPTIONS is not")
    func preflights() throws {
        let asked = ("Access-Control-Request-Method", "PUT")
        #expect(try refusal([asked, ("Origin", "http://localhost")], isOptions: true) == .preflight)
        #expect(try refusal([asked], isOptions: true) == .preflight)
        #expect(try refusal([asked, ("Origin", "https://evil.example")], isOptions: true) == .origin)
        #expect(try refusal([asked], isOptions: false) == nil)
        #expect(try refusal([("Origin", "http://localhost")], isOptions: true) == nil)
    }

    @Test("a request of a program has none of these fields, and is allowed; the host is looked at first")
    func programs() throws {
        #expect(try refusal([]) == nil)
        #expect(
            try refusal([("Host", "localhost"), ("Referer", "https://docs.example/"), ("Cookie", "a=b")])
                == nil)
        let all = [("Origin", "null"), ("Sec-Fetch-Site", "cross-site"), ("Host", "evil.example")]
        #expect(try refusal(all) == .host)
        #expect(try refusal(Array(all.dropLast())) == .site)
        for refusal in PageGuard.Refusal.allCases {
            let fault = refusal.fault(place: "Here")
            #expect(fault.code == .badClientRequest && fault.effect == .none)
            #expect(fault.status == (refusal == .host ? 421 : 403))
        }
    }
}
