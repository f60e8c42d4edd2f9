import Locking
import TestSupport
import Testing

@Suite("the state of a credential that Weir holds", .blocking)
struct CredentialStateTests {
    private static let secret = "sk-held-0123456789"

    private func state(_ proxy: ProxyFixture) throws -> String {
        let page = try proxy.exchange("GET", "/-/credentials").text
        let begin = try #require(page.firstRange(of: #""state":""#)).upperBound
        let state = String(page[begin...].prefix { $0 != "\"" })
        for name in ["unused", "accepted", "refused", "quarantined", "expiring"] {
            let series = #"weir_credential_state{provider="p",position="1",state="\#(name)"}"#
            #expect(try proxy.metric(series) == (name == state ? 1 : 0), "\(series)")
        }
        let time = try proxy.metric(
            #"weir_credential_state_since_timestamp_seconds{provider="p",position="1"}"#)
        #expect(page.contains(#""since":\#(Int(time))"#) && time > 1_700_000_000)
        #expect(!page.contains(Self.secret))
        return state
    }

    @Test("the page and the metric follow what responses say of the credential")
    func states() throws {
        let status = Lock(200)
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(.status(status.withLock { $0 }, body: "{}"))
        }
        try withProxy(to: upstream, provider: "credential: \(Self.secret)") { proxy throws in
            func get(_ answer: Int) throws -> String {
                status.withLock { $0 = answer }
                try proxy.exchange("GET", "/p/x")
                return try state(proxy)
            }
            #expect(try state(proxy) == "unused")
            #expect(try get(500) == "unused")
            #expect(try get(200) == "accepted")
            #expect(try get(503) == "accepted")
            #expect(try get(401) == "refused")
            #expect(try get(404) == "accepted")
            for expected in ["refused", "refused", "quarantined"] { #expect(try get(401) == expected) }
            #expect(try get(200) == "quarantined")
        }
    }

    @Test("a credential that is never quarantined stays refused")
    func withoutQuarantine() throws {
        let upstream = try ScriptedUpstream(answering: .status(401))
        try withProxy(to: upstream, provider: "credential: \(Self.secret), quarantine: off") { proxy throws in
            for _ in 1...4 {
                try proxy.exchange("GET", "/p/x")
                #expect(try state(proxy) == "refused")
            }
        }
    }

    @Test("a web token that ends soon is expiring, with its end; keys of the app are not listed")
    func expiring() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        // `{"alg":"none"}.{"exp":1300819380}`, of the year 2011.
        let token = "eyJhbGciOiJub25lIn0.eyJleHAiOjEzMDA4MTkzODB9.x"
        let providers = """
            providers:
              p: { profile: generic, upstream: '\(upstream.url)', credential: \(token) }
              q: { profile: generic, upstream: '\(upstream.url)' }
            """
        try withProxy(providers, upstreams: [upstream]) { proxy throws in
            #expect(try state(proxy) == "expiring")
            try proxy.exchange("GET", "/p/x")
            try proxy.exchange("GET", "/q/x", fields: [("Authorization", "Bearer other")])
            #expect(try state(proxy) == "expiring")
            let page = try proxy.exchange("GET", "/-/credentials").text
            #expect(page.contains(#""expires":1300819380"#) && !page.contains(#""provider":"q""#))
        }
    }
}
