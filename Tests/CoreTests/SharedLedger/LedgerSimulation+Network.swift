@testable import Core

/// The way between the instances and Redis.
extension LedgerSimulation {
    /// Carries out what an instance wants.
    mutating func act(_ instance: Int) throws {
        while true {
            let effects = instances[instance].ledger.takeEffects()
            if effects.isEmpty { break }
            for effect in effects { carryOut(effect, instance) }
        }
        guard let deadline = instances[instance].ledger.deadline else { return }
        let at = max(now, deadline.nanoseconds)
        guard at < instances[instance].timerAt else { return }
        instances[instance].timerAt = at
        let late = Int64.random(in: 0...1_000_000, using: &numbers)
        events.add(.timer(instance: instance, process: instances[instance].process), at: at + late)
    }

    private mutating func carryOut(_ effect: LedgerEffect, _ instance: Int) {
        switch effect {
        case .connect(let name): connect(name, instance)
        case .disconnect(let name):
            guard let session = sessions.lastIndex(where: { $0.name == name }) else { return }
            sessions[session].isOpenHere = false
            tellEnd(of: session)
        case .call(let call):
            guard let session = sessions.lastIndex(where: { $0.instance == instance }) else { return }
            let at = max(sessions[session].lastCall, now + way())
            sessions[session].lastCall = at
            events.add(.call(call, session: session), at: at)
        case .grant(let waiter):
            events.add(
                .ledgerGrant(client: Int(waiter.id)),
                at: now + Int64.random(in: 0...300_000, using: &numbers))
        case .refuse(let waiter, _):
            events.add(
                .ledgerRefusal(client: Int(waiter.id)),
                at: now + Int64.random(in: 0...300_000, using: &numbers))
        case .arm, .tellOfLoss, .tellOfReturn: break
        }
    }

    /// How long one way to Redis takes.
    mutating func way() -> Int64 {
        let slow = slowness == 0 ? 0 : Int64.random(in: 0...slowness, using: &numbers)
        return Int64.random(in: scenario.wayToRedis / 4...scenario.wayToRedis, using: &numbers) + slow
    }

    func serverTime(at time: Int64) -> Int64 { clock + time / 1000 }

    private mutating func connect(_ name: String, _ instance: Int) {
        sessions.append(
            LedgerConnection(instance: instance, process: instances[instance].process, name: name))
        instances[instance].ledger.sessionBegins(name, at: moment)
        let session = sessions.count - 1
        if isDown, !instances[instance].isCutOff {
            events.add(.endIsHeard(session: session, reason: "refused"), at: now + way())
        } else {
            events.add(.connected(session: session), at: now + way() + way() + way())
        }
    }

    /// The answer to what an instance says first would arrive.
    mutating func connected(_ session: Int) throws {
        let (instance, process) = (sessions[session].instance, sessions[session].process)
        guard isCurrent(instance, process), sessions[session].isOpenHere, !sessions[session].isDestroyed,
            !isDown
        else { return }
        if isPaused || instances[instance].isCutOff {
            // It may be that it goes on in time.
            return events.add(.connected(session: session), at: now + 50_000_000)
        }
        sessions[session].isOpenThere = true
        instances[instance].ledger.sessionIsUp(
            sessions[session].name, clock: serverTime(at: now - way()), heard: moment, at: moment)
        try act(instance)
    }

    /// The other side is told, if it can be, behind what was sent before.
    mutating func tellEnd(of session: Int) {
        if instances[sessions[session].instance].isCutOff {
            sessions[session].hasStalledEnd = true
        } else {
            events.add(.endIsSeen(session: session), at: max(sessions[session].lastCall, now + way()))
        }
    }

    mutating func hearEnd(of session: Int, reason: String) throws {
        let (instance, process) = (sessions[session].instance, sessions[session].process)
        guard sessions[session].isOpenHere else { return }
        sessions[session].isOpenHere = false
        guard isCurrent(instance, process) else { return }
        instances[instance].ledger.sessionIsOver(sessions[session].name, reason: reason, at: moment)
        try act(instance)
    }

    mutating func receive(_ call: LedgerCall, _ session: Int) throws {
        guard !sessions[session].isDestroyed, !isDown else { return }
        if instances[sessions[session].instance].isCutOff {
            sessions[session].stalledCalls.append(call)
        } else if isPaused {
            inbox.append((session, call))
        } else {
            try carryOut(call, session)
        }
    }

    /// Redis carries a call out.
    mutating func carryOut(_ call: LedgerCall, _ session: Int) throws {
        let listeners = sessions.indices.filter { sessions[$0].isOpenThere }
        let outcome = try redis.call(
            call, at: serverTime(at: now), channels: listeners.map { "weir:\(sessions[$0].name)" })
        let at = max(sessions[session].lastReply, now + way())
        sessions[session].lastReply = at
        events.add(.reply(outcome.reply, session: session), at: at)
        for text in outcome.messages {
            let parts = text.split(separator: " ", maxSplits: 1)
            for listener in listeners
            where parts[0] == "weir:all" || parts[0] == "weir:\(sessions[listener].name)" {
                let at = max(sessions[listener].lastMessage, now + way())
                sessions[listener].lastMessage = at
                events.add(.message(Array(parts[1].utf8), session: listener), at: at)
            }
        }
    }

    mutating func receive(_ reply: LedgerReply, _ session: Int) throws {
        let (instance, process) = (sessions[session].instance, sessions[session].process)
        guard isCurrent(instance, process), sessions[session].isOpenHere else { return }
        if instances[instance].isCutOff { return sessions[session].stalledReplies.append(reply) }
        instances[instance].ledger.take(reply, in: sessions[session].name, at: moment)
        try act(instance)
    }

    mutating func receive(_ message: [UInt8], _ session: Int) throws {
        let (instance, process) = (sessions[session].instance, sessions[session].process)
        guard isCurrent(instance, process), sessions[session].isOpenHere, !sessions[session].isDeaf
        else { return }
        if instances[instance].isCutOff { return sessions[session].stalledMessages.append(message) }
        instances[instance].ledger.take(message: message, in: sessions[session].name, at: moment)
        try act(instance)
    }
}
