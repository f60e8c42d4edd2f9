internal import Core
internal import Downstream
internal import Wire

/// Several credentials of one provider: each request uses the one with which it can be sent first.
extension Exchange {
    /// Chooses the credential for the next attempt; of those that are equally good, the first.
    ///
    /// A credential that the provider rejects is left aside as long as there is another one.
    func chooseCredential(of first: ProviderService) {
        let now = worker.now
        var best: (provider: ProviderService, wait: Duration)?
        for candidate in [first] + first.others where first.guards.held.isUsable(candidate.position, at: now)
        {
            let wait = expectedWait(with: candidate, at: now)
            if best == nil || wait < (best?.wait ?? .zero) { best = (candidate, wait) }
            if wait == .zero { break }
        }
        let chosen = best?.provider ?? first
        first.guards.held.noteTry(chosen.position, at: now)
        guard chosen !== provider else { return }
        provider = chosen
        // It has the keys of the other credential.
        bodyDemand = nil
    }

    /// How long the request would wait for its limits with this credential.
    private func expectedWait(with candidate: ProviderService, at now: MonotonicTime) -> Duration {
        guard candidate.givesSlots else { return .zero }
        // What the body says belongs to the credential for which it was read.
        let known = bodyDemand
        bodyDemand = nil
        defer { bodyDemand = known }
        return candidate.pacer.expectedWait(of: demand(on: candidate), at: now) ?? .seconds(3600)
    }

    /// Whether the provider has rejected only the credential, before it performed the request, and there is another one.
    var mayTryAnotherCredential: Bool {
        guard let severalKeys, machine.mayRetry, worker.drainsUntil == nil,
            retrying.failure?.code == .unauthenticated, retrying.count < severalKeys.others.count
        else { return false }
        let now = worker.now
        return ([severalKeys] + severalKeys.others).contains {
            $0 !== provider && severalKeys.guards.held.isUsable($0.position, at: now)
        }
    }
}
