import Locking
import Testing

@testable import Core

/// Whatever state a pacer is in: a request that comes back when it was told to is let through.
@Suite("the time after which a refused request may come again")
struct RetryPromiseTests {
    /// Limits of every kind, alone and together, and shares of them.
    private static let policies: [[PacingPolicy.Window]] = {
        let second = PacingPolicy.Window(requests: 3, per: .seconds(1))
        let coarse = PacingPolicy.Window(requests: 1000, per: .seconds(86_400))
        let day = PacingPolicy.Window(requests: 5, counted: .day)
        let month = PacingPolicy.Window(requests: 400, counted: .month, scope: 1)
        let share = PacingPolicy.Window(requests: 300 / 7, per: .seconds(60))
        let running = PacingPolicy.Window(requests: 2, counted: .concurrent)
        let minute = PacingPolicy.Window(requests: 500, per: .seconds(60), scope: 1)
        return [
            [second], [coarse], [day], [month], [share], [running], [second, coarse], [second, day, month],
            [share, running], [second, minute, coarse], [second, running, minute, day],
        ]
    }()

    /// A provider, a pacer, and requests that are under way.
    private struct Course {
        let pacer: Pacer
        var numbers: SeededNumbers
        var now = at(1_000_000)
        var open: [(slot: Slot, isAnswered: Bool)] = []
        let policy: PacingPolicy

        init(_ windows: [PacingPolicy.Window], seed: UInt64) {
            numbers = SeededNumbers(seed: seed)
            policy = PacingPolicy(
                windows: windows, quotaScope: windows.contains { $0.scope == 1 } ? 1 : nil,
                guarantee: seed % 3 == 0 ? .fast(margin: .milliseconds(50)) : .strict)
            pacer = Pacer(policy: policy)
            pacer.setWallClock(offset: .seconds(1_800_000_000 + Int64(seed % 90) * 3600))
        }

        mutating func demand() -> PacingDemand {
            var demand = PacingDemand(key: LedgerKey(hash: UInt64.random(in: 1...2, using: &numbers)))
            let most = UInt16(min(policy.windows.map(\.requests).min() ?? 1, 3))
            for limit in policy.windows.indices {
                demand.weights[limit] =
                    numbers.happens(0.2) ? 0 : UInt16.random(in: 1...most, using: &numbers)
            }
            demand.usesQuota = numbers.happens(0.5)
            return demand
        }

        mutating func pass(_ duration: Duration) { now = now + duration }

        private mutating func duration() -> Duration {
            let exponent = Double.random(in: -3...5, using: &numbers)
            return .nanoseconds(
                Int64(Double.random(in: 1...10, using: &numbers) * exponential(exponent) * 1e9))
        }

        private func exponential(_ exponent: Double) -> Double {
            var (value, left) = (1.0, exponent)
            while left >= 1 { (value, left) = (value * 10, left - 1) }
            while left <= -1 { (value, left) = (value / 10, left + 1) }
            return value
        }

        /// Something happens.
        mutating func step() {
            switch Int.random(in: 0..<5, using: &numbers) {
            case 0:
                pass(
                    numbers.happens(0.2)
                        ? duration() : .milliseconds(Int.random(in: 0...900, using: &numbers)))
            case 1, 2:
                if case .admitted(let slot) = pacer.admit(
                    demand(), waiter: Waiter(worker: 0, id: 1), patience: .zero, at: now)
                {
                    open.append((slot, false))
                }
            default: answerOne()
            }
        }

