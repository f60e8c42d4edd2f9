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
        let time = machine.nextDeadline(hasUnsentBody: !responseBody.isEmpty, at: worker.now)
        guard time < .distantFuture else { return }
        if let deadline {
            guard time < deadline.at else { return }
            worker.deadlines.remove(deadline.ticket)
        }
        deadline = (worker.deadlines.insert(.exchange(self), at: time), time)
    }

    func unschedule() {
        if let deadline { worker.deadlines.remove(deadline.ticket) }
        deadline = nil
    }

    /// Checks the time limits of this stage, and ends the stage or waits on.
    func deadlineHasCome() {
        deadline = nil
        let hasUnreceived = noteReceivedReply()
        handle(.timePassed(hasUnsentBody: !responseBody.isEmpty, hasUnreceived: hasUnreceived))
    }

    /// A client that reads slowly is not stalled: how much of the data sent has been acknowledged is checked only
    /// when its time is over.
    ///
    /// - Returns: whether the client has not received everything.
    private func noteReceivedReply() -> Bool {
        guard machine.reply != .none else { return false }
        let unreceived = unreceivedBytes
        if unreceived != lastUnreceived { machine.downstreamActivity = worker.now }
        lastUnreceived = unreceived
        return unreceived ?? 0 > 0
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

    /// Schedules the next check of a client whose end is no event: it has half-closed, or its end waits behind bytes
    /// that are not read.
    func watchForDeparture() {
        endDepartureChecks()
        let next = min(worker.now.later(by: Self.endedClientPause), machine.givesUpAt)
        departureCheck = worker.deadlines.insert(.departure(self), at: next)
    }

    /// Checks the client; the system is asked only if no event could have reported the client's end.
    func checkDeparture() {
        departureCheck = nil
        let isHidden = machine.client != .open || hasUnreadInput
        handle(.departureChecked(peer: isHidden ? ExchangeMachine.ClientEnd.Peer(peer) : nil))
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
