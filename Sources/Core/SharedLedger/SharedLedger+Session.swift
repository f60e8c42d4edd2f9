/// The session with the server, and whether the ledger is in use.
extension SharedLedger {
    // MARK: The way to the server

    mutating func connect() {
        guard session == nil else { return }
        let name = String(random(), radix: 36)
        session = LedgerSession(name: name)
        want(.connect(session: name))
    }

    /// The connection attempt begins, with a resolved address.
    public mutating func sessionBegins(_ name: String, at now: MonotonicTime) {
        guard session?.name == name, session?.startedAt == nil else { return }
        session?.startedAt = now
    }

    /// Calls can be made, and messages are received.
    ///
    /// - Parameters:
    ///   - clock: a time of the server's clock, in microseconds since 1970.
    ///   - heard: when it was received.
    public mutating func sessionIsUp(
        _ name: String, clock: Int64, heard: MonotonicTime, at now: MonotonicTime
    ) {
        guard session?.name == name, session?.isUp == false else { return }
        session?.clock = (clock, heard)
        since = min(since, clock)
        for account in accounts.indices { sayAlive(account, at: now) }
        _ = events.insert(.beat(name), at: now.later(by: Self.beat))
    }

    /// The session has ended or could not be established; no more replies arrive.
    ///
    /// - Parameters:
    ///   - reason: for people; without secrets.
    ///   - isSenseless: whether the server sent an invalid reply: it is not tried again soon, so that this instance's
    ///     share comes into use.
    public mutating func sessionIsOver(
        _ name: String, reason: String, isSenseless: Bool = false, at now: MonotonicTime
    ) {
        guard let ended = session, ended.name == name else { return }
        session = nil
        if ended.hasSettledClaims {
            uselessSessions = 0
        } else if ended.hasClaims {
            uselessSessions += 1
        }
        fallBack(for: reason, at: now)
        var wait = backoff / 2 + Int64(random() % UInt64(backoff / 2 + 1))
        backoff = min(backoff * 2, Self.longestBackoff)
        if isSenseless || uselessSessions >= Self.uselessSessionLimit { wait = longWait(at: now) }
        _ = events.insert(.connect, at: now.later(by: wait))
    }

    /// How long a server with useless sessions is avoided, in nanoseconds: until the share may be used, and then long
    /// enough for the share to be of use.
    ///
    /// Each attempt costs waiting requests another quiet period, so the time for the share grows.
    private mutating func longWait(at now: MonotonicTime) -> Int64 {
        let doublings = min(max(uselessSessions - Self.uselessSessionLimit, 0), Self.shareTimeDoublings)
        let shareTime = Self.shareTime << Int64(doublings)
        let quietEnd = accounts.lazy.map(\.quietUntil).max() ?? now
        return max(now.nanoseconds(to: quietEnd), 0) + shareTime + Int64(random() % UInt64(shareTime))
    }

    /// Abandons a session.
    mutating func lose(_ name: String, reason: String, isSenseless: Bool = false, at now: MonotonicTime) {
        want(.disconnect(session: name))
        sessionIsOver(name, reason: reason, isSenseless: isSenseless, at: now)
    }

    /// Calls the script, if possible.
    mutating func call(
        _ words: [String], of account: Int, for purpose: LedgerSession.Purpose = .report,
        at now: MonotonicTime
    ) {
        let call = LedgerCall(key: accounts[account].account.prefix, words: words)
        send(call, for: purpose, at: now)
    }

    private mutating func send(_ call: LedgerCall, for purpose: LedgerSession.Purpose, at now: MonotonicTime)
    {
        guard session?.isUp == true else { return }
        if case .claim = purpose { session?.hasClaims = true }
        session?.expectReply(to: call, for: purpose, at: now)
        want(.call(call))
    }

    /// The reply to the oldest pending call.
    public mutating func take(_ reply: LedgerReply, in name: String, at now: MonotonicTime) {
        guard session?.name == name, let pending = session?.takeOldest() else { return }
        switch reply {
        case .error(let words) where words.hasPrefix("NOSCRIPT") && !pending.call.needsText:
            // The server does not know the script any more: it remembers one whose whole text is sent.
            var call = pending.call
            call.needsText = true
            send(call, for: pending.purpose, at: now)
        case .error(let words):
            // Errors that the script itself reports are temporary; a claim that fails otherwise would fail again.
            var isSenseless = false
            if case .claim = pending.purpose { isSenseless = !words.hasPrefix("WEIR ") }
            lose(name, reason: words, isSenseless: isSenseless, at: now)
        case .numbers(let numbers):
            guard take(numbers, for: pending.purpose, in: name, at: now) else {
                return lose(name, reason: "its answer is none of the script's", isSenseless: true, at: now)
            }
        }
    }

