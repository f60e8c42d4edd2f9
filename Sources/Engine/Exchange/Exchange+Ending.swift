internal import Core
internal import Downstream
internal import Loop
internal import Upstream
internal import Wire

/// The ending: a timeout, a client that disconnects before its response is complete, or one that half-closes and
/// waits.
///
/// TCP does not distinguish the last two. For a client on the same machine, the system knows whether it still has its
/// socket; for others it matters whether the end arrived with the request (`nc -N` sends it at once) or later, as
/// when a user gives up.
extension Exchange {
    // MARK: Time

    /// Schedules ``deadlineHasCome()`` for the machine's next deadline or earlier: it checks whether anything is due.
    func schedule() {
        let time = min(
            machine.nextDeadline(hasUnsentBody: !responseBody.isEmpty, at: worker.now), nextLookAtClient)
        guard time < .distantFuture else { return }
        if let deadline {
            guard time < deadline.at else { return }
            worker.deadlines.remove(deadline.ticket)
        }
        deadline = (worker.deadlines.insert(.exchange(self), at: time), time)
    }

    /// When to look whether a client takes its response although nothing is held back for it.
    ///
    /// The system's buffers may be full while the provider's next bytes lie in others: no event tells of them, and the provider seems
    /// to be the one that is waited for.
    private var nextLookAtClient: MonotonicTime {
        guard machine.stage == .relaying, machine.download == .open, machine.reply == .started else {
            return .distantFuture
        }
        return machine.downstreamActivity + machine.terms.clientStall
    }

    func unschedule() {
        if let deadline { worker.deadlines.remove(deadline.ticket) }
        deadline = nil
    }

    /// Checks the time limits of this stage, and ends the stage or waits on.
    func deadlineHasCome() {
        deadline = nil
        noteReceivedReply()
        handle(.timePassed(hasUnsentBody: !responseBody.isEmpty))
    }

    /// A client that reads slowly is not stalled: how much of the data sent has been acknowledged is checked only
    /// when its time is over.
    private func noteReceivedReply() {
        guard machine.reply != .none else { return }
        let unreceived = unreceivedBytes
        let hasTaken = unreceived != lastUnreceived
        let mayWait = nextLookAtClient < .distantFuture
        lastUnreceived = unreceived
        if hasTaken || mayWait && (unreceived ?? 0) <= 0 {
            machine.downstreamActivity = worker.now
        } else if mayWait, nextLookAtClient <= worker.now {
            machine.downloadPulled()
        }
    }

    // MARK: The client

    /// The time, in nanoseconds, within which an end counts as sent together with the request.
    private static let endedWithRequest: Int64 = 20_000_000
    /// How often, in nanoseconds, the system is asked whether a waiting client still has its socket.
    private static let endedClientPause: Int64 = 500_000_000

    /// The client has half-closed its connection, or had done so before this request began.
    ///
    /// - Parameter isBroken: whether the other direction is closed as well.
    func clientHungUp(isBroken: Bool) {
        guard machine.stage != .over else { return }
        let now = Worker.clock()
        let age = requestEndedAt.nanoseconds(to: now)
        let isComplete = machine.request == .complete
        handle(
            .clientEnded(
                ExchangeMachine.ClientEnd(
                    isBroken: isBroken, peer: isBroken ? .closed : ExchangeMachine.ClientEnd.Peer(peer),
                    requestIsHere: isComplete || !isBroken && isHereWhole,
                    cameWithRequest: isComplete && !isBroken
                        && nanosecondsToEnd(ofRequestReadBefore: age) < Self.endedWithRequest)), at: now)
    }

    /// Schedules another check whether the client still waits, if that can be determined or must end.
    func expectDeparture() {
        if let departureCheck { worker.deadlines.remove(departureCheck) }
        departureCheck = nil
        guard machine.givesUpAt < .distantFuture || peer == .open else { return }
        let next = min(worker.now.later(by: Self.endedClientPause), machine.givesUpAt)
        departureCheck = worker.deadlines.insert(.departure(self), at: next)
    }

    /// Some time has passed since the client half-closed or since the last check.
    func checkDeparture() {
        departureCheck = nil
        guard machine.stage != .over else { return }
        if machine.givesUpAt <= worker.now || peer == .closed {
            handle(.clientLeft)
        } else {
            expectDeparture()
        }
    }

    /// Cancels the next check of the client.
    func endDepartureChecks() {
        if let departureCheck { worker.deadlines.remove(departureCheck) }
        departureCheck = nil
    }

    /// The grace period is over.
    func abortForShutdown() {
        // What libmicrohttpd is in the middle of, it would end in an orderly way.
        if machine.reply != .none, endsWithConnection { resetConnection() }
        handle(.clientLeft)
    }

    /// Closes the connection at once, so that the client sees a truncated response.
    func breakConnection() {
        if machine.reply != .none, endsWithConnection { resetConnection() } else { shutDownConnection() }
    }

    /// Whether only the end of the connection shows the client where its response ends.
    var endsWithConnection: Bool {
        guard head.isHTTP10, let transfer else { return false }
        return transfer.response.bodyLength == nil
    }
}

extension ExchangeMachine.ClientEnd.Peer {
    fileprivate init(_ peer: IncomingRequest.Peer) {
        switch peer {
        case .open: self = .open
        case .closed: self = .closed
        case .unknown: self = .unknown
        }
    }
}
