extension LedgerBook {
    /// The longest pause that a provider can ask for: beyond any monthly quota.
    private static let longestPause: Int64 = 32 * 86_400_000_000_000
    /// The longest pause that we choose ourselves, unless the window is longer.
    private static let longestBackoff: Int64 = 300_000_000_000
    /// The same where a quota is used up, and the first pause then: it is renewed in hours, not in seconds.
    private static let longestQuotaBackoff: Int64 = 3_600_000_000_000
    private static let firstQuotaPause: Int64 = 60_000_000_000
    /// The longest time that a probe is waited for before another request may try.
    private static let longestProbe: Int64 = 30_000_000_000
    /// How long one request tries alone after a limit was used up.
    private static let shortestTrial: Int64 = 100_000_000

    /// The shortest window of a scope: after it, a provider that names no time may have room again.
    private func shortestWindow(_ scope: UInt8) -> Int64 {
        var shortest = Int64.max
        for rule in rules where rule.scope == Int(scope) && !rule.isConcurrent {
            shortest = min(shortest, rule.per)
        }
        if shortest < .max { return shortest }
        return policy.quotaScope == Int(scope) ? Self.firstQuotaPause : 1_000_000_000
    }

    /// Closes `ledger` because the provider refused `flight`.
    mutating func pause(
        _ ledger: Int32, for asked: Duration?, reason: PauseReason, flight: Int32, at now: MonotonicTime
    ) {
        guard !policy.isObserved else { return }
        if ledgers[ledger].probe == flight {
            ledgers[ledger].refusedProbes = min(ledgers[ledger].refusedProbes + 1, 32)
        }
        let until = now.later(by: pauseLength(asked, of: ledger))
        if !ledgers[ledger].isPaused { paused += 1 }
        // While a probe is out, `closedUntil` is its time limit, not something that the provider asked for.
        let isTrying = ledgers[ledger].probe >= 0
        ledgers[ledger].closedUntil = isTrying ? until : max(until, ledgers[ledger].closedUntil)
        // Its answer, if it is still to come, is older than this refusal: another request tries after the
        // pause.
        ledgers[ledger].probe = -1
        ledgers[ledger].pauseReason = reason
    }

    /// The pause of a key, which another instance may be told of: how long it lasts.
    func pause(ofKey hash: UInt64, usesQuota: Bool, at now: MonotonicTime) -> (
        left: Duration, reason: PauseReason
    )? {
        guard let scope = usesQuota ? policy.quotaScope : 0,
            let ledger = index[LedgerKey(hash: hash ^ (UInt64(scope) << 60))],
            ledgers[ledger].probe < 0, ledgers[ledger].closedUntil > now
        else { return nil }
        return (now.duration(to: ledgers[ledger].closedUntil), ledgers[ledger].pauseReason)
    }

    /// Closes the ledger of a key because another instance was refused.
    mutating func pause(
        key hash: UInt64, usesQuota: Bool, for duration: Duration, reason: PauseReason, at now: MonotonicTime
    ) -> Wake? {
        guard !policy.isObserved, duration > .zero, let scope = usesQuota ? policy.quotaScope : 0,
            let ledger = ledger(
                for: LedgerKey(hash: hash ^ (UInt64(scope) << 60)), scope: scope, besides: Seats(), at: now)
        else { return nil }
        if !ledgers[ledger].isPaused { paused += 1 }
        let until = now.later(by: min(duration.wholeNanoseconds, Self.longestPause))
        // Whoever tries here at the moment may open it again: its answer is news as well.
        ledgers[ledger].closedUntil = max(until, ledgers[ledger].closedUntil)
        ledgers[ledger].pauseReason = reason
        var seats = Seats()
        seats.ledgers[scope] = ledger
        return schedule(seats, at: now)
    }

    /// Ends the pauses that `flight` was the probe of: it was accepted.
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

    /// Makes `flight` the one request that tries; no other is sent until it is answered or has taken too
    /// long.
    mutating func beginProbe(_ flight: Int32, on ledger: Int32, at now: MonotonicTime) {
        ledgers[ledger].probe = flight
        let shortest = min(shortestWindow(ledgers[ledger].scope), Self.longestProbe)
        let given = max(shortest.saturatingSum(grace), responseTime)
        ledgers[ledger].closedUntil = now.later(by: min(given, Self.longestProbe))
    }

    /// Lets another request try at once where `flight` was the probe: it has told nothing.
    mutating func abandonProbe(_ flight: Int32, at now: MonotonicTime) {
        let seats = flights[flight].seats
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 {
            let ledger = seats.ledgers[scope]
            guard ledgers[ledger].probe == flight else { continue }
            ledgers[ledger].probe = -1
            ledgers[ledger].closedUntil = now
        }
    }

    /// Takes all slots of one limit until the provider has some again: what else the key may do goes on.
    ///
    /// The first one is free a response time before the others, so that one request tries.
    mutating func exhaust(_ rule: Int, of seats: Seats, for asked: Duration?, at now: MonotonicTime) {
        guard !policy.isObserved, rules.indices.contains(rule), seats.ledgers[rules[rule].scope] >= 0
        else { return }
        let account = Int(seats.ledgers[rules[rule].scope]) * stride + rules[rule].place
        let capacity = rules[rule].capacity
        let length: Int64
        if let asked, asked > .zero {
            length = min(asked.wholeNanoseconds, Self.longestPause)
        } else {
            length = rules[rule].isConcurrent ? 1_000_000_000 : min(rules[rule].per, Self.longestBackoff)
        }
        let end = now.later(by: length)
        let others = end.later(by: max(2 * responseTime, Self.shortestTrial))
        _ = settle(account, rule: rule, at: now)
        // Those that would be free before come back when the pause ends.
        let early = accounts[account].times.removeAll(before: others)
        let room = max(capacity - accounts[account].used, Int(early))
        guard room > 0 else { return }
        accounts[account].times.add(end, slots: 1)
        if room > 1 { accounts[account].times.add(others, slots: Int32(clamping: room - 1)) }
    }

    private func pauseLength(_ asked: Duration?, of ledger: Int32) -> Int64 {
        // A provider that says "now" and refuses again has named no time.
        if let asked, asked > .zero { return min(asked.wholeNanoseconds, Self.longestPause) }
        let scope = ledgers[ledger].scope
        let shortest = shortestWindow(scope)
        let longest = policy.quotaScope == Int(scope) ? Self.longestQuotaBackoff : Self.longestBackoff
        let factor = Int64(1) << Int64(min(ledgers[ledger].refusedProbes, 32))
        return min(shortest.multipliedSaturating(by: factor), max(longest, shortest))
    }
}
