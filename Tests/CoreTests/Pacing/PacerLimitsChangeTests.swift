import Testing
import Wire

@testable import Core

@Suite("the pacer under limits that come and go")
struct PacerLimitsChangeTests {
    private typealias Window = PacingPolicy.Window

    private static func policy(_ windows: Window...) -> PacingPolicy { PacingPolicy(windows: windows) }

    private static func window(_ requests: Int, per milliseconds: Int, scope: Int = 0) -> Window {
        Window(requests: requests, per: .milliseconds(milliseconds), scope: scope)
    }

    private static func demand(_ weight: UInt16, revision: UInt32) -> PacingDemand {
        var demand = PacingDemand(
            keys: SIMD4(repeating: 7), weights: SIMD8(weight, 0, 0, 0, 0, 0, 0, 0), usesQuota: false)
        demand.revision = revision
        return demand
    }

    private static func admit(
        _ demand: PacingDemand, patience: Duration = .zero, on pacer: Pacer, at now: MonotonicTime
    ) -> Admission {
        pacer.admit(demand, waiter: Waiter(worker: 0, id: 1), patience: patience, at: now)
    }

    @Test("a limit that is new begins with what another remembers, in flight included")
    func newLimit() throws {
        let pacer = Pacer(10, per: 1000)
        for _ in 0..<2 { _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(100)) }
        let flying = try pacer.send(at: at(150))
        let both = Self.policy(Self.window(3, per: 5000), Self.window(10, per: 1000))
        #expect(pacer.change(to: both, origins: [nil, 0], at: at(200)) == nil)
        #expect(try pacer.refusal(at: at(300)).limit == 0)
        _ = pacer.responded(flying, verdict: .accepted, at: at(400))
        _ = try pacer.refusal(at: at(5099))
        for _ in 0..<2 { _ = try pacer.send(at: at(5100)) }
        _ = try pacer.refusal(at: at(5399))
        _ = try pacer.send(at: at(5400))
        #expect(pacer.brokenInvariants == [])
    }

    @Test("limits that change places keep what is theirs")
    func order() throws {
        let pacer = Pacer(policy: Self.policy(Self.window(5, per: 1000), Self.window(9, per: 9000)))
        for _ in 0..<5 { _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(0)) }
        _ = pacer.change(
            to: Self.policy(Self.window(9, per: 9000), Self.window(5, per: 1000)), at: at(1))
        #expect(try pacer.refusal(at: at(10)).limit == 1)
        for _ in 0..<4 { _ = try pacer.send(at: at(1000)) }
        #expect(try pacer.refusal(at: at(1000)).limit == 0)
    }

    @Test("a request that waits for more than there now is gets all of it")
    func lowered() throws {
        let pacer = Pacer(10, per: 1000)
        let first = Self.admit(Self.demand(10, revision: 0), on: pacer, at: at(0))
        guard case .admitted(let slot) = first else { throw NotAsExpected() }
        _ = pacer.responded(slot, verdict: .accepted, at: at(0))
        let second = Self.admit(
            Self.demand(10, revision: 0), patience: .seconds(60), on: pacer, at: at(1))
        guard case .queued(_, _, let wake) = second else { throw NotAsExpected() }
        #expect(pacer.change(to: Self.policy(Self.window(4, per: 1000)), at: at(2)) == nil)
        #expect(pacer.brokenInvariants.filter { !$0.contains("slots used") } == [])
        #expect(try pacer.granted(#require(wake)).grants.count == 1)
        #expect(pacer.brokenInvariants == [])
    }

    @Test("a request that was weighed under old limits takes of the new ones what it took of those")
    func oldDemand() throws {
        let pacer = Pacer(10, per: 1000)
        let former = pacer.revision
        let more = Self.policy(
            Self.window(8, per: 9000), Self.window(10, per: 1000), Window(requests: 1, counted: .concurrent))
        _ = pacer.change(to: more, origins: [nil, 0, nil], at: at(0))
        #expect(pacer.revision != former)
        guard
            case .admitted(let slot) = Self.admit(Self.demand(3, revision: former), on: pacer, at: at(0))
        else { throw NotAsExpected() }
        // Nobody would report its end.
        let windows = pacer.snapshot(at: at(0), rows: 1).windows
        #expect(windows.map(\.remaining) == [5, 7, 1])
        _ = pacer.responded(slot, verdict: .accepted, at: at(10))
        // From before all that is remembered: each limit counts it as its heaviest weight.
        for number in 0..<40 {
            let windows = [Self.window(8, per: 9000 + number), Self.window(10, per: 1000)]
            _ = pacer.change(to: PacingPolicy(windows: windows), at: at(20))
        }
        _ = Self.admit(Self.demand(3, revision: former), on: pacer, at: at(20))
        #expect(pacer.snapshot(at: at(20), rows: 1).windows.map(\.remaining) == [2, 4])
    }

    @Test(
        "whatever changes, everybody who waits is sent or leaves, and every slot comes back", arguments: 1...8
    )
    func nobodyIsStuck(seed: Int) throws {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let pacer = Pacer(3, per: 300)
        var (now, waiting, flights): (Int64, Set<UInt64>, [Slot]) = (0, [], [])
        var wakes: [Wake] = []
        func fire() {
            while let index = wakes.firstIndex(where: { $0.at <= at(now) }) {
                let (grants, next) = pacer.granted(wakes.remove(at: index), at: at(now))
                for grant in grants {
                    #expect(waiting.remove(grant.waiter.id) != nil)
                    flights.append(grant.slot)
                }
                if let next { wakes.append(next) }
            }
        }
        func note(_ wake: Wake?) { if let wake { wakes.append(wake) } }
        for id in 1...3000 as ClosedRange<UInt64> {
            now += Int64.random(in: 0...60, using: &numbers)
            fire()
            if numbers.happens(0.05) {
                let windows = (0..<Int.random(in: 0...3, using: &numbers)).map { _ in
                    Self.window(
                        Int.random(in: 1...6, using: &numbers), per: Int.random(in: 1...900, using: &numbers),
                        scope: Int.random(in: 0...1, using: &numbers))
                }
                note(pacer.change(to: PacingPolicy(windows: windows), at: at(now)))
            }
            let key = LedgerKey(hash: UInt64.random(in: 2...4, using: &numbers))
            switch pacer.admit(id, key: key, patience: .seconds(3600), at: at(now)) {
            case .admitted(let slot): flights.append(slot)
            case .queued(_, _, let wake):
                waiting.insert(id)
                note(wake)
            case .refused: break
            }
            if numbers.happens(0.7), let slot = flights.popLast() {
                note(pacer.responded(slot, verdict: .accepted, at: at(now)).wake)
            }
            let broken = pacer.brokenInvariants.filter { !$0.contains("slots used") }
            #expect(broken == [])
        }
        while !waiting.isEmpty || !flights.isEmpty, now < 100_000_000 {
            now += 100
            fire()
            for slot in flights { note(pacer.responded(slot, verdict: .accepted, at: at(now)).wake) }
            flights = []
        }
        #expect(waiting.isEmpty)
        let last = pacer.snapshot(at: at(now + 1000), rows: 100)
        #expect(last.waiting == 0 && last.inFlight == 0 && last.ledgers.allSatisfy { $0.inFlight == 0 })
        #expect(last.windows.allSatisfy { $0.remaining == $0.window.requests })
    }

    @Test("limits can follow others whose requests they know")
    func following() throws {
        let own = RateLimit(requests: 3, per: .seconds(1), by: .credential)
        let shared = RateLimit(requests: 9, per: .seconds(1), by: .provider)
        var routed = shared
        routed.routes = [try #require(RequestPattern("POST /emails"))]
        var higher = shared
        higher.requests = 20
        let running = RateLimit(requests: 2, counted: .concurrent, by: .credential)
        let plan = PacingPlan(limits: [own, shared])
        #expect(PacingPlan(limits: [own, higher]).canFollow(plan))
        #expect(PacingPlan(limits: [own, shared, own]).canFollow(plan))
        #expect(!PacingPlan(limits: [own, shared, higher]).canFollow(plan))
        #expect(!PacingPlan(limits: [own, routed]).canFollow(plan))
        #expect(!PacingPlan(limits: [own, shared, running]).canFollow(plan))
        #expect(!PacingPlan(limits: [running]).canFollow(PacingPlan(limits: [])))
        #expect(PacingPlan(limits: [shared]).canFollow(PacingPlan(limits: [])))
        #expect(PacingPlan(limits: [routed, higher]).origins(in: PacingPlan(limits: [shared])) == [nil, 0])
    }
}
