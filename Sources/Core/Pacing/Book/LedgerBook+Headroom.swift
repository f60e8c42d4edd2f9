extension LedgerBook {
    /// What is left for a request that is neither sent nor waits; opens no ledger.
    mutating func headroom(of demand: PacingDemand, at now: MonotonicTime) -> Headroom? {
        var seats = Seats(weights: weights(of: demand))
        var opensAt = now
        for scope in 0..<scopes {
            guard let ledger = index[key(of: demand, scope: scope)] else { continue }
            seats.ledgers[scope] = ledger
            if scope == 0 || (scope == policy.quotaScope && demand.usesQuota) {
                opensAt = max(opensAt, ledgers[ledger].closedUntil)
            }
        }
        var tightest: Headroom?
        for rule in rules.indices where seats.weights[rule] > 0 {
            let ledger = seats.ledgers[rules[rule].scope]
            let left = ledger < 0 ? rules[rule].capacity : remaining(ledger, rule: rule, at: now)
            guard left < tightest?.remaining ?? .max else { continue }
            tightest = Headroom(
                window: rules[rule].window, remaining: left,
                resetIn: ledger < 0 ? .zero : reset(ledger, rule: rule, at: now), limit: rule)
        }
        guard let tightest, opensAt > now else { return tightest }
        return Headroom(
            window: tightest.window, remaining: 0, resetIn: now.duration(to: opensAt), limit: tightest.limit)
    }

    /// The key of a request in one scope: equal hashes of different scopes are different keys.
    func key(of demand: PacingDemand, scope: Int) -> LedgerKey {
        LedgerKey(hash: demand.keys[scope] ^ (UInt64(scope) << 60))
    }
}
