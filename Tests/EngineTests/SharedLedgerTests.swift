import Foundation
import TestSupport
import Testing

@Suite("several instances that count together in Redis", .blocking)
struct SharedLedgerTests {
    @Test("nothing is refused, and the speed is that of one instance", arguments: [2, 8])
    func saturated(count: Int) throws {
        try Fleet.run(of: count, requests: 20, per: .seconds(2)) { fleet in
            try fleet.waitUntilShared()
            let before = try fleet.members.reduce(0) { try $0 + $1.metric("weir_ledger_commands_total") }
            let cycles = 3
            let clients = try fleet.send((20 * cycles + 1 + count - 1) / count)
            let depth = "weir_queue_depth{provider=\"p\"}"
            #expect(try fleet.members.reduce(0) { try $0 + $1.metric(depth) } > 0)
            #expect(try fleet.isAnybodyWaiting())
            for client in clients {
                #expect(try client.readResponse(within: .seconds(60)).status == 200)
            }
            #expect(fleet.provider.refusals == 0)
            let share = try fleet.share(ofBoundOver: cycles)
            // If a window were missed, it would be 0.75; the rest is for a busy machine. ``SharedLedgerSimulationTests`` are exact.
            #expect(share > 0.76, "\(share) of the bound")
            let commands =
                try fleet.members.reduce(0) { try $0 + $1.metric("weir_ledger_commands_total") } - before
            if ProcessInfo.processInfo.environment["WEIR_PRINT_TABLE"] != nil {
                print(
                    "\(count) instances: \(share) of the bound, \(fleet.provider.refusals) refused, "
                        + "\(commands / Double(clients.count)) commands a request")
                print(try fleet.redis.command("INFO", "commandstats"))
            }
            #expect(try fleet.members.allSatisfy { try $0.metric(depth) == 0 })
            // One that is waited for, and one that tells of the answer; besides, each instance is heard of every second.
            #expect(commands <= Double(2 * clients.count + 40 * count))
        }
    }

    @Test("an instance whose neighbours are idle has the whole limit")
    func oneBusy() throws {
        try Fleet.run(of: 3, requests: 9, per: .seconds(90), patience: "0s") { fleet in
            try fleet.waitUntilShared()
            let client = try fleet.members[0].client()
            for _ in 0..<9 {
                #expect(try client.exchange("GET", "/p/a", fields: [("X", "y")]).status == 200)
            }
            #expect(try fleet.members[1].exchange("GET", "/p/a").status != 200)
        }
    }

    @Test("who would have to wait longer than it may is refused at once, and told when to come back")
    func wouldWaitTooLong() throws {
        try Fleet.run(of: 2, requests: 2, per: .seconds(8)) { fleet in
            try fleet.waitUntilShared()
            let key = ("Authorization", "Basic OnNlY3JldC1rZXk=")
            for _ in 0..<2 {
                #expect(try fleet.members[0].exchange("GET", "/p/things", fields: [key]).status == 200)
            }
            // The other one's own ledger is empty.
            let refused = try fleet.members[1].exchange(
                "GET", "/p/things", fields: [key, ("Prefer", "wait=0")])
            #expect(refused.code == "throttled")
            #expect((1...8).contains(try #require(Int(refused.fields["Retry-After"] ?? ""))))
        }
    }

    @Test("a key that the provider refuses to one instance is paused in all, and no other key")
    func pauses() throws {
        let upstream = try ScriptedUpstream { exchange in
            let key = exchange.request.fields.values(of: "Authorization").first ?? ""
            try exchange.respond(
                key == "Bearer bad"
                    ? .status(429, fields: [("Retry-After", "30")], body: "slow down") : .ok())
        }
        let redis = try RedisServer()
        let yaml = """
            listen: 127.0.0.1:0
            workers: 1
            limits: { drain: 1s }
            replicas: 2
            ledger: '\(redis.url())'
            providers:
              p:
                profile: generic
                upstream: '\(upstream.url)'
                limits: [{ requests: 100, per: 1s, by: credential }]
            """
        let members = try (0..<2).map { _ in try ProxyFixture(yaml: yaml) }
        defer { for member in members { member.stop() } }
        try eventually("both to share", within: .seconds(60), every: .milliseconds(20)) {
            try members.allSatisfy { try $0.metric("weir_ledger_up") == 1 }
                && redis.command("ZCARD", "weir:{p.p}:seats") == "2"
        }
        func ask(_ member: ProxyFixture, _ key: String) throws -> RawResponse {
            try member.exchange(
                "GET", "/p/a", fields: [("Authorization", "Bearer \(key)"), ("Prefer", "wait=0")])
        }
        #expect(try ask(members[1], "good").status == 200)
        #expect(try ask(members[0], "bad").code == "rate_limited")
        try eventually("the other to know of it") {
            try members[1].metric("weir_paused_ledgers{provider=\"p\"}") == 1
        }
        let refused = try ask(members[1], "bad")
        #expect(refused.code == "throttled")
        #expect(try #require(Int(refused.fields["Retry-After"] ?? "")) > 20)
        #expect(try ask(members[1], "good").status == 200)
        #expect(upstream.requestCount == 3)
        // One that starts now is told as well.
        let newcomer = try ProxyFixture(yaml: yaml)
        defer { newcomer.stop() }
        try eventually("the newcomer to know of it", within: .seconds(60), every: .milliseconds(20)) {
            try newcomer.metric("weir_paused_ledgers{provider=\"p\"}") == 1
        }
    }

    @Test("what Redis is told is no credential")
    func secrecy() throws {
        try Fleet.run(of: 1, requests: 5, per: .seconds(90)) { fleet in
            try fleet.waitUntilShared()
            for client in try fleet.send(2) { #expect(try client.readResponse().status == 200) }
            let keys = try fleet.redis.command("KEYS", "*")
            #expect(keys.contains("weir:{p.p}:0-90000000us:"))
            #expect(!keys.contains("secret"))
            for key in keys.split(separator: "\n") {
                #expect(try Int(fleet.redis.command("TTL", String(key))) ?? -1 > 0, "\(key)")
            }
        }
    }

    @Test("clients that disconnect give back what they were promised")
    func leaving() throws {
        try Fleet.run(of: 2, requests: 4, per: .seconds(1)) { fleet in
            try fleet.waitUntilShared()
            for client in try fleet.send(2) { #expect(try client.readResponse().status == 200) }
            // These are promised the next window, and go.
            for client in try fleet.send(2) { client.leave() }
            for member in fleet.members { try member.expectNothingInFlight() }
            let start = ContinuousClock.now
            for client in try fleet.send(2) { #expect(try client.readResponse().status == 200) }
            #expect(fleet.provider.refusals == 0)
            #expect(ContinuousClock.now - start < .seconds(15))
        }
    }

    @Test("scripts that are forgotten are loaded again, and nobody notices")
    func scriptFlush() throws {
        try Fleet.run(of: 2, requests: 10, per: .milliseconds(500)) { fleet in
            try fleet.waitUntilShared()
            let clients = try fleet.send(15)
            for _ in 0..<5 {
                try fleet.redis.command("SCRIPT", "FLUSH")
                pauseThread(for: .milliseconds(100))
            }
            for client in clients { #expect(try client.readResponse(within: .seconds(60)).status == 200) }
            #expect(fleet.provider.refusals == 0)
            for member in fleet.members { #expect(try member.metric("weir_ledger_fallbacks_total") == 0) }
        }
    }
}
