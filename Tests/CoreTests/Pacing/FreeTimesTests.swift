import Locking
import Testing

@testable import Core

@Suite("the free times of a ledger")
struct FreeTimesTests {
    @Test("they are kept in order, counted and forgotten as a plain list would")
    func likeAList() {
        var numbers = SeededNumbers(seed: 11)
        var times = FreeTimes()
        var list: [Int64] = []
        for step: Int64 in 0..<4000 {
            let time = step + Int64.random(in: 0...40, using: &numbers) / 7 * 7
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0 where !list.isEmpty:
                let gone = list.remove(at: Int.random(in: 0..<list.count, using: &numbers))
                times.withdraw(MonotonicTime(nanoseconds: gone))
            default:
                times.add(MonotonicTime(nanoseconds: time))
                list.append(time)
                list.sort()
            }
            times.removeFree(at: MonotonicTime(nanoseconds: step - 10))
            list.removeAll { $0 <= step - 10 }
            #expect(Int(times.slots) == list.count)
            #expect(times.first?.nanoseconds == list.first)
            #expect(times.last?.nanoseconds == list.last)
            guard step % 50 == 0 else { continue }
            #expect((0..<list.count).map { times.time(ofSlot: $0)?.nanoseconds } == list)
            #expect(times.time(ofSlot: list.count) == nil)
        }
    }

    @Test("a window that is counted in parts frees a slot up to one part late, and never early")
    func rounding() {
        let rule = WindowRule(.init(requests: 1_000_000, per: .seconds(1)), grace: 0)
        for start: Int64 in [-5, 0, 1, 999_999_999, 123_456_789_012] {
            let free = rule.free(from: MonotonicTime(nanoseconds: start)).nanoseconds
            #expect(free >= start + 1_000_000_000)
            #expect(free < start + 1_000_000_000 + 1_000_000_000 / 128)
        }
        #expect(WindowRule(.init(requests: 256, per: .seconds(1)), grace: 0).resolution == 1)
    }

    @Test("a window that is counted in parts needs little room, however many connections are lost")
    func manyLosses() throws {
        let window = PacingPolicy.Window(requests: 1_000_000, per: .milliseconds(10))
        let pacer = Pacer(policy: PacingPolicy(windows: [window], grace: .seconds(10)))
        for step: Int64 in 0..<20_000 {
            let moment = MonotonicTime(nanoseconds: step * 500_000)
            _ = pacer.closedWithoutResponse(try pacer.send(at: moment), at: moment)
            _ = pacer.responded(try pacer.send(at: moment), verdict: .accepted, at: moment)
        }
        let times = pacer.book.withLock { $0.accounts[0].times }
        #expect(times.slots > 20_000)
        #expect(times.entries <= 2 * 128 + 2)
        #expect(try #require(times.last) >= at(20_009))
    }

    @Test("moments and durations saturate instead of trapping, and round up")
    func saturation() {
        let far = MonotonicTime(nanoseconds: .max - 5)
        #expect(far + .seconds(1) == .distantFuture)
        #expect(MonotonicTime(nanoseconds: .min + 5) + .seconds(-1) == .distantPast)
        #expect(MonotonicTime.distantPast.duration(to: .distantFuture) == .nanoseconds(Int64.max))
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(Int64.min + 1).wholeNanoseconds == .min)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 1).wholeNanoseconds == 1)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: -1).wholeNanoseconds == 0)
        #expect(Duration.milliseconds(-1500).wholeNanoseconds == -1_500_000_000)
        #expect(far.roundedUp(to: 1_000_000) == .distantFuture)
        let window = PacingPolicy.Window(requests: .max, per: .seconds(Int64.max))
        #expect(window.requests == 1_000_000_000)
    }
}
