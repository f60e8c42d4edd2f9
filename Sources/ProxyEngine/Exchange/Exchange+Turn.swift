internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// The request's turn: it is asked for, waited for, given up.
extension Exchange {
    /// Asks the pacer, and sends, waits or refuses.
    func admit() {
        guard let provider else { return }
        if let fault = heldBack(from: provider, at: worker.now) { return refuseAdmission(fault) }
        let waiter = worker.makeWaiter()
        let demand = demand(on: provider)
        switch provider.pacer.admit(demand, waiter: waiter, patience: remainingPatience, at: worker.now) {
        case .admitted(let slot):
            self.slot = slot
            if isMissingBody { return awaitBody() }
            if let account = provider.ledger {
                machine.enqueue()
                queuedAt = worker.now
                askLedger(account, of: provider, as: waiter)
                return
            }
            _ = machine.admit()
            sendOrAwaitBody()
        case .queued(let place, _, let wake):
            self.place = place
            self.waiter = waiter
            machine.enqueue()
            worker.waiting[waiter.id] = self
            worker.expectIdleConnections()
            queuedAt = worker.now
            setDeadline(queuedAt + remainingPatience)
            worker.arm(wake, of: provider)
        case .refused(let refusal):
            if retrying.failure != nil { return endRetries() }
            count(refusal, by: provider)
            _ = decline(Fault(refusal, scope: provider.scope(of: refusal.window)))
        }
    }

    /// Counts that it is refused, and keeps what is left, for its answer.
    func count(_ refusal: Refusal, by provider: ProviderService) {
        worker.metrics.queueRefused(
            provider: provider.index,
            reason: QueueRefusalReason(
                refusal.reason, isPreference: patience < provider.configuration.maximumWait))
        headroom = refusal.headroom
    }

    /// Whose the request is, and what it weighs.
    func demand(on provider: ProviderService) -> PacingDemand {
        let (target, head) = (target, head)
        // A request that began under a former configuration has keys of its own.
        let keys =
            if let upstream, upstream.provider === provider {
                upstream.keys.keys(target: target.span) { head.forEachField($0) }
            } else {
                provider.keys.keys(target: target.span) { head.forEachField($0) }
            }
        let (weights, usesQuota) = head.withMethod {
            provider.plan.weigh(method: $0, path: target.span.extracting(restOffset..<target.count))
        }
        var demand = PacingDemand(
            keys: keys, weights: weights, usesQuota: usesQuota, urgency: inspection.urgency)
        demand.revision = provider.revision
        return demand
    }

    /// Its turn has come.
    func turnHasCome(_ slot: Slot) {
        guard let provider else { return }
        place = nil
        guard machine.phase == .queued else {
            waiter = nil
            worker.arm(provider.pacer.neverSent(slot, at: worker.now), of: provider)
            return
        }
        self.slot = slot
        if isHeldBackAtItsTurn() { return }
        if isMissingBody {
            waiter = nil
            _ = machine.grant()
            countWait()
            clearDeadline()
            return returnSlotOfMissingBody()
        }
        if let account = provider.ledger, let waiter { return askLedger(account, of: provider, as: waiter) }
        waiter = nil
        _ = machine.grant()
        countWait()
        clearDeadline()
        sendOrAwaitBody()
        // A body that is streamed has been waiting in the client.
        resumeIfUploading()
    }

    func queueTimedOut() {
        if retrying.failure != nil { return endRetries() }
        decide(Fault(.queueTimeout, effect: Effect.none))
        answerWhenPossible()
    }

    /// Weir ends: what waits is told so.
    func refuseForShutdown() {
        if retrying.failure != nil { return endRetries() }
        if let provider { worker.metrics.queueRefused(provider: provider.index, reason: .shuttingDown) }
        decide(Fault(.shuttingDown, effect: Effect.none))
        answerWhenPossible()
    }

    /// Gives up the place in the queue, where the wait ends; if its turn has come meanwhile, the worker gives the slot back.
    func leaveQueue() {
        if let waiter { worker.waiting[waiter.id] = nil }
        countWait()
        if let place, let provider {
            worker.arm(provider.pacer.leave(place, at: worker.now).wake, of: provider)
        }
        if let slot, let provider {
            // It has waited for the ledger.
            self.slot = nil
            worker.arm(provider.pacer.neverSent(slot, at: worker.now), of: provider)
        }
        endWaitForLedger()
        reportToLedger(.neverSent)
        place = nil
        waiter = nil
    }

    /// Counts the wait for the turn, which is over, as time in the queue.
    ///
    /// It may end before the worker's turn has read the clock: by a message, or with the client.
    func countWait() { queuedNanoseconds += queuedAt.nanoseconds(to: Worker.clock()) }

    /// Wakes a connection whose body was held back.
    func resumeIfUploading() {
        guard !requestIsComplete, isSuspended else { return }
        resume()
        worker.daemonsAreReady()
    }
}
