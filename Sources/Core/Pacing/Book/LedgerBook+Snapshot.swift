extension LedgerBook {
    /// The current state with the `rows` most recently used ledgers; each shows when `cost` slots of all its limits
    /// are available.
    ///
    /// A ledger with waiting requests is used all the time, so the tightest ones are among the most recently used.
    mutating func snapshot(at now: MonotonicTime, rows: Int, cost: Int) -> PacerSnapshot {
        var rowsRead: [PacerSnapshot.Ledger] = []
        rowsRead.reserveCapacity(min(rows, index.count))
        var least = rules.indices.map {
            PacerSnapshot.Reading(
                window: rules[$0].window, limit: $0, used: 0, remaining: rules[$0].capacity,
                capacity: rules[$0].capacity, resetIn: .zero, exhaustedIn: nil)
        }
        var ledger = recency.last
        while ledger >= 0, rowsRead.count < rows {
            let row = row(ledger, cost: cost, at: now)
            for reading in row.windows where reading.isTighter(than: least[reading.limit]) {
                least[reading.limit] = reading
            }
            rowsRead.append(row)
            ledger = recencyOrder.previous(before: ledger)
        }
        let oldest = arrivals.first >= 0 ? waiters[arrivals.first].since.duration(to: now) : .zero
        return PacerSnapshot(
            windows: least, waiting: waiters.count, oldestWait: max(oldest, .zero), inFlight: inFlight,
            keys: index.count, paused: paused, foreignShare: foreignShare, reportedLimit: reportedLimit,
            wouldHaveWaited: wouldHaveWaited, wouldHaveBeenRefused: wouldHaveBeenRefused, ledgers: rowsRead)
    }

    private mutating func row(_ ledger: Int32, cost: Int, at now: MonotonicTime) -> PacerSnapshot.Ledger {
        let record = ledgers[ledger]
        let scope = Int(record.scope)
        var seats = Seats()
        seats.ledgers[scope] = ledger
        var isPossible = true
        for rule in rules.indices where rules[rule].scope == scope {
            seats.weights[rule] = UInt16(clamping: cost)
            if cost > capacity(Int(ledger) * stride + rules[rule].place, rule) { isPossible = false }
        }
        let forecast = forecast(seats, lane: 7, at: now)
        let pausedFor = record.isPaused ? max(now.duration(to: record.closedUntil), .zero) : .zero
        var readings: [PacerSnapshot.Reading] = []
        for rule in rules.indices where rules[rule].scope == scope {
            let left = remaining(ledger, rule: rule, at: now)
            readings.append(
                PacerSnapshot.Reading(
                    window: rules[rule].window, limit: rule,
                    used: accounts[Int(ledger) * stride + rules[rule].place].used, remaining: left,
                    capacity: capacity(Int(ledger) * stride + rules[rule].place, rule),
                    resetIn: reset(ledger, rule: rule, at: now),
                    exhaustedIn: exhaustion(ledger, rule: rule, remaining: left, at: now)))
        }
        return PacerSnapshot.Ledger(
            key: LedgerKey(hash: index.key(of: ledger).hash ^ (UInt64(scope) << 60)), scope: scope,
            windows: readings, inFlight: Int(record.inFlight), waiting: waiting(ledger),
            expectedWait: isPossible ? now.duration(to: forecast.time) : nil,
            pause: record.isPaused ? record.pauseReason : nil, learned: learnedReadings(ledger, at: now),
            gap: learns && scope == 0
                ? learned[Int(ledger)].caution.map { .nanoseconds($0.gap) } : nil, pausedFor: pausedFor)
    }

    /// How long the rest lasts at the rate since the oldest used slot was taken; nil if nothing is used, or slots are
    /// freed before.
    private func exhaustion(_ ledger: Int32, rule: Int, remaining: Int, at now: MonotonicTime) -> Duration? {
        let account = accounts[Int(ledger) * stride + rules[rule].place]
        guard !rules[rule].isConcurrent, account.times.slots > 0, let first = account.times.first else {
            return nil
        }
        let left = now.nanoseconds(to: first)
        let elapsed = max(rules[rule].per - left, 1)
        let each = Double(elapsed) / Double(account.used)
        let lasts = each * Double(remaining)
        return lasts < Double(left) ? .nanoseconds(Int64(lasts)) : nil
    }
}

extension PacerSnapshot.Reading {
    fileprivate func isTighter(than other: Self) -> Bool {
        (remaining, other.resetIn) < (other.remaining, resetIn)
    }
}
