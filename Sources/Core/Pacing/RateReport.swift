public import Wire

/// What one response says of the provider's own counts: up to four windows.
///
/// A plain value of fixed size: making one allocates nothing.
public struct RateReport: Sendable {
    /// The most windows that are told apart.
    static let maximumReadings = 4
    /// No count is larger: sums and products of counts stay in range.
    private static let largest = 1_000_000_000_000

    /// What is left in one window.
    public struct Reading: Sendable, Hashable {
        /// What tells the window from others of the same responses.
        var id: UInt64
        /// The place of the field among ``RateHeaders/sources``.
        var source: Int
        /// The requests of the window; `nil` if that is not said.
        var limit: Int?
        /// The requests that are left, at least 0.
        var remaining: Int
        /// When the window begins anew, in seconds from now, rounded up, at least 1; `nil` if that is not said.
        var reset: Int?

        /// Whether ``reset`` may be that of another window: a list has several counts and one reset.
        var isResetOfAnother = false

        /// A window; numbers below their range are moved into it.
        public init(id: UInt64, source: Int = 0, limit: Int?, remaining: Int, reset: Int?) {
            self.id = id
            self.source = source
            self.limit = limit.map { min(max($0, 0), RateReport.largest) }
            self.remaining = min(max(remaining, 0), RateReport.largest)
            self.reset = reset.map { max($0, 1) }
        }
    }

    private var all = InlineArray<4, Reading>(
        repeating: Reading(id: 0, limit: nil, remaining: 0, reset: nil))
    /// How many windows there are.
    public private(set) var count = 0

    /// Nothing is said.
    public init() {}

    /// Adds a window, as long as there are not too many.
    public mutating func add(_ reading: Reading) {
        guard count < Self.maximumReadings else { return }
        all[count] = reading
        count += 1
    }

    subscript(index: Int) -> Reading { all[index] }
}

extension RateHeaders {
    /// The fields that a reading can come from: ``RateReport/Reading/source`` is a place in it.
    public var sources: [String] { (names.remaining + names.used + names.state).map(\.string) }

    /// All that a response says of the provider's counts; nothing if it comes from a cache.
    ///
    /// - Parameters:
    ///   - share: how many instances use the same key: each has its part of what is left.
    ///   - wallClockSeconds: seconds since 1970, for absolute times in a response without `Date`; asked only if there are some.
    public func report(
        _ fields: FieldBlock, share: Int = 1, at wallClockSeconds: () -> Int64
    ) -> RateReport {
        var report = RateReport()
        for index in remaining.indices {
            let left = numbers(remaining[index], fields)
            guard left.count > 0 else { continue }
            let allowed = index < limit.count ? numbers(limit[index], fields) : RateNumbers()
            let reset = reset(ofWindow: index, fields, at: wallClockSeconds)
            for place in 0..<left.count {
                var reading = RateReport.Reading(
                    id: UInt64(index * 4 + place), source: index,
                    limit: place < allowed.count ? allowed[place] : anyLimit(fields, at: place),
                    remaining: left[place] / max(share, 1), reset: reset)
                reading.isResetOfAnother = left.count > 1
                report.add(reading)
            }
        }
        for (index, name) in used.enumerated() {
            let pair = numbers(name, fields)
            guard pair.count == 2 else { continue }
            report.add(
                RateReport.Reading(
                    id: 1 << 32 | UInt64(index), source: remaining.count + index, limit: pair[1],
                    remaining: max(pair[1] - pair[0], 0) / max(share, 1), reset: nil))
        }
        for (index, name) in state.enumerated() {
            readState(name, source: remaining.count + used.count + index, fields, share, into: &report)
        }
        // What comes from a cache says nothing of the present.
        let age = Self.age
        guard report.count > 0, !fields.contains(age.span) else { return RateReport() }
        return report
    }

    private func anyLimit(_ fields: FieldBlock, at place: Int) -> Int? {
        guard remaining.count != limit.count else { return nil }
        for name in limit {
            let allowed = numbers(name, fields)
            if place < allowed.count { return allowed[place] }
        }
        return nil
    }

    private func reset(
        ofWindow index: Int, _ fields: FieldBlock, at wallClockSeconds: () -> Int64
    ) -> Int? {
        let clock = AnswerClock(fields: fields, clock: Int(wallClockSeconds()))
        if index < names.reset.count, let found = fields.greatest(names.reset[index], clock.reset) {
            return found
        }
        // Lists of the same length name the windows in the same order.
        guard names.reset.count != remaining.count else { return nil }
        for name in names.reset {
            if let found = fields.greatest(name, clock.reset) { return found }
        }
        return nil
    }

    /// Each item of a list of named windows is one; the form of draft 07 has one window in all.
    private func readState(
        _ name: [UInt8], source: Int, _ fields: FieldBlock, _ share: Int, into report: inout RateReport
    ) {
        let windows: RateReport? = fields.withFirstValue(of: name.span) { value in
            Self.windows(in: value, source, share)
        }
        guard let found = windows else { return }
        for index in 0..<found.count {
            var reading = found[index]
            if reading.limit == nil { reading.limit = quota(of: reading.id, fields) }
            report.add(reading)
        }
    }

    private static func windows(in value: Span<UInt8>, _ source: Int, _ share: Int) -> RateReport {
        var found = RateReport()
        RateState.forEachItem(in: value) { text in
            let item = RateState.Item(text)
            guard let left = item.remaining else { return }
            found.add(
                RateReport.Reading(
                    id: item.name, source: source, limit: item.quota, remaining: left / max(share, 1),
                    reset: item.reset.map(AnswerClock.bounded)))
        }
        guard found.count == 0 else { return found }
        let state = RateState(value)
        guard let left = state.remaining else { return found }
        found.add(
            RateReport.Reading(
                id: 1 << 62 | UInt64(source), source: source, limit: state.limit,
                remaining: left / max(share, 1), reset: state.reset.map(AnswerClock.bounded)))
        return found
    }
}
