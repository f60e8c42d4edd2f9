import Testing

@testable import Core

@Suite("a pause after the provider's refusal")
struct PauseTests {
    /// A pacer whose only request was refused at 100 ms.
    private func refused(for retryAfter: Duration?, requests: Int = 5) throws -> Pacer {
        let pacer = Pacer(requests, per: 1000)
        try refuse(pacer, sentAt: 0, for: retryAfter)
        return pacer
    }

    private func refuse(_ pacer: Pacer, sentAt: Int64, for retryAfter: Duration?) throws {
        let slot = try pacer.send(at: at(sentAt))
        let moment = at(sentAt + 100)
        _ = pacer.responded(slot, verdict: .undecided, at: moment)
        _ = pacer.judge(slot, .rejected(retryAfter: retryAfter, reason: .rateLimited), at: moment)
    }

    @Test("the whole ledger waits until the time the provider named, though slots are free")
    func wholeLedger() throws {
        let pacer = try refused(for: .seconds(3))
        let refusal = try pacer.refusal(at: at(200))
        #expect(refusal.reason == .paused)
        #expect(refusal.retryAfter == .milliseconds(2900))
        _ = try pacer.refusal(at: at(3099))
        _ = try pacer.send(at: at(3100))
        // Another key is not concerned.
        _ = try pacer.send(key: .none, at: at(200))
    }

