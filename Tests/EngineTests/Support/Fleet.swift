import TestSupport
import Testing

/// Several Weirs in this process that share one ledger, and a strict provider behind them.
struct Fleet {
    let provider: StrictProvider
    let redis: RedisServer
    let members: [ProxyFixture]
    let requests: Int
    let window: Duration

    /// Runs `body` with so many Weirs that allow `requests` per `window` together.
    static func run(
        of count: Int, requests: Int, per window: Duration, redis: RedisServer? = nil, replicas: Int? = nil,
        ledger: String? = nil, patience: String = "60s", _ body: (Fleet) throws -> Void
    ) throws {
        let provider = try StrictProvider(requests, per: window)
        let redis = try redis ?? RedisServer()
        let limits = "[{ requests: \(requests), per: \(Int(window / .milliseconds(1)))ms, by: credential }]"
        let more = "max_wait: \(patience), timeouts: { connect: 1s, response: 3s }, limits: \(limits)"
        let yaml = """
            listen: 127.0.0.1:0
            workers: 1
            limits: { drain: 1s }
            replicas: \(replicas ?? count)
            ledger: \(ledger ?? "'\(redis.url())'")
            providers: { p: { profile: lemlist, upstream: '\(provider.upstream.url)', \(more) } }
            """
        let members = try (0..<count).map { _ in try ProxyFixture(yaml: yaml) }
        defer { for member in members { member.stop() } }
        try body(
            Fleet(provider: provider, redis: redis, members: members, requests: requests, window: window))
        for member in members where member.isRunning { try member.expectNothingInFlight() }
    }

    /// Waits until all use the ledger, and have their seats.
    func waitUntilShared(_ redis: RedisServer? = nil, database: Int = 0) throws {
        let redis = redis ?? self.redis
        try eventually("all instances to share", within: .seconds(60), every: .milliseconds(50)) {
            try members.allSatisfy { try $0.metric("weir_ledger_up") == 1 }
                && redis.command("-n", "\(database)", "ZCARD", "weir:{p.p}:seats") == "\(members.count)"
        }
    }

    /// Whether a page of limits says that somebody waits.
    func isAnybodyWaiting() throws -> Bool {
        for member in members {
            let page = try member.exchange("GET", "/-/limits").text
            if !page.contains(#""queue":0,"oldest_wait""#) { return true }
        }
        return false
    }

    /// A request of the one key from each of so many clients at each Weir.
    func send(_ count: Int) throws -> [RawClient] {
        var clients: [RawClient] = []
        for _ in 0..<count {
            for member in members {
                let client = try member.client()
                try client.request("GET", "/p/things", fields: [("Authorization", "Basic OnNlY3JldC1rZXk=")])
                clients.append(client)
            }
        }
        return clients
    }

    /// How fast the provider was reached, as a part of the N / (W + round trip) of one Weir, over the first so many windows.
    func share(ofBoundOver cycles: Int) throws -> Double {
        let arrivals = provider.arrivals
        try #require(arrivals.count > cycles * requests)
        // The first of each window waits for the slot of the first of the one before.
        let measured = (arrivals[cycles * requests] - arrivals[0]) / .milliseconds(1)
        return Double(cycles) * (window / .milliseconds(1) + 5) / measured
    }
}
