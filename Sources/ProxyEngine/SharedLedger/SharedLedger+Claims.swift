internal import EventLoop
internal import ProxyCore
internal import RedisClient

/// What becomes of one claim.
extension SharedLedger {
    /// How long a claim that waits no longer is kept, for a slot that may be on its way.
    private static let memory: Int64 = 5_000_000_000
    /// The most that is kept to be told to a server that is away; what is not told has its lease.
    private static let maximumUntold = 10_000
    /// The most limits whose queues are looked at when the server is told that this instance is alive.
    private static let nudges = 64

    func receive(_ message: LedgerMessage) {
        switch message {
        case .claim(let claim): take(claim)
        case .pause(let pause): tell(pause)
        case .report(let report, let id): take(report, of: id)
        case .address(let address): resolved(address)
        }
    }

    private func take(_ claim: LedgerClaim) {
        arrivals += 1
        records[claim.id] = Record(claim: claim, arrival: arrivals)
        let now = Worker.clock()
        guard let state = accounts[ObjectIdentifier(claim.account)] else { return }
        if state.isShared, let link { ask(claim.id, link, at: now) } else { askShare(claim.id, at: now) }
    }

    /// Asks the server.
    func ask(_ id: UInt64, _ link: LedgerLink, at now: MonotonicTime) {
        guard let claim = records[id]?.claim else { return }
        let account = claim.account
        records[id]?.session = link.name
        var words = [
            "take", link.name, "\(id)", "\(max(now.nanoseconds(to: claim.latest) / 1000, 0))",
            "\(link.latest(at: now))",
        ]
        for (index, limit) in account.limits.enumerated() where claim.demand.weights[index] > 0 {
            words += [
                account.name(of: limit, for: claim.demand), "\(claim.demand.weights[index])",
                "\(limit.slots)", "\(account.replicas)", "\(limit.per)", "\(account.lease)",
                "\(account.lifetime(of: limit))",
            ]
        }
        // What no limit counts need not be asked for.
        guard words.count > 5 else { return give(id) }
        link.call(words, of: account) { [weak self] reply in
            guard let self, let wait = reply.integer, wait >= 0 else { return }
            promise(id, after: wait, in: link)
        }
    }

    func link(_ link: LedgerLink, received message: [UInt8]) {
        let words = String(decoding: message, as: UTF8.self).split(separator: " ")
        if words.first == "pause" { return hear(pause: words, in: link) }
        guard words.count == 2, let id = UInt64(words[0]), let wait = Int64(words[1]) else { return }
        promise(id, after: max(wait, 0), in: link)
    }

    /// The server has given the slots, to be used in so many microseconds from now: the reply was on its way, so that is never
    /// too early.
    private func promise(_ id: UInt64, after wait: Int64, in link: LedgerLink) {
        guard let record = records[id], record.session == link.name else { return }
        let time = Worker.clock().later(by: wait * 1000)
        switch record.phase {
        case .waiting: break
        case .abandoned:
            records[id] = nil
            return free(record) { _ in "\(wait)" }
        case .promised, .sent: return
        }
        if wait == 0 { return give(id) }
        records[id]?.phase = .promised(time)
        _ = events.insert(.promise(id), at: time)
    }

    func promiseIsDue(_ id: UInt64, at now: MonotonicTime) {
        guard case .promised = records[id]?.phase else { return }
        give(id)
    }

    /// Lets the request go; what it takes of this instance's share is counted, whoever gave the slot.
    private func give(_ id: UInt64) {
        guard let record = records[id] else { return }
        let account = record.claim.account
        records[id]?.phase = .sent
        if accounts[ObjectIdentifier(account)]?.isShared == true {
            let admission = account.share.admit(
                record.claim.demand, waiter: Waiter(worker: 0, id: id), patience: .zero, at: Worker.clock())
            if case .admitted(let slot) = admission { records[id]?.slot = slot }
        }
        tell(record.claim.waiter)
    }

    private func tell(_ waiter: Waiter) {
        worker.mailboxes[waiter.worker].post(.ledgerGrant(waiter.id))
    }

    /// The claims on an account, in the order in which they came.
    func claims(of account: LedgerAccount) -> [UInt64] {
        records.filter { $1.claim.account === account }.sorted { $0.value.arrival < $1.value.arrival }.map(
            \.key)
    }

    // MARK: The share

    func askShare(ofAllWaitingFor account: LedgerAccount, at now: MonotonicTime) {
        guard let state = accounts[ObjectIdentifier(account)], !state.isShared, state.quietUntil <= now else {
            return
        }
        // In the order in which they came.
        for id in claims(of: account) { askShare(id, at: now) }
    }

    private func askShare(_ id: UInt64, at now: MonotonicTime) {
        guard let record = records[id], case .waiting = record.phase, record.place == nil,
            let state = accounts[ObjectIdentifier(record.claim.account)], state.quietUntil <= now
        else { return }
        let account = record.claim.account
        // A share of nothing: it waits for the server, or until its patience ends.
        guard account.canShare(record.claim.demand) else { return }
        records[id]?.session = nil
        let patience = Duration.nanoseconds(max(now.nanoseconds(to: record.claim.latest), 0))
        switch account.share.admit(
            record.claim.demand, waiter: Waiter(worker: 0, id: id), patience: patience, at: now)
        {
        case .admitted(let slot): giveOfShare(id, slot)
        case .queued(let place, _, let wake):
            records[id]?.place = place
            arm(wake, of: account)
        case .refused: break
        }
    }

    private func giveOfShare(_ id: UInt64, _ slot: Slot) {
        guard let record = records[id] else { return }
        records[id]?.phase = .sent
        records[id]?.slot = slot
        records[id]?.place = nil
        records[id]?.isOfShare = true
        accounts[ObjectIdentifier(record.claim.account)]?.outstanding += 1
        tell(record.claim.waiter)
    }

