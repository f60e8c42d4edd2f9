internal import HTTPWire

/// Turns the times of one answer into seconds from now.
///
/// Absolute times are compared with the answer's own `Date`, so that the two clocks need not agree; with
/// ours if there is none.
struct AnswerClock {
    /// More is absurd and counts as nothing said; a month's quota is renewed within it.
    static let longest = 32 * 86_400
    private static let dateField: Text = "Date"

    let fields: FieldBlock
    /// Our own clock, seconds since 1970.
    let clock: Int

    /// Seconds, or a date.
    func delay(_ text: Text) -> Int? {
        if let seconds = WallClockTime.number(text) { return Self.bounded(seconds) }
        return WallClockTime.date(text).flatMap(until)
    }

    /// Milliseconds, rounded up.
    func milliseconds(_ text: Text) -> Int? {
        WallClockTime.number(text).flatMap { Self.bounded($0 / 1000 + ($0 % 1000 == 0 ? 0 : 1)) }
    }

    /// A number is seconds from now if it is small, else seconds or milliseconds since 1970; or a date, or a duration such
    /// as `1m30s`.
    func reset(_ text: Text) -> Int? {
        guard let number = WallClockTime.number(text) else {
            if let time = WallClockTime.date(text) { return until(time) }
            return RateDuration.seconds(text.bytes).flatMap(Self.bounded)
        }
        switch number {
        case ..<1_000_000_000: return Self.bounded(number)
        case ..<100_000_000_000: return until(number)
        default: return until(number / 1000 + (number % 1000 == 0 ? 0 : 1))
        }
    }

    private func until(_ time: Int) -> Int? {
        let now = fields.text(Self.dateField).flatMap(WallClockTime.date) ?? clock
        let (left, overflow) = time.subtractingReportingOverflow(now)
        return overflow || left <= 0 ? nil : Self.bounded(left)
    }

    /// The seconds, at least 1; `nil` if they are absurd.
    static func bounded(_ seconds: Int) -> Int? { seconds <= longest ? max(seconds, 1) : nil }
}
