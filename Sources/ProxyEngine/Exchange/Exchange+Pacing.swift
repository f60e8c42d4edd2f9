internal import EventLoop
internal import HTTPTransfer
internal import HTTPWire
internal import Logging
internal import ProxyCore

/// What the pacer is told of an answer.
extension Exchange {
    /// Reports the head of an answer, and what it says of the provider's own count.
    func report(
        _ slot: Slot, of response: ResponseHead, isUndecided: Bool, at now: MonotonicTime,
        to provider: ProviderService
    ) {
        provider.keepClock(at: now)
        let fields = response.fields
        let outcome = provider.pacer.responded(
            slot, verdict: isUndecided ? .undecided : .accepted,
            observed: provider.rateHeaders?.observation(fields),
            reset: {
                provider.rateHeaders?.resetSeconds(fields, at: SystemClock.wallNanoseconds / 1_000_000_000)
                    .map { .seconds($0) }
            }, at: now)
        headroom = outcome.headroom
        if isUndecided { undecidedSlot = slot }
        if provider.countsConcurrency { runningSlot = slot }
        reportToLedger(.responded)
        if let limit = outcome.strangeLimit, provider.isNews(strangeLimit: limit) {
            worker.service.logger.warning(
                "the provider speaks of a limit that is not configured",
                metadata: ["provider": "\(provider.configuration.name)", "limit": "\(limit)"])
        }
        worker.arm(outcome.wake, of: provider)
    }

    /// Reports that the answer has ended, complete or not.
    func endRun() {
        guard let slot = runningSlot, let provider else { return }
        runningSlot = nil
        worker.arm(provider.pacer.ended(slot, at: Worker.clock()), of: provider)
        reportToLedger(.ended)
    }
}
