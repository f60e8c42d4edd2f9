internal import Wire

/// How long a response asks to wait.
struct WaitReading {
    private let reading: AnswerReading
    private let clock: AnswerClock
    private let rate: RateHeaders

    init(_ reading: AnswerReading, rate: RateHeaders, clock: Int) {
        self.reading = reading
        self.rate = rate
        self.clock = AnswerClock(fields: reading.answer.fields, clock: clock)
    }

    /// The first valid result of the sources, in whole seconds, at least 1.
    func seconds(_ sources: [WaitSource]) -> Int? {
        for index in 0..<sources.count where sources[index].statuses.contains(reading.answer.status) {
            if let when = sources[index].when, !reading.acceptsAll(when) { continue }
            let found: Int?
            switch sources[index].kind {
            case .delay(let header): found = clock.fields.greatest(header) { clock.delay($0) }
            case .milliseconds(let header): found = clock.fields.greatest(header) { clock.milliseconds($0) }
            case .usedUp: found = rate.usedUpSeconds(clock)
            case .reset(let header): found = clock.fields.greatest(header) { clock.reset($0) }
            case .at(let place): found = delay(at: place)
            case .computed(let need, let have, let rate): found = delay(need: need, have: have, rate: rate)
            case .fixed(let seconds): found = AnswerClock.bounded(seconds)
            }
            if let found { return found }
        }
        return nil
    }

    /// How long it takes until what is needed has been added; `nil` if a number is missing or nothing is to be added.
    private func delay(need: ValuePlace, have: ValuePlace?, rate: ValuePlace) -> Int? {
        guard let needed = number(at: need), let added = number(at: rate), added > 0 else { return nil }
        var available = 0.0
        if let have {
            guard let found = number(at: have) else { return nil }
            available = found
        }
        let seconds = ((needed - available) / added).rounded(.up)
        guard seconds > 0 else { return nil }
        // A longer one would be taken for a time since 1970.
        return AnswerClock.bounded(Int(min(seconds, Double(AnswerClock.longest))))
    }

    private func number(at place: ValuePlace) -> Double? {
        var number: Double?
        place.find(in: reading.context()) { found in
            number = found.text.flatMap(WallClockTime.decimal)
            return number != nil
        }
        return number
    }

    private func delay(at place: ValuePlace) -> Int? {
        guard let details = place.details else {
            guard let json = reading.body.json, let node = json.value(at: place.pointer) else { return nil }
            return delay(.node(node, json), unit: nil)
        }
        // Of a field's values the largest counts, as elsewhere; of a body's values the first valid time.
        var seconds: Int?
        if case .header(let name) = details.source, details.match == nil, details.then == nil {
            return clock.fields.greatest(name) { delay(.text($0), unit: details.unit) }
        }
        place.find(in: reading.context()) { found in
            seconds = delay(found, unit: details.unit)
            return seconds != nil
        }
        return seconds
    }

    private func delay(_ found: ValuePlace.Found, unit: ValuePlace.Unit?) -> Int? {
        guard let text = found.text else { return nil }
        if let unit, let number = WallClockTime.decimal(text) { return clock.delay(number * unit.length) }
        if case .node(let node, let json) = found, json.kind(node) == .number {
            return WallClockTime.spelledNumber(text).flatMap { clock.delay($0) }
        }
        return clock.delay(text) ?? clock.reset(text)
    }
}

/// Converts the times of one response to seconds from now.
///
/// Absolute times are compared with the response's own `Date`, so that the clocks need not agree; with ours if there
/// is none.
struct AnswerClock {
    /// The maximum in seconds; longer times are reduced to it.
    ///
    /// A monthly quota resets within it.
    static let longest = 32 * 86_400
    /// From here on a number is a time since 1970: as seconds from now it would be 31 years.
    private static let leastEpoch = 1_000_000_000
    private static let dateField: Text = "Date"

    let fields: FieldBlock
    /// Our own clock, seconds since 1970.
    let clock: Int

