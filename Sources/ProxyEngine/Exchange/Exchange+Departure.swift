internal import MicroHTTPD
internal import ProxyCore

/// The client leaves before its answer is complete.
extension Exchange {
    /// The client's end of the connection is closed.
    ///
    /// - Parameter isBroken: whether the other direction is closed as well. Without that nobody can tell a client that has left
    ///   from one that has said all and still reads, but the second one says so at once.
    func clientHungUp(isBroken: Bool) {
        let phase = machine.phase
        guard phase != .over else { return }
        if !isBroken, hasSaidAll { return }
        hangUp()
        // > Where the end of a connection comes with its last bytes, 0.9.75 misses it, and waits for more of the body; and
        // it waits for room in a socket whose peer has ended its side and reads no more.
        if !requestIsComplete || phase == .relaying { shutDownConnection() }
        resume()
        worker.daemonsAreReady()
    }

    /// Whether a client that has ended its side did so with its request, be it that not all of it has been read.
    private var hasSaidAll: Bool {
        guard requestIsComplete || mayBecomeComplete else { return false }
        let last = requestIsComplete ? requestEndedAt : downstreamActivity
        let gap = nanosecondsFromRequestToEnd ?? last.nanoseconds(to: Worker.clock())
        return gap < Exchange.halfCloseNanoseconds
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
        hangUp()
        resume()
    }
}
