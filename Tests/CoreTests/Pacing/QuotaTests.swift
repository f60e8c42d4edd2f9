import Locking
import Testing

@testable import Core

@Suite("quotas by the day and by the month")
struct QuotaTests {
    /// 2026-11-21 10:00:00 UTC, in seconds since 1970.
    private static let now: Int64 = 1_795_255_200
    private static let day: Int64 = 86_400

    /// A pacer whose clock began at `now`: time 0 is 10:00 UTC.
    private func pacer(_ windows: [PacingPolicy.Window], quotaScope: Int? = nil) -> Pacer {
        let pacer = Pacer(policy: PacingPolicy(windows: windows, quotaScope: quotaScope))
        pacer.setWallClock(offset: .seconds(Self.now))
        return pacer
    }

    @Test("a daily quota is renewed at midnight UTC, and the clocks' difference is allowed for")
    func day() throws {
        let pacer = pacer([.init(requests: 3, counted: .day)])
        for moment: Int64 in [0, 1000, 5000] {
            _ = pacer.responded(try pacer.send(at: at(moment)), verdict: .accepted, at: at(moment))
        }
        let midnight = 14 * 3600 * 1000 as Int64
        #expect(try pacer.refusal(at: at(6000)).retryAfter == .milliseconds(midnight + 5000 - 6000))
        _ = try pacer.refusal(at: at(midnight + 4999))
        for _ in 0..<3 { _ = try pacer.send(at: at(midnight + 5000)) }
    }

    @Test("what is answered shortly before midnight counts for the next day")
    func midnight() throws {
        let pacer = pacer([.init(requests: 1, counted: .day)])
        let midnight = 14 * 3600 * 1000 as Int64
        _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(midnight - 4000))
        _ = try pacer.refusal(at: at(midnight + 5000))
        _ = try pacer.send(at: at(midnight + 5000 + Self.day * 1000))
    }

    @Test("a monthly quota is renewed on the first")
    func month() throws {
        let pacer = pacer([.init(requests: 1, counted: .month)])
        _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(0))
        let first = (9 * Self.day + 14 * 3600) * 1000
        _ = try pacer.refusal(at: at(first))
        _ = try pacer.send(at: at(first + 5000))
    }

    @Test("months begin where the calendar says, leap years included")
    func calendar() {
        let second: Int64 = 1_000_000_000
        let cases: [(Int64, Int64)] = [
            (0, 2_678_400), (1_709_164_800, 1_709_251_200), (1_706_745_600, 1_709_251_200),
            (1_735_689_599, 1_735_689_600), (4_107_456_000, 4_107_542_400), (-1, 0),
        ]
        for (time, next) in cases { #expect(UTCCalendar.nextMonth(after: time * second) == next * second) }
        #expect(UTCCalendar.nextDay(after: 86_400 * second) == 2 * 86_400 * second)
        #expect(UTCCalendar.nextDay(after: -1) == 0)
        #expect(UTCCalendar.nextDay(after: .max) == .max)
    }

    @Test("a large quota needs little memory, however many requests it counts")
    func memory() throws {
        for window in [
            PacingPolicy.Window(requests: 1_000_000, counted: .month),
            .init(requests: 1_000_000, per: .seconds(86_400)),
        ] {
            let pacer = pacer([window])
            for step: Int64 in 0..<20_000 {
                let moment = at(step * 4000)
                _ = pacer.responded(try pacer.send(at: moment), verdict: .accepted, at: moment)
            }
            let times = pacer.book.withLock { $0.accounts[0].times }
            #expect(times.slots == 20_000)
            #expect(times.entries <= 130)
        }
    }

    @Test("a used-up quota pauses what uses it until it is renewed, and nothing else")
    func quotaPause() throws {
        let pacer = pacer([.init(requests: 3, per: .seconds(1))], quotaScope: 1)
        var reading = PacingDemand(key: .shared)
        reading.usesQuota = false
        let slot = try pacer.send(at: at(0))
        _ = pacer.responded(slot, verdict: .undecided, at: at(10))
        _ = pacer.judge(slot, .quotaUsedUp(retryAfter: .seconds(3600)), at: at(20))
        let refusal = try pacer.refusal(at: at(2000))
        #expect(refusal.reason == .paused)
        #expect(refusal.retryAfter == .milliseconds(3_598_020))
        let waiter = Waiter(worker: 0, id: 9)
        guard case .admitted = pacer.admit(reading, waiter: waiter, patience: .zero, at: at(2000)) else {
            throw NotAsExpected()
        }
        #expect(pacer.snapshot(at: at(2000)).paused == 1)
        // Afterwards one tries, and its success opens.
        let probe = try pacer.send(at: at(3_600_020))
        _ = try pacer.refusal(at: at(3_600_021))
        _ = pacer.responded(probe, verdict: .accepted, at: at(3_600_030))
        _ = try pacer.send(at: at(3_600_030))
        #expect(pacer.snapshot(at: at(3_600_030)).paused == 0)
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("a quota refusal of a probe opens the rate limit's ledger, for the rate was fine")
    func quotaRefusalOfProbe() throws {
        let pacer = pacer([.init(requests: 3, per: .seconds(1))], quotaScope: 1)
        let slot = try pacer.send(at: at(0))
        _ = pacer.responded(slot, verdict: .undecided, at: at(10))
        _ = pacer.judge(slot, .rejected(retryAfter: .seconds(1), reason: .rateLimited), at: at(10))
        let probe = try pacer.send(at: at(1010))
        _ = pacer.responded(probe, verdict: .undecided, at: at(1020))
        _ = pacer.judge(probe, .quotaUsedUp(retryAfter: nil), at: at(1020))
        #expect(pacer.snapshot(at: at(1030)).ledgers.filter { $0.pause != nil }.map(\.scope) == [1])
        #expect(try pacer.refusal(at: at(1030)).retryAfter == .milliseconds(59_990))
    }
}
