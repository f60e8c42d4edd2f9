/// Quarantines credentials that a provider keeps rejecting, so that it does not lock the account.
///
/// After ``threshold`` consecutive rejections of a credential, requests that carry it are rejected by Weir. One
/// request per ``probeInterval`` is sent, to check whether the credential is valid again. A request without a
/// credential is never quarantined.
///
/// A credential is identified only by a keyed hash. At most ``capacity`` are remembered: a new one replaces the one
/// whose last rejection is the longest ago.
public struct CredentialQuarantine: Sendable {
    /// The number of consecutive rejections after which a credential is quarantined.
    public static let threshold = 3
    /// The time from a rejection, or from the last probe, to the next probe.
    public static let probeInterval = Duration.seconds(60)
    /// The maximum number of remembered credentials.
    public static let capacity = 1024

    /// What a provider's response says about the request's credential.
    public enum Verdict: Hashable, Sendable {
        /// The provider accepts the credential.
        case taken
        /// The provider rejects the credential.
        case refused
        /// The response says nothing about it.
        case open

        /// The verdict of an error; the code decides, since providers reject credentials with more than one status.
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
        /// Its credential is not quarantined.
        case admitted
        /// Its credential is quarantined, and this request probes it; see ``CredentialQuarantine/returnProbe(_:)``.
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

    /// An empty quarantine.
    public init() {}

    /// Whether no credential is remembered.
    public var isEmpty: Bool { entries.isEmpty }

    /// How many credentials are quarantined.
    public var count: Int { entries.values.count { $0.refusals >= Self.threshold } }

    /// Whether a credential is quarantined.
    public func holds(_ credential: UInt64) -> Bool {
        (entries[credential]?.refusals ?? 0) >= Self.threshold
    }

    /// Whether a request with the credential may be sent now.
    public mutating func admit(_ credential: UInt64, at now: MonotonicTime) -> Admission {
        guard let entry = entries[credential], entry.refusals >= Self.threshold else { return .admitted }
        guard entry.nextProbe <= now else {
            return .refused(retryAfter: now.duration(to: entry.nextProbe))
        }
        entries[credential]?.nextProbe = now + Self.probeInterval
        return .probe
    }

    /// Returns a probe that was not sent: the next request is a probe.
    public mutating func returnProbe(_ credential: UInt64) {
        entries[credential]?.nextProbe = .distantPast
    }

    /// Records what a response says about the credential.
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
