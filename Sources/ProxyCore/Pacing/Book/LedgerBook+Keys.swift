extension LedgerBook {
    /// How long the end of a pause is remembered for a key that sends nothing: it must still begin with one
    /// request.
    private static let pauseMemory: Int64 = 60_000_000_000

    /// What a ledger's past and present ask for.
    private enum Use {
        /// It holds or awaits something, or it is paused.
        case busy
        /// Its history ends at the given moment.
        case until(MonotonicTime)
    }

    /// The ledger of `key`, opened if there is none; nil when all that there may be are in use.
    mutating func ledger(for key: LedgerKey, at now: MonotonicTime) -> Int32? {
        if let ledger = index[key] {
            touch(ledger)
            return ledger
        }
        forgetIdle(at: now)
        guard index.count < policy.keyCapacity else { return nil }
        let ledger = ledgers.insert(LedgerRecord())
        let base = Int(ledger) * rules.count
        while freeTimes.count < base + rules.count { freeTimes.append(FreeTimes()) }
        recencyOrder.append(ledger, to: &recency)
        index.insert(key, ledger: ledger)
        return ledger
    }

    /// Makes `ledger` the one used last.
    mutating func touch(_ ledger: Int32) {
        guard recency.last != ledger else { return }
        recencyOrder.remove(ledger, from: &recency)
        recencyOrder.append(ledger, to: &recency)
    }

    /// Forgets ledgers without use, from the one that was used longest ago on.
    ///
    /// Two for every new one keep the number near that of the ledgers in use without a timer. When there are
    /// as many as there may be, more are looked at, in turns: the order of use is not quite that in which
    /// their history ends.
    private mutating func forgetIdle(at now: MonotonicTime) {
        let isFull = index.count >= policy.keyCapacity
        for _ in 0..<(isFull ? 16 : 2) {
            let oldest = recency.first
            guard oldest >= 0 else { return }
            switch use(of: oldest, at: now) {
            case .busy: touch(oldest)
            case .until(let end) where end <= now: forget(oldest)
            // Those behind it were used later.
            case .until where !isFull: return
            case .until: touch(oldest)
            }
        }
    }

    private mutating func forget(_ ledger: Int32) {
        if ledgers[ledger].isPaused { paused -= 1 }
        index.remove(ledger)
        recencyOrder.remove(ledger, from: &recency)
        let base = Int(ledger) * rules.count
        for rule in rules.indices { freeTimes[base + rule] = FreeTimes() }
        ledgers.remove(ledger)
    }

    private func use(of ledger: Int32, at now: MonotonicTime) -> Use {
        let record = ledgers[ledger]
        if record.inFlight > 0 || record.undecided > 0 || record.waiting > 0 { return .busy }
        if record.isPaused, record.closedUntil.later(by: Self.pauseMemory) > now { return .busy }
        var end = MonotonicTime.distantPast
        let base = Int(ledger) * rules.count
        for rule in rules.indices { end = max(end, freeTimes[base + rule].last ?? end) }
        return .until(end)
    }

    /// How long a new key must wait when all ledgers are in use: until the one used longest ago may be
    /// forgotten.
    func retryWhenAllKeysAreUsed(at now: MonotonicTime) -> Duration {
        let shortest = rules.lazy.map(\.per).min() ?? 1_000_000_000
        guard recency.first >= 0, case .until(let end) = use(of: recency.first, at: now), end > now else {
            return .nanoseconds(shortest)
        }
        return .nanoseconds(now.nanoseconds(to: end))
    }
}
