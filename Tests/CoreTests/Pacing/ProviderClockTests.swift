import Testing
import Wire

@testable import Core

@Suite("the provider's clock")
struct ProviderClockTests {
    private static let second: Int64 = 1_000_000_000
    private static let minute = 60 * second

    private func moment(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(seconds * 1e9))
    }

    @Test("a window ends at the next beginning by the provider's clock, within the uncertainty of its dates")
    func end() throws {
        // The provider's clock shows 1,000,000,005 s (a minute's 25th second) at our 100 s.
        let clock = try #require(
            ProviderClock(date: 1_000_000_005 - 40 + 60, sent: moment(100), heard: moment(100.2)))
        let end = clock.end(after: moment(100.2), .utc, every: Self.minute)
        // 1,000,000,025 % 60 is 5: the minute ends 55 s after the date.
        #expect(end >= moment(155) && end <= moment(158.5))
        // A response just before the end may be of the next window.
        #expect(clock.end(after: moment(154), .utc, every: Self.minute) >= moment(215))
    }

    @Test("several responses narrow the bounds, and clocks that differ widen them")
    func bounds() throws {
        let first = try #require(ProviderClock(date: 6000, sent: moment(0), heard: moment(5)))
        var clock = first
        clock.take(try #require(ProviderClock(date: 6010, sent: moment(10), heard: moment(10.1))))
        let narrow = clock.end(after: moment(20), .utc, every: Self.minute)
        #expect(narrow < first.end(after: moment(20), .utc, every: Self.minute))
        // A response that was created by a machine whose clock is 30 s behind.
        clock.take(try #require(ProviderClock(date: 5990, sent: moment(20), heard: moment(20.1))))
        #expect(clock.end(after: moment(20), .utc, every: Self.minute) >= moment(89))
        // Bounds do not last: clocks are set.
        clock.take(try #require(ProviderClock(date: 7200, sent: moment(1200), heard: moment(1200.1))))
        let fresh = try #require(ProviderClock(date: 7200, sent: moment(1200), heard: moment(1200.1)))
        #expect(clock == fresh)
    }

    @Test(
        "impossible dates are ignored",
        arguments: [Int64.min, -1, 9_000_000_000, Int64.max])
    func impossible(date: Int64) {
        #expect(ProviderClock(date: date, sent: moment(0), heard: moment(1)) == nil)
    }

    @Test("times far away saturate")
    func extremes() throws {
        let clock = try #require(
            ProviderClock(date: 8_999_999_999, sent: .distantPast, heard: .distantFuture))
        for time in [MonotonicTime.distantPast, moment(0), .distantFuture] {
            for alignment in [ClockAlignment.utc, ClockAlignment(offset: .min, slack: .max)] {
                _ = clock.end(after: time, alignment, every: Self.minute)
                _ = clock.end(after: time, alignment, every: 0)
            }
        }
    }

    @Test("with daylight saving time a day ends at the later of both midnights")
    func daylightSaving() {
        let pacific = ClockAlignment(offset: -7 * 3600, slack: 3600)
        let day = 86_400 * Self.second
        // 06:59 UTC is before both midnights, 07:30 between them.
        for (time, end) in [(6 * 3600 + 3540, 8 * 3600), (7 * 3600 + 1800, 32 * 3600), (8 * 3600, 32 * 3600)]
        {
            #expect(
                pacific.beginning(after: Int64(time) * Self.second, every: day) == Int64(end) * Self.second)
        }
    }

    @Test("the date of a response from a cache does not count")
    func cached() {
        var fields = FieldBlock()
        fields.append("Date", "Thu, 01 Jan 1970 00:01:00 GMT")
        #expect(ProviderDate.seconds(in: fields) == 60)
        fields.append("Age", "5")
        #expect(ProviderDate.seconds(in: fields) == nil)
        var wrong = FieldBlock()
        wrong.append("Date", "yesterday")
        #expect(ProviderDate.seconds(in: wrong) == nil)
    }
}
