extension LedgerBook {
    /// The longest pause that a provider can ask for: longer than any monthly quota.
    private static let longestPause: Int64 = 32 * 86_400_000_000_000
    /// The longest pause that we choose ourselves, unless the window is longer.
    private static let longestBackoff: Int64 = 300_000_000_000
    /// The same for a used-up quota, and its first pause: quotas reset after hours, not seconds.
    private static let longestQuotaBackoff: Int64 = 3_600_000_000_000
    private static let firstQuotaPause: Int64 = 60_000_000_000
    /// The longest time to wait for a probe before another request may be sent.
    private static let longestProbe: Int64 = 30_000_000_000
    /// How long only one request is sent after a limit was used up.
    private static let shortestTrial: Int64 = 100_000_000

    /// The shortest window of a scope, after which a provider that names no time may accept requests again.
    private func shortestWindow(_ scope: UInt8) -> Int64 {
        var shortest = Int64.max
        for rule in rules where rule.scope == Int(scope) && !rule.isConcurrent {
            shortest = min(shortest, rule.per)
        }
        if shortest < .max { return shortest }
        return policy.quotaScope == Int(scope) ? Self.firstQuotaPause : 1_000_000_000
    }

    /// Pauses `ledger` because the provider rejected `flight`.
    mutating func pause(
        _ ledger: Int32, for asked: Duration?, reason: PauseReason, flight: Int32, at now: MonotonicTime
    ) {
        guard !policy.isObserved else { return }
        if ledgers[ledger].probe == flight {
            ledgers[ledger].refusedProbes = min(ledgers[ledger].refusedProbes + 1, 32)
        }
        let until = now.later(by: pauseLength(asked, of: ledger))
        if !ledgers[ledger].isPaused { paused += 1 }
        // While a probe is in flight, `closedUntil` is its time limit, not a time that the provider asked for.
        let isTrying = ledgers[ledger].probe >= 0
        ledgers[ledger].closedUntil = isTrying ? until : max(until, ledgers[ledger].closedUntil)
        // A later response to it would be older than this rejection: another probe is sent after the pause.
        ledgers[ledger].probe = -1
        ledgers[ledger].pauseReason = reason
    }

    /// The remaining pause of a key, for other instances.
    func pause(ofKey hash: UInt64, usesQuota: Bool, at now: MonotonicTime) -> (
        left: Duration, reason: PauseReason
    )? {
        guard let scope = usesQuota ? policy.quotaScope : 0,
            let ledger = index[LedgerKey(hash: hash ^ (UInt64(scope) << 60))],
            ledgers[ledger].probe < 0, ledgers[ledger].closedUntil > now
        else { return nil }
        return (now.duration(to: ledgers[ledger].closedUntil), ledgers[ledger].pauseReason)
    }

    /// Pauses the ledger of a key because another instance was rejected.
    mutating func pause(
        key hash: UInt64, usesQuota: Bool, for duration: Duration, reason: PauseReason, at now: MonotonicTime
    ) -> Wake? {
        guard !policy.isObserved, duration > .zero, let scope = usesQuota ? policy.quotaScope : 0,
            let ledger = ledger(
                for: LedgerKey(hash: hash ^ (UInt64(scope) << 60)), scope: scope, besides: Seats(), at: now)
        else { return nil }
        if !ledgers[ledger].isPaused { paused += 1 }
        let until = now.later(by: min(duration.wholeNanoseconds, Self.longestPause))
        // A probe in flight here may still open it again: its response is newer information as well.
        ledgers[ledger].closedUntil = max(until, ledgers[ledger].closedUntil)
        ledgers[ledger].pauseReason = reason
        var seats = Seats()
        seats.ledgers[scope] = ledger
        return schedule(seats, at: now)
    }

    /// Ends the pauses for which `flight` was the probe: it was accepted.
    mutating func openProbed(by flight: Int32) {
        let seats = flights[flight].seats
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 {
            let ledger = seats.ledgers[scope]
            guard ledgers[ledger].probe == flight else { continue }
            ledgers[ledger].closedUntil = .distantPast
            ledgers[ledger].probe = -1
            ledgers[ledger].refusedProbes = 0
            paused -= 1
        }
    }

    /// Makes `flight` the probe; no other request is sent until it is answered or has taken too long.
    mutating func beginProbe(_ flight: Int32, on ledger: Int32, at now: MonotonicTime) {
        ledgers[ledger].probe = flight
        let shortest = min(shortestWindow(ledgers[ledger].scope), Self.longestProbe)
        let given = max(shortest.saturatingSum(grace), responseTime)
        ledgers[ledger].closedUntil = now.later(by: min(given, Self.longestProbe))
    }

    /// If `flight` was the probe, allows another one at once, since it had no result.
    mutating func abandonProbe(_ flight: Int32, at now: MonotonicTime) {
        let seats = flights[flight].seats
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 {
            let ledger = seats.ledgers[scope]
            guard ledgers[ledger].probe == flight else { continue }
            ledgers[ledger].probe = -1
            ledgers[ledger].closedUntil = now
        }
    }

    /// Takes all slots of one limit until the provider has some again; other limits of the key are unaffected.
    ///
    /// The first one is freed a response time before the others, so that one request is sent first.
    mutating func exhaust(_ rule: Int, of seats: Seats, for asked: Duration?, at now: MonotonicTime) {
        guard !policy.isObserved, rules.indices.contains(rule), seats.ledgers[rules[rule].scope] >= 0
        else { return }
        let account = Int(seats.ledgers[rules[rule].scope]) * stride + rules[rule].place
        let capacity = capacity(account, rule)
        let length: Int64
        if let asked, asked > .zero {
            length = min(asked.wholeNanoseconds, Self.longestPause)
        } else {
            length = rules[rule].isConcurrent ? 1_000_000_000 : min(rules[rule].per, Self.longestBackoff)
        }
        let end = now.later(by: length)
        let others = end.later(by: max(2 * responseTime, Self.shortestTrial))
        _ = settle(account, rule: rule, at: now)
        // Slots that would be free earlier become free when the pause ends.
        let early = accounts[account].times.removeAll(before: others)
        let room = max(capacity - accounts[account].used, Int(early))
        guard room > 0 else { return }
        accounts[account].times.add(end, slots: 1)
        if room > 1 { accounts[account].times.add(others, slots: Int32(clamping: room - 1)) }
    }

    private func pauseLength(_ asked: Duration?, of ledger: Int32) -> Int64 {
        // A provider that says "now" and rejects again has named no time.
        if let asked, asked > .zero { return min(asked.wholeNanoseconds, Self.longestPause) }
        let scope = ledgers[ledger].scope
        let shortest = shortestWindow(scope)
        let longest = policy.quotaScope == Int(scope) ? Self.longestQuotaBackoff : Self.longestBackoff
        let factor = Int64(1) << Int64(min(ledgers[ledger].refusedProbes, 32))
        return min(shortest.multipliedSaturating(by: factor), max(longest, shortest))
    }
}
