extension LedgerBook {
    /// What is held, with the `rows` ledgers used last.
    ///
    /// A ledger whose requests wait is granted or asked for all the time, so the tightest are among those
    /// used last.
    mutating func snapshot(at now: MonotonicTime, rows: Int) -> PacerSnapshot {
        var rowsRead: [PacerSnapshot.Ledger] = []
        rowsRead.reserveCapacity(min(rows, index.count))
        var least = rules.map {
            PacerSnapshot.Reading(window: $0.window, remaining: $0.capacity, resetIn: .zero)
        }
        var ledger = recency.last
        while ledger >= 0, rowsRead.count < rows {
            settle(ledger, at: now)
            let row = row(ledger, at: now)
            for (rule, reading) in row.windows.enumerated() where reading.isTighter(than: least[rule]) {
                least[rule] = reading
            }
            rowsRead.append(row)
            ledger = recencyOrder.previous(before: ledger)
        }
        let oldest = arrivals.first >= 0 ? waiters[arrivals.first].since.duration(to: now) : .zero
        return PacerSnapshot(
            windows: least, waiting: waiters.count, oldestWait: max(oldest, .zero), inFlight: inFlight,
            keys: index.count, paused: paused, ledgers: rowsRead)
    }

    private func row(_ ledger: Int32, at now: MonotonicTime) -> PacerSnapshot.Ledger {
        let record = ledgers[ledger]
        let forecast = forecast(ledger, behind: Int(record.waiting), at: now)
        let pausedFor = record.isPaused ? max(now.duration(to: record.closedUntil), .zero) : .zero
        return PacerSnapshot.Ledger(
            key: index.key(of: ledger),
            windows: rules.indices.map { rule in
                PacerSnapshot.Reading(
                    window: rules[rule].window, remaining: remaining(ledger, rule: rule),
                    resetIn: reset(ledger, rule: rule, at: now))
            },
            inFlight: Int(record.inFlight), waiting: Int(record.waiting),
            expectedWait: now.duration(to: forecast.time),
            pause: record.isPaused ? record.pauseReason : nil, pausedFor: pausedFor)
    }
}

extension PacerSnapshot.Reading {
    fileprivate func isTighter(than other: Self) -> Bool {
        (remaining, other.resetIn) < (other.remaining, resetIn)
    }
}
