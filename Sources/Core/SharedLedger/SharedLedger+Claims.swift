/// How a claim gets its slots from the server.
extension SharedLedger {
    /// A request of this instance makes a claim.
    public mutating func take(_ claim: LedgerClaim, at now: MonotonicTime) {
        guard let place = place(of: claim.account) else { return }
        arrivals += 1
        records[claim.id] = Record(claim: claim, arrival: arrivals, account: place)
        if accounts[place].isShared { ask(claim.id, at: now) } else { askShare(claim.id, at: now) }
    }

    /// Sends a claim to the server.
    mutating func ask(_ id: UInt64, at now: MonotonicTime) {
        guard let record = records[id], let session else { return }
        let (claim, account) = (record.claim, record.claim.account)
        records[id]?.session = session.name
        var words = [
            "take", session.name, "\(id)", "\(max(now.nanoseconds(to: claim.latest) / 1000, 0))",
            "\(session.latest(at: now))", "\(account.delay(of: claim.demand.urgency))",
        ]
        for (index, limit) in account.limits.enumerated() where claim.demand.weights[index] > 0 {
            words += [
                account.name(of: limit, for: claim.demand), "\(claim.demand.weights[index])",
                "\(limit.slots)", "\(account.replicas)", "\(limit.per)", "\(account.lease)",
                "\(account.lifetime(of: limit))",
            ]
        }
        // A request that no limit applies to need not be sent.
        guard words.count > 6 else { return give(id, at: now) }
        call(words, of: record.account, for: .claim(id), at: now)
    }

    /// A message of the server: a waiting claim was granted a slot (its name, and after how many microseconds it may
    /// be sent), or, with the index of a limit at the end, refused; or another instance has paused a key.
    public mutating func take(message: [UInt8], in name: String, at now: MonotonicTime) {
        guard session?.name == name else { return }
        let words = String(decoding: message, as: UTF8.self).split(separator: " ")
        if words == ["beat"] { session?.hearEcho() }
        if words.first == "pause" { return hear(pause: words, at: now) }
        // Unknown messages may come from another version.
        guard (2...3).contains(words.count), let id = UInt64(words[0]), let wait = Int64(words[1]),
            let place = words.count == 2 ? 0 : Int64(words[2])
        else { return }
        guard Self.waits.contains(wait), Self.places.contains(place) else {
            return lose(
                name, reason: "a wait of \(wait) µs, for the limit \(place), is none of the script's",
                isSenseless: true, at: now)
        }
        if words.count == 2 { return promise(id, after: wait, in: name, at: now) }
        refuse(id, after: wait, place: Int(place), in: name)
    }

    /// The server has no slot in time, and reports when it would have one.
    mutating func refuse(_ id: UInt64, after wait: Int64, place: Int, in name: String) {
        guard let record = records[id], record.session == name else { return }
        session?.hasSettledClaims = true
        switch record.phase {
        case .waiting:
            let refusal = record.claim.account.refusal(of: record.claim.demand, after: wait, place: place)
            records[id] = nil
            want(.refuse(record.claim.waiter, refusal))
        case .abandoned: records[id] = nil
        case .promised, .sent: break
        }
    }

    /// The server has granted the slots, usable this many microseconds from now; since the reply took time to arrive,
    /// this is never too early.
    mutating func promise(_ id: UInt64, after wait: Int64, in name: String, at now: MonotonicTime) {
        guard let record = records[id], record.session == name else { return }
        session?.hasSettledClaims = true
        switch record.phase {
        case .waiting: break
        case .abandoned:
            records[id] = nil
            return free(record, at: now) { _ in "\(wait)" }
        case .promised, .sent: return
        }
        if wait == 0 { return give(id, at: now) }
        let time = now.later(by: wait.multipliedSaturating(by: 1000))
        records[id]?.phase = .promised(time)
        _ = events.insert(.promise(id), at: time)
    }

