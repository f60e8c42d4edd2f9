/// One window of a policy in the units that the ledgers use.
struct WindowRule {
    /// Windows of up to this many requests store exact times; larger ones are counted in parts of the window.
    static let exactRequests = 256
    /// The number of parts of a larger window.
    ///
    /// A slot is held up to one part longer, never shorter.
    static let parts: Int64 = 128
    /// The maximum difference between the provider's clock and ours for a quota that resets by the clock.
    ///
    /// A response shortly before midnight counts for the next day, and the next day begins later.
    static let clockMargin: Int64 = 5_000_000_000

    let window: PacingPolicy.Window
    /// The number of slots.
    let capacity: Int
    /// Which of a request's ledgers it uses.
    let scope: Int
    /// Which account of that ledger it uses.
    let place: Int
    /// The window, in nanoseconds: the longest one, if daylight saving time changes its length.
    let per: Int64
    let span: PacingPolicy.Window.Span
    /// Whether a slot is held from sending until a report.
    let isHeld: Bool
    /// The resolution to which free times are rounded up, in nanoseconds.
    let resolution: Int64
    /// The same for slots without a response: a long grace period is divided into parts, too.
    let lossResolution: Int64
    /// The difference between nanoseconds since 1970 and our monotonic time.
    var wallOffset: Int64 = 0
    /// The provider's clock, if it is known.
    var providerClock: ProviderClock?

    init(_ window: PacingPolicy.Window, grace: Int64, place: Int = 0, isStrict: Bool = true) {
        self.window = window
        self.place = place
        capacity = window.requests
        scope = window.scope
        span = window.span
        per =
            if case .aligned(let alignment) = window.span {
                window.per.wholeNanoseconds + Int64(alignment.slack) * 1_000_000_000
            } else {
                window.per.wholeNanoseconds
            }
        isHeld = isStrict || window.span == .concurrent
        let isExact = window.requests <= Self.exactRequests
        resolution = isExact ? 1 : max(per / Self.parts, 1)
        lossResolution = isExact ? 1 : max(grace / Self.parts, resolution)
    }

    var isConcurrent: Bool { span == .concurrent }

    /// When a slot is freed whose window begins at `start`.
    func free(from start: MonotonicTime) -> MonotonicTime {
        switch span {
        case .rolling: start.later(by: per).roundedUp(to: resolution)
        case .concurrent: start
        case .day, .month: renewal(after: start)
        case .aligned(let alignment): end(after: start, alignment, resolution: resolution)
        }
    }

    /// When a slot is freed that never had a response, and whose window begins at `start`.
    func freeAfterLoss(from start: MonotonicTime) -> MonotonicTime {
        switch span {
        case .rolling, .concurrent: start.later(by: per).roundedUp(to: lossResolution)
        case .day, .month: renewal(after: start)
        case .aligned(let alignment): end(after: start, alignment, resolution: lossResolution)
        }
    }

    /// When the window in which a request at `start` was counted has certainly ended: after its length, wherever it
    /// begins, and as soon as the provider's clock shows that the next one has begun.
    private func end(
        after start: MonotonicTime, _ alignment: ClockAlignment, resolution: Int64
    ) -> MonotonicTime {
        let latest = start.later(by: per).roundedUp(to: resolution)
        guard let providerClock else { return latest }
        return min(
            latest, providerClock.end(after: start, alignment, every: window.per.wholeNanoseconds))
    }

    /// When the quota in which a request at `start` was counted has certainly been reset.
    private func renewal(after start: MonotonicTime) -> MonotonicTime {
        let wall = start.later(by: wallOffset).later(by: Self.clockMargin).nanoseconds
        let next = span == .day ? UTCCalendar.nextDay(after: wall) : UTCCalendar.nextMonth(after: wall)
        return MonotonicTime(nanoseconds: next).later(by: Self.clockMargin).later(by: -wallOffset)
    }
}

/// The beginnings of days and months in UTC, in nanoseconds since 1970 (proleptic Gregorian, without leap seconds).
enum UTCCalendar {
    private static let day: Int64 = 86_400_000_000_000

    /// The first midnight after `time`.
    static func nextDay(after time: Int64) -> Int64 {
        beginning(ofDay: floorDivide(time, by: day) + 1)
    }

    /// The first multiple of `length` after `time`.
    static func next(after time: Int64, every length: Int64) -> Int64 {
        let length = max(length, 1)
        let (number, isLast) = floorDivide(time, by: length).addingReportingOverflow(1)
        let (next, overflow) = number.multipliedReportingOverflow(by: length)
        return isLast || overflow ? .max : next
    }

    /// The first midnight of a month after `time`.
    static func nextMonth(after time: Int64) -> Int64 {
        let today = floorDivide(time, by: day)
        // Months have at most 31 days, and the day of the month shows where the next one begins.
        var next = today + 1
        while dayOfMonth(next) != 1 { next += 1 }
        return beginning(ofDay: next)
    }

    private static func beginning(ofDay number: Int64) -> Int64 {
        let (time, overflow) = number.multipliedReportingOverflow(by: day)
        return overflow ? .max : time
    }

    /// The day of the month, from 1, for day `number` since 1970-01-01.
    private static func dayOfMonth(_ number: Int64) -> Int64 {
        // Years start in March here, so that the leap day is the last; an era has 400 years.
        let shifted = number + 719_468
        let dayOfEra = shifted - floorDivide(shifted, by: 146_097) * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        return dayOfYear - (153 * month + 2) / 5 + 1
    }

    private static func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
