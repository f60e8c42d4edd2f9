internal import EventLoop
internal import HTTPTransfer
internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// What may take too long, and what happens then.
extension Exchange {
    /// Sees to it that ``deadlineHasCome()`` is called at `time`, or before: whoever is called looks whether it is time.
    func setDeadline(_ time: MonotonicTime) {
        guard time < .distantFuture else { return }
        if let deadline {
            guard time < deadline.at else { return }
            worker.deadlines.remove(deadline.ticket)
        }
        deadline = (worker.deadlines.insert(.exchange(self), at: time), time)
    }

    func clearDeadline() {
        if let deadline { worker.deadlines.remove(deadline.ticket) }
        deadline = nil
    }

    /// Looks at what may take too long in this phase, and ends it or waits on.
    func deadlineHasCome() {
        deadline = nil
        guard let provider else { return }
        if transfer?.isRunning == true {
            if totalEnd <= worker.now { return upstreamTimedOut(.total) }
            setDeadline(totalEnd)
        }
        switch machine.phase {
        case .queued:
            let end = queuedAt + remainingPatience
            if end <= worker.now { queueTimedOut() } else { setDeadline(end) }
        case .backingOff:
            if retrying.until <= worker.now { backOffIsOver() } else { setDeadline(retrying.until) }
        case .receiving: watchClient()
        case .sending:
            // A provider that waits for the client's body is not slow.
            if awaitsBody { return returnSlotOfMissingBody() }
            if isSendPaused { return watchClient() }
            watch(upstreamActivity.later(by: provider.timeouts.response), .response)
        case .collecting:
            if errorBodyEnd <= worker.now { return errorBodyTimedOut() }
            setDeadline(errorBodyEnd)
            watch(upstreamActivity.later(by: idleTimeout), .idle)
        case .relaying:
            // A provider that Weir holds back because the client is slow is not idle.
            dropUnreadUpload()
            if isReceivePaused || isPulling { return watchClient() }
            if idleTimeout == ProviderService.Timeouts.never, !responseBody.isEmpty { return watchClient() }
            watch(upstreamActivity.later(by: idleTimeout), .idle)
        case .answering: watchClient()
        case .over: break
        }
    }

    private func watch(_ end: MonotonicTime, _ timer: ExchangeTimer) {
        if end <= worker.now { upstreamTimedOut(timer) } else { setDeadline(end) }
    }

    /// Ends the connection of a client that neither goes on with its request nor takes its answer.
    private func watchClient() {
        let end = downstreamActivity + service.configuration.clientTimeouts.stall
        guard end <= worker.now else { return setDeadline(end) }
        hungUpAt = hungUpAt ?? ClientAbortStage(machine.phase, requestIsComplete: requestIsComplete)
        breakConnection()
        resume()
        worker.daemonsAreReady()
    }

    /// The longest time that the client may let Weir wait from now on.
    func setClientDeadline() {
        setDeadline(worker.now + service.configuration.clientTimeouts.stall)
    }

    /// Gives a client for which something has come the time to take it: the provider may have been silent for long before.
    func expectClientToTakeMore() {
        if responseBody.isEmpty { downstreamActivity = worker.now }
        setClientDeadline()
    }

    /// The longest time that the next step may take.
    func setUpstreamDeadline(_ nanoseconds: Int64) {
        upstreamActivity = worker.now
        setDeadline(min(worker.now.later(by: nanoseconds), totalEnd))
    }

    /// When the body that is being collected has taken too long.
    var errorBodyEnd: MonotonicTime {
        guard let provider, let firstByteAt else { return .distantFuture }
        return firstByteAt.later(by: provider.timeouts.errorBody)
    }

    /// When the whole exchange has taken too long.
    private var totalEnd: MonotonicTime {
        guard let total = provider?.timeouts.total, let first = retrying.firstSentAt else {
            return .distantFuture
        }
        return first.later(by: total)
    }

    /// How long, in nanoseconds, the provider may be silent within its answer.
    ///
    /// A stream of events that goes to its client may be so for ever; an error that is one is collected, and must end.
    var idleTimeout: Int64 {
        if isEventStream, requestIsComplete, machine.phase == .relaying {
            return ProviderService.Timeouts.never
        }
        return provider?.timeouts.idle ?? 0
    }
}
