extension LedgerBook {
    mutating func responded(
        _ slot: Slot, verdict: Verdict, observed: RateObservation?, learned: RateReport?,
        date: Int64?, reset: () -> Duration?, at firstByte: MonotonicTime
    ) -> Outcome {
        guard let flight = flight(slot, in: .inFlight) else { return Outcome(headroom: nil, wake: nil) }
        let seats = flights[flight].seats
        // No response precedes its request: a clock that was read too early must not free the slot too early.
        let heard = max(firstByte, flights[flight].sentAt)
        land(flight)
        flights[flight].heardAt = heard
        smooth(flights[flight].sentAt.nanoseconds(to: heard))
        if let date { readProviderClock(date, sent: flights[flight].sentAt, heard: heard) }
        for rule in rules.indices
        where seats.weights[rule] > 0 && rules[rule].isHeld && !rules[rule].isConcurrent {
            let account = account(seats, rule: rule)
            let weight = Int32(seats.weights[rule])
            accounts[account].held -= weight
            occupy(account, rule: rule, until: rules[rule].free(from: heard), weight)
        }
        if let learned { learn(learned, of: flight, at: heard) }
        let isForeign = observed.map { observe($0, of: flight, reset: reset, at: heard) } ?? false
        switch verdict {
        case .accepted:
            landLearned(flight, isAccepted: true, at: heard)
            openProbed(by: flight)
            settleDown(flight)
        case .undecided: flights[flight].phase = .undecided
        }
        let headroom = headroom(seats, at: heard)
        return Outcome(
            headroom: headroom, wake: schedule(seats, at: heard), isUsedByOthers: isForeign,
            strangeLimit: observed == nil ? nil : reportedLimit)
    }

    /// Corrects what a request costs, which its response says: before ``responded`` or before `judge`.
    ///
    /// - Parameter costs: for each limit; `UInt16.max`: as it was.
    mutating func correct(_ slot: Slot, costs: SIMD8<UInt16>, revision: UInt32, at now: MonotonicTime)
        -> Wake?
    {
        let flight = slot.index
        guard revision == self.revision, flights[flight].generation == slot.generation,
            flights[flight].phase == .inFlight || flights[flight].phase == .undecided
        else { return nil }
        let seats = flights[flight].seats
        for rule in rules.indices
        where seats.weights[rule] > 0 && costs[rule] != .max && !rules[rule].isConcurrent {
            let change = Int32(costs[rule]) - Int32(seats.weights[rule])
            guard change != 0 else { continue }
            let account = account(seats, rule: rule)
            if rules[rule].isHeld, flights[flight].phase == .inFlight {
                accounts[account].held += change
            } else {
                let start =
                    rules[rule].isHeld ? flights[flight].heardAt : flights[flight].sentAt.later(by: margin)
                let time = rules[rule].free(from: start)
                if change > 0 {
                    accounts[account].times.add(time, slots: change)
                } else {
                    accounts[account].times.withdraw(time, slots: -change)
                }
            }
            accounts[account].taken &+= UInt32(bitPattern: change)
            flights[flight].seats.weights[rule] = costs[rule]
        }
        return schedule(seats, at: now)
    }

    /// Counts by the numbers that a response reports, for the key of its request.
    ///
    /// - Parameter capacities: for each limit; 0: not reported.
    mutating func learnCapacities(
        _ slot: Slot, _ capacities: SIMD8<Int32>, revision: UInt32, at now: MonotonicTime
    ) -> Wake? {
        let flight = flights[slot.index]
        guard revision == self.revision, flight.generation == slot.generation, flight.phase != .over else {
            return nil
        }
        var isChanged = false
        for rule in rules.indices where flight.seats.weights[rule] > 0 && capacities[rule] > 0 {
            let account = account(flight.seats, rule: rule)
            guard accounts[account].capacity != capacities[rule] else { continue }
            accounts[account].capacity = capacities[rule]
            isChanged = true
        }
        return isChanged ? schedule(flight.seats, at: now) : nil
    }

    mutating func judge(_ slot: Slot, _ ruling: Ruling, at now: MonotonicTime) -> Wake? {
        guard let flight = flight(slot, in: .undecided) else { return nil }
        let seats = flights[flight].seats
        var refused: Int32 = -1
        switch ruling {
        case .rejected(let retryAfter?, _), .quotaUsedUp(let retryAfter?), .limited(_, let retryAfter?):
            if retryAfter > .zero { dateUndated(of: seats, at: now + retryAfter, now: now) }
        default: break
        }
        switch ruling {
        case .accepted: break
        case .rejected(let retryAfter, let reason):
            refused = seats.ledgers[0]
            if reason == .rateLimited { beCautious(refused, flight: flight, at: now) }
            pause(refused, for: retryAfter, reason: reason, flight: flight, at: now)
        case .limited(let rule, let retryAfter):
            exhaust(rule, of: seats, for: retryAfter, at: now)
        case .quotaUsedUp(let retryAfter):
            if let scope = policy.quotaScope { refused = seats.ledgers[scope] }
            if refused >= 0 {
                pause(refused, for: retryAfter, reason: .quotaExceeded, flight: flight, at: now)
            }
        }
        landLearned(flight, isAccepted: ruling == .accepted, at: now)
        openProbed(by: flight)
        settleDown(flight)
        return schedule(seats, at: now)
    }

