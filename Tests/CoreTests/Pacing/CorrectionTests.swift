import Testing

@testable import Core

@Suite("costs and limits that responses report")
struct CorrectionTests {
    private func costs(_ slots: UInt16) -> SIMD8<UInt16> {
        var costs = SIMD8<UInt16>(repeating: .max)
        costs[0] = slots
        return costs
    }

    private func capacities(_ number: Int32) -> SIMD8<Int32> {
        var capacities = SIMD8<Int32>(repeating: 0)
        capacities[0] = number
        return capacities
    }

    private func remaining(_ pacer: Pacer, _ now: Int64) -> Int? {
        pacer.headroom(of: PacingDemand(key: .shared), at: at(now))?.remaining
    }

    private func demand(_ slots: UInt16) -> PacingDemand {
        var demand = PacingDemand(key: .shared)
        demand.weights[0] = slots
        return demand
    }

    private func send(_ pacer: Pacer, _ slots: UInt16, at now: Int64) throws -> Slot {
        let waiter = Waiter(worker: 0, id: 1)
        guard
            case .admitted(let slot) = pacer.admit(
                demand(slots), waiter: waiter, patience: .zero, at: at(now))
        else {
            Issue.record("not admitted")
            throw CancellationError()
        }
        return slot
    }

    @Test(
        "a reserved cost is corrected when the response says what it was, and freed with its window",
        arguments: [(2, 8), (5, 5), (9, 1), (0, 10), (10, 0), (12, 0)] as [(UInt16, Int)])
    func correction(actual: UInt16, left: Int) throws {
        for isFirst in [true, false] {
            let pacer = Pacer(10, per: 1000)
            let slot = try send(pacer, 5, at: 0)
            #expect(remaining(pacer, 10) == 5)
            // A field is read with the head, a body after it.
            if isFirst { _ = pacer.correct(slot, costs: costs(actual), revision: 0, at: at(100)) }
            _ = pacer.responded(slot, verdict: .undecided, at: at(100))
            if !isFirst { _ = pacer.correct(slot, costs: costs(actual), revision: 0, at: at(300)) }
            _ = pacer.judge(slot, .accepted, at: at(300))
            #expect(remaining(pacer, 300) == left)
            #expect(remaining(pacer, 1099) == left)
            #expect(remaining(pacer, 1100) == 10)
            #expect(pacer.brokenInvariants.isEmpty || actual > 10)
        }
    }

    @Test("a correction that frees slots wakes the queue")
    func wake() throws {
        let pacer = Pacer(10, per: 1000)
        let slot = try send(pacer, 10, at: 0)
        _ = try pacer.queue(2, at: at(10))
        _ = pacer.responded(slot, verdict: .undecided, at: at(100))
        let wake = try #require(pacer.correct(slot, costs: costs(1), revision: 0, at: at(200)))
        #expect(wake.at <= at(200))
        #expect(pacer.granted(wake).grants.map(\.waiter.id) == [2])
        _ = pacer.judge(slot, .accepted, at: at(200))
    }

    @Test("a correction for other limits than those in force, or of a request that is over, changes nothing")
    func stale() throws {
        let pacer = Pacer(10, per: 1000)
        let slot = try send(pacer, 5, at: 0)
        #expect(pacer.correct(slot, costs: costs(1), revision: 1, at: at(50)) == nil)
        _ = pacer.responded(slot, verdict: .accepted, at: at(100))
        #expect(pacer.correct(slot, costs: costs(1), revision: 0, at: at(150)) == nil)
        #expect(remaining(pacer, 150) == 5)
    }

    @Test("a key is counted by the number that its responses report, other keys by the configured one")
    func learning() throws {
        let pacer = Pacer(5, per: 1000)
        let slot = try pacer.send(at: at(0))
        _ = pacer.learn(slot, capacities: capacities(2), revision: 0, at: at(100))
        _ = pacer.responded(slot, verdict: .accepted, at: at(100))
        #expect(remaining(pacer, 100) == 1)
        _ = try pacer.send(at: at(110))
        _ = try pacer.refusal(at: at(120))
        for _ in 0..<5 { _ = try pacer.send(key: .none, at: at(130)) }
        #expect(
            pacer.snapshot(at: at(200)).ledgers.map { $0.windows.map(\.capacity) }.contains([2]))
        // A larger number helps at once.
        let wakes = try (1...4).map { try pacer.queue(UInt64($0), at: at(200)).2 }
        #expect(wakes.contains { $0 != nil })
    }

    @Test("a request that costs more than the learned number waits for the whole limit, and not forever")
    func dear() throws {
        let pacer = Pacer(10, per: 1000)
        let slot = try send(pacer, 1, at: 0)
        _ = pacer.learn(slot, capacities: capacities(3), revision: 0, at: at(100))
        _ = pacer.responded(slot, verdict: .accepted, at: at(100))
        let waiter = Waiter(worker: 0, id: 2)
        guard
            case .queued(_, _, let wake?) = pacer.admit(
                demand(8), waiter: waiter, patience: .seconds(60), at: at(200))
        else {
            Issue.record("not queued")
            return
        }
        #expect(wake.at == at(1100))
        #expect(pacer.granted(wake).grants.count == 1)
    }
}
