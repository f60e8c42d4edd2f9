import Testing

@testable import Core

@Suite("urgent and less urgent requests")
struct LaneTests {
    private func queue(
        _ pacer: Pacer, _ id: UInt64, urgency: Int, patience: Duration = .seconds(3600), at now: Int64
    ) throws -> (wait: Duration, wake: Wake?) {
        let admission = pacer.admit(
            PacingDemand(key: .shared, urgency: urgency), waiter: Waiter(worker: 0, id: id),
            patience: patience, at: at(now))
        guard case .queued(_, let wait, let wake) = admission else { throw NotAsExpected() }
        return (wait, wake)
    }

    /// A pacer with one request a second, the first of which is sent at 0.
    private func busy() throws -> Pacer {
        let pacer = Pacer(1, per: 1000)
        _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(0))
        return pacer
    }

    /// Who is granted when, each answered at once.
    private func turns(_ pacer: Pacer, _ first: Wake?) -> [(id: UInt64, at: Int64)] {
        var turns: [(UInt64, Int64)] = []
        var next = first
        while let wake = next {
            let (grants, following) = pacer.granted(wake)
            next = following
            for grant in grants {
                turns.append((grant.waiter.id, wake.at.nanoseconds / 1_000_000))
                next = pacer.responded(grant.slot, verdict: .accepted, at: wake.at).wake ?? next
            }
        }
        return turns
    }

    @Test("a more urgent request goes first, and within a lane the earlier one")
    func order() throws {
        let pacer = try busy()
        var wake: Wake?
        for (id, urgency) in [(1, 5), (2, 3), (3, 3), (4, 0), (5, 7), (6, 0)] as [(UInt64, Int)] {
            wake = try queue(pacer, id, urgency: urgency, at: Int64(id)).wake ?? wake
        }
        #expect(turns(pacer, wake).map(\.id) == [4, 6, 2, 3, 1, 5])
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("a request that has waited long is no longer overtaken, so that no lane starves")
    func aging() throws {
        let pacer = try busy()
        var wake = try queue(pacer, 100, urgency: 7, at: 1).wake
        var order: [UInt64] = []
        // Every 500 ms an urgent one comes, twice as many as can be sent.
        for step: Int64 in 1..<100 {
            let now = step * 500
            if let due = wake, due.at <= at(now) {
                let (grants, next) = pacer.granted(due, at: at(now))
                wake = next
                for grant in grants {
                    order.append(grant.waiter.id)
                    wake = pacer.responded(grant.slot, verdict: .accepted, at: at(now)).wake ?? wake
                }
            }
            wake = try queue(pacer, UInt64(step), urgency: 0, at: now).wake ?? wake
        }
        let place = try #require(order.firstIndex(of: 100))
        // Those that came within 14 s, seven steps of 2 s, went first.
        #expect(place == 27 || place == 28)
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test(
        "an urgent request gets its own forecast, and overtakes only while no request exceeds its maximum wait"
    )
    func promises() throws {
        let pacer = try busy()
        var wake: Wake?
        // Three that may wait 5 s: the last needs 3 s, and so has room for two that overtake.
        for id: UInt64 in 1...3 {
            wake = try queue(pacer, id, urgency: 3, patience: .seconds(5), at: 0).wake ?? wake
        }
        #expect(try queue(pacer, 11, urgency: 0, at: 10).wait == .milliseconds(990))
        #expect(try queue(pacer, 12, urgency: 0, at: 10).wait == .milliseconds(1990))
        // One more would make the last one wait 6 s.
        #expect(try queue(pacer, 13, urgency: 0, at: 10).wait == .milliseconds(5990))
        let turns = turns(pacer, wake)
        #expect(turns.map(\.id) == [11, 12, 1, 2, 3, 13])
        #expect(turns.map(\.at) == [1000, 2000, 3000, 4000, 5000, 6000])
    }

    @Test(
        "no queued request waits longer than its maximum, whatever arrives in whatever lane",
        arguments: 1...20)
    func patience(seed: Int) throws {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let pacer = Pacer(3, per: 1000, queue: 500)
        var wakes: [Wake] = []
        var deadlines: [UInt64: Int64] = [:]
        var admitted = 0
        for now: Int64 in 0..<60_000 {
            while let index = wakes.firstIndex(where: { $0.at <= at(now) }) {
                var grants: [Grant] = []
                if let next = pacer.advance(wakes.remove(at: index), at: at(now), into: &grants) {
                    wakes.append(next)
                }
                for grant in grants {
                    let promised = deadlines.removeValue(forKey: grant.waiter.id)
                    let deadline = try #require(promised)
                    #expect(now <= deadline)
                    if let next = pacer.responded(grant.slot, verdict: .accepted, at: at(now)).wake {
                        wakes.append(next)
                    }
                }
            }
            guard numbers.happens(0.01) else { continue }
            let id = UInt64(now)
            let patience = Int64.random(in: 0...10_000, using: &numbers)
            let urgency = Int.random(in: 0...7, using: &numbers)
            switch pacer.admit(
                PacingDemand(key: .shared, urgency: urgency), waiter: Waiter(worker: 0, id: id),
                patience: .milliseconds(patience), at: at(now))
            {
            case .admitted(let slot):
                admitted += 1
                if let next = pacer.responded(slot, verdict: .accepted, at: at(now)).wake {
                    wakes.append(next)
                }
            case .queued(_, let expected, let wake):
                #expect(expected <= .milliseconds(patience))
                deadlines[id] = now + patience
                if let wake { wakes.append(wake) }
            case .refused: break
            }
        }
        #expect(deadlines.allSatisfy { $0.value >= 50_000 })
        #expect(admitted > 0)
        #expect(pacer.brokenInvariants.isEmpty)
    }
}
