import TestSupport
import Testing

@testable import Core

#if canImport(Glibc)
    import Glibc
#endif

@Suite("the simulation of a shared ledger", .blocking)
struct SharedLedgerSimulationTests {
    private typealias Fault = LedgerScenario.Fault
    private typealias Trouble = LedgerScenario.Trouble

    /// Each fault alone, shorter and longer than anybody waits; times in milliseconds.
    private static let troubles: [[Trouble]] = [
        [Trouble(fault: .partition(instance: 0), from: 7300, until: 9100)],
        [Trouble(fault: .partition(instance: 0), from: 7300, until: 18_900)],
        [Trouble(fault: .cuts(instance: 0), from: 7300, until: 13_000)],
        [Trouble(fault: .deaf(instance: 0), from: 7300, until: 13_000)],
        [Trouble(fault: .down(forgets: false), from: 7300, until: 19_000)],
        [Trouble(fault: .down(forgets: true), from: 7300, until: 9000)],
        [Trouble(fault: .down(forgets: true), from: 7300, until: 17_000)],
        [Trouble(fault: .paused, from: 7300, until: 8700)],
        [Trouble(fault: .paused, from: 7300, until: 19_000)],
        [Trouble(fault: .slow(milliseconds: 400), from: 7300, until: 16_000)],
        [Trouble(fault: .slow(milliseconds: 900), from: 7300, until: 18_000)],
        [Trouble(fault: .scriptsForgotten, from: 7300, until: 13_000)],
        [Trouble(fault: .forgets, from: 7300, until: 7400)],
        [Trouble(fault: .killed(instance: 0), from: 7300, until: 7500)],
        [Trouble(fault: .killed(instance: 0), from: 7300, until: 14_000)],
        [Trouble(fault: .clockSetBack, from: 7300, until: 7400)],
        // What one instance does while the other paces by its share.
        [
            Trouble(fault: .partition(instance: 1), from: 6000, until: 19_000),
            Trouble(fault: .killed(instance: 0), from: 13_300, until: 13_500),
        ],
        [
            Trouble(fault: .partition(instance: 1), from: 6000, until: 19_000),
            Trouble(fault: .cuts(instance: 0), from: 7300, until: 19_000),
        ],
    ]

    @Test(
        "whatever fails, no request is refused, none waits forever, no slot is lost",
        arguments: troubles.indices)
    func faults(index: Int) throws {
        var scenario = LedgerScenario(seed: UInt64(index))
        scenario.troubles = Self.troubles[index]
        scenario.base.seconds = scenario.troubleUntil / 1_000_000_000 + 14
        if index % 2 == 0 { scenario.base.latency = .spiky }
        let result = try expectPromisesKept(scenario, in: RedisServer())
        // All of the limit is in use again.
        let end = scenario.base.seconds * 1_000_000_000
        let rate = result.rate(from: end - 4_000_000_000, until: end)
        #expect(rate > 6, "\(scenario.troubles)")
    }

    @Test(
        "several faults at the same time, whatever counts and loads do",
        arguments: SimulatedProvider.Kind.allCases, PacingScenario.Load.allCases)
    func manyFaults(provider: SimulatedProvider.Kind, load: PacingScenario.Load) throws {
        let redis = try RedisServer()
        for seed in 1...Simulations.count {
            var scenario = LedgerScenario(provider: provider, load: load, seed: UInt64(seed), seconds: 24)
            scenario.base.latency = .spiky
            scenario.base.departures = 0.1
            scenario.base.losses = 0.01
            scenario.base.hasLanes = true
            scenario.base.per = [1_000_000_000, 300_000_000, 2_000_000_000][seed % 3]
            scenario.instances = seed % 8 == 0 ? 5 : 2
            scenario.replicas = scenario.instances
            scenario.addTroubles(4)
            try expectPromisesKept(scenario, in: redis)
        }
    }

    @Test("eight instances of which some fail")
    func eightInstances() throws {
        var scenario = LedgerScenario(instances: 8, seed: 5, seconds: 25)
        scenario.base.latency = .spiky
        scenario.addTroubles(5)
        try expectPromisesKept(scenario, in: RedisServer())
    }

    @Test("together they reach 95 % of what one instance reaches", arguments: [2, 8])
    func throughput(instances: Int) throws {
        for load in [
            PacingScenario.Latency.constant(forward: 20, back: 20), .constant(forward: 2, back: 150),
        ] {
            var scenario = LedgerScenario(instances: instances, seconds: 17)
            scenario.base.latency = load
            let result = try expectPromisesKept(scenario, in: RedisServer())
            // From the first window on: a new Redis gives nothing for a while.
            let start = try #require(result.arrivals.first)
            guard case .constant(let forward, let back) = load else { return }
            let roundTrip = (forward + back) * 1_000_000
            let windows = (17_000_000_000 - start) / (scenario.base.per + roundTrip)
            let span = windows * (scenario.base.per + roundTrip)
            let bound = Double(scenario.base.requests) * 1e9 / Double(scenario.base.per + roundTrip)
            let rate = result.rate(from: start, until: start + span)
            #expect(rate >= 0.95 * bound, "\(instances) instances: \(rate) of \(bound)")
        }
    }

    /// Mistakes in the script: what is to be replaced, by what, and the windows and troubles with which it shows.
    private static let mistakes: [(mistake: (String, String), seconds: Int64, troubles: [Trouble])] = [
        (("missing * math.floor(limit.slots / limit.replicas)", "0"), 1, troubles[1]),
        (("text(keeps)", "text(keeps + 20000000)"), 1, troubles[1]),
        (("text(now + tonumber(ARGV[8]))", "text(now)"), 2, troubles[12]),
        (("if at > now then add(", "if false then add("), 1, []),
        (
            ("limit.slots - ghosts", "limit.slots"), 4,
            [Trouble(fault: .partition(instance: 0), from: 14_000, until: 22_000)]
        ),
        (("alive + limit.lease + 2 * limit.per <= now", "false"), 1, troubles[14]),
    ]

    @Test("a mistake in the script is seen, so this simulation can fail", arguments: mistakes.indices)
    func canFail(index: Int) throws {
        let redis = try RedisServer()
        let (mistake, window, troubles) = Self.mistakes[index]
        for seed: UInt64 in 1...8 {
            var scenario = LedgerScenario(seed: seed, seconds: 24)
            scenario.troubles = troubles
            scenario.base.per = window * 1_000_000_000
            var simulation = LedgerSimulation(
                scenario, redis: try VirtualRedis(redis, changing: [mistake]))
            let result = try simulation.run()
            if result.refused > 0 || result.leaked > 0 { return }
        }
        Issue.record("nothing is refused, and nothing lost, with \(mistake.1) for \(mistake.0)")
    }

    @discardableResult
    private func expectPromisesKept(_ scenario: LedgerScenario, in redis: RedisServer) throws -> LedgerResult
    {
        var simulation = LedgerSimulation(scenario, redis: try VirtualRedis(redis))
        let result = try simulation.run()
        let text = Comment(rawValue: "\(scenario)")
        #expect(result.refused == 0, text)
        #expect(result.stuck == 0, text)
        #expect(result.leaked == 0, text)
        #expect(result.accepted > 0, text)
        return result
    }
}

/// `WEIR_SIMULATIONS=100 swift test --filter SharedLedgerSimulation` plays a hundred seeds of each situation.
private enum Simulations {
    static var count: Int {
        let text = unsafe getenv("WEIR_SIMULATIONS").map { unsafe String(cString: $0) }
        return max(text.flatMap { Int($0) } ?? 1, 1)
    }
}
