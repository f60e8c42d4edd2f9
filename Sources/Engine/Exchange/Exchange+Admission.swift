internal import Core
internal import Downstream
internal import Logging
internal import Loop
internal import Synchronization
internal import Upstream
internal import Wire

/// Admission: asks for the request's slot, waits for it, and settles it.
extension Exchange {
    /// Asks the pacer for a slot, and reports the result.
    func askForSlot() {
        if let severalKeys { chooseCredential(of: severalKeys) }
        guard let provider else { return }
        if let fault = heldBack(from: provider, at: worker.now) {
            return refuse(fault, .refused, at: worker.now)
        }
        let waiter = worker.makeWaiter()
        let demand = demand(on: provider)
        let patience = machine.patienceLeft(at: worker.now)
        switch provider.pacer.admit(demand, waiter: waiter, patience: patience, at: worker.now) {
        case .admitted(let slot):
            self.slot = slot
            self.waiter = waiter
            handle(.admitted(needsBody: holdsWhatOthersNeed(of: provider)))
        case .queued(let place, _, let wake):
            self.place = place
            self.waiter = waiter
            worker.waiting[waiter.id] = self
            worker.expectIdleConnections()
            handle(.queued)
            worker.arm(wake, of: provider)
        case .refused(let refusal): refuse(refusal, by: provider, .refused)
        }
    }

    /// Fails the request because of the pacer, unless the response of its last attempt is sent instead.
    private func refuse(
        _ refusal: Refusal, by provider: ProviderService, _ event: ExchangeMachine.Event
    ) {
        if !machine.isRetrying { count(refusal, by: provider) }
        refuse(
            Fault(refusal, scope: provider.scope(of: refusal.window), name: provider.limitName(of: refusal)),
            event, at: worker.now)
    }

    /// Fails the request with a fault, unless the response of its last attempt is sent instead.
    private func refuse(_ fault: Fault, _ event: ExchangeMachine.Event, at now: MonotonicTime) {
        if !machine.isRetrying { self.fault = fault }
        handle(event, at: now)
    }

    /// Counts the rejection, and keeps what is left for the response.
    func count(_ refusal: Refusal, by provider: ProviderService) {
        worker.metrics.queueRefused(
            provider: provider.index,
            reason: QueueRefusalReason(
                refusal.reason, isPreference: patience < provider.configuration.maximumWait))
        headroom = refusal.headroom
    }

    /// The keys of the request, and its cost.
    func demand(on provider: ProviderService) -> PacingDemand {
        let (target, head) = (target, head)
        // A request that began under a former configuration has keys of that configuration.
        var keys =
            if let upstream, upstream.provider === provider {
                upstream.keys.keys(target: target.span) { head.forEachField($0) }
            } else {
                provider.keys.keys(target: target.span) { head.forEachField($0) }
            }
        let (weights, usesQuota) = head.withMethod {
            provider.plan.weigh(method: $0, path: target.span.extracting(restOffset..<target.count))
        }
        if provider.plan.readsPath {
            let marks = head.withMethod {
                provider.plan.marks(
                    method: $0, path: target.span.extracting(restOffset..<target.count),
                    digest: provider.digest)
            }
            for scope in 0..<PacingDemand.maximumScopes {
                keys[scope] = LedgerKey.mix(keys[scope], marks[scope])
            }
        }
        var costs = weights
        if provider.plan.readsBody { readBody(on: provider, keys: &keys, weights: &costs) }
        var demand = PacingDemand(
            keys: keys, weights: costs, usesQuota: usesQuota, urgency: inspection.urgency)
        demand.revision = provider.revision
        return demand
    }

    /// Adds what the body says to the keys and the cost: the same at every call, since the body may be gone later.
    private func readBody(
        on provider: ProviderService, keys: inout SIMD4<UInt64>, weights: inout SIMD8<UInt16>
    ) {
        if let bodyDemand, bodyDemand.revision == provider.revision {
            (keys, weights) = (bodyDemand.keys, bodyDemand.weights)
            return
        }
        // A body that is sent as it arrives is not known yet.
        let isKnown = isSentWhole && machine.request == .complete
        provider.plan.read(
            body: isKnown ? requestBody.bytes : nil, keys: &keys, weights: &weights, digest: provider.digest)
        guard isKnown else { return }
        bodyDemand = BodyDemand(keys: keys, weights: weights, revision: provider.revision)
    }

    /// Reports what the response says that its request cost; without `answer`, its fields say it.
    func correctCost(_ answer: ProviderAnswer?, fields: FieldBlock, of provider: ProviderService) {
        guard provider.plan.readsAnswerCosts, let slot else { return }
        let costs = provider.plan.costs(of: answer, fields: fields)
        worker.arm(
            provider.pacer.correct(slot, costs: costs, revision: provider.revision, at: Worker.clock()),
            of: provider)
    }

    /// A waiting request has received this slot.
    func turnCame(_ slot: Slot) {
        guard let provider else { return }
        place = nil
        guard machine.stage == .queued else {
            worker.arm(provider.pacer.neverSent(slot, at: worker.now), of: provider)
            return
        }
        self.slot = slot
        // The wait may be ended by a message, before the worker has read the clock in this iteration.
        let now = Worker.clock()
        if let fault = heldBack(from: provider, at: now) { return refuse(fault, .turnRefused, at: now) }
        handle(.turnCame(needsBody: holdsWhatOthersNeed(of: provider)), at: now)
    }

    /// Whether the request holds something that others need as well: a slot, or the probe of an open circuit or of a
    /// rejected credential.
    private func holdsWhatOthersNeed(of provider: ProviderService) -> Bool {
        provider.givesSlots || circuitPass == .probe || probedCredential != nil
    }

