import Locking
import Testing

@testable import Core

@Suite("what the provider's own count tells")
struct ForeignUsageTests {
    private func answer(
        _ pacer: Pacer, sentAt: Int64 = 0, at moment: Int64, limit: Int? = nil, remaining: Int,
        reset: Duration? = nil
    ) throws -> Outcome {
        pacer.responded(
            try pacer.send(at: at(sentAt)), verdict: .accepted,
            observed: RateObservation(limit: limit, remaining: remaining), reset: { reset }, at: at(moment))
    }

    @Test("a count that contains only our requests changes nothing, nor does a lower count")
    func own() throws {
        let pacer = Pacer(5, per: 1000)
        for index in 0..<3 {
            #expect(try !answer(pacer, at: 10, limit: 5, remaining: 4 - index).isUsedByOthers)
        }
        #expect(try answer(pacer, at: 20, limit: 5, remaining: 5).headroom?.remaining == 1)
        #expect(pacer.snapshot(at: at(20)).foreignShare == 0)
    }

    @Test("foreign usage is subtracted until the provider's reset, or for the window")
    func others() throws {
        for (reset, free) in [(Duration.milliseconds(400), 410), (.seconds(60), 1010), (nil, 1010)]
            as [(Duration?, Int64)]
        {
            let pacer = Pacer(10, per: 1000)
            let outcome = try answer(pacer, at: 10, limit: 10, remaining: 3, reset: reset)
            #expect(outcome.isUsedByOthers)
            #expect(outcome.headroom?.remaining == 3)
            for _ in 0..<3 { _ = try pacer.send(at: at(20)) }
            _ = try pacer.refusal(at: at(free - 1))
            for _ in 0..<6 { _ = try pacer.send(at: at(free)) }
            #expect(pacer.snapshot(at: at(20)).foreignShare > 0)
            #expect(pacer.brokenInvariants.isEmpty)
        }
    }

