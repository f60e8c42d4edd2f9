import Locking
import Testing

@testable import Core

/// Random calls in random order, compared after each with a plain account of what was sent.
@Suite("the pacer under random calls")
struct PacerStateTests {
    private enum Progress { case inFlight, undecided }

    /// The plain account: who waits, what is in flight, and what holds a slot until when.
    private struct Account {
        var numbers: SeededNumbers
        var now: Int64 = 0
        var nextID: UInt64 = 0
        var waiting: [UInt64: (key: LedgerKey, place: Place)] = [:]
        var order: [LedgerKey: [UInt64]] = [:]
        var flights: [(slot: Slot, key: LedgerKey, progress: Progress)] = []
        var held: [LedgerKey: [Int64]] = [:]
        var wakes: [Wake] = []

        var moment: MonotonicTime { MonotonicTime(nanoseconds: now) }

        mutating func sent(_ slot: Slot, _ key: LedgerKey, _ policy: PacingPolicy) {
            flights.append((slot, key, .inFlight))
            for window in policy.windows {
                // `held` are the starts of the windows that the slots wait for.
                let since = now - window.per.wholeNanoseconds
                let used = (held[key] ?? []).filter { $0 > since }.count
                let flying = flights.filter { $0.key == key && $0.progress == .inFlight }.count
                #expect(used + flying <= window.requests)
            }
        }
    }

    @Test(
        "no window is exceeded, no turn is lost or taken twice, and in the end nobody waits",
        arguments: 1...12)
    func randomCalls(seed: Int) throws {
        let policy = PacingPolicy(
            windows: [
                .init(requests: 3, per: .milliseconds(100)), .init(requests: 9, per: .milliseconds(900)),
                .init(requests: 300, per: .seconds(60)),
            ],
            grace: .milliseconds(50), queueCapacity: 20, keyCapacity: 4)
        let pacer = Pacer(policy: policy)
        var account = Account(numbers: SeededNumbers(seed: UInt64(seed)))
        for _ in 0..<4000 {
            account.now += Int64.random(in: 0...15_000_000, using: &account.numbers)
            switch Int.random(in: 0..<10, using: &account.numbers) {
            case 0...3: arrive(pacer, &account)
            case 4...6: report(pacer, &account)
            case 7: leave(pacer, &account)
            default: try wake(pacer, &account, onlyDue: false)
            }
            try #require(pacer.brokenInvariants == [])
            #expect(pacer.book.withLock { $0.waiters.count } == account.waiting.count)
        }
        // No more clients, and a provider that answers: everything comes to its end.
        for _ in 0..<5000 where !(account.waiting.isEmpty && account.flights.isEmpty) {
            account.now += 50_000_000
            if !account.flights.isEmpty { report(pacer, &account, healthy: true) }
            try wake(pacer, &account, onlyDue: true)
        }
        #expect(account.waiting.isEmpty)
        #expect(account.flights.isEmpty)
        #expect(pacer.brokenInvariants == [])
    }

    private func arrive(_ pacer: Pacer, _ account: inout Account) {
        let key = LedgerKey(hash: UInt64.random(in: 0..<6, using: &account.numbers))
        let patience = Duration.milliseconds(Int.random(in: 0...3000, using: &account.numbers))
        account.nextID += 1
        let waiter = Waiter(worker: 0, id: account.nextID)
        switch pacer.admit(PacingDemand(key: key), waiter: waiter, patience: patience, at: account.moment) {
        case .admitted(let slot):
            #expect(account.order[key, default: []].isEmpty, "nobody is overtaken")
            account.sent(slot, key, pacer.policy)
        case .queued(let place, let expected, let wake):
            #expect(expected <= patience)
            account.waiting[account.nextID] = (key, place)
            account.order[key, default: []].append(account.nextID)
            if let wake { account.wakes.append(wake) }
        case .refused(let refusal):
            #expect(refusal.retryAfter > .zero)
        }
    }

    private func report(_ pacer: Pacer, _ account: inout Account, healthy: Bool = false) {
        guard !account.flights.isEmpty else { return }
        let index = Int.random(in: 0..<account.flights.count, using: &account.numbers)
        let (slot, key, progress) = account.flights.remove(at: index)
        var wake: Wake?
        switch (progress, Int.random(in: 0..<10, using: &account.numbers)) {
        case (.inFlight, 0) where !healthy:
            wake = pacer.neverSent(slot, at: account.moment)
        case (.inFlight, 1) where !healthy:
            wake = pacer.closedWithoutResponse(slot, at: account.moment)
            account.held[key, default: []].append(account.now + 50_000_000)
        case (.inFlight, 2) where !healthy:
            wake = pacer.responded(slot, verdict: .undecided, at: account.moment).wake
            account.held[key, default: []].append(account.now)
            account.flights.append((slot, key, .undecided))
        case (.inFlight, _):
            wake = pacer.responded(slot, verdict: .accepted, at: account.moment).wake
            account.held[key, default: []].append(account.now)
        case (.undecided, 0...4) where !healthy:
            let asked: Duration? = account.numbers.happens(0.5) ? .milliseconds(300) : nil
            let ruling = Ruling.rejected(retryAfter: asked, reason: .rateLimited)
            wake = pacer.judge(slot, ruling, at: account.moment)
        case (.undecided, 5) where !healthy:
            wake = pacer.closedWithoutResponse(slot, at: account.moment)
        case (.undecided, _):
            wake = pacer.judge(slot, .accepted, at: account.moment)
        }
        if let wake { account.wakes.append(wake) }
    }

    private func leave(_ pacer: Pacer, _ account: inout Account) {
        guard let id = account.waiting.keys.sorted().randomElement(using: &account.numbers),
            let (key, place) = account.waiting.removeValue(forKey: id)
        else { return }
        #expect(pacer.leave(place))
        #expect(!pacer.leave(place))
        account.order[key]?.removeAll { $0 == id }
    }

    /// Fires one of the timers that are armed: late, in time, or too early.
    private func wake(_ pacer: Pacer, _ account: inout Account, onlyDue: Bool) throws {
        let due = account.wakes.indices.filter { account.wakes[$0].at <= account.moment || !onlyDue }
        guard let index = due.randomElement(using: &account.numbers) else { return }
        let wake = account.wakes.remove(at: index)
        var grants: [Grant] = []
        if let next = pacer.advance(wake, at: account.moment, into: &grants) { account.wakes.append(next) }
        for grant in grants {
            let waited = account.waiting.removeValue(forKey: grant.waiter.id)
            let key = try #require(waited).key
            #expect(account.order[key]?.first == grant.waiter.id, "first in, first out")
            account.order[key]?.removeFirst()
            account.sent(grant.slot, key, pacer.policy)
        }
    }
}
