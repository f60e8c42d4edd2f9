import TestSupport
import Testing

@Suite("who shares a ledger", .blocking)
struct PacingLedgerTests {
    /// Whether two requests, the second of which never waits, get through a limit of one.
    private func bothPass(
        limit scope: String = "credential", profile: String = "lemlist",
        _ first: (target: String, fields: [(String, String)]),
        _ second: (target: String, fields: [(String, String)])
    ) throws -> Bool {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider =
            "{ profile: \(profile), upstream: '\(upstream.url)', max_wait: 0s,"
            + " limits: [{ requests: 1, per: 60s, by: \(scope) }]\(scope == "group" ? ", group: team" : "") }"
        var passed = false
        try withProxy("providers: { p: \(provider), q: \(provider) }", upstreams: [upstream]) { proxy in
            #expect(try proxy.exchange("GET", first.target, fields: first.fields).status == 200)
            let response = try proxy.exchange("GET", second.target, fields: second.fields)
            passed = response.status == 200
            if !passed { #expect(response.code == "throttled") }
            #expect(upstream.requestCount == (passed ? 2 : 1))
        }
        return passed
    }

    // The passwords are "key" and "other".
    private static let key = [("Authorization", "Basic OmtleQ==")]
    private static let other = [("Authorization", "Basic Om90aGVy")]

    @Test("each credential has its own")
    func credentials() throws {
        #expect(try bothPass(("/p/a", Self.key), ("/p/a", Self.other)))
        #expect(try bothPass(("/p/a", Self.key), ("/p/b", Self.key)) == false)
    }

    @Test("one key has one, whether it comes as a password or in the query")
    func places() throws {
        #expect(try bothPass(("/p/a", Self.key), ("/p/a?x=1&access_token=key", [])) == false)
        #expect(try bothPass(("/p/a?access_token=%6Bey", []), ("/p/a", Self.key)) == false)
        #expect(try bothPass(("/p/a", Self.key), ("/p/a?access_token=other", [])))
    }

    @Test("requests without a credential have their own")
    func anonymous() throws {
        #expect(try bothPass(("/p/a", []), ("/p/b", [])) == false)
        #expect(try bothPass(("/p/a", []), ("/p/a", Self.key)))
    }

    @Test("by provider, all credentials share one, and providers do not")
    func provider() throws {
        #expect(try bothPass(limit: "provider", ("/p/a", Self.key), ("/p/a", Self.other)) == false)
        #expect(try bothPass(limit: "provider", ("/p/a", Self.key), ("/q/a", Self.key)))
    }

    @Test("a credential whose requests are over makes room for another, long raw errors included")
    func room() throws {
        let long = String(repeating: "no ", count: 1 << 15)
        let upstream = try ScriptedUpstream(answering: .status(400, body: long))
        let provider =
            "{ profile: lemlist, upstream: '\(upstream.url)', max_wait: 1s,"
            + " limits: [{ requests: 1, per: 50ms, by: credential }] }"
        try withProxy("providers: { p: \(provider) }", upstreams: [upstream], limits: "keys: 1") { proxy in
            for field in Self.key + Self.other {
                let raw = ("X-Error-Format", "raw")
                try eventually("room for another credential", within: .promptly) {
                    try proxy.exchange("GET", "/p/a", fields: [field, raw]).text == long
                }
            }
        }
    }

    @Test("by group, the providers of a group share one, whatever the credential")
    func group() throws {
        #expect(try bothPass(limit: "group", ("/p/a", Self.key), ("/q/a", Self.other)) == false)
    }
}
