/// What the responses to one key's requests have told of a limit that nobody has configured.
struct LearnedLedger {
    /// The windows that responses speak of, up to `RateReport.maximumReadings`.
    var windows: [LearnedWindow] = []
    /// The requests sent; it wraps.
    var sent: Int32 = 0
    /// Present after refusals that said nothing of a count.
    var caution: Caution?
}

/// One window, as the provider counts it.
///
/// Between two responses a window has no less left than the last one said, less what was sent since and what may not have been
/// counted then: only arrivals use it up, whatever kind of window it is. That is the credit. Without any, nothing is sent until
/// the reset; then one request tries, and its response says what there is.
struct LearnedWindow {
    /// How long a request that tries is waited for.
    static let longestTrial: Int64 = 30_000_000_000
    /// Resets are told in whole seconds, and some providers round them down.
    static let resetMargin: Int64 = 1_000_000_000
    /// How many times in a row the wait is doubled where no reset is told: up to a minute.
    private static let longestDoubling: UInt8 = 6

    let id: UInt64
    var source: Int
    var limit: Int?
    /// What the last response said.
    var remaining = 0
    /// What can be sent for certain; below 1 nothing can.
    var credit = 0
    /// What a request takes, as far as it was seen.
    var cost = 1
    /// The place of the request whose response was the last, among those sent.
    var stamp: Int32 = 0
    /// When one request may try, if there is no credit.
    var renewal = MonotonicTime.distantPast
    /// When the provider says that the window begins anew.
    var resetsAt: MonotonicTime?
    /// The request that tries; -1 for none.
    var trial: Int32 = -1
    /// How many requests in a row have tried for nothing.
    var futile: UInt8 = 0
    /// Where no reset is told: since when nothing is left, and how long it took the last time until something was, in nanoseconds.
    private var exhaustedAt: MonotonicTime?
    private var recovery: Int64 = 1_000_000_000
    private static let longestRecovery: Int64 = 3_600_000_000_000

    init(id: UInt64, source: Int) {
        self.id = id
        self.source = source
    }

    /// When a request may be sent; while one tries, when it is no longer waited for.
    var opening: MonotonicTime { credit >= cost ? .distantPast : renewal }

    /// Takes what a request takes that is sent.
    mutating func take(flight: Int32, at now: MonotonicTime) {
        if credit < cost {
            trial = flight
            renewal = now.later(by: Self.longestTrial)
        }
        credit -= cost
    }

    /// Reads what a response says.
    ///
    /// - Parameters:
    ///   - stamp: the place of its request among those sent.
    ///   - overlapping: the other requests that were under way at some time between its sending and its response: the response may
    ///     not have counted them.
    mutating func read(
        _ reading: RateReport.Reading, of flight: Int32, stamp: Int32, overlapping: Int, isFirst: Bool,
        at now: MonotonicTime
    ) {
        let wasTrial = trial == flight
        let certain = reading.remaining - overlapping.multipliedClamping(by: cost)
        guard isFirst || stamp &- self.stamp > 0 else {
            // An older request: what it leaves for certain is there as well.
            credit = max(credit, certain)
            return
        }
        let formerCost = cost
        if !isFirst { learnCost(reading, requests: Int(stamp &- self.stamp) + overlapping, at: now) }
        (source, limit, self.stamp) = (reading.source, reading.limit ?? limit, stamp)
        remaining = reading.remaining
        if isFirst || cost > formerCost {
            credit = reading.remaining - overlapping.multipliedClamping(by: cost)
        } else {
            // What was certain before still is, unless others use the key: there is no more than the provider says.
            credit = min(reading.remaining, max(credit, certain))
        }
        if wasTrial { trial = -1 }
        resetsAt = reading.reset.map { now + .seconds($0) }
        if let resetsAt, !reading.isResetOfAnother {
            renewal = resetsAt.later(by: Self.resetMargin)
            // A cost that is a large part of the limit may have been another's use: one request finds out.
            if credit < cost, overlapping == 0, reading.remaining > 0, trial < 0,
                cost > max((limit ?? 0) / 4, 1)
            {
                renewal = min(renewal, now.later(by: Self.resetMargin))
            }
        } else {
            learnRecovery(isLeft: reading.remaining >= cost, wasTrial: wasTrial, at: now)
            renewal = max(renewal, resetsAt?.later(by: Self.resetMargin) ?? renewal)
        }
    }

