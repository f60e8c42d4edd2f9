/// What the provider's own count says: it makes a ledger tighter, never looser.
extension LedgerBook {
    /// Compares the provider's count with ours, and takes the slots that somebody else uses.
    ///
    /// The provider counted at some moment between the sending and the first byte. Of our requests its window
    /// then held at most those whose slots were in use at the sending and those sent since: what it counts
    /// beyond them is not ours. Whatever the answers' order, our own requests are never taken for another's.
    mutating func observe(
        _ observed: RateObservation, of flight: Int32, reset: () -> Duration?, at now: MonotonicTime
    ) -> Bool {
        let seats = flights[flight].seats
        guard let rule = rule(observed, seats) else { return false }
        let limit = observed.limit ?? rules[rule].capacity
        let account = account(seats, rule: rule)
        let counted = max(limit - observed.remaining, 0)
        let own =
            Int(flights[flight].baseline[rule]) &+ Int(Int32(bitPattern: accounts[account].taken))
        let foreign = counted - Int(Int32(truncatingIfNeeded: own))
        noteShare(foreign: max(foreign, 0), of: counted)
        guard foreign > 0, !policy.isObserved else { return foreign > 0 }
        let room = rules[rule].capacity - accounts[account].used
        guard room > 0 else { return true }
        let reset = reset()
        let end = foreignEnd(rule, reset: reset, entries: accounts[account].times.entries, at: now)
        let slots = Int32(clamping: min(foreign, room))
        accounts[account].times.add(end, slots: slots)
        if reset == nil { remember(UndatedSlots(end: end, slots: slots), of: account, at: now) }
        return true
    }

    /// How many times of undated slots are remembered for each account.
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

    /// The provider refuses a request, and says when it may be repeated: without a better word, what others use ends then.
    ///
    /// One request tries at that time, and its response tells the count anew.
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

    /// The limit that the provider speaks of: the one of that size, else the shortest of the first scope.
    private mutating func rule(_ observed: RateObservation, _ seats: Seats) -> Int? {
        var shortest: Int?
        for rule in rules.indices where seats.weights[rule] > 0 && !rules[rule].isConcurrent {
            if let limit = observed.limit, limit == rules[rule].capacity {
                reportedLimit = nil
                return rule
            }
            if rules[rule].scope == 0, rules[rule].per < shortest.map({ rules[$0].per }) ?? .max {
                shortest = rule
            }
        }
        if let limit = observed.limit, limit > 0 { reportedLimit = limit }
        // A count of a limit that is not ours says nothing about ours.
        return observed.limit == nil ? shortest : nil
    }

    /// How many moments an account has before those at which others' slots are free again are rounded.
    private static let exactEntries: Int32 = 256

    /// When the provider has forgotten what others used: when it says, and within the window in any case.
    ///
    /// What it says is exact, whatever the window counts in, since clients are told so: a slot of a day that is used for three seconds
    /// more must not count for a part of the day. Where there are many such moments already, they are rounded to a part of the time
    /// that is left.
    private func foreignEnd(
        _ rule: Int, reset: Duration?, entries: Int32, at now: MonotonicTime
    ) -> MonotonicTime {
        let latest = rules[rule].free(from: now)
        guard let reset, reset > .zero, now + reset < latest else { return latest }
        guard entries >= Self.exactEntries else { return now + reset }
        // A power of two, so that those of different resets share their moments.
        let part = UInt64(max(reset.wholeNanoseconds / WindowRule.parts, 1))
        let step = Int64(1) << Int64(UInt64.bitWidth - 1 - part.leadingZeroBitCount)
        return min(latest, (now + reset).roundedUp(to: step))
    }

    private mutating func noteShare(foreign: Int, of counted: Int) {
        let share = counted > 0 ? Double(foreign) / Double(counted) : 0
        foreignShare += (share - foreignShare) / 16
    }
}
