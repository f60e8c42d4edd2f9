internal import HTTPTransfer
internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// Answers to requests that have not come whole: the connection ends with them.
extension Exchange {
    /// Ends the request, whose bytes are no HTTP; the answer to be given.
    func refuse(_ requestFault: RequestFault) -> ClosingAnswer {
        if !hasBegun { beginUnread() }
        cancelTransfer()
        leaveUndecided()
        upstreamHasEnded = true
        let limits = worker.service.inspectionLimits
        let fault = Fault(requestFault, limits: limits, effect: attempts > 0 ? .unknown : Effect.none)
        if machine.refuse() == .leaveQueue { leaveQueue() }
        _ = machine.upstreamEnded(isComplete: false, isAnswered: false)
        returnUnusedSlot()
        self.fault = fault
        makeProblem(of: fault)
        return endEarly()
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
            guard let transfer, let provider, upstreamHasEnded else { return false }
            makeRelayFields(transfer.response, of: provider)
            problemStatus = transfer.response.status
        }
        return answerAndLeave(endEarly())
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
