@testable import Core

/// What goes wrong.
extension LedgerSimulation {
    mutating func act(on index: Int, begins: Bool) throws {
        let trouble = scenario.troubles[index]
        // Some come again and again.
        var again: Int64?
        switch trouble.fault {
        case .partition(let instance):
            instances[instance].isCutOff = begins
            if !begins { try resume(instance) }
        case .cuts(let instance):
            guard begins else { return }
            try cut(instance)
            again = Int64.random(in: 50...900, using: &numbers)
        case .deaf(let instance):
            if begins, let session = sessions.lastIndex(where: { $0.instance == instance }) {
                sessions[session].isDeaf = true
            }
        case .down(let forgets):
            isDown = begins
            if begins {
                for session in sessions.indices { destroy(session) }
            } else if forgets {
                try redis.forget()
            }
        case .paused:
            isPaused = begins
            if !begins { try goOn() }
        case .slow(let milliseconds): slowness = begins ? milliseconds * 1_000_000 : 0
        case .scriptsForgotten:
            try redis.forgetScripts()
            again = 137
        case .forgets: if begins { try redis.forget() }
        case .killed(let instance): if begins { kill(instance) } else { try start(instance) }
        case .clockSetBack: if begins { clock -= 1_000_000 }
        }
        guard begins, let again, now / 1_000_000 + again < trouble.until else { return }
        events.add(.trouble(index, begins: true), at: now + again * 1_000_000)
    }

    /// The connection is no more: both sides hear of it soon, what is under way is lost.
    private mutating func destroy(_ session: Int) {
        guard !sessions[session].isDestroyed else { return }
        sessions[session].isDestroyed = true
        sessions[session].isOpenThere = false
        guard sessions[session].isOpenHere, !instances[sessions[session].instance].isCutOff else { return }
        events.add(.endIsHeard(session: session, reason: "reset"), at: now + way())
    }

    /// Both connections are reset; what is under way may have arrived, or not.
    private mutating func cut(_ instance: Int) throws {
        guard let session = sessions.lastIndex(where: { $0.instance == instance }),
            sessions[session].isOpenHere
        else { return }
        if numbers.happens(0.5) { return destroy(session) }
        tellEnd(of: session)
        try hearEnd(of: session, reason: "reset")
    }

    /// What waited for the network goes on; what was sent on a connection that was closed since may still arrive.
    private mutating func resume(_ instance: Int) throws {
        for session in sessions.indices where sessions[session].instance == instance {
            let connection = sessions[session]
            sessions[session].stalledCalls = []
            sessions[session].stalledReplies = []
            sessions[session].stalledMessages = []
            sessions[session].hasStalledEnd = false
            guard !connection.isDestroyed else {
                events.add(.endIsHeard(session: session, reason: "reset"), at: now + way())
                continue
            }
            var at = now + way()
            if connection.isOpenHere || numbers.happens(0.5) {
                for call in connection.stalledCalls {
                    at += Int64.random(in: 0...1_000_000, using: &numbers)
                    events.add(.call(call, session: session), at: at)
                }
            }
            sessions[session].lastCall = max(connection.lastCall, at)
            for reply in connection.stalledReplies { events.add(.reply(reply, session: session), at: at) }
            for text in connection.stalledMessages { events.add(.message(text, session: session), at: at) }
            if connection.hasStalledEnd { tellEnd(of: session) }
        }
    }

    /// Redis carries out what has come meanwhile: the connections in any order, the calls of each in theirs.
    private mutating func goOn() throws {
        var waiting = inbox
        inbox = []
        while !waiting.isEmpty {
            let session = waiting[Int.random(in: 0..<waiting.count, using: &numbers)].session
            guard let first = waiting.firstIndex(where: { $0.session == session }) else { return }
            let (_, call) = waiting.remove(at: first)
            if !sessions[session].isDestroyed { try carryOut(call, session) }
        }
    }

    /// A process is gone at once; what it has sent goes on.
    private mutating func kill(_ instance: Int) {
        result.fallbacks += Int(instances[instance].ledger.fallbacks)
        for client in clients.indices
        where clients[client].instance == instance && clients[client].process == instances[instance].process {
            if case .done = clients[client].state { continue }
            result.died += 1
            clients[client].state = .done
        }
        for session in sessions.indices where sessions[session].instance == instance {
            guard sessions[session].isOpenHere else { continue }
            sessions[session].isOpenHere = false
            tellEnd(of: session)
        }
        instances[instance].isAlive = false
        instances[instance].process += 1
    }
}
