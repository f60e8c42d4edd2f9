internal import MicroHTTPD
internal import ProxyCore

/// The ledger that several instances share: a request that this one lets through asks it as well.
extension Exchange {
    /// Waits for the ledger, holding this instance's own slot: in the queue, as long as its patience lasts.
    func askLedger(_ account: LedgerAccount, of provider: ProviderService, as waiter: Waiter) {
        let id = UInt64(waiter.worker) << 48 | waiter.id
        claim = id
        self.waiter = waiter
        worker.waiting[waiter.id] = self
        let latest = queuedAt + remainingPatience
        // Who does not want to wait for a turn waits for the answer all the same.
        setDeadline(max(latest, worker.now.later(by: LedgerLink.patience)))
        worker.tellLedger(
            .claim(
                LedgerClaim(
                    id: id, waiter: waiter, account: account, demand: demand(on: provider), latest: latest)))
    }

    /// The ledger has given the slots.
    func ledgerTurnHasCome() {
        if isHeldBackAtItsTurn() { return }
        waiter = nil
        guard machine.grant() == .send else { return }
        countWait()
        clearDeadline()
        sendOrAwaitBody()
        resumeIfUploading()
    }

    /// Tells the ledger what became of the request; does nothing if it was not asked.
    func reportToLedger(_ report: LedgerReport) {
        guard let claim else { return }
        if report != .responded || provider?.countsConcurrency != true { self.claim = nil }
        worker.tellLedger(.report(report, of: claim))
    }
}
