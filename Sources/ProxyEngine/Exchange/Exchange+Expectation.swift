internal import MicroHTTPD
internal import ProxyCore

/// Clients that wait to be told to go on before they send their body (`Expect: 100-continue`, RFC 9110 10.1.1).
///
/// No body may ever come, so no slot is kept for one: a small body is read before the request asks for a slot; for a large one, or one of
/// unknown length, the client is told to go on when its turn has come, and its slot goes back if the body does not begin soon. Nobody is
/// told to go on whose request would be refused.
extension Exchange {
    /// How long a slot waits for the first byte of a body.
    private static let bodyPatience = Duration.seconds(1)

    /// Whether the body is read whole before the request is sent.
    var isSentWhole: Bool {
        guard case .length(let length) = inspection.framing else { return false }
        return length > 0 && length <= Exchange.wholeBodyLimit
    }

    private var mayHaveBody: Bool { inspection.framing != .none && inspection.framing != .length(0) }

    /// Asks for a slot, unless a body has to be read before.
    ///
    /// - Returns: false if the connection is to be closed.
    func admitOrReadBody() -> Bool {
        guard isSentWhole else {
            admit()
            return true
        }
        guard inspection.expectsContinue, let fault = refusalBeforeBody() else { return true }
        return decline(fault)
    }

    /// Why the request would be refused now; it takes nothing, and may still be refused when its body is there.
    private func refusalBeforeBody() -> Fault? {
        guard let provider else { return nil }
        let now = worker.now
        defer { leaveGuards() }
        if let fault = heldBack(from: provider, at: now) { return fault }
        let waiter = worker.makeWaiter()
        switch provider.pacer.admit(
            demand(on: provider), waiter: waiter, patience: remainingPatience, at: now)
        {
        case .admitted(let slot):
            worker.arm(provider.pacer.neverSent(slot, at: now), of: provider)
            return nil
        case .queued(let place, _, let wake):
            worker.arm(wake, of: provider)
            worker.arm(provider.pacer.leave(place, at: now).wake, of: provider)
            return nil
        case .refused(let refusal):
            count(refusal, by: provider)
            return Fault(refusal, scope: provider.scope(of: refusal.window))
        }
    }

    /// Sends the request, whose slot is held, or waits for the body of a client that is told to go on only now.
    func sendOrAwaitBody() {
        guard inspection.expectsContinue, mayHaveBody, !bodyHasBegun, !requestIsComplete else {
            return send()
        }
        awaitsBody = true
        downstreamActivity = worker.now
        setDeadline(worker.now + Self.bodyPatience)
    }

    /// Bytes of the body have come, or its end.
    func bodyBegins() {
        bodyHasBegun = true
        if awaitsBody {
            awaitsBody = false
            clearDeadline()
            if machine.phase == .sending { send() }
        } else if machine.phase == .receiving, !isSentWhole {
            // Its slot was given back.
            admit()
        }
    }

    /// Nothing of the body has come: the slot is for others, until something does.
    func returnSlotOfMissingBody() {
        awaitsBody = false
        guard machine.awaitBody() else { return }
        returnUnusedSlot()
        leaveGuards()
        setClientDeadline()
    }
}
