extension LedgerBook {
    mutating func admit(
        _ demand: PacingDemand, waiter: Waiter, patience: Duration, at now: MonotonicTime
    ) -> Admission {
        guard let seats = seats(for: demand, at: now) else {
            return .refused(
                Refusal(
                    reason: .tooManyKeys, retryAfter: retryWhenAllKeysAreUsed(at: now),
                    window: policy.windows.first, limit: 0, remaining: 0))
        }
        guard blocker(of: seats, flow: -1, at: now) != nil else { return .admitted(send(seats, at: now)) }
        let lane = lane(for: seats, urgency: min(max(demand.urgency, 0), 7))
        let forecast = forecast(seats, lane: lane, at: now)
        let wait = now.nanoseconds(to: forecast.time)
        let allowed = patience.wholeNanoseconds
        let isLate = allowed <= 0 || wait > allowed
        if policy.isObserved {
            if isLate { wouldHaveBeenRefused &+= 1 } else { wouldHaveWaited &+= 1 }
            return .admitted(send(seats, at: now))
        }
        if isLate {
            return .refused(
                refusal(forecast.isPause ? .paused : .wouldWaitTooLong, seats, forecast, at: now))
        }
        guard waiters.count < policy.queueCapacity else {
            return .refused(refusal(.queueFull, seats, forecast, at: now))
        }
        let slack = slack(seats, lane: lane, spare: allowed - wait, at: now)
        let place = enqueue(waiter, seats, lane: lane, slack: slack, at: now)
        schedule(ledger(ofPoint: flows[waiters[place.index].flow].point), at: now)
        return .queued(place, expected: .nanoseconds(wait), wake: announce())
    }

    mutating func leave(_ place: Place, at now: MonotonicTime?) -> (wasWaiting: Bool, wake: Wake?) {
        guard waiters[place.index].generation == place.generation, waiters[place.index].isWaiting else {
            return (false, nil)
        }
        let flow = waiters[place.index].flow
        let point = flows[flow].point
        dequeue(place.index, at: waiters[place.index].since)
        refile(flow, at: waiters[place.index].since)
        guard let now else { return (true, nil) }
        schedule(ledger(ofPoint: point), at: now)
        return (true, announce())
    }

    mutating func advance(_ wake: Wake, at now: MonotonicTime, into grants: inout [Grant]) -> Wake? {
        // A wake that was replaced by an earlier one may fire late: it must not cancel the current one.
        if wake.at == announced { announced = .distantFuture }
        var budget = Pacer.grantsPerAdvance
        // A step that grants nothing finds out what else a request waits for: such steps are bounded as well.
        var steps = 4 * Pacer.grantsPerAdvance
        while budget > 0, steps > 0, let ledger = agenda.popDue(at: now) {
            ledgers[ledger].agenda = nil
            work(ledger, budget: &budget, steps: &steps, at: now, into: &grants)
            schedule(ledger, at: now)
        }
        return announce()
    }

    /// Sends the requests that wait for `ledger` and may be sent.
    private mutating func work(
        _ ledger: Int32, budget: inout Int, steps: inout Int, at now: MonotonicTime,
        into grants: inout [Grant]
    ) {
        for place in -1..<stride {
            let point = point(ledger, place: place)
            while budget > 0, steps > 0, let flow = top(point), isOpen(point, for: flow, at: now) {
                steps -= 1
                let seats = headSeats(of: flow)
                if let blocker = blocker(of: seats, flow: flow, at: now) {
                    guard blocker.point != point else { break }
                    unfile(flow)
                    file(flow, at: blocker.point)
                    let other = self.ledger(ofPoint: blocker.point)
                    if other != ledger { schedule(other, at: now) }
                    continue
                }
                budget -= 1
                let head = flows[flow].head
                let waiter = waiters[head].waiter
                dequeue(head, at: now)
                refile(flow, at: now)
                grants.append(Grant(waiter: waiter, slot: send(seats, at: now)))
                touch(ledger)
            }
        }
    }

    /// Whether the resource at `point` is available for the first request of `flow`.
    private mutating func isOpen(_ point: Int32, for flow: Int32, at now: MonotonicTime) -> Bool {
        opening(ofPoint: point, for: flow, at: now).map { $0 <= now } ?? false
    }

    private mutating func opening(
        ofPoint point: Int32, for flow: Int32, at now: MonotonicTime
    ) -> MonotonicTime? {
        let ledger = ledger(ofPoint: point)
        let place = Int(point) - Int(ledger) * (stride + 1) - 1
        guard place >= 0 else { return max(now, opens(ledger)) }
        let scope = Int(ledgers[ledger].scope)
        guard let rule = rules.firstIndex(where: { $0.scope == scope && $0.place == place }) else {
            return now
        }
        let need = Int(waiters[flows[flow].head].weights[rule])
        return opening(Int(ledger) * stride + place, rule: rule, need: need, at: now)
    }

