extension LedgerBook {
    mutating func change(to policy: PacingPolicy, at now: MonotonicTime) -> [Wake] {
        guard policy != self.policy else { return [] }
        let (oldRules, oldTimes, wasStrict) = (rules, freeTimes, isStrict)
        // The longest window remembers all that the others do, and more.
        let longest = oldRules.indices.max { oldRules[$0].per < oldRules[$1].per }
        install(policy)
        freeTimes = Chunked()
        var wakes: [Wake] = []
        var ledger = recency.first
        while ledger >= 0 {
            let base = Int(ledger) * rules.count
            while freeTimes.count < base + rules.count { freeTimes.append(FreeTimes()) }
            if let longest {
                carry(
                    oldTimes[Int(ledger) * oldRules.count + longest], heldFor: oldRules[longest].per,
                    to: ledger)
            }
            if wasStrict, !isStrict { occupyFlights(of: ledger) }
            ledgers[ledger].announced = .distantFuture
            if let wake = announce(ledger, at: now) { wakes.append(wake) }
            ledger = recencyOrder.next(after: ledger)
        }
        return wakes
    }

    /// Marks the slots of an old window as used in every new one.
    private mutating func carry(_ old: FreeTimes, heldFor per: Int64, to ledger: Int32) {
        let base = Int(ledger) * rules.count
        old.forEach { time, slots in
            // Rounding has made it later, never earlier.
            let start = time.later(by: -per)
            for rule in rules.indices {
                freeTimes[base + rule].add(rules[rule].free(from: start), slots: slots)
            }
        }
    }

    /// Requests in flight held their slots by being there; now it is by a moment.
    private mutating func occupyFlights(of ledger: Int32) {
        var flight = ledgers[ledger].flights.first
        while flight >= 0 {
            occupy(ledger, from: flights[flight].sentAt.later(by: margin))
            flight = flightOrder.next(after: flight)
        }
    }
}
