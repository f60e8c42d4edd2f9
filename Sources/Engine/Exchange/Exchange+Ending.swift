internal import Core
internal import Downstream
internal import Loop
internal import Upstream
internal import Wire

/// The ending: time runs out, or the client leaves before its reply is complete, or ends its sending side and waits.
///
/// TCP shows the last two in the same way. The system knows of a client on the same machine whether it still has its socket; of others it
/// counts whether the end came with the request (`nc -N` sends it at once) or later, as it does when somebody gives up.
extension Exchange {
    // MARK: Time

    /// Has ``deadlineHasCome()`` called at the machine's next deadline, or before: whoever is called looks whether it is time.
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

    /// Looks at what may take too long in this stage, and ends it or waits on.
    func deadlineHasCome() {
        deadline = nil
        noteReceivedReply()
        handle(.timePassed(hasUnsentBody: !responseBody.isEmpty))
    }

    /// A client that reads slowly does not stand still: what the system has sent for it is asked only when its time is over.
    private func noteReceivedReply() {
        guard machine.reply != .none else { return }
        let unreceived = unreceivedBytes
        if unreceived != lastUnreceived { machine.downstreamActivity = worker.now }
        lastUnreceived = unreceived
    }

    // MARK: The client

    /// How soon, in nanoseconds, an end has come with the request.
    private static let endedWithRequest: Int64 = 20_000_000
    /// How often, in nanoseconds, the system is asked whether a client that waits still has its socket.
    private static let endedClientPause: Int64 = 500_000_000

    /// The client has ended its sending side, or had done so when this request of it began.
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

    /// Looks again after a while whether the client still waits, if that can be known or must end.
    func expectDeparture() {
        if let departureCheck { worker.deadlines.remove(departureCheck) }
        departureCheck = nil
        guard machine.givesUpAt < .distantFuture || peer == .open else { return }
        let next = min(worker.now.later(by: Self.endedClientPause), machine.givesUpAt)
        departureCheck = worker.deadlines.insert(.departure(self), at: next)
    }

    /// Some time has passed since the client has ended its side, or since the last look at it.
    func checkDeparture() {
        departureCheck = nil
        guard machine.stage != .over else { return }
        if machine.givesUpAt <= worker.now || peer == .closed {
            handle(.clientLeft)
        } else {
            expectDeparture()
        }
    }

    /// Forgets when to look at the client.
    func endDepartureChecks() {
        if let departureCheck { worker.deadlines.remove(departureCheck) }
        departureCheck = nil
    }

    /// The grace period is over.
    func abortForShutdown() {
        // What libmicrohttpd is in the middle of, it would end in an orderly way.
        if isAnswered, endsWithConnection { resetConnection() }
        handle(.clientLeft)
    }

    /// Ends the connection at once, so that an answer that is on its way is seen to break off.
    func breakConnection() {
        if isAnswered, endsWithConnection { resetConnection() } else { shutDownConnection() }
    }

    /// Whether nothing but the end of the connection shows the client where its answer ends.
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
