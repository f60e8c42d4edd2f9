/// Holds back credentials that a provider keeps refusing, so that it does not lock the account.
///
/// After ``threshold`` refusals of one credential without another answer in between, requests that carry it are
/// refused here. Once in ``probeInterval`` one is let through, to see whether the credential is good again. A
/// request without a credential is nobody's, and is never held back.
///
/// A credential is known by a keyed hash alone. At most ``capacity`` are remembered: a new one takes the place
/// of the one whose last refusal is the longest ago.
public struct CredentialQuarantine: Sendable {
    /// Refusals in a row after which a credential is held back.
    public static let threshold = 3
    /// How long after a refusal, or after the last probe, the next probe is let through.
    public static let probeInterval = Duration.seconds(60)
    /// The most credentials that are remembered.
    public static let capacity = 1024

    /// What a provider's answer says of the credential that it got.
    public enum Verdict: Hashable, Sendable {
        /// It knows the credential.
        case taken
        /// It refuses the credential.
        case refused
        /// It did not look, or does not say.
        case open

        /// What an error says; the code decides, since providers refuse credentials with more than one status.
        public init(_ code: ProblemCode) {
            switch code {
            case .unauthenticated: self = .refused
            case .rateLimited, .quotaExceeded, .edgeBlocked, .providerError, .providerUnavailable,
                .providerBadResponse:
                self = .open
            default: self = .taken
            }
        }
    }

    /// Whether a request may be sent.
    public enum Admission: Hashable, Sendable {
        /// Its credential is not held back.
        case admitted
        /// Its credential is held back, and this request tries it; see ``CredentialQuarantine/returnProbe(_:)``.
        case probe
        /// The next probe may be sent after this time.
        case refused(retryAfter: Duration)
    }

    private struct Entry {
        var refusals = 0
        var lastRefusal: MonotonicTime
        var nextProbe = MonotonicTime.distantPast
    }

    private var entries: [UInt64: Entry] = [:]

    /// A quarantine that holds nobody back.
    public init() {}

    /// Whether no credential is remembered.
    public var isEmpty: Bool { entries.isEmpty }

    /// How many credentials are held back.
    public var count: Int { entries.values.count { $0.refusals >= Self.threshold } }

    /// Whether a request with the credential may be sent now.
    public mutating func admit(_ credential: UInt64, at now: MonotonicTime) -> Admission {
        guard let entry = entries[credential], entry.refusals >= Self.threshold else { return .admitted }
        guard entry.nextProbe <= now else {
            return .refused(retryAfter: now.duration(to: entry.nextProbe))
        }
        entries[credential]?.nextProbe = now + Self.probeInterval
        return .probe
    }

    /// Takes back a probe that was not sent: the next request is one.
    public mutating func returnProbe(_ credential: UInt64) {
        entries[credential]?.nextProbe = .distantPast
    }

    /// Takes what an answer says of the credential.
    public mutating func judge(_ credential: UInt64, _ verdict: Verdict, at now: MonotonicTime) {
        switch verdict {
        case .open: break
        case .taken: entries[credential] = nil
        case .refused:
            if entries[credential] == nil, entries.count >= Self.capacity { forgetOldest() }
            var entry = entries[credential] ?? Entry(lastRefusal: now)
            entry.refusals = min(entry.refusals + 1, Self.threshold)
            entry.lastRefusal = now
            entry.nextProbe = now + Self.probeInterval
            entries[credential] = entry
        }
    }

    private mutating func forgetOldest() {
        guard let oldest = entries.min(by: { $0.value.lastRefusal < $1.value.lastRefusal }) else { return }
        entries[oldest.key] = nil
    }
}