    func advance(_ account: LedgerAccount, _ wake: Wake, at now: MonotonicTime) {
        var next: Wake? = wake
        while let due = next, due.at <= now {
            var grants: [Grant] = []
            next = account.share.advance(due, at: now, into: &grants)
            for grant in grants {
                if let record = records[grant.waiter.id], case .waiting = record.phase, record.place != nil {
                    giveOfShare(grant.waiter.id, grant.slot)
                } else {
                    arm(account.share.neverSent(grant.slot, at: now), of: account)
                }
            }
        }
        arm(next, of: account)
    }

    func arm(_ wake: Wake?, of account: LedgerAccount) {
        if let wake { _ = events.insert(.wake(account, wake), at: wake.at) }
    }

    // MARK: Reports

    private func take(_ report: LedgerReport, of id: UInt64) {
        guard let record = records[id] else { return }
        let now = Worker.clock()
        let account = record.claim.account
        switch report {
        case .neverSent: withdraw(id, record, at: now)
        case .responded:
            if let slot = record.slot {
                arm(account.share.responded(slot, verdict: .accepted, at: now).wake, of: account)
            }
            settle(record, after: 0, runsOn: true, at: now)
            if !account.countsConcurrency { records[id] = nil }
        case .ended:
            records[id] = nil
            if let slot = record.slot { arm(account.share.ended(slot, at: now), of: account) }
            free(record) { $0.span == .concurrent ? "0" : nil }
        case .closedWithoutResponse:
            records[id] = nil
            if let slot = record.slot { arm(account.share.closedWithoutResponse(slot, at: now), of: account) }
            settle(record, after: account.grace, runsOn: false, at: now)
        }
    }

    /// The provider has counted a request, in so many microseconds at the latest.
    private func settle(_ record: Record, after start: Int64, runsOn: Bool, at now: MonotonicTime) {
        let account = record.claim.account
        guard record.isOfShare else {
            return free(record) { runsOn && $0.span == .concurrent ? nil : $0.delay(after: start) }
        }
        let id = ObjectIdentifier(account)
        accounts[id]?.outstanding -= 1
        let longest = account.limits.lazy.filter { !$0.isLong }.map(\.per).max() ?? 0
        let end = now.later(by: (start + longest + account.grace) * 1000)
        let busyUntil = accounts[id]?.busyUntil ?? end
        accounts[id]?.busyUntil = max(busyUntil, end)
        // What lasts longer than anybody waits for is told, and counts from then on.
        free(record) { $0.isLong && $0.span != .concurrent ? $0.delay(after: start) : nil }
    }

    /// A request is not sent after all.
    private func withdraw(_ id: UInt64, _ record: Record, at now: MonotonicTime) {
        let account = record.claim.account
        records[id] = nil
        switch record.phase {
        case .waiting:
            if let place = record.place { arm(account.share.leave(place, at: now).wake, of: account) }
            guard let link, link.name == record.session else { return }
            // A slot may be on its way.
            records[id] = record
            records[id]?.phase = .abandoned
            _ = events.insert(.forget(id), at: max(now, record.claim.latest).later(by: Self.memory))
        case .promised(let time):
            let rest = max(now.nanoseconds(to: time) / 1000 + 1, 0)
            free(record) { _ in "\(rest)" }
        case .sent:
            if let slot = record.slot { arm(account.share.neverSent(slot, at: now), of: account) }
            if record.isOfShare {
                accounts[ObjectIdentifier(account)]?.outstanding -= 1
            } else {
                free(record) { _ in "0" }
            }
        case .abandoned: break
        }
    }

    /// Tells the server when slots are free again, now or when it is back: later than it is true, never earlier.
    ///
    /// They are those of the session in which they were given; of none, if the share let the request through.
    private func free(_ record: Record, after delay: (LedgerAccount.Limit) -> String?) {
        let account = record.claim.account
        var words = ["free", record.isOfShare ? "-" : record.session ?? "-"]
        for (index, limit) in account.limits.enumerated() where record.claim.demand.weights[index] > 0 {
            guard let delay = delay(limit) else { continue }
            words += [
                account.name(of: limit, for: record.claim.demand), "\(record.claim.demand.weights[index])",
                delay, "\(limit.resolution)", "\(account.lifetime(of: limit))",
            ]
        }
        guard words.count > 2 else { return }
        let id = ObjectIdentifier(account)
        if accounts[id]?.isShared == true, let link {
            link.call(words, of: account) { _ in }
        } else if let count = accounts[id]?.untold.count, count < Self.maximumUntold {
            accounts[id]?.untold.append(words)
        }
    }

    /// Tells the server what it has not heard while it was away.
    func tellUntold(_ account: LedgerAccount, _ link: LedgerLink) {
        let id = ObjectIdentifier(account)
        let untold = accounts[id]?.untold ?? []
        accounts[id]?.untold = []
        for words in untold { link.call(words, of: account) { _ in } }
    }

    /// Has the server look after the queues in which this instance's requests wait: a lease that ends tells nobody.
    func nudge(_ link: LedgerLink) {
        var seen: Set<String> = []
        for record in records.values where seen.count < Self.nudges {
            guard case .waiting = record.phase, record.session == link.name else { continue }
            let account = record.claim.account
            for (index, limit) in account.limits.enumerated() where record.claim.demand.weights[index] > 0 {
                let name = account.name(of: limit, for: record.claim.demand)
                guard seen.insert(name).inserted else { continue }
                link.call(
                    ["free", link.name, name, "0", "0", "1", "\(account.lifetime(of: limit))"], of: account
                ) { _ in }
            }
        }
    }
}