    /// Reports that no more of the response will arrive: the request is no longer running.
    mutating func ended(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        let flight = slot.index
        guard flights[flight].generation == slot.generation, flights[flight].isRunning,
            flights[flight].phase != .over
        else { return nil }
        let seats = flights[flight].seats
        stopRunning(flight, until: now)
        if flights[flight].phase == .running { end(flight) }
        return schedule(seats, at: now)
    }

    mutating func closedWithoutResponse(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        guard let flight = flight(slot, in: .inFlight, or: .undecided) else { return nil }
        let seats = flights[flight].seats
        if flights[flight].phase == .inFlight {
            land(flight)
            let lost = max(now, flights[flight].sentAt).later(by: grace)
            for rule in rules.indices
            where seats.weights[rule] > 0 && rules[rule].isHeld && !rules[rule].isConcurrent {
                let account = account(seats, rule: rule)
                let weight = Int32(seats.weights[rule])
                accounts[account].held -= weight
                occupy(account, rule: rule, until: rules[rule].freeAfterLoss(from: lost), weight)
            }
            // The provider may continue to work on it for a while.
            stopRunning(flight, until: lost)
        } else {
            stopRunning(flight, until: now)
        }
        landLearned(flight, isAccepted: false, at: now)
        abandonProbe(flight, at: now)
        end(flight)
        return schedule(seats, at: now)
    }

    mutating func neverSent(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        guard let flight = flight(slot, in: .inFlight) else { return nil }
        let seats = flights[flight].seats
        land(flight)
        stopRunning(flight, until: now)
        let start = flights[flight].sentAt.later(by: margin)
        for rule in rules.indices where seats.weights[rule] > 0 && !rules[rule].isConcurrent {
            let account = account(seats, rule: rule)
            let weight = Int32(seats.weights[rule])
            if rules[rule].isHeld {
                accounts[account].held -= weight
            } else {
                accounts[account].times.withdraw(rules[rule].free(from: start), slots: weight)
            }
        }
        landLearned(flight, isAccepted: false, at: now)
        abandonProbe(flight, at: now)
        end(flight)
        return schedule(seats, at: now)
    }

    /// The flight of `slot`, if it is in `phase` or `other`; anything else means that a slot was reported twice.
    private func flight(
        _ slot: Slot, in phase: FlightRecord.Phase, or other: FlightRecord.Phase? = nil
    ) -> Int32? {
        let flight = flights[slot.index]
        guard flight.generation == slot.generation, flight.phase == phase || flight.phase == other else {
            assertionFailure("a slot was reported twice")
            return nil
        }
        return slot.index
    }

    /// Removes `flight` from the requests without a response.
    private mutating func land(_ flight: Int32) {
        let seats = flights[flight].seats
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 {
            flightOrder[scope].remove(flight, from: &ledgers[seats.ledgers[scope]].flights)
            ledgers[seats.ledgers[scope]].inFlight -= 1
        }
        inFlight -= 1
    }

    /// Nothing more has to be reported about the response of `flight`, except its end.
    private mutating func settleDown(_ flight: Int32) {
        if flights[flight].isRunning { flights[flight].phase = .running } else { end(flight) }
    }

    /// Frees the slots that `flight` takes of limits on concurrent requests.
    private mutating func stopRunning(_ flight: Int32, until time: MonotonicTime) {
        guard flights[flight].isRunning else { return }
        flights[flight].isRunning = false
        let seats = flights[flight].seats
        for rule in rules.indices where seats.weights[rule] > 0 && rules[rule].isConcurrent {
            let account = account(seats, rule: rule)
            let weight = Int32(seats.weights[rule])
            accounts[account].held -= weight
            accounts[account].times.add(time, slots: weight)
        }
    }

    private mutating func end(_ flight: Int32) {
        let seats = flights[flight].seats
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 {
            ledgers[seats.ledgers[scope]].attached -= 1
        }
        flights[flight].phase = .over
        flights.remove(flight)
    }

    private mutating func smooth(_ sample: Int64) {
        // One hour bounds the effect of one forgotten request on the estimate.
        let bounded = min(sample, 3_600_000_000_000)
        responseTime = responseTime == 0 ? bounded : responseTime + (bounded - responseTime) / 8
    }
}

