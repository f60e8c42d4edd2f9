internal import HTTPWire

/// How long an answer says to wait.
struct WaitReading {
    /// More is absurd and counts as nothing said; a month's quota is renewed within it.
    static let longest = 32 * 86_400

    private static let dateField: Text = "Date"

    private let reading: AnswerReading
    /// Our own clock, seconds since 1970.
    private let clock: Int

    init(_ reading: AnswerReading, clock: Int) {
        self.reading = reading
        self.clock = clock
    }

    /// The first answer of the sources, in whole seconds, at least 1.
    func seconds(_ sources: [WaitSource]) -> Int? {
        for source in sources where source.statuses.contains(reading.answer.status) {
            let found: Int?
            switch source.place {
            case .delay(let header): found = reading.answer.fields.greatest(header, delay)
            case .reset(let header): found = reading.answer.fields.greatest(header, reset)
            case .body(let pointer):
                found = reading.body.json.flatMap { json in
                    json.value(at: pointer).flatMap(json.scalarText).flatMap(delay)
                }
            }
            if let found { return found }
        }
        return nil
    }

    /// Seconds, or a date.
    private func delay(_ text: Text) -> Int? {
        if let seconds = WallClockTime.number(text) { return bounded(seconds) }
        return WallClockTime.date(text).flatMap(until)
    }

    /// A number is seconds from now if it is small, else seconds or milliseconds since 1970.
    private func reset(_ text: Text) -> Int? {
        guard let number = WallClockTime.number(text) else { return WallClockTime.date(text).flatMap(until) }
        switch number {
        case ..<1_000_000_000: return bounded(number)
        case ..<100_000_000_000: return until(number)
        default: return until(number / 1000 + (number % 1000 == 0 ? 0 : 1))
        }
    }

    /// From the answer's own `Date`, so that the two clocks need not agree; from ours if there is none.
    private func until(_ time: Int) -> Int? {
        let now = reading.answer.fields.text(Self.dateField).flatMap(WallClockTime.date) ?? clock
        let (left, overflow) = time.subtractingReportingOverflow(now)
        return overflow || left <= 0 ? nil : bounded(left)
    }

    private func bounded(_ seconds: Int) -> Int? { seconds <= Self.longest ? max(seconds, 1) : nil }
}
