internal import HTTPTransfer
internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// Answers to requests that have not come whole: the connection ends with them.
extension Exchange {
    /// Ends the request, whose bytes are no HTTP; the answer to be given.
    func refuse(_ requestFault: RequestFault) -> ClosingAnswer {
        if !hasBegun { beginUnread() }
        let limits = worker.service.inspectionLimits
        fail { Fault(requestFault, limits: limits, effect: $0) }
        return endEarly()
    }

    /// Ends the exchange with a problem, wherever it is, unless it is answered already.
    ///
    /// - Parameter makeFault: makes the fault of the effect that the request may have had.
    private func fail(with makeFault: (Effect) -> Fault) {
        cancelTransfer()
        leaveUndecided()
        upstreamHasEnded = true
        let fault = makeFault(attempts > 0 ? .unknown : .none)
        if machine.refuse() == .leaveQueue { leaveQueue() }
        _ = machine.upstreamEnded(isComplete: false, isAnswered: false)
        returnUnusedSlot()
        self.fault = fault
        makeProblem(of: fault)
    }

    /// The grace period is over: a client without any part of a response gets one now.
    ///
    /// An error of the provider's whose body has not arrived whole becomes a problem of what has arrived; everything else that is not
    /// decided is `shutting_down`.
    func answerBeforeShutdown() {
        guard hasBegun, !isAnswered, machine.phase != .over else { return }
        endErrorBody()
        if machine.phase != .answering || answer == .undecided {
            fail { Fault(.shuttingDown, effect: $0) }
        } else if answer == .relay {
            makeEarlyRelay()
        }
        _ = answerAndLeave(endEarly())
    }

    /// Begins an exchange whose head never comes.
    private func beginUnread() {
        hasBegun = true
        worker.activeRequests += 1
        worker.setExchange(self, on: socket)
        setRequestID()
        worker.metrics.exchangeStarted(provider: nil)
    }

    /// Gives an answer that is complete while the client still sends: it need not wait for the client's end.
    ///
    /// - Returns: false if it has to.
    func answerEarly() -> Bool {
        guard hasBegun, !requestIsComplete, !isAnswered, machine.phase == .answering else { return false }
        if answer == .relay {
            guard upstreamHasEnded else { return false }
            makeEarlyRelay()
        }
        return answerAndLeave(endEarly())
    }

    /// The provider's response, which is complete, is what is sent.
    private func makeEarlyRelay() {
        guard let transfer, let provider else { return }
        makeRelayFields(transfer.response, of: provider)
        problemStatus = transfer.response.status
    }

    /// The answer as it is sent now; after it, nothing more of the request counts.
    private func endEarly() -> ClosingAnswer {
        let closing = ClosingAnswer(
            status: problemStatus, fields: responseFields, body: responseBody.bytes.span, isHead: isHead)
        sentStatus = problemStatus
        responseBytes = isHead ? 0 : Int64(responseBody.count)
        _ = machine.hangUp()
        clearDeadline()
        setPolling(false)
        // What the client may still send is dropped, and holds nothing up.
        record()
        isRecorded = true
        worker.requestIsOver()
        hasBegun = false
        return closing
    }

    /// Gives back a slot that was granted to a request whose body did not come.
    func returnUnusedSlot() {
        guard transfer == nil, let provider, let slot else { return }
        self.slot = nil
        worker.arm(provider.pacer.neverSent(slot, at: worker.now), of: provider)
        reportToLedger(.neverSent)
    }
}