    /// Records when `ledger` must be checked again for its waiting requests.
    mutating func schedule(_ ledger: Int32, at now: MonotonicTime) {
        var earliest = MonotonicTime.distantFuture
        if arrivals.first >= 0 {
            for place in -1..<stride {
                let point = point(ledger, place: place)
                guard let flow = top(point), let opening = opening(ofPoint: point, for: flow, at: now) else {
                    continue
                }
                earliest = min(earliest, opening)
            }
        }
        if let ticket = ledgers[ledger].agenda {
            agenda.remove(ticket)
            ledgers[ledger].agenda = nil
        }
        if earliest < .distantFuture { ledgers[ledger].agenda = agenda.insert(ledger, at: earliest) }
    }

    /// The same for all ledgers of a request.
    mutating func schedule(_ seats: Seats, at now: MonotonicTime) -> Wake? {
        guard arrivals.first >= 0 else { return nil }
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 { schedule(seats.ledgers[scope], at: now) }
        return announce()
    }

    /// The wake to arm now; nil if an announced one is early enough.
    mutating func announce() -> Wake? {
        guard let earliest = agenda.earliest, earliest < announced else { return nil }
        announced = earliest
        return Wake(at: earliest)
    }

    /// Takes the slots of a request.
    private mutating func send(_ seats: Seats, at now: MonotonicTime) -> Slot {
        let generation = nextGeneration()
        var record = FlightRecord(generation: generation, seats: seats, isRunning: false, sentAt: now)
        for rule in rules.indices where seats.weights[rule] > 0 {
            let weight = Int32(seats.weights[rule])
            let account = account(seats, rule: rule)
            if rules[rule].isHeld {
                accounts[account].held += weight
                if rules[rule].isConcurrent { record.isRunning = true }
            } else {
                occupy(account, rule: rule, until: rules[rule].free(from: now.later(by: margin)), weight)
            }
            accounts[account].taken &+= UInt32(weight)
            record.baseline[rule] =
                Int32(clamping: accounts[account].used) &- Int32(bitPattern: accounts[account].taken)
        }
        let flight = flights.insert(record)
        inFlight += 1
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 {
            let ledger = seats.ledgers[scope]
            flightOrder[scope].append(flight, to: &ledgers[ledger].flights)
            if learns, scope == 0 {
                takeLearned(flight, on: ledger, underWay: ledgers[ledger].inFlight, at: now)
            }
            ledgers[ledger].inFlight += 1
            ledgers[ledger].attached += 1
            if ledgers[ledger].isPaused { beginProbe(flight, on: ledger, at: now) }
        }
        return Slot(index: flight, generation: generation)
    }

    /// Marks slots of an account as used until `time`.
    mutating func occupy(_ account: Int, rule: Int, until time: MonotonicTime, _ weight: Int32) {
        // Observed limits have no bound on used slots: twice the limit is precise enough.
        if policy.isObserved, accounts[account].used >= 2 * capacity(account, rule) { return }
        accounts[account].times.add(time, slots: weight)
    }

    /// The lane of a new request: that of its urgency, unless it would make another request exceed its maximum wait.
    private func lane(for seats: Seats, urgency: Int) -> Int {
        guard arrivals.first >= 0 else { return urgency }
        var lane = urgency
        for rule in rules.indices where seats.weights[rule] > 0 {
            let point = point(seats.ledgers[rules[rule].scope], place: rules[rule].place)
            let crowd = crowdsByPoint[Int(point)]
            guard crowd >= 0 else { continue }
            for later in lane + 1..<8
            where crowds[crowd].lanes[later] > 0
                && crowds[crowd].slack[later] < Int32(seats.weights[rule])
            {
                lane = later
            }
        }
        return lane
    }

    private mutating func refusal(
        _ reason: Refusal.Reason, _ seats: Seats, _ forecast: Forecast, at now: MonotonicTime
    ) -> Refusal {
        // Slots whose timer is about to fire are due already; zero would mean that it may be sent now.
        let retry = Duration.nanoseconds(max(now.nanoseconds(to: forecast.time), 1_000_000))
        guard let rule = forecast.rule ?? rules.indices.first(where: { seats.weights[$0] > 0 }) else {
            return Refusal(reason: reason, retryAfter: retry, window: nil, limit: 0, remaining: 0)
        }
        return Refusal(
            reason: reason, retryAfter: retry, window: rules[rule].window, limit: rule,
            remaining: max(settle(account(seats, rule: rule), rule: rule, at: now), 0))
    }
}
