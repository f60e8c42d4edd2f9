internal import ProxyCore
internal import Synchronization

/// What keeps requests from one provider, its limits aside: shared by all workers.
///
/// It outlives a reload that changes nothing about its provider, and begins anew after any other.
final class ProviderGuards: Sendable {
    private let quarantine: Mutex<CredentialQuarantine>?
    /// Whether the quarantine remembers any credential: as long as it does not, requests take no lock.
    private let remembersCredentials = Atomic(false)

    private let retries: Mutex<RetryBudget>?

    init(_ provider: ProviderConfiguration, at now: MonotonicTime) {
        quarantine = provider.quarantinesCredentials ? Mutex(CredentialQuarantine()) : nil
        let policy = provider.retries
        retries = policy.maximum > 0 ? Mutex(RetryBudget(percent: policy.budgetPercent, at: now)) : nil
    }

    // MARK: Retries

    /// A request is sent for the first time.
    func requestSent() { retries?.withLock { $0.requestSent() } }

    /// Whether there may be another retry now: it counts as made.
    func takeRetry(at now: MonotonicTime) -> Bool { retries?.withLock { $0.takeRetry(at: now) } ?? false }

    // MARK: Credentials

    /// Whether there may be something to ask ``admit(credential:at:)`` for.
    var hasRefusedCredentials: Bool { remembersCredentials.load(ordering: .relaxed) }

    /// Whether refusals of a credential are counted at all.
    var quarantinesCredentials: Bool { quarantine != nil }

    /// Whether a request with this credential, known by its hash, may be sent.
    func admit(credential: UInt64, at now: MonotonicTime) -> CredentialQuarantine.Admission {
        quarantine?.withLock { $0.admit(credential, at: now) } ?? .admitted
    }

    /// Takes what the provider's answer says of the credential.
    func judge(credential: UInt64, _ verdict: CredentialQuarantine.Verdict, at now: MonotonicTime) {
        quarantine?.withLock { quarantine in
            quarantine.judge(credential, verdict, at: now)
            remembersCredentials.store(!quarantine.isEmpty, ordering: .relaxed)
        }
    }

    /// Takes back a probe that was not sent.
    func returnProbe(ofCredential credential: UInt64) {
        quarantine?.withLock { $0.returnProbe(credential) }
    }

    // MARK: Reading

    /// What metrics and pages tell.
    var gauges: GuardGauges {
        GuardGauges(quarantinedCredentials: quarantine?.withLock { $0.count } ?? 0)
    }
}
