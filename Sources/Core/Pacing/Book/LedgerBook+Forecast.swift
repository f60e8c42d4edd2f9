extension LedgerBook {
    /// When a request would get its slots.
    struct Forecast {
        var time: MonotonicTime
        /// The limit that makes it wait longest.
        var rule: Int?
        /// Whether a pause, not a limit, makes it wait.
        var isPause = false

        mutating func extend(to time: MonotonicTime, by rule: Int) {
            guard time > self.time else { return }
            self = Forecast(time: time, rule: rule)
        }
    }

    /// When a request of `lane` would get its slots after all waiting requests.
    ///
    /// Exact if it is among the known free times. Otherwise, requests in flight are assumed to be answered after the
    /// usual response time, and not before now; those ahead in the queue are assumed to be sent as soon as possible.
    /// With limits of several scopes, it holds as long as no other request uses up the other limit.
    mutating func forecast(_ seats: Seats, lane: Int, at now: MonotonicTime) -> Forecast {
        var forecast = Forecast(time: now)
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 {
            let ledger = seats.ledgers[scope]
            let ahead = ahead(at: point(ledger, place: -1), lane: lane, at: now)
            if let end = pauseEnd(ledger, behind: ahead, at: now), end >= forecast.time {
                forecast = Forecast(time: end, isPause: true)
            }
        }
        // No request is sent before the pause has ended and every limit has a slot.
        for rule in rules.indices where seats.weights[rule] > 0 {
            let need = Int(seats.weights[rule])
            forecast.extend(to: slotTime(seats, rule: rule, ordinal: need - 1, at: now), by: rule)
        }
        let start = forecast.time
        for rule in rules.indices where seats.weights[rule] > 0 {
            let point = point(seats.ledgers[rules[rule].scope], place: rules[rule].place)
            let last = ahead(at: point, lane: lane, at: now) + Int(seats.weights[rule]) - 1
            let (rounds, ordinal) = last.quotientAndRemainder(
                dividingBy: capacity(account(seats, rule: rule), rule))
            let first = max(start, slotTime(seats, rule: rule, ordinal: ordinal, at: now))
            forecast.extend(to: first.later(by: hold(rule, rounds: rounds)), by: rule)
        }
        return forecast
    }

    /// How long a request that arrives now would wait; zero if it would be sent at once, nil if no ledger can be
    /// opened for it.
    mutating func expectedWait(of demand: PacingDemand, at now: MonotonicTime) -> Duration? {
        guard let seats = seats(for: demand, at: now) else { return nil }
        guard !policy.isObserved, blocker(of: seats, flow: -1, at: now) != nil else { return .zero }
        let lane = min(max(demand.urgency, 0), 7)
        return .nanoseconds(max(now.nanoseconds(to: forecast(seats, lane: lane, at: now).time), 0))
    }

    /// The slots that are taken at `point` before a new request of `lane` is sent.
    func ahead(at point: Int32, lane: Int, at now: MonotonicTime) -> Int {
        let crowd = crowdsByPoint[Int(point)]
        guard crowd >= 0 else { return 0 }
        // Of the less urgent requests, only those that have waited long go first; the oldest one shows whether there
        // may be any.
        let oldest = arrivals.first < 0 ? 0 : waiters[arrivals.first].since.nanoseconds(to: now)
        var sum = 0
        for other in 0..<8 {
            let isAhead = other <= lane || aging.multipliedSaturating(by: Int64(other - lane)) <= oldest
            if isAhead { sum += Int(crowds[crowd].lanes[other]) }
        }
        return sum
    }

    /// How many slots of each limit others may take before a request that can wait `spare` nanoseconds longer than it
    /// must.
    mutating func slack(_ seats: Seats, lane: Int, spare: Int64, at now: MonotonicTime) -> SIMD8<Int32> {
        var slack = SIMD8<Int32>(repeating: .max)
        for rule in rules.indices where seats.weights[rule] > 0 {
            let account = account(seats, rule: rule)
            let point = point(seats.ledgers[rules[rule].scope], place: rules[rule].place)
            let ahead = ahead(at: point, lane: lane, at: now)
            let unused = max(
                settle(account, rule: rule, at: now) - ahead - Int(seats.weights[rule]), 0)
            let rounds = spare / max(hold(rule, rounds: 1), 1)
            let more = rounds.multipliedSaturating(by: Int64(capacity(account, rule)))
            slack[rule] = Int32(clamping: more.saturatingSum(Int64(unused)))
        }
        return slack
    }

    /// When a request with `ahead` others before it would be sent if only the pause mattered; nil without a pause.
    private func pauseEnd(_ ledger: Int32, behind ahead: Int, at now: MonotonicTime) -> MonotonicTime? {
        let record = ledgers[ledger]
        if learns, record.scope == 0, !record.isPaused {
            let opening = expectedOpening(ledger, behind: ahead, at: now)
            return opening > now ? opening : nil
        }
        guard record.isPaused else { return nil }
        guard record.probe >= 0 else {
            // The first in the queue is the probe; the others wait for its response.
            let end = ahead > 0 ? record.closedUntil.later(by: responseTime) : record.closedUntil
            return max(end, now)
        }
        let answer = flights[record.probe].sentAt.later(by: responseTime)
        return max(min(max(answer, now), record.closedUntil), now)
    }

    /// When slot number `ordinal` of a limit, in the order of their availability, can be used.
    private mutating func slotTime(
        _ seats: Seats, rule: Int, ordinal: Int, at now: MonotonicTime
    ) -> MonotonicTime {
        let account = account(seats, rule: rule)
        let rank = ordinal - settle(account, rule: rule, at: now)
        guard rank >= 0 else { return now }
        if let time = accounts[account].times.time(ofSlot: rank) { return time }
        let unknown = rank - Int(accounts[account].times.slots)
        let ledger = seats.ledgers[rules[rule].scope]
        return rules[rule].free(
            from: expectedAnswer(ledger, scope: rules[rule].scope, ordinal: unknown, at: now))
    }

    /// How long a slot is held `rounds` times in succession, in nanoseconds.
    private func hold(_ rule: Int, rounds: Int) -> Int64 {
        let each = rules[rule].per.saturatingSum(rules[rule].isHeld ? responseTime : margin)
        return rounds > 0 ? each.multipliedSaturating(by: Int64(rounds)) : 0
    }

    /// When request number `ordinal` of those in flight may be answered: interpolated between the oldest and the
    /// newest.
    private func expectedAnswer(
        _ ledger: Int32, scope: Int, ordinal: Int, at now: MonotonicTime
    ) -> MonotonicTime {
        let chain = ledgers[ledger].flights
        guard chain.first >= 0 else { return now }
        let oldest = flights[chain.first].sentAt
        let span = max(oldest.nanoseconds(to: flights[chain.last].sentAt), 0)
        let rank = Int64(ordinal + 1)
        let count = Int64(max(ledgers[ledger].inFlight, 1))
        let sent = oldest.later(by: ordinal == 0 ? 0 : (span / count).multipliedSaturating(by: rank))
        return max(now, sent.later(by: responseTime))
    }

    /// What is left of the tightest limit of a request.
    mutating func headroom(_ seats: Seats, at now: MonotonicTime) -> Headroom? {
        var tightest = -1
        var least = Int.max
        for rule in rules.indices where seats.weights[rule] > 0 {
            let left = max(settle(account(seats, rule: rule), rule: rule, at: now), 0)
            if left < least { (tightest, least) = (rule, left) }
        }
        guard tightest >= 0 else { return nil }
        return Headroom(
            window: rules[tightest].window, remaining: least,
            resetIn: reset(seats.ledgers[rules[tightest].scope], rule: tightest, at: now), limit: tightest)
    }

    /// How long until the whole limit is free if nothing more is sent.
    func reset(_ ledger: Int32, rule: Int, at now: MonotonicTime) -> Duration {
        let account = Int(ledger) * stride + rules[rule].place
        var last = accounts[account].times.last ?? now
        if accounts[account].held > 0, ledgers[ledger].flights.last >= 0 {
            let answer = flights[ledgers[ledger].flights.last].sentAt.later(by: responseTime)
            last = max(last, rules[rule].free(from: max(now, answer)))
        }
        return .nanoseconds(max(now.nanoseconds(to: last), 0))
    }
}

extension LedgerBook {
    /// What is left for a request that is neither sent nor waits; opens no ledger.
    mutating func headroom(of demand: PacingDemand, at now: MonotonicTime) -> Headroom? {
        var seats = Seats(weights: weights(of: demand))
        var opensAt = now
        for scope in 0..<scopes {
            guard let ledger = index[key(of: demand, scope: scope)] else { continue }
            seats.ledgers[scope] = ledger
            if scope == 0 || (scope == policy.quotaScope && demand.usesQuota) {
                opensAt = max(opensAt, opens(ledger))
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
