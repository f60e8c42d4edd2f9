extension LedgerBook {
    /// For how many earlier policies it is known which of their limits are those of today.
    private static let rememberedPolicies: UInt32 = 16
    /// A count of our own that no provider's exceeds: what was sent before a limit was there is not foreign.
    private static let unknownBaseline: Int32 = 1 << 30

    /// See `Pacer.change`.
    mutating func change(to policy: PacingPolicy, origins known: [Int?]?, at now: MonotonicTime) -> Wake? {
        let origins = known ?? Self.origins(of: policy.windows, in: self.policy.windows)
        let isSame = origins.enumerated().allSatisfy { $0.element == $0.offset }
        if policy == self.policy, isSame { return nil }
        let (formerRules, formerStride, formerAccounts, wasStrict) = (rules, stride, accounts, isStrict)
        install(policy)
        note(origins)
        accounts = Chunked()
        while accounts.count < ledgers.bound * stride { accounts.append(Account()) }
        // Where a limit is new, the longest of its scope tells most of what was sent.
        let sources = rules.indices.map { rule in
            origins[rule]
                ?? formerRules.indices.filter {
                    formerRules[$0].scope == rules[rule].scope && !formerRules[$0].isConcurrent
                        && !rules[rule].isConcurrent
                }.max { formerRules[$0].per < formerRules[$1].per }
        }
        var ledger = recency.first
        while ledger >= 0 {
            for rule in rules.indices where rules[rule].scope == Int(ledgers[ledger].scope) {
                guard let source = sources[rule] else { continue }
                let former = formerAccounts[Int(ledger) * formerStride + formerRules[source].place]
                let account = Int(ledger) * stride + rules[rule].place
                if origins[rule] != nil { accounts[account].taken = former.taken }
                carry(former.times, of: formerRules[source], to: account, rule: rule, at: now)
            }
            ledger = recencyOrder.next(after: ledger)
        }
        moveFlights(origins, isCarried: sources.map { !wasStrict && $0 != nil })
        requeue(origins, at: now)
        return rescheduleAll(at: now)
    }

    /// What a request takes of today's limits that was weighed under those that `origins` names.
    ///
    /// A limit that was not among them counts it as the one of them that counts it most; requests at the same
    /// time are counted only where their end is reported.
    func translate(_ weights: SIMD8<UInt16>, _ origins: [Int?]) -> SIMD8<UInt16> {
        var translated = SIMD8<UInt16>(repeating: 0)
        for rule in rules.indices {
            if let origin = origins[rule] {
                translated[rule] = weights[origin]
            } else if !rules[rule].isConcurrent {
                translated[rule] = max(weights.max(), 1)
            }
        }
        return translated
    }

    /// What a demand weighs that was made under an earlier policy.
    func weights(of demand: PacingDemand) -> SIMD8<UInt16> {
        if demand.revision == revision || demand.revision == PacingDemand.latestRevision {
            return demand.weights
        }
        return translate(
            demand.weights, translations[demand.revision] ?? Array(repeating: nil, count: rules.count))
    }

    /// The limits of `former` that are those of `windows` with other numbers: in their order, equal ones first.
    private static func origins(
        of windows: [PacingPolicy.Window], in former: [PacingPolicy.Window]
    ) -> [Int?] {
        PacingPlan.match(windows.indices, former.indices) { new, old, isExact in
            windows[new].scope == former[old].scope && windows[new].span == former[old].span
                && (!isExact || windows[new].per == former[old].per)
        }
    }

    private mutating func note(_ origins: [Int?]) {
        translations = translations.filter { revision &- $0.key < Self.rememberedPolicies }
            .mapValues { older in origins.map { $0.flatMap { older[$0] } } }
        translations[revision] = origins
        revision &+= 1
    }

    /// Marks the slots that were used under `former` as used under a limit of today.
    private mutating func carry(
        _ times: FreeTimes, of former: WindowRule, to account: Int, rule: Int, at now: MonotonicTime
    ) {
        let window = rules[rule]
        times.forEach { time, slots in
            let free: MonotonicTime
            if window.span == former.span, window.per == former.per {
                free = time
            } else if former.span == .rolling {
                // Rounding has made it later, never earlier.
                free = window.free(from: time.later(by: -former.per))
            } else {
                // When it was sent is not known.
                free = window.free(from: now)
            }
            accounts[account].times.add(free, slots: slots)
        }
    }

    /// Lets requests that are under way take of today's limits what they took of the old ones.
    private mutating func moveFlights(_ origins: [Int?], isCarried: [Bool]) {
        for flight in 0..<Int32(flights.bound) where flights[flight].phase != .over {
            let (seats, former) = (flights[flight].seats, flights[flight].baseline)
            if learns, seats.ledgers[0] >= 0 {
                // What is learned begins anew; all that is under way may be counted or not.
                flights[flight].baseline[0] = 0
                flights[flight].baseline[1] = ledgers[seats.ledgers[0]].inFlight
            }
            let moved = moved(seats, origins)
            flights[flight].seats = moved
            for rule in rules.indices where moved.weights[rule] > 0 {
                let weight = Int32(moved.weights[rule])
                let account = account(moved, rule: rule)
                flights[flight].baseline[rule] = origins[rule].map { former[$0] } ?? Self.unknownBaseline
                if rules[rule].isConcurrent {
                    if flights[flight].isRunning { accounts[account].held += weight }
                } else if flights[flight].phase == .inFlight {
                    if rules[rule].isHeld {
                        accounts[account].held += weight
                    } else if !isCarried[rule] {
                        let start = flights[flight].sentAt.later(by: margin)
                        occupy(account, rule: rule, until: rules[rule].free(from: start), weight)
                    }
                }
            }
        }
    }

    private func moved(_ seats: Seats, _ origins: [Int?]) -> Seats {
        var moved = Seats(ledgers: seats.ledgers, weights: translate(seats.weights, origins))
        // It has no ledger where nothing counted it: whose it would be is not known any more.
        for rule in rules.indices where seats.ledgers[rules[rule].scope] < 0 { moved.weights[rule] = 0 }
        return moved
    }

    /// Lets those who wait do so for today's limits, in the order in which they came.
    private mutating func requeue(_ origins: [Int?], at now: MonotonicTime) {
        let former = flows
        (flows, flowIndex, crowds, laneOrder) = (Slab(), KeyIndex(), Slab(), Chains())
        crowdsByPoint = Chunked()
        while crowdsByPoint.count < ledgers.bound * (stride + 1) { crowdsByPoint.append(-1) }
        var place = arrivals.first
        while place >= 0 {
            let ledgers = former[waiters[place].flow].seats.ledgers
            var seats = moved(Seats(ledgers: ledgers, weights: waiters[place].weights), origins)
            clamp(&seats)
            waiters[place].weights = seats.weights
            // How much longer it can wait is not known: nobody overtakes it.
            lineUp(place, seats, slack: SIMD8(repeating: 0))
            place = arrivalOrder.next(after: place)
        }
        for flow in 0..<Int32(flows.bound) { refile(flow, at: now) }
    }

    private mutating func rescheduleAll(at now: MonotonicTime) -> Wake? {
        agenda = DeadlineHeap()
        for ledger in 0..<Int32(ledgers.bound) { ledgers[ledger].agenda = nil }
        var ledger = recency.first
        while ledger >= 0 {
            schedule(ledger, at: now)
            ledger = recencyOrder.next(after: ledger)
        }
        return announce()
    }
}