    /// Leaves the pacer's queue; if a grant is on its way, the worker returns the slot.
    func leaveQueue() {
        if let waiter { worker.waiting[waiter.id] = nil }
        if let place, let provider {
            worker.arm(provider.pacer.leave(place, at: worker.now).wake, of: provider)
        }
        place = nil
    }

    // MARK: The shared quota

    /// Asks the shared quota while this instance's slot is held.
    func askSharedQuota() {
        guard let provider, let account = provider.ledger, let waiter else { return }
        let id = UInt64(waiter.worker) << 48 | waiter.id
        claim = id
        account.waiting.add(1, ordering: .relaxed)
        worker.waiting[waiter.id] = self
        worker.sendToLedger(
            .claim(
                LedgerClaim(
                    id: id, waiter: waiter, account: account, demand: demand(on: provider),
                    latest: machine.waitsUntil)))
    }

    /// The shared quota has granted the request.
    func sharedQuotaGranted() {
        guard machine.stage == .awaitingSharedQuota, let provider else { return }
        let now = Worker.clock()
        if let fault = heldBack(from: provider, at: now) { return refuse(fault, .turnRefused, at: now) }
        handle(.sharedQuotaGranted, at: now)
    }

    /// The shared quota has no slot in time, and reports when it would have one.
    func sharedQuotaRefused(_ refusal: Refusal) {
        guard machine.stage == .awaitingSharedQuota, let provider else { return }
        // The claim is over.
        claim = nil
        refuse(refusal, by: provider, .sharedQuotaRefused)
    }

    /// Stops waiting for the shared quota.
    func leaveSharedQuota() {
        if let waiter { worker.waiting[waiter.id] = nil }
        provider?.ledger?.waiting.subtract(1, ordering: .relaxed)
    }

    /// Reports to the other instances that a key is paused.
    func tellOfPause(_ ruling: Ruling, by provider: ProviderService, at now: MonotonicTime) {
        guard let account = provider.ledger else { return }
        // The other instances find out on their own about a single limit.
        if case .limited = ruling { return }
        var usesQuota = false
        if case .quotaUsedUp = ruling { usesQuota = true }
        let scope = usesQuota ? provider.plan.quotaScope ?? 0 : 0
        let key = demand(on: provider).keys[scope]
        guard let pause = provider.pacer.pause(ofKey: key, usesQuota: usesQuota, at: now) else { return }
        worker.sendToLedger(
            .pause(
                LedgerPause(
                    account: account, key: key, usesQuota: usesQuota, left: pause.left, reason: pause.reason))
        )
    }

    /// Reports the result of the request to the shared quota; does nothing if it was not asked.
    private func reportToLedger(_ report: LedgerReport) {
        guard let claim else { return }
        if report != .responded || provider?.countsConcurrency != true { self.claim = nil }
        worker.sendToLedger(.report(report, of: claim))
    }

    // MARK: The slot

    /// Returns the slot of a request that was not sent.
    func returnSlot() {
        guard let provider, let slot else { return }
        worker.arm(provider.pacer.neverSent(slot, at: Worker.clock()), of: provider)
        reportToLedger(.neverSent)
    }

    /// Settles the slot of a request that may have been counted and got no response.
    func closeSlot() {
        guard let provider, let slot else { return }
        worker.arm(provider.pacer.closedWithoutResponse(slot, at: Worker.clock()), of: provider)
        reportToLedger(.closedWithoutResponse)
        probedCredential = nil
    }

    /// Reports the head of a response, and what it says about the provider's own count.
    func reportHead() {
        guard let provider, let slot, let transfer, let now = firstByteAt else { return }
        let isUndecided = machine.slot == .undecided
        provider.keepClock(at: now)
        let fields = transfer.response.fields
        if provider.plan.readsAnswerCosts { correctCost(nil, fields: fields, of: provider) }
        if provider.plan.learnsCapacities {
            let capacities = provider.plan.capacities(fields: fields, share: provider.share)
            worker.arm(
                provider.pacer.learn(slot, capacities: capacities, revision: provider.revision, at: now),
                of: provider)
        }
        let outcome = provider.pacer.responded(
            slot, verdict: isUndecided ? .undecided : .accepted,
            observed: provider.observation(fields), learned: provider.learned(fields),
            date: provider.readsProviderClock ? ProviderDate.seconds(in: fields) : nil,
            reset: {
                provider.rateHeaders?.resetSeconds(fields, at: SystemClock.wallNanoseconds / 1_000_000_000)
                    .map { .seconds($0) }
            }, at: now)
        headroom = outcome.headroom
        reportToLedger(.responded)
        if let limit = outcome.strangeLimit, provider.isNewlyReported(strangeLimit: limit) {
            worker.service.logger.warning(
                "the provider speaks of a limit that is not configured",
                metadata: ["provider": "\(provider.configuration.name)", "limit": "\(limit)"])
        }
        worker.arm(outcome.wake, of: provider)
    }

    /// Reports that the response has ended, complete or not.
    func endRun() {
        guard let slot, let provider else { return }
        worker.arm(provider.pacer.ended(slot, at: Worker.clock()), of: provider)
        reportToLedger(.ended)
    }
}

/// What the body of a request says of its keys and its cost.
final class BodyDemand {
    let keys: SIMD4<UInt64>
    let weights: SIMD8<UInt16>
    /// The version of the limits for which it was read.
    let revision: UInt32

    init(keys: SIMD4<UInt64>, weights: SIMD8<UInt16>, revision: UInt32) {
        self.keys = keys
        self.weights = weights
        self.revision = revision
    }
}
