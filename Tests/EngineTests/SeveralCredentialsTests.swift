import Locking
import TestSupport
import Testing

@Suite("several credentials of one provider", .blocking)
struct SeveralCredentialsTests {
    private static let keys = "credential: [key-aaaaaaaa, key-bbbbbbbb, key-cccccccc]"
    private static let limit = "limits: [{ requests: 2, per: 1h, by: credential }], max_wait: 0s"

    private static func key(_ request: ReceivedRequest) -> String {
        String(request.fields["Authorization"]?.dropFirst("Bearer key-".count).prefix(1) ?? "-")
    }

    /// Rejects these keys with 401, and remembers the keys of all requests.
    private final class Provider: Sendable {
        /// Shared with the thread of each connection.
        final class Rejections: Sendable {
            let keys = Lock<Set<String>>([])
        }

        let rejections = Rejections()
        let upstream: ScriptedUpstream

        init() throws {
            let rejections = rejections
            upstream = try ScriptedUpstream { exchange in
                let isRejected = rejections.keys.withLock {
                    $0.contains(SeveralCredentialsTests.key(exchange.request))
                }
                try exchange.respond(isRejected ? .status(401) : .ok())
            }
        }

        var used: String { upstream.requests.map(SeveralCredentialsTests.key).joined() }
    }

    private func states(_ proxy: ProxyFixture) throws -> [String] {
        let page = try proxy.exchange("GET", "/-/credentials").text
        #expect(!page.contains("key-"))
        return page.split(separator: "{").dropFirst().compactMap { part in
            part.firstRange(of: #""state":""#).map { String(part[$0.upperBound...].prefix { $0 != "\"" }) }
        }
    }

    @Test("each credential has its own ledger, and the first that can send is used", arguments: [1, 2])
    func ledgers(workers: Int) throws {
        let provider = try Provider()
        try withProxy(to: provider.upstream, provider: "\(Self.keys), \(Self.limit)", workers: workers) {
            proxy throws in
            for _ in 1...6 { #expect(try proxy.exchange("GET", "/p/x").status == 200) }
            #expect(provider.used == "aabbcc")
            #expect(try proxy.exchange("GET", "/p/x").code == "throttled")
            #expect(provider.upstream.requestCount == 6)
            #expect(try states(proxy) == ["accepted", "accepted", "accepted"])
        }
    }

    @Test("a rejected credential is left aside, and its request is sent again once with another one")
    func rejected() throws {
        let provider = try Provider()
        provider.rejections.keys.withLock { $0 = ["a"] }
        try withProxy(to: provider.upstream, provider: Self.keys) { proxy throws in
            let response = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(response.status == 200)
            for _ in 1...4 { #expect(try proxy.exchange("GET", "/p/x").status == 200) }
            #expect(provider.used == "abbbbb")
            #expect(try states(proxy) == ["refused", "accepted", "unused"])
            let series = #"weir_credential_state{provider="p",position="1",state="refused"}"#
            #expect(try proxy.metric(series) == 1)
        }
    }

    @Test("if all credentials are rejected, the client gets the rejection, and each was tried once")
    func allRejected() throws {
        let provider = try Provider()
        provider.rejections.keys.withLock { $0 = ["a", "b", "c"] }
        try withProxy(to: provider.upstream, provider: Self.keys) { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.code == "unauthenticated" && response.problem["attempts"] == "3")
            #expect(provider.used == "abc")
            #expect(try states(proxy) == ["refused", "refused", "refused"])
            // The first is tried again, until it is quarantined.
            #expect(try proxy.exchange("GET", "/p/x").code == "unauthenticated")
            #expect(try proxy.exchange("GET", "/p/x").code == "unauthenticated")
            #expect(try proxy.exchange("GET", "/p/x").code == "credentials_quarantined")
            #expect(provider.used == "abcaa")
        }
    }

    @Test(
        "a body that cannot be sent again is not, and a rejection of another kind is no reason to change the key"
    )
    func notRepeated() throws {
        let provider = try Provider()
        provider.rejections.keys.withLock { $0 = ["a"] }
        try withProxy(to: provider.upstream, provider: Self.keys) { proxy throws in
            let client = try proxy.client()
            try client.send(
                "POST /p/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
            )
            let response = try client.readResponse()
            #expect(response.code == "unauthenticated" && provider.used == "a")
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
            #expect(provider.used == "ab")
        }
        let forbidding = try ScriptedUpstream(answering: .status(403))
        try withProxy(to: forbidding, provider: Self.keys) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x").code == "permission_denied")
            #expect(forbidding.requestCount == 1)
        }
    }

    @Test("requests that wait get the credential whose slot is free first")
    func waiting() throws {
        let upstream = try ScriptedUpstream()
        let limit = "limits: [{ requests: 1, per: 1s, by: credential }], max_wait: 60s"
        let keys = "credential: [key-aaaaaaaa, key-bbbbbbbb]"
        try withProxy(to: upstream, provider: "\(keys), \(limit)") { proxy throws in
            let clients = try (1...4).map { _ in try proxy.client() }
            var used: [String] = []
            let sent = try clients.prefix(2).map { client in
                try client.request("GET", "/p/x")
                let exchange = try upstream.expectRequest()
                used.append(Self.key(exchange.request))
                return exchange
            }
            for (index, client) in clients.suffix(2).enumerated() {
                try client.request("GET", "/p/x")
                try eventually("a request to wait") {
                    try proxy.metric(#"weir_queue_depth{provider="p"}"#) == Double(index + 1)
                }
            }
            for exchange in sent { try exchange.respond(.ok()) }
            for _ in 1...2 {
                let exchange = try upstream.expectRequest(within: .seconds(30))
                used.append(Self.key(exchange.request))
                try exchange.respond(.ok())
            }
            for client in clients { #expect(try client.readResponse().status == 200) }
            #expect(Array(used.prefix(2)) == ["a", "b"] && used.suffix(2).sorted() == ["a", "b"])
        }
    }
}