    mutating func promiseIsDue(_ id: UInt64, at now: MonotonicTime) {
        guard case .promised = records[id]?.phase else { return }
        give(id, at: now)
    }

    /// Lets the request be sent, and counts it in this instance's share, whichever side granted the slot.
    private mutating func give(_ id: UInt64, at now: MonotonicTime) {
        guard let record = records[id] else { return }
        records[id]?.phase = .sent
        if accounts[record.account].isShared {
            let admission = record.claim.account.share.admit(
                record.claim.demand, waiter: Waiter(worker: 0, id: id), patience: .zero, at: now)
            if case .admitted(let slot) = admission { records[id]?.slot = slot }
        }
        want(.grant(record.claim.waiter))
    }

    /// The claims on an account, in order of arrival.
    func claims(of account: Int) -> [UInt64] {
        records.filter { $1.account == account }.sorted { $0.value.arrival < $1.value.arrival }.map(\.key)
    }

    /// Makes the server check the queues in which this instance's requests wait, since an expired lease causes no
    /// event.
    mutating func nudge(at now: MonotonicTime) {
        guard let session else { return }
        var seen: Set<String> = []
        let waiting = records.values.filter {
            if case .waiting = $0.phase { $0.session == session.name } else { false }
        }
        for record in waiting.sorted(by: { $0.arrival < $1.arrival }) {
            guard seen.count < Self.nudges else { return }
            let account = record.claim.account
            for (index, limit) in account.limits.enumerated() where record.claim.demand.weights[index] > 0 {
                let name = account.name(of: limit, for: record.claim.demand)
                guard seen.insert(name).inserted else { continue }
                call(
                    ["free", session.name, name, "0", "0", "1", "\(account.lifetime(of: limit))"],
                    of: record.account, at: now)
            }
        }
    }

    /// The maximum number of limits whose queues are checked with a heartbeat.
    private static let nudges = 64
}

/// Pacing by this instance's share while the server is unavailable.
extension SharedLedger {
    mutating func askShare(ofAllWaitingFor account: Int, at now: MonotonicTime) {
        guard !accounts[account].isShared, accounts[account].quietUntil <= now else { return }
        // In order of arrival.
        for id in claims(of: account) { askShare(id, at: now) }
    }

    mutating func askShare(_ id: UInt64, at now: MonotonicTime) {
        guard let record = records[id], case .waiting = record.phase, record.place == nil,
            accounts[record.account].quietUntil <= now
        else { return }
        let account = record.claim.account
        // With a share of nothing, it waits for the server or until its maximum wait is over.
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

/// Pauses after rejections by the provider, which are shared by all instances.
extension SharedLedger {
    /// Tells the other instances that the provider has rejected a key.
    public mutating func tell(_ pause: LedgerPause, at now: MonotonicTime) {
        guard let session, let place = place(of: pause.account) else { return }
        call(
            [
                "pause", session.name, pause.usesQuota ? "quota" : "rate", "\(pause.key)",
                "\(pause.left.wholeNanoseconds / 1000)", "\(pause.reason.rawValue)",
            ], of: place, at: now)
    }

    /// Another instance was rejected: `pause INSTANCE PREFIX quota|rate KEY MICROSECONDS REASON`.
    mutating func hear(pause words: [Substring], at now: MonotonicTime) {
        guard words.count == 7, words[1] != session?.name ?? "", let key = UInt64(words[4]),
            let left = Int64(words[5]), left > 0, Self.waits.contains(left),
            let reason = Int(words[6]).flatMap({ PauseReason(rawValue: $0) })
        else { return }
        for state in accounts where state.account.prefix.elementsEqual(words[2].utf8) {
            let pacer = state.account.pacer
            let wake = pacer.pause(
                key: key, usesQuota: words[3] == "quota", for: .microseconds(left),
                reason: reason, at: now)
            if let wake { want(.arm(wake, of: pacer)) }
        }
    }
}
