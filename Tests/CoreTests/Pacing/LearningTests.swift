import Testing
import Wire

@testable import Core

@Suite("Limits learned from responses")
struct LearningTests {
    private static var policy: PacingPolicy {
        var policy = PacingPolicy(windows: [])
        policy.learns = true
        return policy
    }

    private func demand(_ key: UInt64 = 9) -> PacingDemand {
        PacingDemand(keys: SIMD4(repeating: key), weights: SIMD8(repeating: 0), usesQuota: false)
    }

    private struct NotAsExpected: Error {}

    private func send(_ pacer: Pacer, key: UInt64 = 9, at now: MonotonicTime) throws -> Slot {
        let waiter = Waiter(worker: 0, id: 1)
        guard case .admitted(let slot) = pacer.admit(demand(key), waiter: waiter, patience: .zero, at: now)
        else { throw NotAsExpected() }
        return slot
    }

    private func report(remaining: Int, limit: Int? = 10, reset: Int? = nil) -> RateReport {
        var report = RateReport()
        report.add(.init(id: 1, limit: limit, remaining: remaining, reset: reset))
        return report
    }

    // MARK: Simulated providers

    /// Plays a provider behind the pacer.
    private func play(
        _ provider: ReportingProvider, seed: UInt64, clients: Int = 30, seconds: Double = 200
    ) -> VirtualTraffic {
        var provider = provider
        let headers = RateHeaders(names: ReportingProvider.names)
        let demand = demand()
        let traffic = VirtualTraffic(
            Pacer(policy: Self.policy), seed: seed, request: { _, _ in .init(demand: demand) },
            serve: { _, now in
                let (isAccepted, fields) = provider.serve(at: now)
                return .init(
                    isAccepted: isAccepted,
                    report: headers.report(fields) { (ReportingProvider.epoch + now) / 1_000_000_000 })
            })
        traffic.latency = { numbers in
            (
                Int64.random(in: 5_000_000...200_000_000, using: &numbers),
                Int64.random(in: 5_000_000...200_000_000, using: &numbers), 0
            )
        }
        traffic.run(clients: clients, seconds: seconds, headStart: 2_000_000_000)
        return traffic
    }

    @Test(
        "after the first response no provider of any dialect refuses a request",
        arguments: ReportingProvider.Dialect.allCases, ReportingProvider.Kind.allCases)
    func dialects(dialect: ReportingProvider.Dialect, kind: ReportingProvider.Kind) {
        for seed: UInt64 in 1...4 {
            let provider = ReportingProvider(kind, dialect, windows: [(20, 10)])
            let traffic = play(provider, seed: seed)
            // Where no reset is told, only a request that tries too early finds out how long a window is.
            let saysNoReset = (dialect == .used || dialect == .withoutReset) && kind != .bucket
            let refusals = traffic.refusals.filter { !saysNoReset || $0 > 60_000_000_000 }
            #expect(refusals.isEmpty, "\(dialect) \(kind) \(seed): \(traffic.refusals)")
            #expect(traffic.refused <= (saysNoReset ? 6 : 0), "\(dialect) \(kind) \(seed)")
            // 400 are possible; where a reset or a probe is awaited, fewer.
            #expect(traffic.accepted >= 150, "\(dialect) \(kind) \(seed): \(traffic.accepted)")
        }
    }

