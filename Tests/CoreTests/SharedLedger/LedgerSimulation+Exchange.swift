@testable import Core

/// What an exchange does: asks the pacer, then the ledger, sends, and reports.
extension LedgerSimulation {
    mutating func arrive(_ client: Int) throws {
        let instance = clients[client].instance
        // A probe is for whichever process there is.
        if now > end { clients[client] = Client(instance: instance, process: instances[instance].process) }
        guard isCurrent(instance, clients[client].process) else { return clients[client].state = .done }
        let patience = scenario.patience
        clients[client].latest = now + patience
        let demand = makeDemand()
        clients[client].demand = demand
        let admission = instances[instance].pacer.admit(
            demand, waiter: Waiter(worker: 0, id: UInt64(client)), patience: .nanoseconds(patience),
            at: moment)
        switch admission {
        case .admitted(let slot):
            clients[client].slot = slot
            try askLedger(client)
        case .queued(let place, _, let wake):
            clients[client].state = .inQueue(place)
            arm(wake, instance)
            events.add(.timeout(client: client), at: clients[client].latest)
        case .refused:
            result.turnedAway += 1
            done(client)
        }
        if numbers.happens(scenario.base.departures) {
            let stay = Int64.random(in: 0...2 * scenario.base.per, using: &numbers)
            events.add(.depart(client: client), at: now + stay)
        }
    }

    private mutating func makeDemand() -> PacingDemand {
        let urgency = scenario.base.hasLanes ? Int.random(in: 0...7, using: &numbers) : 3
        return PacingDemand(key: LedgerKey(hash: 77), urgency: urgency)
    }

    private mutating func askLedger(_ client: Int) throws {
        let instance = clients[client].instance
        clients[client].state = .atLedger
        let latest = clients[client].latest
        let claim = LedgerClaim(
            id: UInt64(client), waiter: Waiter(worker: 0, id: UInt64(client)),
            account: instances[instance].account, demand: clients[client].demand,
            latest: MonotonicTime(nanoseconds: latest))
        events.add(.timeout(client: client), at: max(latest, now + SharedLedger.patience))
        instances[instance].ledger.take(claim, at: moment)
        try act(instance)
    }

    private mutating func arm(_ wake: Wake?, _ instance: Int) {
        guard let wake else { return }
        let late = Int64.random(in: 0...1_000_000, using: &numbers)
        events.add(
            .wake(wake, instance: instance, process: instances[instance].process),
            at: max(now, wake.at.nanoseconds) + late)
    }

    mutating func advance(_ wake: Wake, _ instance: Int) {
        var grants: [Grant] = []
        arm(instances[instance].pacer.advance(wake, at: moment, into: &grants), instance)
        for grant in grants {
            events.add(
                .deliver(grant, instance: instance, process: instances[instance].process),
                at: now + Int64.random(in: 0...300_000, using: &numbers))
        }
    }

    mutating func deliver(_ grant: Grant) throws {
        let client = Int(grant.waiter.id)
        if case .inQueue = clients[client].state {
            clients[client].slot = grant.slot
            try askLedger(client)
        } else {
            let instance = clients[client].instance
            arm(instances[instance].pacer.neverSent(grant.slot, at: moment), instance)
        }
    }

    mutating func timeOut(_ client: Int) throws {
        guard isCurrent(clients[client].instance, clients[client].process) else { return }
        switch clients[client].state {
        case .atLedger where now >= clients[client].latest, .inQueue:
            result.timedOut += 1
            try leave(client)
        default: break
        }
    }

    mutating func refuse(_ client: Int) throws {
        guard isCurrent(clients[client].instance, clients[client].process),
            case .atLedger = clients[client].state
        else { return }
        result.turnedAway += 1
        try leave(client)
    }

    mutating func depart(_ client: Int) throws {
        guard isCurrent(clients[client].instance, clients[client].process) else { return }
        switch clients[client].state {
        case .atLedger, .inQueue:
            result.departed += 1
            try leave(client)
        default: break
        }
    }

    private mutating func leave(_ client: Int) throws {
        let instance = clients[client].instance
        if case .inQueue(let place) = clients[client].state {
            arm(instances[instance].pacer.leave(place, at: moment).wake, instance)
        }
        if let slot = clients[client].slot {
            arm(instances[instance].pacer.neverSent(slot, at: moment), instance)
            instances[instance].ledger.take(.neverSent, of: UInt64(client), at: moment)
            try act(instance)
        }
        done(client)
    }

    mutating func sendIfWaiting(_ client: Int) {
        guard isCurrent(clients[client].instance, clients[client].process),
            case .atLedger = clients[client].state
        else { return }
        clients[client].state = .sent
        let reach = now + scenario.base.oneWay(back: false, using: &numbers)
        if numbers.happens(scenario.base.losses) {
            // The connection may break before the request has arrived, and it may arrive all the same.
            let close = Int64.random(in: max(now, reach - 900_000_000)...reach + 500_000_000, using: &numbers)
            if numbers.happens(0.7) { events.add(.reach(client: client), at: reach) }
            events.add(.close(client: client), at: close)
        } else {
            events.add(.reach(client: client), at: reach)
            let answer = reach + scenario.base.oneWay(back: true, using: &numbers)
            events.add(.firstByte(client: client), at: answer)
        }
    }

    mutating func reach(_ client: Int) {
        if provider.accepts(at: now) {
            result.accepted += 1
            result.arrivals.append(now)
        } else {
            result.refused += 1
        }
    }

    mutating func answer(_ client: Int) throws {
        let instance = clients[client].instance
        guard isCurrent(instance, clients[client].process), let slot = clients[client].slot else { return }
        arm(instances[instance].pacer.responded(slot, verdict: .accepted, at: moment).wake, instance)
        instances[instance].ledger.take(.responded, of: UInt64(client), at: moment)
        try act(instance)
        done(client)
    }

    mutating func close(_ client: Int) throws {
        let instance = clients[client].instance
        guard isCurrent(instance, clients[client].process), let slot = clients[client].slot else { return }
        result.lost += 1
        arm(instances[instance].pacer.closedWithoutResponse(slot, at: moment), instance)
        instances[instance].ledger.take(.closedWithoutResponse, of: UInt64(client), at: moment)
        try act(instance)
        done(client)
    }
}
