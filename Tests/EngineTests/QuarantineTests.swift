import Locking
import TestSupport
import Testing

@Suite("a key that the provider keeps refusing", .blocking)
struct QuarantineTests {
    private static let gauge = #"weir_credentials_quarantined{provider="p"}"#
    private static let depth = #"weir_queue_depth{provider="p"}"#
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

    @Test("a key is quarantined after three rejections; other keys are not", arguments: [1, 2])
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
            #expect(page.contains("1 quarantined credential"))

            #expect(try proxy.exchange("GET", "/p/x", fields: Self.key("good")).status == 200)
            #expect(try proxy.exchange("GET", "/p/x").code == "unauthenticated")
            #expect(upstream.requestCount == 5)
        }
    }

    @Test(
        "a quarantined key is rejected in the queue as well, and its slots are free for others",
        arguments: [1, 2])
    func queued(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let settings = "limits: [{ requests: 3, per: 2s, by: provider }], max_wait: 60s"
        try withProxy(to: upstream, provider: settings, workers: workers) { proxy in
            let clients = try (1...12).map { _ in
                let client = try proxy.client()
                try client.request("GET", "/p/x", fields: Self.key("bad"))
                return client
            }
            let sent = try (1...3).map { _ in try upstream.expectRequest() }
            try eventually("the others to wait") { try proxy.metric(Self.depth) == 9 }
            for exchange in sent { try exchange.respond(.status(401)) }
            let answers = try clients.map { try $0.readResponse() }
            #expect(answers.count { $0.code == "unauthenticated" } == 3)
            let refused = answers.filter { $0.code == "credentials_quarantined" }
            #expect(refused.count == 9)
            for answer in refused {
                #expect(answer.problem["effect"] == "none" && answer.problem["attempts"] == nil)
                #expect(answer.retryAfter > 0 && answer.retryAfter <= 60)
            }
            #expect(upstream.requestCount == 3)
            #expect(try proxy.metric(Self.refusals) == 9)

            let others = try (1...3).map { _ in
                let client = try proxy.client()
                try client.request("GET", "/p/x", fields: Self.key("good"))
                return client
            }
            for exchange in try (1...3).map({ _ in try upstream.expectRequest() }) {
                try exchange.respond(.ok())
            }
            for client in others { #expect(try client.readResponse().status == 200) }
        }
    }

    @Test("a quarantined key is rejected with a shared ledger, and its slots in Redis are free for others")
    func shared() throws {
        let upstream = try ScriptedUpstream()
        let redis = try RedisServer()
        let limits = "limits: [{ requests: 6, per: 2s, by: provider }], max_wait: 60s"
        let yaml = """
            listen: 127.0.0.1:0
            workers: 1
            limits: { drain: 1s }
            replicas: 2
            ledger: '\(redis.url())'
            providers: { p: { profile: generic, upstream: '\(upstream.url)', \(limits) } }
            """
        let members = try (1...2).map { _ in try ProxyFixture(yaml: yaml) }
        defer { for member in members { member.stop() } }
        try eventually("both to share", within: .seconds(60), every: .milliseconds(50)) {
            try members.allSatisfy { try $0.metric("weir_ledger_up") == 1 }
                && redis.command("ZCARD", "weir:{p.p}:seats") == "2"
        }
        func send(_ count: Int, _ name: String, to member: Int) throws -> [RawClient] {
            try (1...count).map { _ in
                let client = try members[member].client()
                try client.request("GET", "/p/x", fields: Self.key(name))
                return client
            }
        }
        let good = try send(3, "good", to: 0)
        let taken = try (1...3).map { _ in try upstream.expectRequest() }
        let bad = try send(3, "bad", to: 1)
        let refused = try (1...3).map { _ in try upstream.expectRequest() }
        // This instance has slots for them, the ledger has none.
        let waiting = try send(3, "bad", to: 1)
        try eventually("the others to wait") { try members[1].metric(Self.depth) == 3 }
        try upstream.expectNoRequest(for: .milliseconds(100))
        for exchange in refused { try exchange.respond(.status(401)) }
        for client in bad { #expect(try client.readResponse().code == "unauthenticated") }
        for client in waiting {
            #expect(try client.readResponse(within: .seconds(20)).code == "credentials_quarantined")
        }
        #expect(upstream.requestCount == 6)
        for exchange in taken { try exchange.respond(.ok()) }
        for client in good { #expect(try client.readResponse().status == 200) }
        let others = try send(6, "good", to: 0)
        for exchange in try (1...6).map({ _ in try upstream.expectRequest(within: .seconds(20)) }) {
            try exchange.respond(.ok())
        }
        for client in others { #expect(try client.readResponse().status == 200) }
    }

    @Test("rejections of a key are counted anew after any response that accepts it")
    func interrupted() throws {
        let count = Lock(0)
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

    @Test("a key is not quarantined if that is switched off")
    func off() throws {
        let upstream = try Self.strictUpstream()
        try withProxy(to: upstream, provider: "quarantine: off") { proxy in
            for _ in 1...5 { try proxy.exchange("GET", "/p/x", fields: Self.key("bad")) }
            #expect(upstream.requestCount == 5)
        }
    }

    @Test("a key stays quarantined over a reload, unless its provider changes")
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