    @Test(
        "several windows are learned together, and the tightest paces",
        arguments: [ReportingProvider.Dialect.draft08, .slashes, .fieldPerWindow],
        ReportingProvider.Kind.allCases)
    func severalWindows(dialect: ReportingProvider.Dialect, kind: ReportingProvider.Kind) {
        let provider = ReportingProvider(kind, dialect, windows: [(10, 5), (30, 60)])
        for seed: UInt64 in 1...3 {
            let traffic = play(provider, seed: seed, clients: 12, seconds: 240)
            // The one reset of a list with several counts is not that of each.
            let isReset = dialect != .slashes || kind == .bucket
            #expect(traffic.refused <= (isReset ? 0 : 12), "\(dialect) \(kind) \(seed): \(traffic.refusals)")
            #expect(
                traffic.refusals.allSatisfy { $0 < 130_000_000_000 },
                "\(dialect) \(kind): \(traffic.refusals)")
            #expect(traffic.accepted >= 60, "\(dialect) \(kind) \(seed): \(traffic.accepted)")
        }
    }

    @Test("a request that costs several of what is counted is learned to cost them")
    func cost() {
        let provider = ReportingProvider(.fixed, .seconds, windows: [(100, 20)], cost: 7)
        // One after another: what a request costs is clear.
        let traffic = play(provider, seed: 3, clients: 1, seconds: 200)
        #expect(traffic.refused == 0)
        #expect(traffic.accepted >= 100)
    }

    @Test("a refusal without a count makes cautious: a few refusals, and most of what is possible")
    func caution() {
        var provider = SimulatedProvider(.slidingWindow, requests: 10, per: 1_000_000_000, phase: 0)
        let demand = demand()
        let traffic = VirtualTraffic(
            Pacer(policy: Self.policy), request: { _, _ in .init(demand: demand) },
            serve: { _, now in .init(isAccepted: provider.accepts(at: now)) })
        traffic.latency = { _ in (5_000_000, 5_000_000, 0) }
        traffic.run(clients: 20, seconds: 600)
        #expect(traffic.refused < 80, "\(traffic.refused)")
        #expect(traffic.accepted > 2000, "\(traffic.accepted)")
    }

    // MARK: Single promises

    @Test("what a response leaves is sent and no more, and another key is not concerned")
    func credit() throws {
        let pacer = Pacer(policy: Self.policy)
        let slot = try send(pacer, at: at(0))
        _ = pacer.responded(slot, verdict: .accepted, learned: report(remaining: 2, reset: 5), at: at(100))
        _ = try send(pacer, at: at(200))
        _ = try send(pacer, at: at(200))
        #expect(throws: NotAsExpected.self) { try send(pacer, at: at(200)) }
        _ = try send(pacer, key: 8, at: at(200))
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("nothing left is respected until the reset, then one request tries and opens")
    func exhausted() throws {
        let pacer = Pacer(policy: Self.policy)
        let slot = try send(pacer, at: at(0))
        _ = pacer.responded(slot, verdict: .accepted, learned: report(remaining: 0, reset: 5), at: at(100))
        #expect(throws: NotAsExpected.self) { try send(pacer, at: at(6099)) }
        let trial = try send(pacer, at: at(6100))
        #expect(throws: NotAsExpected.self) { try send(pacer, at: at(6150)) }
        _ = pacer.responded(trial, verdict: .accepted, learned: report(remaining: 9, reset: 5), at: at(6200))
        for _ in 0..<9 { _ = try send(pacer, at: at(6300)) }
        #expect(throws: NotAsExpected.self) { try send(pacer, at: at(6300)) }
    }

    @Test("a request that tries and is lost, or whose response says nothing, lets another try")
    func lostTrial() throws {
        let pacer = Pacer(policy: Self.policy)
        let slot = try send(pacer, at: at(0))
        _ = pacer.responded(slot, verdict: .accepted, learned: report(remaining: 0, reset: 1), at: at(0))
        let lost = try send(pacer, at: at(2000))
        #expect(throws: NotAsExpected.self) { try send(pacer, at: at(2001)) }
        _ = pacer.closedWithoutResponse(lost, at: at(2100))
        let silent = try send(pacer, at: at(2101))
        _ = pacer.responded(silent, verdict: .accepted, learned: RateReport(), at: at(2200))
        _ = try send(pacer, at: at(2201))
    }

    @Test("requests under way are not taken to be counted by a response")
    func overlapping() throws {
        let pacer = Pacer(policy: Self.policy)
        let slots = try (0..<4).map { _ in try send(pacer, at: at(0)) }
        _ = pacer.responded(
            slots[0], verdict: .accepted, learned: report(remaining: 4, reset: 60), at: at(50))
        _ = try send(pacer, at: at(60))
        #expect(throws: NotAsExpected.self) { try send(pacer, at: at(60)) }
        // The order of responses does not matter: this one has counted all.
        _ = pacer.responded(
            slots[3], verdict: .accepted, learned: report(remaining: 3, reset: 60), at: at(70))
        #expect(throws: NotAsExpected.self) { try send(pacer, at: at(80)) }
    }

    @Test("with limits, or where learning is off, responses change nothing")
    func off() throws {
        for policy in [
            PacingPolicy(windows: []),
            {
                var policy = PacingPolicy(windows: [.init(requests: 100, per: .seconds(1))])
                policy.learns = true
                return policy
            }(),
        ] {
            let pacer = Pacer(policy: policy)
            let slot = try send(pacer, at: at(0))
            let learned = report(remaining: 0, reset: 60)
            _ = pacer.responded(slot, verdict: .accepted, learned: learned, at: at(100))
            _ = try send(pacer, at: at(200))
            #expect(pacer.snapshot(at: at(200)).ledgers.allSatisfy { $0.learned.isEmpty })
        }
        #expect(PacingPlan(limits: [], learns: true).scopes == [.credential])
        #expect(PacingPlan(limits: []).scopes == [.provider])
    }

    @Test("the snapshot says what was learned, and from which field")
    func snapshot() throws {
        let headers = RateHeaders(names: ReportingProvider.names)
        var fields = FieldBlock()
        fields.append("X-Remaining-Hour", "7")
        fields.append("X-Limit-Hour", "100")
        fields.append("X-Reset-Hour", "30")
        let pacer = Pacer(policy: Self.policy)
        let slot = try send(pacer, at: at(0))
        _ = pacer.responded(slot, verdict: .accepted, learned: headers.report(fields) { 0 }, at: at(0))
        let learned = try #require(pacer.snapshot(at: at(1000)).ledgers.first?.learned.first)
        #expect(headers.sources[learned.source] == "X-Remaining-Hour")
        #expect(learned.limit == 100 && learned.remaining == 7 && learned.resetIn == .seconds(29))
        // A cache repeats an old count.
        fields.append("Age", "3")
        #expect(headers.report(fields) { 0 }.count == 0)
    }

    @Test("numbers of any size neither trap nor block for ever", arguments: [0, 1, Int.max, 1 << 40])
    func hostileNumbers(number: Int) throws {
        for other in [Int.max, 0, 1, Int.max - 1, 5, 0] {
            let pacer = Pacer(policy: Self.policy)
            let slot = try send(pacer, at: at(0))
            let learned = report(remaining: number, limit: other, reset: number)
            _ = pacer.responded(slot, verdict: .accepted, learned: learned, at: at(1))
            let later = MonotonicTime.distantFuture.later(by: -1_000_000_000)
            let next = try send(pacer, at: later)
            _ = pacer.responded(
                next, verdict: .accepted, learned: report(remaining: other, limit: number, reset: 1),
                at: later)
            _ = pacer.snapshot(at: later)
        }
    }

    @Test("memory is bounded: a key that is new takes the place of what was learned of another")
    func bounded() throws {
        var policy = Self.policy
        policy.keyCapacity = 8
        let pacer = Pacer(policy: policy)
        for key: UInt64 in 100..<400 {
            let slot = try send(pacer, key: key, at: at(Int64(key)))
            _ = pacer.responded(
                slot, verdict: .accepted, learned: report(remaining: 0, reset: 3600), at: at(Int64(key)))
        }
        #expect(pacer.snapshot(at: at(500)).keys <= 8)
    }

    @Test("a policy that begins to learn, or ends it, keeps what is under way")
    func change() throws {
        let pacer = Pacer(policy: PacingPolicy(windows: [.init(requests: 5, per: .seconds(1))]))
        let slot = try send(pacer, at: at(0))
        _ = pacer.change(to: Self.policy, at: at(10))
        _ = pacer.responded(slot, verdict: .accepted, learned: report(remaining: 0, reset: 5), at: at(20))
        #expect(throws: NotAsExpected.self) { try send(pacer, at: at(30)) }
        _ = pacer.change(to: PacingPolicy(windows: []), at: at(40))
        _ = try send(pacer, at: at(50))
        #expect(pacer.brokenInvariants.isEmpty)
    }
}
