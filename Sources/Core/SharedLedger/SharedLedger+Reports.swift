/// The results of granted and abandoned claims.
extension SharedLedger {
    /// How long an abandoned claim is kept, because a slot may be in flight.
    private static let memory: Int64 = 5_000_000_000
    /// The maximum number of reports kept for an unavailable server; without its report, a slot has its lease.
    private static let maximumUntold = 10_000

    /// Reports the result of a claim.
    public mutating func take(_ report: LedgerReport, of id: UInt64, at now: MonotonicTime) {
        guard let record = records[id] else { return }
        let account = record.claim.account
        switch report {
        case .neverSent: withdraw(id, record, at: now)
        case .responded:
            if let slot = record.slot {
                arm(account.share.responded(slot, verdict: .accepted, at: now).wake, of: record.account)
            }
            settle(record, after: 0, runsOn: account.countsConcurrency, at: now)
            if !account.countsConcurrency { records[id] = nil }
        case .ended:
            records[id] = nil
            if let slot = record.slot { arm(account.share.ended(slot, at: now), of: record.account) }
            if record.isOfShare {
                accounts[record.account].outstanding -= 1
            } else {
                free(record, at: now) { $0.span == .concurrent ? "0" : nil }
            }
        case .closedWithoutResponse:
            records[id] = nil
            if let slot = record.slot {
                arm(account.share.closedWithoutResponse(slot, at: now), of: record.account)
            }
            settle(record, after: account.grace, runsOn: false, at: now)
        }
    }

    /// The provider will have counted a request in this many microseconds at the latest.
    private mutating func settle(
        _ record: Record, after start: Int64, runsOn: Bool, at now: MonotonicTime
    ) {
        let account = record.claim.account
        guard record.isOfShare else {
            return free(record, at: now) {
                runsOn && $0.span == .concurrent ? nil : $0.delay(after: start)
            }
        }
        if !runsOn { accounts[record.account].outstanding -= 1 }
        let end = now.later(by: (start + account.longest + account.grace) * 1000)
        accounts[record.account].busyUntil = max(accounts[record.account].busyUntil, end)
        // A response that takes longer than any lease is reported, and counts from then on.
        free(record, at: now) { $0.isLong && $0.span != .concurrent ? $0.delay(after: start) : nil }
    }

    /// A request will not be sent after all.
    private mutating func withdraw(_ id: UInt64, _ record: Record, at now: MonotonicTime) {
        let share = record.claim.account.share
        records[id] = nil
        switch record.phase {
        case .waiting:
            if let place = record.place { arm(share.leave(place, at: now).wake, of: record.account) }
            guard let session, session.name == record.session else { return }
            // A slot may be in flight.
            records[id] = record
            records[id]?.phase = .abandoned
            _ = events.insert(.forget(id), at: max(now, record.claim.latest).later(by: Self.memory))
        case .promised(let time):
            let rest = max(now.nanoseconds(to: time) / 1000 + 1, 0)
            free(record, at: now) { _ in "\(rest)" }
        case .sent:
            if let slot = record.slot { arm(share.neverSent(slot, at: now), of: record.account) }
            if record.isOfShare {
                accounts[record.account].outstanding -= 1
            } else {
                free(record, at: now) { _ in "0" }
            }
        case .abandoned: break
        }
    }

    /// Tells the server when slots are free again, now or when it is available; the time may be later than the truth,
    /// but never earlier.
    ///
    /// They belong to the session in which they were granted; to none, if the share let the request through.
    mutating func free(
        _ record: Record, at now: MonotonicTime, after delay: (LedgerAccount.Limit) -> String?
    ) {
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
        if accounts[record.account].isShared {
            call(words, of: record.account, at: now)
        } else if accounts[record.account].untold.count < Self.maximumUntold {
            accounts[record.account].untold.append(words)
        }
    }

    /// Sends the server the reports that it has missed while it was unavailable.
    mutating func tellUntold(_ place: Int, at now: MonotonicTime) {
        let untold = accounts[place].untold
        accounts[place].untold = []
        for words in untold { call(words, of: place, at: now) }
    }
}