    @Test("then one request tries, its success opens the ledger, and the queue follows")
    func probe() throws {
        let pacer = try refused(for: .seconds(3))
        let wake = try #require(try pacer.queue(1, at: at(200)).2)
        for id: UInt64 in 2...4 { _ = try pacer.queue(id, at: at(200)) }
        #expect(wake.at == at(3100))
        let (grants, _) = pacer.granted(wake)
        #expect(grants.map(\.waiter.id) == [1])
        #expect(pacer.snapshot(at: at(3150)).paused == 1)
        let opened = try #require(pacer.responded(grants[0].slot, verdict: .accepted, at: at(3200)).wake)
        #expect(opened.at == at(3200))
        #expect(pacer.granted(opened).grants.map(\.waiter.id) == [2, 3, 4])
        #expect(pacer.snapshot(at: at(3200)).paused == 0)
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("without a named time the pauses are one window, then twice as long after each refused probe")
    func backoff() throws {
        let pacer = try refused(for: nil)
        var sentAt: Int64 = 1100
        for pause: Int64 in [2000, 4000, 8000] {
            _ = try pacer.refusal(at: at(sentAt - 1))
            try refuse(pacer, sentAt: sentAt, for: nil)
            sentAt += 100 + pause
        }
        _ = try pacer.refusal(at: at(sentAt - 1))
        let slot = try pacer.send(at: at(sentAt))
        _ = pacer.responded(slot, verdict: .accepted, at: at(sentAt + 100))
        // Opened, so the next pause is a short one again.
        try refuse(pacer, sentAt: sentAt + 200, for: nil)
        _ = try pacer.send(at: at(sentAt + 1300))
    }

    @Test("a foreign time that is absurd, zero or negative neither traps nor lasts forever")
    func absurdTimes() throws {
        let long = try refused(for: .seconds(Int64.max))
        _ = try long.refusal(at: at(31 * 86_400_000))
        _ = try long.send(at: at(33 * 86_400_000))
        for asked: Duration in [.zero, .seconds(-5)] {
            let pacer = try refused(for: asked)
            _ = try pacer.refusal(at: at(1099))
            _ = try pacer.send(at: at(1100))
        }
    }

    @Test("a probe that is never answered lets another try after its time")
    func silentProbe() throws {
        let pacer = try refused(for: .seconds(1))
        let silent = try pacer.send(at: at(1100))
        let wake = try #require(try pacer.queue(1, at: at(1200)).2)
        #expect(wake.at == at(3100))
        let grants = pacer.granted(wake).grants
        #expect(grants.count == 1)
        // The late answer of the first one opens nothing; the second one's does.
        _ = pacer.responded(silent, verdict: .accepted, at: at(3150))
        #expect(pacer.snapshot(at: at(3150)).paused == 1)
        _ = pacer.responded(grants[0].slot, verdict: .accepted, at: at(3200))
        #expect(pacer.snapshot(at: at(3200)).paused == 0)
    }

    @Test("a probe that told nothing, because it was lost or never sent, is followed by another at once")
    func lostProbe() throws {
        let pacer = try refused(for: .seconds(1))
        _ = try pacer.queue(1, at: at(200))
        let first = pacer.granted(Wake(at: at(1100))).grants
        _ = try pacer.queue(2, at: at(1150))
        _ = try pacer.queue(3, at: at(1150))
        let second = try #require(pacer.neverSent(first[0].slot, at: at(1200)))
        let grants = pacer.granted(second).grants
        #expect(grants.map(\.waiter.id) == [2])
        let third = try #require(pacer.closedWithoutResponse(grants[0].slot, at: at(1300)))
        #expect(pacer.granted(third).grants.map(\.waiter.id) == [3])
        #expect(pacer.snapshot(at: at(1300)).paused == 1)
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("the answers to what was sent before the pause neither open it nor make it grow")
    func stragglers() throws {
        let pacer = Pacer(5, per: 1000)
        let slots = try (0..<4).map { _ in try pacer.send(at: at(0)) }
        for slot in slots.prefix(3) {
            _ = pacer.responded(slot, verdict: .undecided, at: at(100))
            _ = pacer.judge(slot, .rejected(retryAfter: nil, reason: .rateLimited), at: at(100))
        }
        _ = pacer.responded(slots[3], verdict: .accepted, at: at(150))
        _ = try pacer.refusal(at: at(1099))
        _ = try pacer.send(at: at(1100))
    }

    @Test("a refusal that comes while a probe is out pauses as it says, and the probe then opens nothing")
    func stragglerDuringProbe() throws {
        let pacer = Pacer(5, per: 1000)
        let slots = try (0..<2).map { _ in try pacer.send(at: at(0)) }
        let refusals: [(slot: Slot, moment: Int64, asked: Int)] = [
            (slots[0], 100, 1000), (slots[1], 1150, 500),
        ]
        var probe: Slot?
        for (slot, moment, asked) in refusals {
            _ = pacer.responded(slot, verdict: .undecided, at: at(moment))
            let ruling = Ruling.rejected(retryAfter: .milliseconds(asked), reason: .rateLimited)
            _ = pacer.judge(slot, ruling, at: at(moment))
            probe = try probe ?? pacer.send(at: at(1100))
        }
        _ = pacer.responded(try #require(probe), verdict: .accepted, at: at(1200))
        _ = try pacer.refusal(at: at(1649))
        _ = try pacer.send(at: at(1650))
    }

    @Test("a refusal that turns out to be none pauses nothing, and counts as success of a probe")
    func harmlessRefusal() throws {
        let pacer = try refused(for: .seconds(1))
        let probe = try pacer.send(at: at(1100))
        _ = pacer.responded(probe, verdict: .undecided, at: at(1200))
        #expect(pacer.judge(probe, .accepted, at: at(1210)) == nil)
        #expect(pacer.snapshot(at: at(1210)).paused == 0)
        _ = try pacer.send(at: at(1210))
    }

    @Test("an undecided response that breaks off decides nothing, and its slot counts from its first byte")
    func undecidedBreaksOff() throws {
        let pacer = Pacer(1, per: 1000)
        let slot = try pacer.send(at: at(0))
        _ = pacer.responded(slot, verdict: .undecided, at: at(100))
        _ = pacer.closedWithoutResponse(slot, at: at(900))
        _ = try pacer.refusal(at: at(1099))
        _ = try pacer.send(at: at(1100))
    }

    // MARK: One limit

    /// A pacer with a limit of all requests and one of some, as the weights say.
    private func twoLimits() -> Pacer {
        Pacer(
            policy: PacingPolicy(windows: [
                .init(requests: 5, per: .seconds(1)), .init(requests: 3, per: .seconds(2)),
            ]))
    }

    private func demand(_ weights: UInt16..., key: UInt64 = 9) -> PacingDemand {
        var all = SIMD8<UInt16>(repeating: 0)
        for (index, weight) in weights.enumerated() { all[index] = weight }
        return PacingDemand(keys: SIMD4(repeating: key), weights: all, usesQuota: false)
    }

    private func send(_ demand: PacingDemand, by pacer: Pacer, at now: MonotonicTime) throws -> Slot {
        let waiter = Waiter(worker: 0, id: 1)
        guard case .admitted(let slot) = pacer.admit(demand, waiter: waiter, patience: .zero, at: now) else {
            throw TestFailure()
        }
        return slot
    }

    private struct TestFailure: Error {}

    @Test("one limit that was hit pauses what it counts for its key, and nothing else")
    func oneLimit() throws {
        let pacer = twoLimits()
        let slot = try send(demand(1, 1), by: pacer, at: at(0))
        _ = pacer.responded(slot, verdict: .undecided, at: at(100))
        _ = pacer.judge(slot, .limited(limit: 1, retryAfter: .seconds(5)), at: at(100))
        for _ in 0..<4 { _ = try send(demand(1), by: pacer, at: at(200)) }
        #expect(throws: TestFailure.self) { try send(demand(0, 1), by: pacer, at: at(200)) }
        _ = try send(demand(1, 1, key: 8), by: pacer, at: at(200))
        #expect(throws: TestFailure.self) { try send(demand(0, 1), by: pacer, at: at(5099)) }
        // One tries, and the others follow.
        let trial = try send(demand(0, 1), by: pacer, at: at(5100))
        #expect(throws: TestFailure.self) { try send(demand(0, 1), by: pacer, at: at(5101)) }
        _ = pacer.responded(trial, verdict: .accepted, at: at(5150))
        for _ in 0..<2 { _ = try send(demand(0, 1), by: pacer, at: at(5400)) }
        #expect(throws: TestFailure.self) { try send(demand(0, 1), by: pacer, at: at(5400)) }
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("a limit that is hit again while it pauses is longer paused, and no slot is lost")
    func hitAgain() throws {
        let pacer = twoLimits()
        let slots = try (0..<3).map { _ in try send(demand(0, 1), by: pacer, at: at(0)) }
        for (index, slot) in slots.enumerated() {
            let now = at(100 + Int64(index) * 100)
            _ = pacer.responded(slot, verdict: .undecided, at: now)
            _ = pacer.judge(slot, .limited(limit: 1, retryAfter: nil), at: now)
        }
        #expect(throws: TestFailure.self) { try send(demand(0, 1), by: pacer, at: at(2299)) }
        _ = try send(demand(0, 1), by: pacer, at: at(2300))
        #expect(throws: TestFailure.self) { try send(demand(0, 1), by: pacer, at: at(2300)) }
        for _ in 0..<2 { _ = try send(demand(0, 1), by: pacer, at: at(2600)) }
        #expect(pacer.brokenInvariants.isEmpty)
    }
}