    /// Seconds, or a date.
    ///
    /// A time since 1970, which is not allowed here (RFC 9110 10.2.3), counts if it is within ``longest`` of now; any
    /// other large number is a long time.
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

    /// Seconds, rounded up; more than 31 years of them are a time since 1970.
    func delay(_ seconds: Double) -> Int? {
        Int(exactly: seconds.rounded(.up)).map { delay($0) } ?? Self.longest
    }

    /// Milliseconds, rounded up.
    func milliseconds(_ text: Text) -> Int? {
        TimeList.greatest(in: text) { part in
            guard let number = WallClockTime.spelledNumber(part) else { return .malformed }
            return .read(Self.bounded(number / 1000 + (number % 1000 == 0 ? 0 : 1)))
        }
    }

    /// A small number is seconds from now, a large one a time since 1970; otherwise a date, or a duration such as
    /// `1m30s`.
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

    /// Seconds since 1970 from a number of seconds, milliseconds, microseconds or nanoseconds.
    private static func epochSeconds(_ number: Int) -> Int {
        switch number {
        case ..<100_000_000_000: number
        case ..<100_000_000_000_000: number / 1000 + (number % 1000 == 0 ? 0 : 1)
        case ..<100_000_000_000_000_000: number / 1_000_000 + (number % 1_000_000 == 0 ? 0 : 1)
        default: number / 1_000_000_000 + (number % 1_000_000_000 == 0 ? 0 : 1)
        }
    }

    /// The seconds from now to `time`; `nil` if it has passed.
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

/// The times in a field's value, of which there should be one: two fields may have been joined with a comma (RFC 9110
/// 5.3), and some providers quote a number, give it a sign, or add parameters.
enum TimeList {
    /// What a part of the value is.
    enum Reading {
        /// A time; `nil` if it is over.
        case read(Int?)
        /// Something else.
        case malformed
    }

    /// A longer value is not a list of times.
    private static let limit = 1024

    /// The latest time; `nil` if there is none, or if a part with a digit is not a time.
    static func greatest(in text: Text, _ read: (Text) -> Reading) -> Int? {
        // After a comma, parameters are those of the last part.
        let isList = text.bytes.contains(0x2C)
        if case .read(let seconds) = read(bare(text, hasParameters: !isList)) { return seconds }
        guard text.count <= limit else { return nil }
        var greatest: Int?
        var weekday: ArraySlice<UInt8>?
        for part in text.bytes.split(separator: 0x2C, omittingEmptySubsequences: false) {
            var part = part
            // The comma of a date.
            if let start = weekday { part = text.storage[start.startIndex..<part.endIndex] }
            weekday = nil
            if part.contains(where: \.isASCIILetter), !part.contains(where: \.isASCIIDigit) {
                weekday = part
                continue
            }
            switch read(bare(Text(text.storage, in: part.indices))) {
            case .read(let seconds?): greatest = max(greatest ?? seconds, seconds)
            case .read(nil): break
            case .malformed: if part.contains(where: \.isASCIIDigit), !isNegative(part) { return nil }
            }
        }
        return greatest
    }

    /// The text without parameters, blanks, quotes and a plus sign around it.
    private static func bare(_ text: Text, hasParameters: Bool = true) -> Text {
        var bytes = trimmed(hasParameters ? text.bytes.prefix { $0 != 0x3B } : text.bytes)
        if bytes.count >= 2, bytes.first == 0x22, bytes.last == 0x22 {
            bytes = trimmed(bytes.dropFirst().dropLast())
        }
        if bytes.first == 0x2B { bytes = bytes.dropFirst() }
        return Text(text.storage, in: bytes.indices)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = rest.last, last == 0x20 || last == 0x09 { rest.removeLast() }
        return rest
    }

    /// Whether it is a number that lies in the past.
    private static func isNegative(_ part: ArraySlice<UInt8>) -> Bool {
        let number = trimmed(part)
        return number.first == 0x2D
            && number.dropFirst().allSatisfy { $0.isASCIIDigit || $0 == 0x2E }
    }
}
