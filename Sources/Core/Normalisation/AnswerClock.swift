internal import Wire

/// Turns the times of one answer into seconds from now.
///
/// Absolute times are compared with the answer's own `Date`, so that the two clocks need not agree; with
/// ours if there is none.
struct AnswerClock {
    /// The longest time that counts, in seconds: whatever is longer is cut to it.
    ///
    /// A month's quota is renewed within it.
    static let longest = 32 * 86_400
    /// From here on a number is a time since 1970: as a number of seconds from now it would be 31 years.
    private static let leastEpoch = 1_000_000_000
    private static let dateField: Text = "Date"

    let fields: FieldBlock
    /// Our own clock, seconds since 1970.
    let clock: Int

    /// Seconds, or a date.
    ///
    /// A time since 1970, which is not allowed here (RFC 9110 10.2.3), counts if it is within ``longest`` of now; any other large
    /// number is a long time.
    func delay(_ text: Text) -> Int? {
        TimeList.greatest(in: text) { part in
            if let number = WallClockTime.spelledNumber(part) { return .read(delay(number)) }
            return other(part)
        }
    }

    /// Seconds, as a text has them.
    func delay(_ number: Int) -> Int? {
        if number >= Self.leastEpoch {
            let distance = distance(to: Self.epochSeconds(number))
            if abs(distance) <= Self.longest { return distance > 0 ? distance : nil }
        }
        return Self.bounded(number)
    }

    /// Milliseconds, rounded up.
    func milliseconds(_ text: Text) -> Int? {
        TimeList.greatest(in: text) { part in
            guard let number = WallClockTime.spelledNumber(part) else { return .malformed }
            return .read(Self.bounded(number / 1000 + (number % 1000 == 0 ? 0 : 1)))
        }
    }

    /// A number is seconds from now if it is small, else a time since 1970; or a date, or a duration such as `1m30s`.
    func reset(_ text: Text) -> Int? {
        TimeList.greatest(in: text) { part in
            guard let number = WallClockTime.spelledNumber(part) else { return other(part) }
            return .read(
                number < Self.leastEpoch ? Self.bounded(number) : until(Self.epochSeconds(number)))
        }
    }

    /// A date, or a duration.
    private func other(_ text: Text) -> TimeList.Reading {
        if let time = WallClockTime.date(text) { return .read(until(time)) }
        guard let seconds = RateDuration.seconds(text.bytes) else { return .malformed }
        return .read(Self.bounded(seconds))
    }

    /// Seconds since 1970, of a number that counts seconds, milliseconds, microseconds or nanoseconds.
    private static func epochSeconds(_ number: Int) -> Int {
        switch number {
        case ..<100_000_000_000: number
        case ..<100_000_000_000_000: number / 1000 + (number % 1000 == 0 ? 0 : 1)
        case ..<100_000_000_000_000_000: number / 1_000_000 + (number % 1_000_000 == 0 ? 0 : 1)
        default: number / 1_000_000_000 + (number % 1_000_000_000 == 0 ? 0 : 1)
        }
    }

    /// The seconds from now to `time`; `nil` if it is over.
    private func until(_ time: Int) -> Int? {
        let left = distance(to: time)
        return left <= 0 ? nil : Self.bounded(left)
    }

    private func distance(to time: Int) -> Int {
        let now = fields.text(Self.dateField).flatMap(WallClockTime.date) ?? clock
        let (left, overflow) = time.subtractingReportingOverflow(now)
        return overflow ? (time < now ? -Int.max : .max) : left
    }

    /// The seconds, at least 1 and at most ``longest``.
    static func bounded(_ seconds: Int) -> Int { min(max(seconds, 1), longest) }
}
