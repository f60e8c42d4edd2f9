import Locking
import Testing

@testable import Core

/// A pacer with a limit by credential (scope 0) and one for all (scope 1).
private func twoScopes(
    _ own: Int, per ownPeriod: Int, shared: Int, per sharedPeriod: Int, keys: Int = 100
) -> Pacer {
    Pacer(
        policy: PacingPolicy(
            windows: [
                .init(requests: own, per: .milliseconds(ownPeriod)),
                .init(requests: shared, per: .milliseconds(sharedPeriod), scope: 1),
            ], queueCapacity: 100, keyCapacity: keys))
}

private func demand(_ credential: UInt64, urgency: Int = 3) -> PacingDemand {
    PacingDemand(
        keys: SIMD4(credential, 1, 0, 0), weights: SIMD8(repeating: 1), usesQuota: false, urgency: urgency)
}

extension Pacer {
    fileprivate func admitted(_ demand: PacingDemand, _ id: UInt64 = 0, at now: MonotonicTime) throws -> Slot
    {
        let admission = admit(demand, waiter: Waiter(worker: 0, id: id), patience: .zero, at: now)
        guard case .admitted(let slot) = admission else { throw NotAsExpected() }
        return slot
    }

    fileprivate func queued(
        _ demand: PacingDemand, _ id: UInt64, patience: Duration = .seconds(3600), at now: MonotonicTime
    ) throws -> (place: Place, wait: Duration, wake: Wake?) {
        let admission = admit(demand, waiter: Waiter(worker: 0, id: id), patience: patience, at: now)
        guard case .queued(let place, let wait, let wake) = admission else { throw NotAsExpected() }
        return (place, wait, wake)
    }

    fileprivate func refused(_ demand: PacingDemand, at now: MonotonicTime) throws -> Refusal {
        let admission = admit(demand, waiter: Waiter(worker: 0, id: 0), patience: .zero, at: now)
        guard case .refused(let refusal) = admission else { throw NotAsExpected() }
        return refusal
    }

    /// Fires wakes until there are none before `end`, and returns who was granted when.
    fileprivate func run(
        _ first: Wake?..., until end: MonotonicTime, answering delay: Int64 = 0
    ) -> [(id: UInt64, at: Int64)] {
        var order: [(UInt64, Int64)] = []
        var wakes = first.compactMap { $0 }
        while let wake = wakes.min(by: { $0.at < $1.at }), wake.at <= end {
            wakes.removeAll { $0 == wake }
            var grants: [Grant] = []
            if let next = advance(wake, at: wake.at, into: &grants) { wakes.append(next) }
            for grant in grants {
                order.append((grant.waiter.id, wake.at.nanoseconds / 1_000_000))
                let answer = responded(
                    grant.slot, verdict: .accepted, at: wake.at.later(by: delay * 1_000_000))
                if let next = answer.wake { wakes.append(next) }
            }
        }
        return order
    }
}

