internal import Locking
internal import Core
internal import Synchronization

/// What keeps requests from one provider, its limits aside: shared by all workers.
///
/// It outlives a reload that changes nothing about its provider, and begins anew after any other.
final class ProviderGuards: Sendable {
    /// Whether refusals of a credential are counted at all.
    let quarantinesCredentials: Bool
    /// Whether the quarantine remembers any credential: as long as it does not, requests take no lock.
    private let remembersCredentials = Atomic(false)
    private let quarantine = Lock(CredentialQuarantine())
    /// Whether failures are counted at all.
    let hasCircuit: Bool
    private let circuit: Lock<CircuitBreaker>
    private let hasRetries: Bool
    private let retries: Lock<RetryBudget>

    init(_ provider: ProviderConfiguration, at now: MonotonicTime) {
        quarantinesCredentials = provider.quarantinesCredentials
        hasCircuit = provider.circuitBreaker != nil
        circuit = Lock(CircuitBreaker(provider.circuitBreaker ?? CircuitBreaker.Policy()))
        hasRetries = provider.retries.maximum > 0
        retries = Lock(RetryBudget(percent: provider.retries.budgetPercent, at: now))
    }

    // MARK: Circuit

    /// Whether a request may be sent to a provider that may have failed too often; asked where it ``hasCircuit``.
    func admitToCircuit(at now: MonotonicTime) -> CircuitBreaker.Admission {
        circuit.withLock { $0.admit(at: now) }
    }

    /// Takes what a request came to.
    func recordInCircuit(isFailure: Bool, isProbe: Bool, at now: MonotonicTime) {
        circuit.withLock { $0.record(isFailure: isFailure, isProbe: isProbe, at: now) }
    }

    /// Takes back a probe that came to nothing that would tell.
    func returnCircuitProbe() { circuit.withLock { $0.returnProbe() } }

    // MARK: Retries

    /// A request is sent for the first time.
    func requestSent() {
        if hasRetries { retries.withLock { $0.requestSent() } }
    }

    /// Whether there may be another retry now: it counts as made.
    func takeRetry(at now: MonotonicTime) -> Bool {
        hasRetries && retries.withLock { $0.takeRetry(at: now) }
    }

    // MARK: Credentials

    /// Whether there may be something to ask ``admit(credential:at:)`` for.
    var hasRefusedCredentials: Bool { remembersCredentials.load(ordering: .relaxed) }

    /// Whether a request with this credential, known by its hash, may be sent.
    func admit(credential: UInt64, at now: MonotonicTime) -> CredentialQuarantine.Admission {
        quarantine.withLock { $0.admit(credential, at: now) }
    }

    /// Takes what the provider's answer says of the credential.
    func judge(credential: UInt64, _ verdict: CredentialQuarantine.Verdict, at now: MonotonicTime) {
        quarantine.withLock { quarantine in
            quarantine.judge(credential, verdict, at: now)
            remembersCredentials.store(!quarantine.isEmpty, ordering: .relaxed)
        }
    }

    /// Takes back a probe that was not sent.
    func returnProbe(ofCredential credential: UInt64) {
        quarantine.withLock { $0.returnProbe(credential) }
    }

    // MARK: Reading

    /// What metrics and pages tell.
    func gauges(at now: MonotonicTime) -> GuardGauges {
        GuardGauges(
            quarantinedCredentials: quarantine.withLock { $0.count },
            circuit: circuit.withLock { $0.state(at: now) })
    }
}
