import Core
import Testing

@Suite("the fields that cross the proxy")
struct FieldRulesTests {
    private func rule(_ name: String) -> FieldRules.RequestRule { FieldRules.request(Array(name.utf8).span) }

    private func isForwarded(_ name: String) -> Bool { FieldRules.forwardsResponse(Array(name.utf8).span) }

    private func describesBody(_ name: String) -> Bool { FieldRules.describesBody(Array(name.utf8).span) }

    private func mayBeNamed(_ name: String) -> Bool {
        FieldRules.mayBeNamedByConnection(Array(name.utf8).span)
    }

    private func connection(_ value: String, names name: String) -> Bool {
        var connection = ConnectionFields()
        connection.add(Array(value.utf8).span)
        return connection.contains(Array(name.utf8).span)
    }

    @Test(
        "fields of the connection, libcurl, Weir and the client's network are not forwarded",
        arguments: [
            "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Transfer-Encoding", "Proxy-Connection",
            "Proxy-Authorization", "Proxy-Authenticate", "Host", "content-length", "Expect",
            "X-Error-Format", "Priority", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto",
            "x-forwarded-host", "X-Forwarded-Client-Cert", "X-Real-IP", "traceparent", "tracestate",
            "baggage",
        ])
    func dropped(_ name: String) {
        #expect(rule(name) == .drop)
    }

    @Test(
        "all other fields are forwarded to the provider",
        arguments: [
            "Accept", "Accept-Encoding", "Content-Type", "Content-Encoding", "Cookie", "Idempotency-Key",
            "User-Agent", "X-Api-Key", "X-Request-Id", "Via", "Range", "If-None-Match", "Tee", "Hosts",
            "X-Forwarded", "Proxy",
        ])
    func forwarded(_ name: String) {
        #expect(rule(name) == .forward)
    }

    @Test("Authorization and Prefer have rules of their own")
    func special() {
        #expect(rule("AUTHORIZATION") == .credential)
        #expect(rule("prefer") == .preference)
    }

    @Test("Connection cannot remove fields that frame, route or authorise a message")
    func protected() {
        for name in ["Host", "Authorization", "Content-Length", "Transfer-Encoding", "Content-Type"] {
            #expect(!mayBeNamed(name), "\(name)")
        }
        #expect(mayBeNamed("X-Hop"))
    }

    @Test("framing and connection fields of a response are not relayed, all others are")
    func answers() {
        for name in [
            "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Content-Length", "Transfer-Encoding",
            "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info",
        ] {
            #expect(!isForwarded(name), "\(name)")
        }
        for name in ["Set-Cookie", "Date", "ETag", "Server", "Content-Encoding", "Location", "RateLimit"] {
            #expect(isForwarded(name), "\(name)")
        }
    }

    @Test("fields that describe a body are removed with it")
    func representation() {
        for name in [
            "ETag", "Digest", "Content-MD5", "Repr-Digest", "Content-Type", "Last-Modified", "Accept-Ranges",
            "Content-Range", "Content-Digest", "Content-Encoding", "Content-Language",
        ] {
            #expect(describesBody(name), "\(name)")
        }
        for name in ["Set-Cookie", "Date", "Retry-After", "Location", "X-Correlation-Id", "Content-Style"] {
            #expect(!describesBody(name), "\(name)")
        }
    }

    @Test(
        "wait is removed from Prefer, and the rest is forwarded",
        arguments: [
            ("wait=5", nil), ("return=minimal", "return=minimal"),
            ("return=minimal, WAIT=5 , respond-async", "return=minimal, respond-async"), ("", nil),
            (" , ,", nil),
        ] as [(String, String?)])
    func preferences(_ value: String, _ expected: String?) {
        let rest = FieldRules.preferenceForProvider(Array(value.utf8).span)
        #expect(rest.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test("a Connection value names whole elements, in any case")
    func connectionNames() {
        let value = "close, X-Hop,x-other"
        #expect(connection(value, names: "x-hop"))
        #expect(connection(value, names: "X-OTHER"))
        #expect(!connection(value, names: "x-ho"))
        #expect(!connection(value, names: "close") && !connection("", names: "x-hop"))
    }
}
