internal import MicroHTTPD
internal import ProxyCore
internal import Synchronization

/// The ledger that several instances share: a request that this one lets through asks it as well.
extension Exchange {
    /// Waits for the ledger, holding this instance's own slot: in the queue, as long as its patience lasts.
    func askLedger(_ account: LedgerAccount, of provider: ProviderService, as waiter: Waiter) {
        let id = UInt64(waiter.worker) << 48 | waiter.id
        claim = id
        awaitsLedger = true
        account.waiting.add(1, ordering: .relaxed)
        self.waiter = waiter
        worker.waiting[waiter.id] = self
        let latest = queuedAt + remainingPatience
        // Who does not want to wait for a turn waits for the answer all the same.
        setDeadline(max(latest, worker.now.later(by: SharedLedger.patience)))
        worker.tellLedger(
            .claim(
                LedgerClaim(
                    id: id, waiter: waiter, account: account, demand: demand(on: provider), latest: latest)))
    }

    /// The ledger has given the slots.
    func ledgerTurnHasCome() {
        endWaitForLedger()
        if isHeldBackAtItsTurn() { return }
        waiter = nil
        guard machine.grant() == .send else { return }
        countWait()
        clearDeadline()
        sendOrAwaitBody()
        resumeIfUploading()
    }

    /// The ledger would have no slot in time: it says when it would.
    func ledgerHasRefused(_ refusal: Refusal) {
        guard awaitsLedger, let provider else { return }
        // That is the end of what was asked for.
        claim = nil
        if retrying.failure != nil { return endRetries() }
        count(refusal, by: provider)
        decide(Fault(refusal, scope: provider.scope(of: refusal.window)))
        answerWhenPossible()
    }

    /// The wait for the ledger is over, one way or another.
    func endWaitForLedger() {
        guard awaitsLedger else { return }
        awaitsLedger = false
        provider?.ledger?.waiting.subtract(1, ordering: .relaxed)
    }

    /// Tells the instances that share the ledger that a key is paused.
    func tellOfPause(_ ruling: Ruling, by provider: ProviderService, at now: MonotonicTime) {
        guard let account = provider.ledger else { return }
        var usesQuota = false
        if case .quotaUsedUp = ruling { usesQuota = true }
        let scope = usesQuota ? provider.plan.quotaScope ?? 0 : 0
        let key = demand(on: provider).keys[scope]
        guard let pause = provider.pacer.pause(ofKey: key, usesQuota: usesQuota, at: now) else { return }
        worker.tellLedger(
            .pause(
                LedgerPause(
                    account: account, key: key, usesQuota: usesQuota, left: pause.left, reason: pause.reason))
        )
    }

    /// Tells the ledger what became of the request; does nothing if it was not asked.
    func reportToLedger(_ report: LedgerReport) {
        guard let claim else { return }
        if report != .responded || provider?.countsConcurrency != true { self.claim = nil }
        worker.tellLedger(.report(report, of: claim))
    }
}
