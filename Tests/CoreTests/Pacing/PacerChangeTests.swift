import Testing

@testable import Core

@Suite("the pacer under a limit that changes")
struct PacerChangeTests {
    private static func policy(_ requests: Int, per milliseconds: Int) -> PacingPolicy {
        PacingPolicy(windows: [.init(requests: requests, per: .milliseconds(milliseconds))])
    }

    /// A pacer whose slots were used one after the other, answered at these moments.
    private static func used(
        _ requests: Int, per milliseconds: Int, answeredAt moments: [Int64]
    ) throws -> Pacer {
        let pacer = Pacer(policy: policy(requests, per: milliseconds))
        for moment in moments {
            _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(moment))
        }
        return pacer
    }

    @Test("the same limit changes nothing")
    func same() throws {
        let pacer = try Self.used(2, per: 1000, answeredAt: [0, 100])
        #expect(pacer.change(to: pacer.policy, at: at(200)) == nil)
        #expect(try pacer.refusal(at: at(200)).retryAfter == .milliseconds(800))
    }

    @Test("fewer requests: what was sent counts, so the first may go when fewer than so many are left")
    func fewer() throws {
        let pacer = try Self.used(4, per: 1000, answeredAt: [0, 100, 200, 300])
        #expect(pacer.change(to: Self.policy(2, per: 1000), at: at(400)) == nil)
        #expect(try pacer.refusal(at: at(400)).retryAfter == .milliseconds(800))
        _ = try pacer.refusal(at: at(1199))
        _ = try pacer.send(at: at(1200))
        _ = try pacer.refusal(at: at(1299))
        _ = try pacer.send(at: at(1300))
    }

    @Test("a longer window: what is remembered is held for as long as it says")
    func longer() throws {
        let pacer = try Self.used(2, per: 1000, answeredAt: [0, 100])
        _ = pacer.change(to: Self.policy(2, per: 10_000), at: at(500))
        #expect(try pacer.refusal(at: at(500)).retryAfter == .milliseconds(9500))
        _ = try pacer.refusal(at: at(9999))
        _ = try pacer.send(at: at(10_000))
    }

    @Test("a shorter window and more requests are of use at once, also to those that wait")
    func relaxed() throws {
        let pacer = try Self.used(1, per: 60_000, answeredAt: [0])
        let waiting = try (1...3).map { try pacer.queue($0, at: at(10)) }
        #expect(waiting[0].2?.at == at(60_000))
        let wake = try #require(pacer.change(to: Self.policy(2, per: 1000), at: at(5000)))
        #expect(wake == Wake(at: at(5000)))
        #expect(pacer.granted(wake).grants.map(\.waiter.id) == [1, 2])
        // The timer that was armed before fires late in its life, and does no harm.
        #expect(try pacer.granted(#require(waiting[0].2), at: at(60_000)).grants.isEmpty)
        #expect(pacer.brokenInvariants == [])
    }

    @Test("a request in flight keeps its slot, and its window is the new one")
    func inFlight() throws {
        let pacer = Pacer(policy: Self.policy(1, per: 100))
        let slot = try pacer.send(at: at(0))
        _ = pacer.change(to: Self.policy(1, per: 5000), at: at(10))
        _ = try pacer.refusal(at: at(200))
        _ = pacer.responded(slot, verdict: .accepted, at: at(300))
        #expect(try pacer.refusal(at: at(300)).retryAfter == .milliseconds(5000))
        _ = try pacer.send(at: at(5300))
    }

    @Test("a pause goes on, and a limit that is new begins with nothing sent")
    func others() throws {
        let pacer = Pacer(policy: PacingPolicy(windows: []))
        let slot = try pacer.send(at: at(0))
        _ = pacer.responded(slot, verdict: .undecided, at: at(10))
        let ruling = Ruling.rejected(retryAfter: .seconds(2), reason: .rateLimited)
        _ = pacer.judge(slot, ruling, at: at(10))
        _ = pacer.change(to: Self.policy(3, per: 1000), at: at(20))
        #expect(try pacer.refusal(at: at(20)).reason == .paused)
        _ = try pacer.send(at: at(2010))
        _ = pacer.change(to: PacingPolicy(windows: []), at: at(2020))
        #expect(pacer.policy.windows.isEmpty && pacer.brokenInvariants == [])
    }

    @Test("a slot that is used at the moment of the change is free with the guarantee that is new")
    func guarantee() throws {
        let pacer = Pacer(policy: Self.policy(1, per: 100))
        let slot = try pacer.send(at: at(0))
        var fast = Self.policy(1, per: 100)
        fast.guarantee = .fast(margin: .milliseconds(50))
        _ = pacer.change(to: fast, at: at(10))
        _ = try pacer.refusal(at: at(149))
        _ = pacer.responded(slot, verdict: .accepted, at: at(149))
        _ = try pacer.send(at: at(150))
    }

    @Test("whatever it is changed to, no window that it remembers is exceeded", arguments: 1...8)
    func neverExceeded(seed: Int) throws {
        var numbers = SeededNumbers(seed: UInt64(seed))
        var limits = [(requests: 5, per: Int64(900))]
        let pacer = Pacer(5, per: 900)
        var now: Int64 = 0
        var answered: [Int64] = []
        var flights: [Slot] = []
        for _ in 0..<4000 {
            now += Int64.random(in: 0...40, using: &numbers)
            if numbers.happens(0.05) {
                // The longest window is as long as before: what was sent within it is remembered.
                limits = [(Int.random(in: 1...9, using: &numbers), 900)]
                if numbers.happens(0.5) { limits.append((Int.random(in: 1...4, using: &numbers), 200)) }
                let windows = limits.map {
                    PacingPolicy.Window(requests: $0.requests, per: .milliseconds($0.per))
                }
                _ = pacer.change(to: PacingPolicy(windows: windows), at: at(now))
            }
            if case .admitted(let slot) = pacer.admit(0, at: at(now)) {
                flights.append(slot)
                for limit in limits {
                    let used = answered.filter { $0 > now - limit.per }.count
                    #expect(used + flights.count <= limit.requests)
                }
            } else if let slot = flights.popLast() {
                _ = pacer.responded(slot, verdict: .accepted, at: at(now))
                answered.append(now)
            }
        }
        #expect(answered.count > 400)
    }
}