    /// When one request may try where nobody says when something is left again: after as long as it took before, and twice as long
    /// each time that it is too early.
    private mutating func learnRecovery(isLeft: Bool, wasTrial: Bool, at now: MonotonicTime) {
        guard !isLeft else {
            if futile > 0, let exhaustedAt {
                recovery = min(max(recovery, exhaustedAt.nanoseconds(to: now)), Self.longestRecovery)
            }
            (exhaustedAt, futile) = (nil, 0)
            renewal = now.later(by: recovery)
            return
        }
        if exhaustedAt == nil { exhaustedAt = now }
        if wasTrial { futile = min(futile + 1, Self.longestDoubling) }
        renewal = now.later(
            by: min(recovery.multipliedSaturating(by: 1 << Int64(futile)), Self.longestRecovery))
    }

    /// A request costs as much as the count has fallen for each of those that it may have counted.
    private mutating func learnCost(_ reading: RateReport.Reading, requests: Int, at now: MonotonicTime) {
        if let resetsAt, resetsAt <= now { return }
        let drop = remaining - reading.remaining
        guard drop > 0, requests > 0 else { return }
        let each = (drop - 1) / requests + 1
        // It rises at once and falls by halves: others may use the key for a moment.
        cost = each >= cost ? each : cost - (cost - each + 1) / 2
    }

    /// The request that tried has told nothing: another may.
    mutating func abandonTrial(_ flight: Int32, at now: MonotonicTime) {
        guard trial == flight else { return }
        trial = -1
        renewal = min(renewal, now)
    }
}

/// How a key is used after the provider has refused it without saying how much it allows: one request at a time, with a gap that shrinks
/// with each one that is accepted.
struct Caution {
    /// The gap after a refusal, and the largest one.
    private static let first: Int64 = 1_000_000_000
    private static let largest: Int64 = 60_000_000_000
    /// With a smaller gap, caution ends.
    private static let smallest: Int64 = 10_000_000

    /// From the sending of one request to that of the next, in nanoseconds.
    private(set) var gap = first
    /// The gap with which the provider refused; 0 if it was without one.
    private var refused: Int64 = 0
    /// Nothing is sent before.
    private(set) var opening: MonotonicTime
    /// The request that is under way; -1 for none.
    private(set) var flight: Int32 = -1

    init(at now: MonotonicTime) { opening = now }

    /// A request was refused all the same.
    mutating func refuse(at now: MonotonicTime) {
        refused = gap
        gap = min(max(2 * gap, 2 * Self.smallest), Self.largest)
        (flight, opening) = (-1, now)
    }

    mutating func take(flight: Int32, at now: MonotonicTime) {
        self.flight = flight
        opening = now.later(by: max(LearnedWindow.longestTrial, gap))
    }

    /// A request has ended that was sent at `start`.
    ///
    /// - Returns: false if caution is over.
    mutating func land(_ flight: Int32, sentAt start: MonotonicTime, isAccepted: Bool, at now: MonotonicTime)
        -> Bool
    {
        if isAccepted {
            // Near the gap that was too small it goes slowly.
            gap -= gap > refused + refused / 4 ? gap / 8 : gap / 2048
        }
        if self.flight == flight {
            self.flight = -1
            opening = max(start.later(by: gap), now)
        }
        return gap > Self.smallest
    }
}

extension Int {
    fileprivate func multipliedClamping(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max / 4 : product
    }
}