/// The provider's own count: it can tighten a ledger, never loosen it.
extension LedgerBook {
    /// Compares the provider's count with ours, and takes the slots that other clients use.
    ///
    /// The provider counted at some time between the sending and the first byte. At that time, its window contained
    /// at most those of our requests whose slots were in use at the sending, and those sent since: everything beyond
    /// is foreign. Whatever the order of the responses, our own requests are never taken for foreign ones.
    mutating func observe(
        _ observed: RateObservation, of flight: Int32, reset: () -> Duration?, at now: MonotonicTime
    ) -> Bool {
        let seats = flights[flight].seats
        guard let rule = rule(observed, seats) else { return false }
        let account = account(seats, rule: rule)
        let limit = observed.limit ?? capacity(account, rule)
        let counted = max(limit - observed.remaining, 0)
        let own =
            Int(flights[flight].baseline[rule]) &+ Int(Int32(bitPattern: accounts[account].taken))
        let foreign = counted - Int(Int32(truncatingIfNeeded: own))
        noteShare(foreign: max(foreign, 0), of: counted)
        guard foreign > 0, !policy.isObserved else { return foreign > 0 }
        let room = capacity(account, rule) - accounts[account].used
        guard room > 0 else { return true }
        let reset = reset()
        let end = foreignEnd(rule, reset: reset, entries: accounts[account].times.entries, at: now)
        let slots = Int32(clamping: min(foreign, room))
        accounts[account].times.add(end, slots: slots)
        if reset == nil { remember(UndatedSlots(end: end, slots: slots), of: account, at: now) }
        return true
    }

    /// How many times of undated slots are remembered per account.
    private static let maximumUndated = 64

    private mutating func remember(_ undatedSlots: UndatedSlots, of account: Int, at now: MonotonicTime) {
        var known = undated[account, default: []]
        known.removeAll { $0.end <= now }
        if known.last?.end == undatedSlots.end {
            known[known.count - 1].slots += undatedSlots.slots
        } else if known.count < Self.maximumUndated {
            known.append(undatedSlots)
        }
        undated[account] = known
    }

    /// The provider rejects a request and says when it may be repeated: without better information, foreign usage
    /// ends then.
    ///
    /// One request is sent at that time, and its response reports the count again.
    mutating func dateUndated(of seats: Seats, at end: MonotonicTime, now: MonotonicTime) {
        guard !undated.isEmpty else { return }
        for rule in rules.indices where seats.weights[rule] > 0 && !rules[rule].isConcurrent {
            let account = account(seats, rule: rule)
            for slots in undated.removeValue(forKey: account) ?? [] where slots.end > max(end, now) {
                let held = accounts[account].times.slots
                accounts[account].times.withdraw(slots.end, slots: slots.slots)
                accounts[account].times.add(end, slots: held - accounts[account].times.slots)
            }
        }
    }

    /// The limit that the provider reports: the one of that size, otherwise the shortest of the first scope.
    private mutating func rule(_ observed: RateObservation, _ seats: Seats) -> Int? {
        var shortest: Int?
        for rule in rules.indices where seats.weights[rule] > 0 && !rules[rule].isConcurrent {
            if let limit = observed.limit, limit == capacity(account(seats, rule: rule), rule) {
                reportedLimit = nil
                return rule
            }
            if rules[rule].scope == 0, rules[rule].per < shortest.map({ rules[$0].per }) ?? .max {
                shortest = rule
            }
        }
        if let limit = observed.limit, limit > 0 { reportedLimit = limit }
        // A count for a limit that is not ours says nothing about ours.
        return observed.limit == nil ? shortest : nil
    }

    /// How many exact times an account stores before the times at which foreign slots are freed are rounded.
    private static let exactEntries: Int32 = 256

    /// When foreign usage ends: when the provider says, and within the window in any case.
    ///
    /// This is exact, whatever the resolution of the window, since clients are told so: a slot of a day that is used
    /// for three more seconds must not be blocked for a part of the day. If many such times exist already, they are
    /// rounded to a part of the remaining time.
    private func foreignEnd(
        _ rule: Int, reset: Duration?, entries: Int32, at now: MonotonicTime
    ) -> MonotonicTime {
        let latest = rules[rule].free(from: now)
        guard let reset, reset > .zero, now + reset < latest else { return latest }
        guard entries >= Self.exactEntries else { return now + reset }
        // A power of two, so that times of different resets coincide.
        let part = UInt64(max(reset.wholeNanoseconds / WindowRule.parts, 1))
        let step = Int64(1) << Int64(UInt64.bitWidth - 1 - part.leadingZeroBitCount)
        return min(latest, (now + reset).roundedUp(to: step))
    }

    private mutating func noteShare(foreign: Int, of counted: Int) {
        let share = counted > 0 ? Double(foreign) / Double(counted) : 0
        foreignShare += (share - foreignShare) / 16
    }
}
