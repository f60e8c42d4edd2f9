extension LedgerBook {
    mutating func responded(_ slot: Slot, verdict: Verdict, at firstByte: MonotonicTime) -> Outcome {
        guard let flight = flight(slot, in: .inFlight) else { return Outcome(headroom: nil, wake: nil) }
        let ledger = flights[flight].ledger
        land(flight)
        // No response comes before its request: a clock that was read too early must not free the slot too
        // early.
        let heard = max(firstByte, flights[flight].sentAt)
        smooth(flights[flight].sentAt.nanoseconds(to: heard))
        if isStrict { occupy(ledger, from: heard) }
        switch verdict {
        case .accepted:
            if ledgers[ledger].probe == flight { open(ledger) }
            end(flight)
        case .undecided:
            flights[flight].phase = .undecided
            ledgers[ledger].undecided += 1
        }
        settle(ledger, at: heard)
        return Outcome(headroom: headroom(ledger, at: heard), wake: announce(ledger, at: heard))
    }

    mutating func judge(_ slot: Slot, _ ruling: Ruling, at now: MonotonicTime) -> Wake? {
        guard let flight = flight(slot, in: .undecided) else { return nil }
        let ledger = flights[flight].ledger
        switch ruling {
        case .accepted:
            if ledgers[ledger].probe == flight { open(ledger) }
        case .rejected(let retryAfter, let reason):
            pause(
                ledger, for: retryAfter, reason: reason, probeRefused: ledgers[ledger].probe == flight,
                at: now)
        }
        ledgers[ledger].undecided -= 1
        end(flight)
        return announce(ledger, at: now)
    }

    mutating func closedWithoutResponse(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        guard let flight = flight(slot, in: .inFlight, or: .undecided) else { return nil }
        let ledger = flights[flight].ledger
        if flights[flight].phase == .undecided {
            ledgers[ledger].undecided -= 1
        } else {
            land(flight)
            if isStrict { occupyAfterLoss(ledger, from: max(now, flights[flight].sentAt).later(by: grace)) }
        }
        abandonProbe(flight, on: ledger, at: now)
        end(flight)
        return announce(ledger, at: now)
    }

    mutating func neverSent(_ slot: Slot, at now: MonotonicTime) -> Wake? {
        guard let flight = flight(slot, in: .inFlight) else { return nil }
        let ledger = flights[flight].ledger
        land(flight)
        if !isStrict { withdraw(flight) }
        abandonProbe(flight, on: ledger, at: now)
        end(flight)
        return announce(ledger, at: now)
    }

    /// The flight of `slot`, if it is in `phase` or `other`; anything else is a slot reported twice.
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

    /// Takes `flight` off the requests without a response.
    private mutating func land(_ flight: Int32) {
        let ledger = flights[flight].ledger
        flightOrder.remove(flight, from: &ledgers[ledger].flights)
        ledgers[ledger].inFlight -= 1
        inFlight -= 1
    }

    private mutating func end(_ flight: Int32) {
        flights[flight].phase = .over
        flights.remove(flight)
    }

    private mutating func occupyAfterLoss(_ ledger: Int32, from start: MonotonicTime) {
        let base = Int(ledger) * rules.count
        for rule in rules.indices { freeTimes[base + rule].add(rules[rule].freeAfterLoss(from: start)) }
    }

    /// Frees the slots that were occupied when `flight` was sent.
    private mutating func withdraw(_ flight: Int32) {
        let base = Int(flights[flight].ledger) * rules.count
        let start = flights[flight].sentAt.later(by: margin)
        for rule in rules.indices { freeTimes[base + rule].withdraw(rules[rule].free(from: start)) }
    }

    private mutating func smooth(_ sample: Int64) {
        // An hour bounds what one forgotten request can do to the estimate.
        let bounded = min(sample, 3_600_000_000_000)
        responseTime = responseTime == 0 ? bounded : responseTime + (bounded - responseTime) / 8
    }
}
