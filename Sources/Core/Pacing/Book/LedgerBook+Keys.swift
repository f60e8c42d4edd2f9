extension LedgerBook {
    /// How long the end of a pause is remembered for a key that sends nothing: it must still begin with a probe.
    private static let pauseMemory: Int64 = 60_000_000_000

    /// How long a ledger must be kept.
    private enum Use {
        /// It holds or awaits something, or is paused.
        case busy
        /// Its history ends at the given time.
        case until(MonotonicTime)
    }

    /// The ledgers of a request, opened if necessary; nil if the maximum number is in use.
    mutating func seats(for demand: PacingDemand, at now: MonotonicTime) -> Seats? {
        var seats = Seats(weights: weights(of: demand))
        clamp(&seats)
        for rule in rules.count..<PacingDemand.maximumLimits { seats.weights[rule] = 0 }
        for scope in 0..<scopes {
            guard concerns(scope, seats.weights, usesQuota: demand.usesQuota) else { continue }
            let key = key(of: demand, scope: scope)
            guard let ledger = ledger(for: key, scope: scope, besides: seats, at: now) else { return nil }
            seats.ledgers[scope] = ledger
        }
        return seats
    }

    /// Reduces costs to the limit: a request that needs more would wait forever.
    func clamp(_ seats: inout Seats) {
        for rule in rules.indices where Int(seats.weights[rule]) > rules[rule].capacity {
            seats.weights[rule] = UInt16(clamping: rules[rule].capacity)
        }
    }

    /// Whether a request has a ledger in `scope`: always in the first one, which the provider's rejections pause.
    private func concerns(_ scope: Int, _ weights: SIMD8<UInt16>, usesQuota: Bool) -> Bool {
        if scope == 0 || (scope == policy.quotaScope && usesQuota) { return true }
        for rule in rules.indices where rules[rule].scope == scope && weights[rule] > 0 {
            return true
        }
        return false
    }

    /// The ledger of a key, opened if necessary; nil if the maximum number is in use.
    mutating func ledger(
        for key: LedgerKey, scope: Int, besides seats: Seats, at now: MonotonicTime
    ) -> Int32? {
        if let ledger = index[key] {
            touch(ledger)
            return ledger
        }
        forgetIdle(besides: seats, at: now)
        guard index.count < max(policy.keyCapacity, scopes) else { return nil }
        let ledger = ledgers.insert(LedgerRecord(scope: UInt8(scope)))
        while learns, learned.count <= Int(ledger) { learned.append(LearnedLedger()) }
        while accounts.count < (Int(ledger) + 1) * stride { accounts.append(Account()) }
        while crowdsByPoint.count < (Int(ledger) + 1) * (stride + 1) { crowdsByPoint.append(-1) }
        recencyOrder.append(ledger, to: &recency)
        index.insert(key, ledger: ledger)
        return ledger
    }

    /// Marks `ledger` as the most recently used.
    mutating func touch(_ ledger: Int32) {
        guard recency.last != ledger else { return }
        recencyOrder.remove(ledger, from: &recency)
        recencyOrder.append(ledger, to: &recency)
    }

    /// Forgets unused ledgers, starting with the least recently used.
    ///
    /// Two per new ledger keep the number near that of the ledgers in use without a timer. At the maximum, more are
    /// examined, in rotation: the order of use is not quite the order in which their history ends.
    private mutating func forgetIdle(besides seats: Seats, at now: MonotonicTime) {
        let isFull = index.count >= policy.keyCapacity
        for _ in 0..<(isFull ? 16 : 2) {
            let oldest = recency.first
            // The ledgers that this request has found were used last; there is nothing after them.
            guard oldest >= 0, !any(seats.ledgers .== oldest) else { return }
            switch use(of: oldest, at: now) {
            case .busy: touch(oldest)
            case .until(let end) where end <= now: forget(oldest)
            // Those behind it were used later.
            case .until where !isFull: return
            // What was learned is forgotten before a new key is refused.
            case .until where learns: forget(oldest)
            case .until: touch(oldest)
            }
        }
    }

    private mutating func forget(_ ledger: Int32) {
        if ledgers[ledger].isPaused { paused -= 1 }
        if let ticket = ledgers[ledger].agenda { agenda.remove(ticket) }
        index.remove(ledger)
        recencyOrder.remove(ledger, from: &recency)
        for place in 0..<stride {
            let account = Int(ledger) * stride + place
            accounts[account] = Account()
            if !undated.isEmpty { undated[account] = nil }
        }
        if learns { learned[Int(ledger)] = LearnedLedger() }
        ledgers.remove(ledger)
    }

    /// How many waiting requests need `ledger`.
    func waiting(_ ledger: Int32) -> Int {
        let crowd = crowdsByPoint[Int(point(ledger, place: -1))]
        return crowd < 0 ? 0 : Int(crowds[crowd].lanes.wrappedSum())
    }

    private func use(of ledger: Int32, at now: MonotonicTime) -> Use {
        let record = ledgers[ledger]
        if record.attached > 0 || waiting(ledger) > 0 { return .busy }
        if record.isPaused, record.closedUntil.later(by: Self.pauseMemory) > now { return .busy }
        var end = learnedEnd(ledger)
        for place in 0..<stride { end = max(end, accounts[Int(ledger) * stride + place].times.last ?? end) }
        return .until(end)
    }

    /// How long a new key must wait if all ledgers are in use: until the least recently used one may be forgotten.
    func retryWhenAllKeysAreUsed(at now: MonotonicTime) -> Duration {
        let shortest = rules.lazy.filter { !$0.isConcurrent }.map(\.per).min() ?? 1_000_000_000
        guard recency.first >= 0, case .until(let end) = use(of: recency.first, at: now), end > now else {
            return .nanoseconds(shortest)
        }
        return .nanoseconds(now.nanoseconds(to: end))
    }
}