    /// Acts on the numbers of a reply; returns false if the script cannot have sent them.
    private mutating func take(
        _ numbers: [Int64], for purpose: LedgerSession.Purpose, in name: String, at now: MonotonicTime
    ) -> Bool {
        guard let first = numbers.first else { return false }
        switch (purpose, numbers.count) {
        case (.claim, 1) where first == -1: break
        case (.claim(let id), 1) where Self.waits.contains(first):
            promise(id, after: first, in: name, at: now)
        case (.claim(let id), 3)
        where first == -2 && Self.waits.contains(numbers[1]) && Self.places.contains(numbers[2]):
            refuse(id, after: numbers[1], place: Int(numbers[2]), in: name)
        case (.beat(let account), 1) where Self.waits.contains(first): heard(account, settles: first, at: now)
        case (.report, 1) where first >= 0: break
        default: return false
        }
        return true
    }

    // MARK: Alive

    /// Sends a heartbeat to the server, and whether this instance sends nothing without asking.
    mutating func sayAlive(_ place: Int, at now: MonotonicTime) {
        guard let session, session.isUp else { return }
        let state = accounts[place]
        let account = state.account
        // An instance that loses the ledger after this stays quiet for longer than its membership lasts.
        let keeps = state.isShared && state.outstanding == 0 && state.busyUntil <= now
        let until = keeps ? session.time(at: now) + LedgerAccount.lapse : 0
        call(
            [
                "beat", session.name, seat, "\(session.latest(at: now))", "\(LedgerAccount.lapse)",
                "\(until)", "\(since)", "\(account.settling)",
            ] + formerSessions(of: place), of: place, for: .beat(account), at: now)
    }

    /// The ended sessions in which slots were granted that this instance uses.
    private func formerSessions(of account: Int) -> [String] {
        var names: Set<String> = []
        for record in records.values where record.account == account {
            guard let name = record.session, name != session?.name else { continue }
            switch record.phase {
            case .promised, .sent: names.insert(name)
            case .waiting, .abandoned: break
            }
        }
        return names.sorted()
    }

    private mutating func heard(_ account: LedgerAccount, settles wait: Int64, at now: MonotonicTime) {
        guard let place = place(of: account) else { return }
        backoff = Self.firstBackoff
        if wait == 0, !accounts[place].isShared {
            goShared(place, at: now)
            sayAlive(place, at: now)
        } else if wait > 0, accounts[place].isShared, let session {
            // Reports about slots that the server has forgotten must not be taken for slots that it grants from now
            // on.
            return lose(session.name, reason: "it has forgotten everything", at: now)
        }
        updateStatus()
    }

    private mutating func goShared(_ place: Int, at now: MonotonicTime) {
        let account = accounts[place].account
        accounts[place].isShared = true
        _ = account.setPacing(false, at: now)
        tellUntold(place, at: now)
        for claim in claims(of: place) {
            guard let record = records[claim], case .waiting = record.phase else { continue }
            if let held = record.place {
                _ = account.share.leave(held, at: now)
                records[claim]?.place = nil
            }
            ask(claim, at: now)
        }
    }

    private mutating func fallBack(for reason: String, at now: MonotonicTime) {
        for account in accounts.indices { fallBack(account, at: now) }
        if !isToldOf {
            isToldOf = true
            want(.tellOfLoss(reason: reason))
        }
        updateStatus()
    }

    private mutating func fallBack(_ place: Int, at now: MonotonicTime) {
        guard accounts[place].isShared else { return }
        let account = accounts[place].account
        accounts[place].isShared = false
        let end = now.later(by: account.quiet * 1000)
        accounts[place].quietUntil = end
        _ = events.insert(.quietIsOver(account: place), at: end)
        arm(account.setPacing(true, at: now), of: place)
        fallbacks += 1
    }

    mutating func updateStatus() {
        isInUse = session?.isUp == true && accounts.allSatisfy(\.isShared)
        guard isInUse, isToldOf else { return }
        isToldOf = false
        want(.tellOfReturn)
    }
}
