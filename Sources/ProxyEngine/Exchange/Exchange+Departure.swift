internal import EventLoop
internal import HTTPTransfer
internal import MicroHTTPD
internal import ProxyCore

/// The client leaves before its answer is complete, or ends its sending side and waits.
///
/// TCP shows both in the same way. The system knows of a client on the same machine whether it still has its socket; of others it counts
/// whether the end came with the request (`nc -N` sends it at once) or later, as it does when somebody gives up.
extension Exchange {
    /// How soon, in nanoseconds, an end has come with the request.
    private static let endedWithRequest: Int64 = 20_000_000
    /// For how long, in nanoseconds, a client that has ended its side later may wait, and for how long it gets a stream of events.
    private static let endedClientNanoseconds: Int64 = 1_000_000_000
    /// How often, in nanoseconds, the system is asked whether a client that waits still has its socket.
    private static let endedClientPause: Int64 = 500_000_000

    /// What a client does that has ended its sending side.
    private enum EndedClient {
        /// It has left.
        case left
        /// It waits for its answer.
        case waits
        /// It may wait, and does not do so for long.
        case mayWait
    }

    /// The client has ended its sending side, or had done so when this request of it began.
    ///
    /// - Parameter isBroken: whether the other direction is closed as well.
    func clientHungUp(isBroken: Bool) {
        guard machine.phase != .over else { return }
        switch isBroken ? .left : endedClient {
        case .left: clientHasLeft()
        case .waits: expectDeparture()
        case .mayWait:
            limitWait()
            expectDeparture()
        }
    }

    private var endedClient: EndedClient {
        // What is missing of its request will not come.
        guard requestIsComplete || isHereWhole else { return .left }
        let peer = peer
        if peer == .closed { return .left }
        switch machine.phase {
        // There is nothing left to be given up.
        case .answering: return .waits
        case .relaying where isEventStream: return .left
        default: break
        }
        if !requestIsComplete { return .waits }
        let age = requestEndedAt.nanoseconds(to: Worker.clock())
        if nanosecondsToEnd(ofRequestReadBefore: age) < Self.endedWithRequest { return .waits }
        return peer == .open ? .mayWait : .left
    }

    /// A stream of events begins, which may have no end: one whose client has ended its side gets no more than its beginning.
    func limitStream() {
        guard clientHasEndedSending else { return }
        limitWait()
        expectDeparture()
    }

    private func limitWait() {
        givesUpAt = min(givesUpAt, worker.now.later(by: Self.endedClientNanoseconds))
    }

    /// Looks again after a while whether the client still waits, if that can be known or must end.
    private func expectDeparture() {
        if let departureCheck { worker.deadlines.remove(departureCheck) }
        departureCheck = nil
        guard givesUpAt < .distantFuture || peer == .open else { return }
        let next = min(worker.now.later(by: Self.endedClientPause), givesUpAt)
        departureCheck = worker.deadlines.insert(.departure(self), at: next)
    }

    /// Some time has passed since the client has ended its side, or since the last look at it.
    func checkDeparture() {
        departureCheck = nil
        guard machine.phase != .over else { return }
        if givesUpAt <= worker.now || peer == .closed { clientHasLeft() } else { expectDeparture() }
    }

    /// Forgets when to look at the client.
    func endDepartureChecks() {
        if let departureCheck { worker.deadlines.remove(departureCheck) }
        departureCheck = nil
    }

    private func clientHasLeft() {
        let phase = machine.phase
        hangUp()
        // > Where the end of a connection comes with its last bytes, 0.9.75 misses it, and waits for more of the body; and
        // it waits for room in a socket whose peer has ended its side and reads no more.
        if !requestIsComplete || phase == .relaying { breakConnection() }
        resume()
        worker.daemonsAreReady()
    }

    /// Gives back what the exchange holds: nobody waits for its answer.
    func hangUp() {
        if hungUpAt == nil {
            hungUpAt = ClientAbortStage(machine.phase, requestIsComplete: requestIsComplete)
        }
        if machine.phase == .backingOff { countBackOff() }
        switch machine.hangUp() {
        case .leaveQueue: leaveQueue()
        case .cancelTransfer:
            cancelTransfer()
            leaveUndecided()
        default: break
        }
    }

    /// The grace period is over.
    func abortForShutdown() {
        // What libmicrohttpd is in the middle of, it would end in an orderly way.
        if isAnswered, endsWithConnection { resetConnection() }
        hangUp()
        resume()
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