        /// A request under way is answered: taken, refused, or never; the provider counts as it likes.
        mutating func answerOne() {
            guard let index = open.indices.randomElement(using: &numbers) else { return }
            let (slot, isAnswered) = open[index]
            guard !isAnswered else {
                open.remove(at: index)
                _ = pacer.ended(slot, at: now)
                return
            }
            if numbers.happens(0.1) {
                open.remove(at: index)
                _ =
                    numbers.happens(0.5)
                    ? pacer.neverSent(slot, at: now) : pacer.closedWithoutResponse(slot, at: now)
                return
            }
            let isRefused = numbers.happens(0.4)
            let reset = numbers.happens(0.8) ? duration() : nil
            let limit = policy.windows.randomElement(using: &numbers)?.requests
            let observed = RateObservation(
                limit: numbers.happens(0.5) ? limit : nil,
                remaining: numbers.happens(0.5) ? 0 : Int.random(in: 0...1000, using: &numbers))
            _ = pacer.responded(
                slot, verdict: isRefused ? .undecided : .accepted,
                observed: numbers.happens(0.6) ? observed : nil, reset: { reset }, at: now)
            if isRefused {
                let asked = numbers.happens(0.7) ? duration() : nil
                _ = pacer.judge(
                    slot,
                    numbers.happens(0.3)
                        ? .quotaUsedUp(retryAfter: asked)
                        : .rejected(retryAfter: asked, reason: .rateLimited),
                    at: now)
            }
            if policy.countsConcurrency { open[index].isAnswered = true } else { open.remove(at: index) }
        }

        /// Everything under way is over: when that would be, no ledger can know.
        mutating func settle() {
            while !open.isEmpty { answerOne() }
        }
    }

    @Test("is kept in every state, for every kind of limit", arguments: policies.indices)
    func kept(policy index: Int) {
        var refusals = 0
        for seed in 0..<UInt64(60) {
            var course = Course(Self.policies[index], seed: seed &* 977 &+ UInt64(index))
            for _ in 0..<200 {
                course.step()
                guard course.numbers.happens(0.1) else { continue }
                course.settle()
                let demand = course.demand()
                let waiter = Waiter(worker: 0, id: 2)
                let expected = course.pacer.expectedWait(of: demand, at: course.now)
                switch course.pacer.admit(demand, waiter: waiter, patience: .zero, at: course.now) {
                case .queued: Issue.record("a request without patience waits")
                case .admitted(let slot):
                    #expect(expected == .zero)
                    course.open.append((slot, false))
                case .refused(let refusal):
                    refusals += 1
                    #expect(expected.map { $0 <= refusal.retryAfter } == true)
                    course.pass(refusal.retryAfter)
                    guard
                        case .admitted(let slot) = course.pacer.admit(
                            demand, waiter: waiter, patience: .zero, at: course.now)
                    else {
                        Issue.record("refused again: limits \(index), seed \(seed), \(refusal)")
                        return
                    }
                    course.open.append((slot, false))
                }
            }
            #expect(course.pacer.brokenInvariants.isEmpty)
        }
        // With two at a time, all are over whenever it is asked.
        if Self.policies[index].contains(where: { $0.span != .concurrent }) { #expect(refusals > 20) }
    }

    @Test(
        "is what the provider says, however coarse the window is counted that others use",
        arguments: [3, 40, 700])
    func reset(seconds: Int) throws {
        let pacer = Pacer(policy: PacingPolicy(windows: [.init(requests: 1000, per: .seconds(86_400))]))
        let slot = try pacer.send(at: at(0))
        _ = pacer.responded(
            slot, verdict: .undecided, observed: RateObservation(limit: nil, remaining: 0),
            reset: { .seconds(seconds) }, at: at(10))
        _ = pacer.judge(slot, .rejected(retryAfter: .seconds(seconds), reason: .rateLimited), at: at(12))
        #expect(pacer.expectedWait(of: PacingDemand(key: .shared), at: at(12)) == .seconds(seconds))
        #expect(try pacer.refusal(at: at(12)).retryAfter == .seconds(seconds))
        _ = try pacer.send(at: at(12) + .seconds(seconds))
    }

    @Test("costs no more memory than parts of the time that is left, however many counts the provider tells")
    func bounded() throws {
        let pacer = Pacer(policy: PacingPolicy(windows: [.init(requests: 1_000_000, per: .seconds(86_400))]))
        for index: Int64 in 0..<20_000 {
            let slot = try pacer.send(at: at(index))
            _ = pacer.responded(
                slot, verdict: .accepted,
                observed: RateObservation(limit: nil, remaining: 990_000 - 20 * Int(index)),
                reset: { .seconds(80_000) }, at: at(index) + .microseconds(7))
        }
        let entries = pacer.book.withLock { book in
            (0..<book.accounts.count).map { book.accounts[$0].times.entries }.max()
        }
        #expect(try #require(entries) < 1000)
    }
}
