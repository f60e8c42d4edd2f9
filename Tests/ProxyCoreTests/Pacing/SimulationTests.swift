import Testing

@testable import ProxyCore

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
    private func expectPromisesKept(_ scenario: PacingScenario) -> PacingResult {
        var simulation = PacingSimulation(scenario)
        let result = simulation.run()
        let text = Comment(rawValue: "\(scenario)")
        #expect(result.refused == 0, text)
        #expect(result.overtaken == 0, text)
        #expect(result.stuck == 0, text)
        #expect(result.brokenInvariants.isEmpty, text)
        #expect(result.accepted > 0, text)
        return result
    }
}
