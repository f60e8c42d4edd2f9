extension LedgerBook {
    /// When a request's turn would come.
    struct Forecast {
        var time: MonotonicTime
        /// The window that makes it wait longest.
        var rule = 0
        /// Whether the pause outlasts what the windows ask for.
        var isPause = false
    }

    /// When the turn of a request would come that has `ahead` others before it, as of the last `settle`.
    ///
    /// Exact while it lies among the free times that are known. Requests in flight are taken to be answered
    /// after the usual response time, and never sooner than now; those ahead are taken to be sent as soon as
    /// they may.
    func forecast(_ ledger: Int32, behind ahead: Int, at now: MonotonicTime) -> Forecast {
        var forecast = Forecast(time: now)
        for rule in rules.indices {
            let time = turn(ledger, rule: rule, behind: ahead, at: now)
            if time > forecast.time { forecast = Forecast(time: time, rule: rule) }
        }
        guard ledgers[ledger].isPaused else { return forecast }
        let pauseEnd: MonotonicTime
        if ledgers[ledger].probe >= 0 {
            let answer = flights[ledgers[ledger].probe].sentAt.later(by: responseTime)
            pauseEnd = min(max(answer, now), ledgers[ledger].closedUntil)
        } else {
            // The first in the queue tries; the others wait for its answer.
            let answer = ledgers[ledger].closedUntil.later(by: responseTime)
            pauseEnd = ahead > 0 ? answer : ledgers[ledger].closedUntil
        }
        if pauseEnd >= forecast.time {
            forecast.time = pauseEnd
            forecast.isPause = true
        }
        return forecast
    }

    private func turn(_ ledger: Int32, rule: Int, behind ahead: Int, at now: MonotonicTime) -> MonotonicTime {
        let capacity = rules[rule].capacity
        let known = freeTimes[Int(ledger) * rules.count + rule]
        let held = heldInFlight(ledger)
        let needed = ahead - (capacity - Int(known.slots) - held)
        guard needed >= 0 else { return now }
        let (rounds, ordinal) = needed.quotientAndRemainder(dividingBy: capacity)
        let hold = rules[rule].per.addingReportingOverflow(isStrict ? responseTime : margin)
        let first: MonotonicTime
        if let time = known.time(ofSlot: ordinal) {
            first = time
        } else if ordinal - Int(known.slots) < held {
            let answer = expectedAnswer(ledger, ordinal: ordinal - Int(known.slots), at: now)
            first = rules[rule].free(from: answer)
        } else {
            first = now.later(by: hold.overflow ? .max : hold.partialValue)
        }
        let (later, overflow) = hold.partialValue.multipliedReportingOverflow(by: Int64(rounds))
        return first.later(by: overflow || hold.overflow ? .max : later)
    }

    /// When request number `ordinal` of those in flight may be answered: between the oldest and the newest by
    /// its rank.
    private func expectedAnswer(_ ledger: Int32, ordinal: Int, at now: MonotonicTime) -> MonotonicTime {
        let chain = ledgers[ledger].flights
        guard chain.first >= 0 else { return now }
        let oldest = flights[chain.first].sentAt
        let span = max(oldest.nanoseconds(to: flights[chain.last].sentAt), 0)
        let rank = Int64(ordinal + 1)
        let count = Int64(max(ledgers[ledger].inFlight, 1))
        let sent = oldest.later(by: ordinal == 0 ? 0 : span / count * rank)
        return max(now, sent.later(by: responseTime))
    }

    /// What is left of the tightest window, as of the last `settle`.
    func headroom(_ ledger: Int32, at now: MonotonicTime) -> Headroom? {
        var tightest: Headroom?
        for rule in rules.indices {
            let left = remaining(ledger, rule: rule)
            if let tightest, tightest.remaining <= left { continue }
            tightest = Headroom(
                window: rules[rule].window, remaining: left, resetIn: reset(ledger, rule: rule, at: now))
        }
        return tightest
    }

    /// How long until all of the window is free if nothing more is sent.
    func reset(_ ledger: Int32, rule: Int, at now: MonotonicTime) -> Duration {
        var last = freeTimes[Int(ledger) * rules.count + rule].last ?? now
        if isStrict, ledgers[ledger].flights.last >= 0 {
            let answer = flights[ledgers[ledger].flights.last].sentAt.later(by: responseTime)
            last = max(last, rules[rule].free(from: max(now, answer)))
        }
        return .nanoseconds(max(now.nanoseconds(to: last), 0))
    }
}
