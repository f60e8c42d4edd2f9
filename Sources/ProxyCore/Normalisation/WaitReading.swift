internal import HTTPWire

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
        if json.kind(node) == .number { return WallClockTime.jsonNumber(text).flatMap { clock.delay($0) } }
        let time = Self.withoutDecoration(text)
        if let seconds = clock.delay(time) ?? clock.reset(time) { return seconds }
        guard text.bytes.contains(0x2C) else { return nil }
        // Two sources that were joined: the longer time.
        return text.bytes.split(separator: 0x2C).compactMap { part in
            clock.delay(Self.withoutDecoration(Text(text.storage, in: part.indices)))
        }.max()
    }

    /// The text without blanks and quotation marks around it, and without a plus sign.
    private static func withoutDecoration(_ text: Text) -> Text {
        func isDecoration(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0x22 || byte == 0x27 }
        var bytes = text.bytes
        while let first = bytes.first, isDecoration(first) || first == 0x2B { bytes.removeFirst() }
        while let last = bytes.last, isDecoration(last) { bytes.removeLast() }
        return Text(text.storage, in: bytes.indices)
    }
}
