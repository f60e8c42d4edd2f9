extension LedgerBook {
    /// When a request's turn would come.
    struct Forecast {
        var time: MonotonicTime
        /// The window that makes it wait longest.
        var rule = 0
        /// Whether it is a pause that makes it wait, not a window.
        var isPause = false

        mutating func extend(to time: MonotonicTime, by rule: Int) {
            guard time > self.time else { return }
            self = Forecast(time: time, rule: rule)
        }
    }

    /// When the turn of a request would come that has `ahead` others before it, as of the last `settle`.
    ///
    /// Exact while it lies among the free times that are known. Requests in flight are taken to be answered
    /// after the usual response time, and never sooner than now; those ahead are taken to be sent as soon as
    /// they may.
    func forecast(_ ledger: Int32, behind ahead: Int, at now: MonotonicTime) -> Forecast {
        var forecast = Forecast(time: now)
        if let end = pauseEnd(ledger, behind: ahead, at: now) {
            forecast = Forecast(time: max(end, now), isPause: true)
        }
        // Nobody is sent before the pause has ended and every window has a slot.
        for rule in rules.indices {
            forecast.extend(to: slotTime(ledger, rule: rule, ordinal: 0, at: now), by: rule)
        }
        let start = forecast.time
        for rule in rules.indices {
            let (rounds, ordinal) = ahead.quotientAndRemainder(dividingBy: rules[rule].capacity)
            let first = max(start, slotTime(ledger, rule: rule, ordinal: ordinal, at: now))
            forecast.extend(to: first.later(by: hold(rule, rounds: rounds)), by: rule)
        }
        return forecast
    }

    /// When a request with `ahead` others before it would be sent if only the pause counted; nil without one.
    private func pauseEnd(_ ledger: Int32, behind ahead: Int, at now: MonotonicTime) -> MonotonicTime? {
        let record = ledgers[ledger]
        guard record.isPaused else { return nil }
        guard record.probe >= 0 else {
            // The first in the queue tries; the others wait for its answer.
            return ahead > 0 ? record.closedUntil.later(by: responseTime) : record.closedUntil
        }
        let answer = flights[record.probe].sentAt.later(by: responseTime)
        return min(max(answer, now), record.closedUntil)
    }

    /// When slot number `ordinal` of a window, in the order in which they can be used, can be used.
    private func slotTime(_ ledger: Int32, rule: Int, ordinal: Int, at now: MonotonicTime) -> MonotonicTime {
        let used = freeTimes[Int(ledger) * rules.count + rule]
        let held = heldInFlight(ledger)
        let rank = ordinal - (rules[rule].capacity - Int(used.slots) - held)
        guard rank >= 0 else { return now }
        if let time = used.time(ofSlot: rank) { return time }
        return rules[rule].free(from: expectedAnswer(ledger, ordinal: rank - Int(used.slots), at: now))
    }

    /// How long a slot is held `rounds` times in a row, in nanoseconds.
    private func hold(_ rule: Int, rounds: Int) -> Int64 {
        let (each, overflow) = rules[rule].per.addingReportingOverflow(isStrict ? responseTime : margin)
        let (all, carry) = each.multipliedReportingOverflow(by: Int64(rounds))
        return rounds > 0 && (overflow || carry) ? .max : all
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
