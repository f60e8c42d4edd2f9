import Testing

@testable import Core

@Suite("what the pacer says about the wait")
struct ForecastTests {
    @Test(
        "a request at retry_after is admitted, and one a millisecond earlier is not",
        arguments: [1, 5, 40])
    func retryAfterIsExact(requests: Int) throws {
        var numbers = SeededNumbers(seed: UInt64(requests))
        for _ in 0..<50 {
            let pacer = Pacer(requests, per: 2000)
            var last: Int64 = 0
            for _ in 0..<requests {
                let slot = try pacer.send(at: at(last))
                last += Int64.random(in: 0...30, using: &numbers)
                _ = pacer.responded(slot, verdict: .accepted, at: at(last))
            }
            let refusal = try pacer.refusal(at: at(last))
            #expect(refusal.reason == .wouldWaitTooLong)
            #expect(refusal.remaining == 0)
            let retry = at(last) + refusal.retryAfter
            _ = try pacer.refusal(at: retry + .milliseconds(-1))
            _ = try pacer.send(at: retry)
        }
    }

    @Test("with a queue, retry_after is the time at which the request would get its slot")
    func retryAfterBehindQueue() throws {
        let pacer = Pacer(4, per: 1000)
        for index: Int64 in 0..<4 {
            _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(index * 100))
        }
        let (_, firstWait, wake) = try pacer.queue(1, at: at(400))
        #expect(firstWait == .milliseconds(600))
        #expect(try pacer.queue(2, at: at(400)).1 == .milliseconds(700))
        #expect(try pacer.refusal(patience: .milliseconds(799), at: at(400)).retryAfter == .milliseconds(800))
        let queued = pacer.admit(3, patience: .milliseconds(800), at: at(400))
        guard case .queued(let place, let wait, _) = queued else { throw NotAsExpected() }
        #expect(wait == .milliseconds(800))
        #expect(pacer.leave(place))
        var next = wake
        while let wake = next { next = pacer.granted(wake).wake }
        _ = try pacer.refusal(at: at(1199))
        _ = try pacer.send(at: at(1200))
    }

    @Test("what is left can be asked for without a slot, and opens no ledger; a pause leaves nothing")
    func headroomOfNobody() throws {
        let pacer = Pacer(3, per: 1000)
        func headroom(_ key: LedgerKey = .shared, at moment: Int64) -> Headroom? {
            pacer.headroom(of: PacingDemand(key: key), at: at(moment))
        }
        #expect(headroom(at: 0)?.remaining == 3 && headroom(at: 0)?.resetIn == .zero)
        #expect(pacer.snapshot(at: at(0)).keys == 0)
        let slot = try pacer.send(at: at(0))
        #expect(headroom(at: 0)?.remaining == 2)
        #expect(pacer.responded(slot, verdict: .undecided, at: at(10)).headroom == headroom(at: 10))
        #expect(headroom(at: 10)?.resetIn == .milliseconds(1000))
        _ = pacer.judge(slot, .rejected(retryAfter: .seconds(5), reason: .rateLimited), at: at(20))
        let paused = try #require(headroom(at: 20))
        #expect(paused.remaining == 0 && paused.resetIn >= .seconds(5))
        #expect(paused.ending(within: .seconds(5)).resetIn == .seconds(5))
        #expect(headroom(.init(hash: 7), at: 20)?.remaining == 3)
        #expect(pacer.snapshot(at: at(20)).keys == 1)
        #expect(headroom(at: 60_000)?.remaining == 3)
        #expect(
            Pacer(policy: PacingPolicy(windows: [])).headroom(of: PacingDemand(key: .shared), at: at(0))
                == nil)
    }

    @Test(
        "at the present rate, what is left lasts as long as it took to use its like; not told if slots come back before"
    )
    func exhaustion() throws {
        func exhaustedIn(_ pacer: Pacer, _ moment: Int64) -> Duration? {
            pacer.snapshot(at: at(moment)).ledgers.first?.windows.first?.exhaustedIn
        }
        let pacer = Pacer(10, per: 1000)
        #expect(exhaustedIn(pacer, 0) == nil)
        // Six within 300 ms, one every 50 ms: the other four last 200 ms.
        for index: Int64 in 0..<6 {
            _ = pacer.responded(try pacer.send(at: at(index * 60)), verdict: .accepted, at: at(index * 60))
        }
        #expect(exhaustedIn(pacer, 300) == .milliseconds(200))
        // Slower and slower: the first slot comes back before the rest is used.
        #expect(exhaustedIn(pacer, 590) != nil)
        #expect(exhaustedIn(pacer, 610) == nil)
        for _ in 0..<4 { _ = pacer.responded(try pacer.send(at: at(620)), verdict: .accepted, at: at(620)) }
        #expect(exhaustedIn(pacer, 630) == .zero)
        #expect(exhaustedIn(pacer, 3000) == nil)
    }

    @Test("every wait that was promised from known times is the wait that came")
    func promisesComeTrue() throws {
        let pacer = Pacer(10, per: 1000)
        for index: Int64 in 0..<10 {
            _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(index * index))
        }
        var promised: [UInt64: MonotonicTime] = [:]
        var next: Wake?
        for id: UInt64 in 0..<10 {
            let (_, wait, wake) = try pacer.queue(id, at: at(100))
            promised[id] = at(100) + wait
            next = next ?? wake
        }
        while let wake = next {
            let (grants, following) = pacer.granted(wake)
            for grant in grants { #expect(promised[grant.waiter.id] == wake.at) }
            next = following
        }
    }

    @Test("the wait for a response that has not come is estimated from earlier ones, at least a window")
    func estimate() throws {
        let pacer = Pacer(1, per: 1000)
        _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(200))
        _ = try pacer.send(at: at(1200))
        // The answer is expected at 1400, the slot a window later; the next turn one window and one round
        // trip on.
        #expect(try pacer.refusal(at: at(1300)).retryAfter == .milliseconds(1100))
        #expect(try pacer.refusal(at: at(1900)).retryAfter == .milliseconds(1000))
        _ = try pacer.queue(1, at: at(1300))
        #expect(try pacer.refusal(patience: .seconds(1), at: at(1300)).retryAfter == .milliseconds(2300))
    }

    @Test("a queue is not expected to move before the pause has ended and every window has a slot")
    func pauseThenQueue() throws {
        let pacer = Pacer(1, per: 1000)
        let slot = try pacer.send(at: at(0))
        _ = pacer.responded(slot, verdict: .undecided, at: at(100))
        _ = pacer.judge(slot, .rejected(retryAfter: .seconds(10), reason: .rateLimited), at: at(100))
        #expect(try pacer.queue(1, at: at(100)).1 == .seconds(10))
        // The first tries at 10.1 s, is answered 100 ms later, and its slot is free a window after that.
        #expect(try pacer.queue(2, at: at(100)).1 == .milliseconds(11_200))

        let windows = PacingPolicy(windows: [
            .init(requests: 2, per: .seconds(1)), .init(requests: 4, per: .seconds(60)),
        ])
        let stacked = Pacer(policy: windows)
        for moment: Int64 in [0, 0, 1000, 1000] {
            _ = stacked.responded(try stacked.send(at: at(moment)), verdict: .accepted, at: at(moment))
        }
        let waits = try (1...3).map { try stacked.queue($0, at: at(2000)).1 }
        #expect(waits == [.seconds(58), .seconds(58), .seconds(59)])
    }

    @Test(
        "a request with a maximum wait that is just long enough waits, and one with a shorter one is rejected at once"
    )
    func patience() throws {
        let pacer = Pacer(1, per: 1000)
        _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(0))
        #expect(try pacer.refusal(patience: .milliseconds(899), at: at(100)).reason == .wouldWaitTooLong)
        guard case .queued = pacer.admit(1, patience: .milliseconds(900), at: at(100)) else {
            throw NotAsExpected()
        }
    }

    @Test("the queue of all ledgers together is bounded, and a full one is said to be full")
    func queueBound() throws {
        let pacer = Pacer(1, per: 1000, queue: 2)
        for key: UInt64 in 2..<5 {
            _ = pacer.responded(
                try pacer.send(key: .init(hash: key), at: at(0)), verdict: .accepted, at: at(0))
        }
        let (place, _, _) = try pacer.queue(0, key: .init(hash: 2), at: at(100))
        _ = try pacer.queue(1, key: .init(hash: 3), at: at(100))
        let refusal = try pacer.refusal(key: .init(hash: 4), patience: .seconds(10), at: at(100))
        #expect(refusal.reason == .queueFull)
        #expect(refusal.retryAfter == .milliseconds(900))
        #expect(pacer.leave(place))
        _ = try pacer.queue(2, key: .init(hash: 4), at: at(100))
    }

    @Test("a response says what is left of the tightest window, and when all of it is free again")
    func headroom() throws {
        let pacer = Pacer(3, per: 1000)
        let first = try pacer.send(at: at(0))
        let second = try pacer.send(at: at(0))
        #expect(
            pacer.responded(first, verdict: .accepted, at: at(100)).headroom
                == Headroom(
                    window: pacer.policy.windows[0], remaining: 1, resetIn: .milliseconds(1000)))
        #expect(pacer.responded(second, verdict: .accepted, at: at(150)).headroom?.remaining == 1)
    }

    @Test("a snapshot shows the tightest ledger, the queue, its oldest request and the pauses")
    func snapshot() throws {
        let pacer = Pacer(2, per: 1000)
        let busy = LedgerKey(hash: 7)
        for _ in 0..<2 {
            _ = pacer.responded(try pacer.send(key: busy, at: at(0)), verdict: .accepted, at: at(0))
        }
        _ = try pacer.queue(1, key: busy, at: at(100))
        _ = try pacer.send(key: .none, at: at(100))
        let snapshot = pacer.snapshot(at: at(400))
        #expect(snapshot.windows.map(\.remaining) == [0])
        #expect(snapshot.windows.map(\.resetIn) == [.milliseconds(600)])
        #expect(snapshot.waiting == 1)
        #expect(snapshot.oldestWait == .milliseconds(300))
        #expect(snapshot.keys == 2)
        #expect(snapshot.inFlight == 1)
        #expect(snapshot.paused == 0)
        #expect(snapshot.ledgers.map(\.key) == [.none, busy])
        #expect(snapshot.ledgers.last?.waiting == 1)
        #expect(pacer.snapshot(at: at(400), rows: 1).ledgers.count == 1)
    }
}
