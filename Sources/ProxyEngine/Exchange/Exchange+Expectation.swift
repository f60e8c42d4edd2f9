internal import MicroHTTPD
internal import ProxyCore

/// Requests whose body has not arrived, be it that their clients wait to be told to go on (`Expect: 100-continue`, RFC 9110 10.1.1).
///
/// No body may ever come, so no slot is kept for one: a small body is read before the request asks for a slot; a large one, or one of
/// unknown length, must have begun when the request gets its slot, or the slot goes back. A client that waits is told to go on when its
/// turn has come, and its slot goes back if the body does not begin soon. Nobody is told to go on whose request would be refused.
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

    /// Whether the request must not be given, before its body begins, what others need as well: a slot, or the probe of an open circuit or
    /// of a refused credential.
    var isMissingBody: Bool {
        guard mayHaveBody, !bodyHasBegun, !requestIsComplete, !inspection.expectsContinue else {
            return false
        }
        return provider?.givesSlots == true || circuitPass == .probe || probedCredential != nil
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
        if machine.awaitBody() { awaitBody() }
    }

    /// Gives back what the request holds, which asks anew when its body begins.
    func awaitBody() {
        returnUnusedSlot()
        leaveGuards()
        downstreamActivity = worker.now
        setClientDeadline()
        resumeIfUploading()
    }
}
