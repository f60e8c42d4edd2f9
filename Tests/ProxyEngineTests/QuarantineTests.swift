import Synchronization
import TestSupport
import Testing

@Suite("a key that the provider keeps refusing", .blocking)
struct QuarantineTests {
    private static let gauge = #"weir_credentials_quarantined{provider="p"}"#
    private static let refusals =
        #"weir_errors_total{provider="p",origin="proxy",code="credentials_quarantined"}"#

    private static func key(_ name: String) -> [(String, String)] { [("Authorization", "Bearer \(name)")] }

    /// Takes the key `good`, refuses all others.
    private static func strictUpstream() throws -> ScriptedUpstream {
        try ScriptedUpstream { exchange in
            let isGood = exchange.request.fields["Authorization"] == "Bearer good"
            try exchange.respond(isGood ? .ok() : .status(401, body: "who are you?"))
        }
    }

    @Test("is held back after three refusals; other keys are not", arguments: [1, 2])
    func refused(workers: Int) throws {
        let upstream = try Self.strictUpstream()
        try withProxy(to: upstream, workers: workers) { proxy in
            for _ in 1...3 {
                #expect(try proxy.exchange("GET", "/p/x", fields: Self.key("bad")).code == "unauthenticated")
            }
            #expect(try proxy.metric(Self.gauge) == 1)
            let refused = try proxy.exchange("POST", "/p/x", fields: Self.key("bad"), body: "{}")
            #expect(refused.status == 401)
            #expect(refused.code == "credentials_quarantined")
            #expect(refused.problem["origin"] == "proxy" && refused.problem["effect"] == "none")
            #expect(refused.problem["attempts"] == nil)
            #expect(refused.retryAfter > 0 && refused.retryAfter <= 60)
            #expect(refused.fields["WWW-Authenticate"] == "Bearer")
            #expect(upstream.requestCount == 3)
            #expect(try proxy.metric(Self.refusals) == 1)
            let page = try proxy.exchange("GET", "/-/").text
            #expect(page.contains("1 credential that the provider keeps refusing"))

            #expect(try proxy.exchange("GET", "/p/x", fields: Self.key("good")).status == 200)
            #expect(try proxy.exchange("GET", "/p/x").code == "unauthenticated")
            #expect(upstream.requestCount == 5)
        }
    }

    @Test("counts anew after any answer that takes it")
    func interrupted() throws {
        let count = Mutex(0)
        let upstream = try ScriptedUpstream { exchange in
            let number = count.withLock { count in
                count += 1
                return count
            }
            try exchange.respond(number.isMultiple(of: 3) ? .status(404) : .status(401))
        }
        try withProxy(to: upstream) { proxy in
            for _ in 1...9 { try proxy.exchange("GET", "/p/x", fields: Self.key("k")) }
            #expect(upstream.requestCount == 9)
            #expect(try proxy.metric(Self.gauge) == 0)
        }
    }

    @Test("is not held back where that is switched off")
    func off() throws {
        let upstream = try Self.strictUpstream()
        try withProxy(to: upstream, provider: "quarantine: off") { proxy in
            for _ in 1...5 { try proxy.exchange("GET", "/p/x", fields: Self.key("bad")) }
            #expect(upstream.requestCount == 5)
        }
    }

    @Test("stays held back over a reload, unless its provider changes")
    func reload() throws {
        let upstream = try Self.strictUpstream()
        func yaml(_ more: String) -> String {
            "listen: 127.0.0.1:0\nworkers: 1\n"
                + "providers: { p: { profile: generic, upstream: '\(upstream.url)', credential: bad\(more) } }"
        }
        let proxy = try ProxyFixture(yaml: yaml(""))
        defer { proxy.stop() }
        for _ in 1...3 { #expect(try proxy.exchange("GET", "/p/x").code == "unauthenticated") }
        try proxy.reload(yaml: yaml("") + "\nlog: { access: off }")
        #expect(try proxy.exchange("GET", "/p/x").code == "credentials_quarantined")
        try proxy.reload(yaml: yaml(", max_wait: 1s"))
        // The worker takes it at its own time.
        try eventually("the key to be tried again") {
            try proxy.exchange("GET", "/p/x").code == "unauthenticated"
        }
        #expect(upstream.requestCount == 4)
    }
}
