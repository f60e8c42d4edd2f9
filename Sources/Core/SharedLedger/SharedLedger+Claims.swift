/// How a claim gets its slots from the server.
extension SharedLedger {
    /// A request of this instance asks.
    public mutating func take(_ claim: LedgerClaim, at now: MonotonicTime) {
        guard let place = place(of: claim.account) else { return }
        arrivals += 1
        records[claim.id] = Record(claim: claim, arrival: arrivals, account: place)
        if accounts[place].isShared { ask(claim.id, at: now) } else { askShare(claim.id, at: now) }
    }

    /// Asks the server.
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
        // What no limit counts need not be asked for.
        guard words.count > 6 else { return give(id, at: now) }
        call(words, of: record.account, for: .claim(id), at: now)
    }

    /// The server has something to say: that a slot was given to a claim that waited, as its name and after how many microseconds it
    /// may be sent, or, with the place of a limit behind, that there is none before; or that another instance has paused a key.
    public mutating func take(message: [UInt8], in name: String, at now: MonotonicTime) {
        guard session?.name == name else { return }
        let words = String(decoding: message, as: UTF8.self).split(separator: " ")
        if words == ["beat"] { session?.hearEcho() }
        if words.first == "pause" { return hear(pause: words, at: now) }
        // Words that mean nothing here may come of another version.
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

    /// The server has no slot in time, and says when it would have one.
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

    /// The server has given the slots, to be used in so many microseconds from now: the reply was on its way, so that is never
    /// too early.
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

    /// Lets the request go; what it takes of this instance's share is counted, whoever gave the slot.
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

    /// The claims on an account, in the order in which they came.
    func claims(of account: Int) -> [UInt64] {
        records.filter { $1.account == account }.sorted { $0.value.arrival < $1.value.arrival }.map(\.key)
    }

    /// Has the server look after the queues in which this instance's requests wait: a lease that ends tells nobody.
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

    /// The most limits whose queues are looked at when the server is told that this instance is alive.
    private static let nudges = 64
}
