internal import Wire

/// How long an answer says to wait.
struct WaitReading {
    private let reading: AnswerReading
    private let clock: AnswerClock
    private let rate: RateHeaders

    init(_ reading: AnswerReading, rate: RateHeaders, clock: Int) {
        self.reading = reading
        self.rate = rate
        self.clock = AnswerClock(fields: reading.answer.fields, clock: clock)
    }

    /// The first answer of the sources, in whole seconds, at least 1.
    func seconds(_ sources: [WaitSource]) -> Int? {
        for index in 0..<sources.count where sources[index].statuses.contains(reading.answer.status) {
            let found: Int?
            switch sources[index].place {
            case .delay(let header): found = clock.fields.greatest(header) { clock.delay($0) }
            case .milliseconds(let header): found = clock.fields.greatest(header) { clock.milliseconds($0) }
            case .usedUp: found = rate.usedUpSeconds(clock)
            case .reset(let header): found = clock.fields.greatest(header) { clock.reset($0) }
            case .body(let pointer):
                found = reading.body.json.flatMap { delay(at: pointer, in: $0) }
            }
            if let found { return found }
        }
        return nil
    }

    private func delay(at pointer: JSONPointer, in json: JSONDocument) -> Int? {
        guard let node = json.value(at: pointer), let text = json.scalarText(node) else { return nil }
        guard json.kind(node) == .number else { return clock.delay(text) ?? clock.reset(text) }
        return WallClockTime.spelledNumber(text).flatMap { clock.delay($0) }
    }
}
