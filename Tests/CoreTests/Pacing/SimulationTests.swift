import Testing

@testable import Core

@Suite("the pacing simulation")
struct SimulationTests {
    @Test(
        "no provider ever refuses a request, whatever counts, loads and networks do",
        arguments: SimulatedProvider.Kind.allCases, PacingScenario.Load.allCases)
    func nothingIsRefused(provider: SimulatedProvider.Kind, load: PacingScenario.Load) {
        let latencies: [PacingScenario.Latency] = [
            .spiky, .asymmetric(slowBack: true), .asymmetric(slowBack: false),
        ]
        for (seed, latency) in latencies.enumerated() {
            var scenario = PacingScenario(
                provider: provider, load: load, latency: latency, seed: UInt64(seed))
            scenario.workers = 4
            scenario.departures = 0.1
            scenario.losses = 0.01
            scenario.timerLateness = 1_000_000
            scenario.keys = 1 + seed
            scenario.seconds = 60
            expectPromisesKept(scenario)
        }
    }

    @Test(
        "a limit that is counted in parts is never exceeded either",
        arguments: SimulatedProvider.Kind.allCases)
    func countedInParts(provider: SimulatedProvider.Kind) {
        var scenario = PacingScenario(provider: provider, load: .saturating, latency: .spiky, seed: 7)
        scenario.requests = 300
        scenario.seconds = 12
        scenario.losses = 0.02
        scenario.queueCapacity = 2000
        expectPromisesKept(scenario)
    }

    @Test("a saturated limit reaches 98 % of N / (W + round trip)", arguments: [20, 3, 300])
    func throughput(requests: Int) {
        for roundTrip: Int64 in [2, 60, 400] {
            var scenario = PacingScenario(latency: .constant(forward: roundTrip / 2, back: roundTrip / 2))
            scenario.requests = requests
            scenario.seconds = requests > 100 ? 20 : 120
            let result = expectPromisesKept(scenario)
            let bound = Double(requests) * 1e9 / Double(scenario.per + roundTrip * 1_000_000)
            #expect(result.throughput >= 0.98 * bound, "\(requests) per 2 s, \(roundTrip) ms")
        }
    }

    @Test("a full queue turns away what comes, and holds no more than it may")
    func fullQueue() {
        var scenario = PacingScenario(load: .bursty, latency: .spiky, seed: 3)
        scenario.queueCapacity = 15
        scenario.departures = 0.3
        let result = expectPromisesKept(scenario)
        #expect(result.turnedAway > 0)
        #expect(result.longestQueue == 15)
    }

    @Test("every client that leaves frees its place, even when its grant is on the way")
    func departures() {
        var scenario = PacingScenario(load: .saturating, latency: .spiky, seed: 4)
        scenario.departures = 0.5
        scenario.workers = 8
        scenario.timerLateness = 5_000_000
        let result = expectPromisesKept(scenario)
        #expect(result.departed > 100)
    }

    /// A situation in which much goes on at once.
    private func busyScenario(seed: UInt64, _ change: (inout PacingScenario) -> Void) -> PacingScenario {
        var scenario = PacingScenario(load: .bursty, latency: .spiky, seed: seed, seconds: 30)
        scenario.workers = 4
        scenario.keys = 3
        scenario.departures = 0.1
        scenario.losses = 0.01
        scenario.timerLateness = 1_000_000
        change(&scenario)
        return scenario
    }

    @Test(
        "limits of several scopes are all kept, and nobody waits forever",
        arguments: SimulatedProvider.Kind.allCases, PacingScenario.Load.allCases)
    func stacked(provider: SimulatedProvider.Kind, load: PacingScenario.Load) {
        for seed: UInt64 in 1...3 {
            expectPromisesKept(
                busyScenario(seed: seed) { scenario in
                    scenario.provider = provider
                    scenario.load = load
                    scenario.sharedRequests = [25, 40, 7][Int(seed) - 1]
                })
        }
    }

    @Test("lanes change the order, and nothing else", arguments: PacingScenario.Load.allCases)
    func lanes(load: PacingScenario.Load) {
        expectPromisesKept(
            busyScenario(seed: 5) { scenario in
                scenario.load = load
                scenario.hasLanes = true
                scenario.sharedRequests = 30
            })
    }

    @Test("no more requests are at the provider at one time than may be", arguments: [1, 4])
    func concurrency(count: Int) {
        expectPromisesKept(
            busyScenario(seed: 6) { scenario in
                scenario.load = .saturating
                scenario.concurrent = count
                // What is lost may be at the provider for longer than any grace.
                scenario.losses = 0
            })
    }

    @Test("a daily quota is kept over midnight, whichever clock is ahead", arguments: [-4, 0, 4])
    func quota(skew: Int64) {
        let result = expectPromisesKept(
            busyScenario(seed: 7) { scenario in
                scenario.load = .saturating
                scenario.daily = 60
                scenario.skew = skew * 1_000_000_000
                scenario.keys = 2
            }, mayEndWaiting: true)
        // Both days of both keys, but for what was lost or is between the days.
        let inTime = result.throughput * 30
        #expect(inTime > 200)
        #expect(inTime <= 240)
    }

    @Test("pauses for whatever reason end, and everybody has a turn", arguments: 1...4)
    func pauses(seed: Int) {
        let result = expectPromisesKept(
            busyScenario(seed: UInt64(seed)) { scenario in
                scenario.moods = 0.02
                scenario.sharedRequests = 45
            })
        #expect(result.moody > 0)
    }

    @Test("the fast guarantee is faster, and is refused now and then where the network has spikes")
    func fast() {
        var scenario = PacingScenario(latency: .spiky, seed: 2)
        scenario.fastMargin = 100_000_000
        var simulation = PacingSimulation(scenario)
        let result = simulation.run()
        #expect(result.refusedShare < 0.05)
        #expect(result.stuck == 0)
        #expect(result.overtaken == 0)
        #expect(result.brokenInvariants.isEmpty)
        scenario.latency = .constant(forward: 150, back: 150)
        simulation = PacingSimulation(scenario)
        let steady = simulation.run()
        scenario.fastMargin = nil
        var strict = PacingSimulation(scenario)
        #expect(steady.refused == 0)
        #expect(steady.throughput > strict.run().throughput)
    }

    @Test("the limiters that count what was sent are refused, so this simulation can fail")
    func othersAreRefused() {
        for (name, limiter) in Self.others {
            var simulation = PacingSimulation(PacingScenario(latency: .spiky), limiter: limiter)
            let result = simulation.run()
            #expect(result.refused > 0, "\(name)")
            #expect(result.stuck == 0, "\(name)")
        }
    }

    static let others: [(name: String, limiter: SendTimeLimiter)] = [
        ("token bucket, 20, refill 10/s", .tokenBucket(tokens: 20, last: 0)),
        ("evenly spaced", .evenlySpaced(next: 0)),
        ("exact log of send times", .sendLog(times: [], margin: 0)),
        ("the same + 100 ms margin", .sendLog(times: [], margin: 100_000_000)),
    ]

    @discardableResult
    private func expectPromisesKept(
        _ scenario: PacingScenario, mayEndWaiting: Bool = false
    ) -> PacingResult {
        var simulation = PacingSimulation(scenario)
        let result = simulation.run()
        let text = Comment(rawValue: "\(scenario)")
        #expect(result.refused == 0, text)
        #expect(result.overtaken == 0, text)
        if !mayEndWaiting { #expect(result.stuck == 0, text) }
        #expect(result.brokenInvariants.isEmpty, text)
        #expect(result.accepted > 0, text)
        return result
    }
}
