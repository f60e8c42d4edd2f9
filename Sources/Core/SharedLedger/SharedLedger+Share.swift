/// The share of this instance, by which it paces while the server cannot be reached.
extension SharedLedger {
    mutating func askShare(ofAllWaitingFor account: Int, at now: MonotonicTime) {
        guard !accounts[account].isShared, accounts[account].quietUntil <= now else { return }
        // In the order in which they came.
        for id in claims(of: account) { askShare(id, at: now) }
    }

    mutating func askShare(_ id: UInt64, at now: MonotonicTime) {
        guard let record = records[id], case .waiting = record.phase, record.place == nil,
            accounts[record.account].quietUntil <= now
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
            arm(wake, of: record.account)
        case .refused(let refusal):
            records[id] = nil
            want(.refuse(record.claim.waiter, refusal))
        }
    }

    private mutating func giveOfShare(_ id: UInt64, _ slot: Slot) {
        guard let record = records[id] else { return }
        records[id]?.phase = .sent
        records[id]?.slot = slot
        records[id]?.place = nil
        records[id]?.isOfShare = true
        accounts[record.account].outstanding += 1
        want(.grant(record.claim.waiter))
    }

    mutating func advance(_ place: Int, _ wake: Wake, at now: MonotonicTime) {
        let share = accounts[place].account.share
        var next: Wake? = wake
        while let due = next, due.at <= now {
            var grants: [Grant] = []
            next = share.advance(due, at: now, into: &grants)
            for grant in grants {
                if let record = records[grant.waiter.id], case .waiting = record.phase, record.place != nil {
                    giveOfShare(grant.waiter.id, grant.slot)
                } else {
                    arm(share.neverSent(grant.slot, at: now), of: place)
                }
            }
        }
        arm(next, of: place)
    }

    mutating func arm(_ wake: Wake?, of account: Int) {
        if let wake { _ = events.insert(.wake(account: account, wake), at: wake.at) }
    }
}
