extension LedgerBook {
    mutating func admit(
        _ key: LedgerKey, waiter: Waiter, patience: Duration, at now: MonotonicTime
    ) -> Admission {
        guard let ledger = ledger(for: key, at: now) else {
            return .refused(
                Refusal(
                    reason: .tooManyKeys, retryAfter: retryWhenAllKeysAreUsed(at: now),
                    window: policy.windows.first, remaining: 0))
        }
        settle(ledger, at: now)
        if ledgers[ledger].waiting == 0, let opening = opening(of: ledger, at: now), opening <= now {
            return .admitted(send(on: ledger, at: now))
        }
        let forecast = forecast(ledger, behind: Int(ledgers[ledger].waiting), at: now)
        let wait = now.nanoseconds(to: forecast.time)
        if patience <= .zero || wait > patience.wholeNanoseconds {
            let isPaused = forecast.isPause && ledgers[ledger].isPaused
            return .refused(refusal(isPaused ? .paused : .wouldWaitTooLong, ledger, forecast, at: now))
        }
        guard waiters.count < policy.queueCapacity else {
            return .refused(refusal(.queueFull, ledger, forecast, at: now))
        }
        let place = enqueue(waiter, on: ledger, at: now)
        return .queued(place, expected: .nanoseconds(wait), wake: announce(ledger, at: now))
    }

    mutating func leave(_ place: Place) -> Bool {
        guard waiters[place.index].generation == place.generation, waiters[place.index].isWaiting else {
            return false
        }
        dequeue(place.index)
        return true
    }

    mutating func advance(_ wake: Wake, at now: MonotonicTime, into grants: inout [Grant]) -> Wake? {
        guard let ledger = index[wake.key] else { return nil }
        // A wake that was overtaken by an earlier one may fire late in its life: it must not silence the
        // present one.
        if wake.at == ledgers[ledger].announced { ledgers[ledger].announced = .distantFuture }
        settle(ledger, at: now)
        var given = 0
        while given < Pacer.grantsPerAdvance, ledgers[ledger].waiting > 0,
            let opening = opening(of: ledger, at: now), opening <= now
        {
            let first = ledgers[ledger].queue.first
            let waiter = waiters[first].waiter
            dequeue(first)
            grants.append(Grant(waiter: waiter, slot: send(on: ledger, at: now)))
            given += 1
        }
        if given > 0 { touch(ledger) }
        return announce(ledger, at: now)
    }

    /// Takes a slot in every window of `ledger`.
    private mutating func send(on ledger: Int32, at now: MonotonicTime) -> Slot {
        let generation = nextGeneration()
        let flight = flights.insert(FlightRecord(generation: generation, ledger: ledger, sentAt: now))
        flightOrder.append(flight, to: &ledgers[ledger].flights)
        ledgers[ledger].inFlight += 1
        inFlight += 1
        if ledgers[ledger].isPaused { beginProbe(flight, on: ledger, at: now) }
        if !isStrict { occupy(ledger, from: now.later(by: margin)) }
        return Slot(index: flight, generation: generation)
    }

    /// Marks one slot of every window as used, for a window that begins at `start`.
    mutating func occupy(_ ledger: Int32, from start: MonotonicTime) {
        let base = Int(ledger) * rules.count
        for rule in rules.indices { freeTimes[base + rule].add(rules[rule].free(from: start)) }
    }

    private mutating func enqueue(_ waiter: Waiter, on ledger: Int32, at now: MonotonicTime) -> Place {
        let generation = nextGeneration()
        let place = waiters.insert(
            WaiterRecord(waiter: waiter, generation: generation, ledger: ledger, since: now))
        queueOrder.append(place, to: &ledgers[ledger].queue)
        arrivalOrder.append(place, to: &arrivals)
        ledgers[ledger].waiting += 1
        return Place(index: place, generation: generation)
    }

    private mutating func dequeue(_ place: Int32) {
        let ledger = waiters[place].ledger
        queueOrder.remove(place, from: &ledgers[ledger].queue)
        arrivalOrder.remove(place, from: &arrivals)
        ledgers[ledger].waiting -= 1
        waiters[place].isWaiting = false
        waiters.remove(place)
    }

    private func refusal(
        _ reason: Refusal.Reason, _ ledger: Int32, _ forecast: Forecast, at now: MonotonicTime
    ) -> Refusal {
        // Slots whose timer is about to fire are due already; zero would mean that it may be sent now.
        let retry = max(now.nanoseconds(to: forecast.time), 1_000_000)
        return Refusal(
            reason: reason, retryAfter: .nanoseconds(retry),
            window: rules.isEmpty ? nil : rules[forecast.rule].window,
            remaining: rules.isEmpty ? 0 : remaining(ledger, rule: forecast.rule))
    }
}
