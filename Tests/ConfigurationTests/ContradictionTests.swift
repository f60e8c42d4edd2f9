import Configuration
import Core
import Testing

@Suite("values that contradict each other")
struct ContradictionTests {
    @Test(
        "the bound of all waits before retries is not less than the bound of the first",
        arguments: [
            ("base: 1m, cap: 1ms", "cap"), ("cap: 249ms", "cap"), ("base: 11s", "base"),
            ("cap: 1s, max: 3, base: 1001ms", "cap"),
        ])
    func retryBounds(_ members: String, _ key: String) throws {
        let found = providerMistakes("retries: { \(members) }")
        #expect(
            found.count == 1 && found.first?.hasPrefix("providers.api.retries.\(key): ") == true, "\(found)")
        #expect(found.first?.contains("must not be less than base") == true)
    }

    @Test("equal bounds of the waits before retries are accepted")
    func equalRetryBounds() { #expect(providerMistakes("retries: { base: 1s, cap: 1s }") == []) }

    @Test(
        "an element that repeats an earlier one is a mistake with the line of the first",
        arguments: [
            ("hosts: [a, b,\n  A]", "weir.yaml:2:3: hosts[2]: 'A' is a duplicate (first at line 1)"),
            (
                "hosts: ['*.a', '*.a']",
                "weir.yaml:1:16: hosts[1]: '*.a' is a duplicate (first at line 1)"
            ),
        ])
    func duplicateHosts(_ text: String, _ expected: String) { #expect(mistakes(text) == expected) }

    @Test(
        "a request or cause that stands in a list twice is a mistake",
        arguments: [
            ("retries: { on: [timeout, connection, timeout] }", "retries.on[2]"),
            (
                "limits: [{ requests: 1, per: 1s, routes: [POST /a, GET /a, 'POST  /a'] }]",
                "limits[0].routes[2]"
            ),
            (
                "limits: [{ requests: 9, per: 1s, cost: { POST /a: 2, 'POST  /a': 3 } }]",
                "limits[0].cost.POST  /a"
            ),
        ])
    func duplicates(_ members: String, _ key: String) {
        let found = providerMistakes(members)
        #expect(found.count == 1 && found.first?.hasPrefix("providers.api.\(key): ") == true, "\(found)")
        #expect(found.first?.contains("duplicate") == true, "\(found)")
    }

    @Test(
        "a route that no request can have is a mistake",
        arguments: [
            "POST /a/../b", "GET /..", "GET /a/./b", "GET /a/.", "* /%2e%2E/b", "GET /a/%2e", "GET /a%2",
            "GET /%zz",
            "GET /a/..;x",
        ])
    func routes(_ route: String) {
        let limits = providerMistakes("limits: [{ requests: 1, per: 1s, routes: '\(route)' }]")
        #expect(limits.count == 1 && limits.first?.contains("limits[0].routes: '\(route)' must have") == true)
        let costs = providerMistakes("limits: [{ requests: 1, per: 1s, cost: { '\(route)': 1 } }]")
        #expect(costs.count == 1 && costs.first?.contains("must have") == true, "\(costs)")
    }

    @Test(
        "a route may have dots within its steps",
        arguments: ["GET /a..b/.c/d.", "GET /...", "GET /v1.2/%2Ex"])
    func dots(_ route: String) {
        #expect(providerMistakes("limits: [{ requests: 1, per: 1s, routes: '\(route)' }]") == [])
    }
}

@Suite("secrets in values that are wrong")
struct WrongURLTests {
    /// Texts with the user, password or query that somebody may write into a URL.
    private static let urls = [
        "https://user:s3cr3t@host", "https://s3cr3t@host", "https://user:s3cr3t@host/path",
        "https://user:s3/cr3t@host",
        "https://user:s3?cr3t@host", "https://user:s3#cr3t@host", "https://user:s3@cr3t@host",
        "http://:s3cr3t@host:99999",
        "ftp://user:s3cr3t@host", "user:s3cr3t@host", "user:s3cr3t@host:80", "redis://user:s3cr3t@host/x",
        "redis://user:s3cr3t/x@host", "redis+unix://user:s3cr3t@run/x", "https:user:s3cr3t@host",
        "https:/user:s3cr3t@host", "//user:s3cr3t@host", "HTTPS://USER:s3cr3t@HOST",
        "https://host/?key=s3cr3t",
        "https://host?s3cr3t", "https://user:s3cr3t@[::1", "socks5://user:s3cr3t@host",
        "redis://:s3?cr3t@host",
        "rediss://user:s3cr3t@host", "https://user:s3cr3t@host:port",
    ]

    /// The places of a file in which a text can stand; `URL` is it.
    private static let places = [
        "listen: 'URL'", "listen: { address: 'URL' }",
        "listen: { address: '127.0.0.1:1', tls: { certificate: 'URL' } }",
        "hosts: ['URL']", "admin: { listen: 'URL' }", "workers: 'URL'", "replicas: 'URL'", "ledger: 'URL'",
        "replicas: 2\nledger: 'URL'", "log: { access: 'URL' }", "type_base: 'URL'", "'URL': x",
        "limits: { uri: 'URL' }", "limits: { drain: 'URL' }", "limits: { 'URL': 1 }",
        "providers: { 'URL': {} }",
        "providers: { api: 'URL' }",
    ]

    private static let members = [
        "profile: 'URL'", "mount: 'URL'", "listen: 'URL'", "upstream: 'URL'", "errors: 'URL'",
        "status: 'URL'",
        "limits: 'URL'", "limits: [{ requests: 'URL', per: 1s }]", "limits: [{ requests: 1, per: 'URL' }]",
        "limits: [{ requests: 1, per: 1s, by: 'URL' }]", "limits: [{ requests: 1, per: 1s, routes: 'URL' }]",
        "limits: [{ requests: 1, per: 1s, cost: { 'URL': 1 } }]", "group: 'URL'", "max_wait: 'URL'",
        "timeouts: { connect: 'URL' }", "retries: { on: ['URL'] }", "retries: { budget: 'URL' }",
        "circuit_breaker: 'URL'", "tls: { ca_file: 'URL' }", "tls: { client_certificate: 'URL' }",
        "tls: { min_version: 'URL' }", "http: 'URL'", "proxy: 'URL'", "'URL': x",
    ]

    @Test("a mistake shows neither the user and password nor the query of a URL, at whatever key it stands")
    func mistakesAreSafe() {
        for url in Self.urls {
            for place in Self.places {
                let found = mistakes(place.replacing("URL", with: url))
                #expect(!Self.showsSecret(found), "\(place) with \(url): \(found)")
            }
            for member in Self.members {
                let found = providerMistakes(member.replacing("URL", with: url)).joined(separator: "\n")
                #expect(!Self.showsSecret(found), "\(member) with \(url): \(found)")
            }
        }
    }

    private static func showsSecret(_ text: String) -> Bool {
        text.contains("s3") || text.contains("cr3t")
    }

    @Test("what is read shows no user and password either", arguments: urls)
    func valuesAreSafe(_ url: String) throws {
        if let configuration = try? read("replicas: 2\nledger: '\(url)'"), let ledger = configuration.ledger {
            #expect(!Self.showsSecret("\(ledger)") && !Self.showsSecret(String(reflecting: ledger)))
        }
        if let provider = try? readProvider("proxy: '\(url)'"), let proxy = provider.egressProxy {
            #expect(!Self.showsSecret(proxy.display) && !Self.showsSecret("\(proxy)"))
        }
        #expect(throws: (any Error).self) { try read("type_base: '\(url)'") }
        #expect(throws: (any Error).self) { try readProvider("upstream: '\(url)', x: 1") }
    }

    @Test(
        "a special character in the user or password of a ledger must be escaped",
        arguments: [
            "redis://user:pass/x@host", "redis://us/er:pass@host", "redis://user:pass?x@host",
            "redis://user:pass#x@host", "redis://user:pa@ss@host", "redis://user:p[a]ss@host",
            "redis://user:pa%ss@host", "redis+unix://user:pass/x@/run/s", "redis+unix://user:p@ss@/run/s",
        ])
    func ledgers(_ text: String) {
        let found = mistakes("replicas: 2\nledger: '\(text)'")
        #expect(found.contains("ledger: must have user:password"), "\(found)")
        #expect(found.contains("%HH"), "\(found)")
    }

    @Test("the path of a ledger's socket may have an @")
    func socketWithAt() throws {
        let configuration = try read("replicas: 2\nledger: 'redis+unix:///run/a@b.sock'")
        #expect(
            configuration.ledger?.place == .unix(path: "/run/a@b.sock") && configuration.ledger?.user == nil)
    }
}