@Suite("limits of several scopes")
struct ScopeTests {
    @Test("a request needs a slot in each, and is refused by the one that is full")
    func both() throws {
        let pacer = twoScopes(2, per: 1000, shared: 3, per: 1000)
        for key: UInt64 in [7, 7, 8] {
            _ = pacer.responded(try pacer.admitted(demand(key), at: at(0)), verdict: .accepted, at: at(0))
        }
        let own = try pacer.refused(demand(7), at: at(10))
        #expect(own.limit == 0)
        let shared = try pacer.refused(demand(9), at: at(10))
        #expect(shared.limit == 1)
        #expect(shared.window?.scope == 1)
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("a request that waits for one limit holds no slot of another")
    func nothingIsHeld() throws {
        let pacer = twoScopes(1, per: 10_000, shared: 2, per: 1000)
        _ = pacer.responded(try pacer.admitted(demand(7), at: at(0)), verdict: .accepted, at: at(0))
        _ = try pacer.queued(demand(7), 1, at: at(2000))
        // Both shared slots are there for others.
        for key: UInt64 in [8, 9] { _ = try pacer.admitted(demand(key), at: at(2000)) }
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("a key that has used its own limit up does not hold up those behind it in the shared one")
    func noHeadOfLine() throws {
        let pacer = twoScopes(1, per: 5000, shared: 1, per: 100)
        _ = pacer.responded(try pacer.admitted(demand(7), at: at(0)), verdict: .accepted, at: at(0))
        let first = try pacer.queued(demand(7), 1, at: at(10))
        let second = try pacer.queued(demand(8), 2, at: at(20))
        let order = pacer.run(first.wake, second.wake, until: at(60_000))
        #expect(order.map(\.id) == [2, 1])
        #expect(order.map(\.at) == [100, 5000])
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("in a shared limit, requests are sent in order of arrival, whatever their key")
    func arrivalOrder() throws {
        let pacer = twoScopes(100, per: 1000, shared: 1, per: 100)
        _ = pacer.responded(try pacer.admitted(demand(7), at: at(0)), verdict: .accepted, at: at(0))
        var wake: Wake?
        for (id, key) in [(1, 7), (2, 8), (3, 7), (4, 9), (5, 8), (6, 7)] as [(UInt64, UInt64)] {
            wake = try pacer.queued(demand(key), id, at: at(10)).wake ?? wake
        }
        #expect(pacer.run(wake, until: at(10_000)).map(\.id) == [1, 2, 3, 4, 5, 6])
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("a limit with routes counts those alone, and others pass while it is used up")
    func routes() throws {
        let pacer = Pacer(
            policy: PacingPolicy(windows: [
                .init(requests: 5, per: .seconds(1)), .init(requests: 1, per: .seconds(60)),
            ]))
        var reading = demand(7)
        reading.weights = SIMD8(1, 0, 0, 0, 0, 0, 0, 0)
        _ = pacer.responded(try pacer.admitted(demand(7), at: at(0)), verdict: .accepted, at: at(0))
        let wake = try pacer.queued(demand(7), 1, at: at(10)).wake
        for _ in 0..<4 { _ = try pacer.admitted(reading, at: at(20)) }
        #expect(wake?.at == at(60_000))
        #expect(try pacer.refused(reading, at: at(30)).limit == 0)
    }

    @Test("a request that weighs more takes so many slots, waits for all of them, and is not overtaken")
    func cost() throws {
        let pacer = Pacer(4, per: 1000)
        var heavy = demand(1)
        heavy.weights[0] = 3
        for moment: Int64 in [0, 100, 200] {
            _ = pacer.responded(
                try pacer.admitted(demand(1), at: at(moment)), verdict: .accepted, at: at(moment))
        }
        let (_, wait, wake) = try pacer.queued(heavy, 1, at: at(300))
        #expect(wait == .milliseconds(800))
        // One slot is free; who takes it would make the heavy one wait longer.
        _ = try pacer.queued(demand(1), 2, at: at(300))
        let order = pacer.run(wake, until: at(5000))
        #expect(order.map(\.id) == [1, 2])
        #expect(order.map(\.at) == [1100, 1200])
        #expect(pacer.snapshot(at: at(1150)).ledgers.first?.windows.first?.used == 4)
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("what has left no longer holds up those behind, who need less")
    func heavyLeaves() throws {
        let pacer = Pacer(2, per: 1000)
        var heavy = demand(1)
        heavy.weights[0] = 2
        _ = pacer.responded(try pacer.admitted(demand(1), at: at(0)), verdict: .accepted, at: at(0))
        let place = try pacer.queued(heavy, 1, at: at(10)).place
        _ = try pacer.queued(demand(1), 2, at: at(20))
        let departure = pacer.leave(place, at: at(30))
        #expect(departure.wasWaiting)
        #expect(departure.wake?.at == at(30))
        #expect(pacer.run(departure.wake, until: at(30)).map(\.id) == [2])
    }

    @Test("a pause holds the first scope's ledger, not what others have in the shared one")
    func pause() throws {
        let pacer = twoScopes(5, per: 1000, shared: 10, per: 1000)
        let slot = try pacer.admitted(demand(7), at: at(0))
        _ = pacer.responded(slot, verdict: .undecided, at: at(10))
        _ = pacer.judge(slot, .rejected(retryAfter: .seconds(5), reason: .rateLimited), at: at(10))
        #expect(try pacer.refused(demand(7), at: at(20)).reason == .paused)
        _ = try pacer.admitted(demand(8), at: at(20))
    }

    @Test("the ledgers of all scopes together are bounded, and a request never loses one it has just found")
    func bound() throws {
        let pacer = twoScopes(1, per: 100, shared: 1000, per: 100, keys: 2)
        for key: UInt64 in 2..<200 {
            let now = at(Int64(key) * 1000)
            _ = pacer.responded(try pacer.admitted(demand(key), at: now), verdict: .accepted, at: now)
            #expect(pacer.brokenInvariants.isEmpty)
        }
    }
}

@Suite("a limit of requests at the same time")
struct ConcurrencyTests {
    private func pacer(_ count: Int) -> Pacer {
        Pacer(policy: PacingPolicy(windows: [.init(requests: count, counted: .concurrent)]))
    }

    @Test("a slot is free when the response has ended, not when it begins")
    func untilTheEnd() throws {
        let pacer = pacer(1)
        let slot = try pacer.send(at: at(0))
        _ = try pacer.queue(1, at: at(5))
        #expect(pacer.responded(slot, verdict: .accepted, at: at(10)).wake == nil)
        let wake = try #require(pacer.ended(slot, at: at(500)))
        #expect(wake.at == at(500))
        #expect(pacer.granted(wake).grants.count == 1)
        #expect(pacer.ended(slot, at: at(501)) == nil)
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("an error ends before or after it is understood")
    func undecided() throws {
        for endsFirst in [true, false] {
            let pacer = pacer(1)
            let slot = try pacer.send(at: at(0))
            _ = pacer.responded(slot, verdict: .undecided, at: at(10))
            if endsFirst { _ = pacer.ended(slot, at: at(20)) }
            _ = pacer.judge(slot, .accepted, at: at(30))
            if !endsFirst {
                _ = try pacer.refusal(at: at(35))
                _ = pacer.ended(slot, at: at(40))
            }
            _ = try pacer.send(at: at(50))
            #expect(pacer.book.withLock { $0.flights.count } == 1)
        }
    }

    @Test("a lost connection may still be worked on for the grace, and what was never sent is free at once")
    func lost() throws {
        let pacer = pacer(1)
        _ = pacer.closedWithoutResponse(try pacer.send(at: at(0)), at: at(100))
        _ = try pacer.refusal(at: at(1099))
        _ = pacer.neverSent(try pacer.send(at: at(1100)), at: at(1101))
        _ = try pacer.send(at: at(1101))
    }
}