    @Test(
        "a refusal that says when to come back ends what others use, if no answer has named its end",
        arguments: [
            PacingPolicy.Window(requests: 1000, per: .seconds(86_400)), .init(requests: 5, counted: .day),
            .init(requests: 5, counted: .month),
        ])
    func retryAfter(window: PacingPolicy.Window) throws {
        for isQuota in [false, true] {
            let pacer = Pacer(policy: PacingPolicy(windows: [window], quotaScope: isQuota ? 0 : nil))
            pacer.setWallClock(offset: .seconds(1_800_000_000))
            // One answer says that others have used most, the next one that nothing is left.
            for remaining in [1, 0] {
                let slot = try pacer.send(at: at(0))
                _ = pacer.responded(
                    slot, verdict: .undecided,
                    observed: RateObservation(limit: window.requests, remaining: remaining), reset: { nil },
                    at: at(10))
                let wait: Duration? = remaining == 0 ? .seconds(2) : nil
                let ruling =
                    remaining > 0
                    ? Ruling.accepted
                    : isQuota
                        ? .quotaUsedUp(retryAfter: wait) : .rejected(retryAfter: wait, reason: .rateLimited)
                _ = pacer.judge(slot, ruling, at: at(20))
            }
            _ = try pacer.refusal(at: at(2019))
            #expect(
                pacer.expectedWait(of: PacingDemand(key: LedgerKey(hash: 1)), at: at(20)) ?? .seconds(99)
                    <= .seconds(2))
            _ = try pacer.send(at: at(2020))
            #expect(pacer.brokenInvariants.isEmpty)
        }
    }

    @Test("a refusal that says when to come back does not end what others use until a time that was named")
    func namedReset() throws {
        let pacer = Pacer(10, per: 86_400_000)
        let slot = try pacer.send(at: at(0))
        _ = pacer.responded(
            slot, verdict: .undecided, observed: RateObservation(limit: 10, remaining: 0),
            reset: { .seconds(60) },
            at: at(10))
        _ = pacer.judge(slot, .rejected(retryAfter: .seconds(2), reason: .rateLimited), at: at(20))
        _ = try pacer.refusal(at: at(60_009))
        _ = try pacer.send(at: at(60_010))
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("the same foreign requests are taken off once, however many answers count them")
    func once() throws {
        let pacer = Pacer(10, per: 1000)
        _ = try answer(pacer, at: 10, limit: 10, remaining: 5)
        #expect(try answer(pacer, sentAt: 20, at: 30, limit: 10, remaining: 4).headroom?.remaining == 4)
        #expect(try answer(pacer, sentAt: 20, at: 30, limit: 10, remaining: 3).isUsedByOthers == false)
    }

    @Test("a response that comes late, when our slots are free again, is not taken for another's use")
    func late() throws {
        let pacer = Pacer(3, per: 1000)
        let slow = try pacer.send(at: at(0))
        for _ in 0..<2 {
            _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(50))
        }
        let outcome = pacer.responded(
            slow, verdict: .accepted, observed: RateObservation(limit: 3, remaining: 0), at: at(5000))
        #expect(!outcome.isUsedByOthers)
        #expect(outcome.headroom?.remaining == 2)
    }

    @Test("a limit that none of ours has changes no count, and is told")
    func drift() throws {
        let pacer = Pacer(20, per: 1000)
        #expect(try answer(pacer, at: 10, limit: 5, remaining: 0).strangeLimit == 5)
        #expect(pacer.snapshot(at: at(20)).reportedLimit == 5)
        #expect(pacer.snapshot(at: at(20)).ledgers.first?.windows.first?.used == 1)
        #expect(try answer(pacer, sentAt: 30, at: 40, limit: 20, remaining: 18).strangeLimit == nil)
        #expect(pacer.snapshot(at: at(50)).reportedLimit == nil)
    }

    @Test("absurd counts neither trap nor take more than there is")
    func absurd() throws {
        for (limit, remaining) in [(Int.max, 0), (3, Int.max), (nil, 0), (0, 0), (3, -5)] as [(Int?, Int)] {
            let pacer = Pacer(3, per: 1000)
            _ = try answer(pacer, at: 1, limit: limit, remaining: remaining)
            #expect(pacer.brokenInvariants.isEmpty)
        }
    }
}

@Suite("limits that are only watched")
struct ObservedTests {
    @Test("observed limits send everything at once and count what would have waited or been rejected")
    func observed() throws {
        var policy = PacingPolicy(windows: [.init(requests: 2, per: .seconds(1))])
        policy.isObserved = true
        let pacer = Pacer(policy: policy)
        var slots: [Slot] = []
        for _ in 0..<3 { slots.append(try pacer.send(at: at(0))) }
        guard case .admitted(let slot) = pacer.admit(9, patience: .seconds(60), at: at(0)) else {
            throw NotAsExpected()
        }
        slots.append(slot)
        for slot in slots {
            _ = pacer.responded(slot, verdict: .undecided, at: at(10))
            _ = pacer.judge(slot, .rejected(retryAfter: .seconds(60), reason: .rateLimited), at: at(10))
        }
        let snapshot = pacer.snapshot(at: at(20))
        #expect(snapshot.wouldHaveBeenRefused == 1)
        #expect(snapshot.wouldHaveWaited == 1)
        #expect(snapshot.paused == 0)
        #expect(snapshot.windows.map(\.remaining) == [0])
        _ = try pacer.send(at: at(20))
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("the memory of observed limits is bounded")
    func bounded() throws {
        var policy = PacingPolicy(windows: [.init(requests: 2, per: .seconds(3600))])
        policy.isObserved = true
        let pacer = Pacer(policy: policy)
        for step: Int64 in 0..<1000 {
            _ = pacer.responded(try pacer.send(at: at(step)), verdict: .accepted, at: at(step))
        }
        #expect(pacer.book.withLock { $0.accounts[0].times.entries } <= 5)
    }
}
