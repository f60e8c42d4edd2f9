internal import Core
internal import Loop

/// The pacers of all providers and groups, which outlive the configuration for which they were created.
struct Ledgers {
    /// The longest lease of a slot, for providers whose response time is unlimited.
    private static let longestLease = Duration.seconds(3600)

    /// How one provider of a configuration uses a pacer.
    struct Share {
        let pacer: Pacer
        let plan: PacingPlan
        /// The version of the pacer's policy to which the plan belongs.
        let revision: UInt32
        /// The key of all requests to this provider; other providers may share the pacer.
        let key: LedgerKey
        /// How many instances use the limits.
        let instances: Int
        /// Whether other instances use the limits as well.
        let hasOtherInstances: Bool
        /// The shared ledger; nil if each instance counts for itself.
        let ledger: LedgerAccount?
        /// Computes keys from credentials that are the same in all instances.
        let digest: LedgerDigest?
    }

    private enum Owner: Hashable {
        case provider(String)
        case group(String)

        /// Its name in the shared ledger.
        var name: String {
            switch self {
            case .provider(let name): "p.\(name)"
            case .group(let name): "g.\(name)"
            }
        }

        init(_ provider: ProviderConfiguration) {
            let isShared = provider.limits.contains { $0.by == .group }
            self = isShared ? .group(provider.group) : .provider(provider.ledgerName)
        }
    }

    private struct Entry {
        let pacer: Pacer
        var plan: PacingPlan
        /// Since when no provider has used it; `nil` if one does.
        var leftAt: MonotonicTime?
    }

    private var entries: [Owner: Entry] = [:]
    /// Kept forever, since their limits cannot change.
    private var accounts: [Owner: LedgerAccount] = [:]

    /// The name of a provider's ledger in the shared ledger.
    static func name(of provider: ProviderConfiguration) -> String { Owner(provider).name }

    /// The difference between the time since 1970 and the monotonic clock.
    static var wallClockOffset: Duration {
        .nanoseconds(SystemClock.wallNanoseconds - SystemClock.monotonicNanoseconds)
    }

    /// The shares of the providers in order; their pacers use the new limits from now on.
    ///
    /// - Parameter normalizers: one for each provider.
    /// - Returns: also the timers to arm for requests that wait under a changed limit.
    mutating func shares(
        for configuration: ProxyConfiguration, normalizers: [ErrorNormalizer], at now: MonotonicTime
    ) -> (shares: [Share], wakes: [(pacer: Pacer, wake: Wake)]) {
        let owners = configuration.providers.map(Owner.init)
        let plans = zip(configuration.providers, normalizers).map {
            PacingPlan(
                limits: configuration.ownLimits(of: $0), quotaRequests: $1.profile.quotaRequests,
                learns: $0.learnsLimits)
        }
        var wakes: [(pacer: Pacer, wake: Wake)] = []
        var settled: [Owner: (pacer: Pacer, revision: UInt32)] = [:]
        for (index, owner) in owners.enumerated() where settled[owner] == nil {
            let members = owners.indices.filter { owners[$0] == owner }
            let policy = PacingPolicy(
                members.map { (configuration.providers[$0], plans[$0]) }, limits: configuration.limits)
            let (pacer, wake) = pacer(of: owner, policy: policy, plan: plans[index], at: now)
            if let wake { wakes.append((pacer, wake)) }
            settled[owner] = (pacer, pacer.revision)
        }
        leaveAll(except: Set(owners), at: now)
        let digest = configuration.ledger == nil ? nil : LedgerKeys.digest
        let shares = owners.indices.compactMap { index in
            settled[owners[index]].map { pacer, revision in
                let provider = configuration.providers[index]
                return Share(
                    pacer: pacer, plan: plans[index], revision: revision,
                    key: LedgerKey(hashing: Array(provider.ledgerName.utf8), digest: digest),
                    instances: max(configuration.replicas, 1),
                    hasOtherInstances: configuration.replicas > 1 || configuration.ledger != nil,
                    ledger: account(of: owners[index], pacer, configuration),
                    digest: digest)
            }
        }
        return (shares, wakes)
    }

    private mutating func account(
        of owner: Owner, _ pacer: Pacer, _ configuration: ProxyConfiguration
    ) -> LedgerAccount? {
        guard configuration.ledger != nil else { return nil }
        if let account = accounts[owner] { return account }
        // The lease allows for the slowest provider that shares it.
        let longest =
            configuration.providers.lazy.filter { Owner($0) == owner }
            .map { $0.timeouts.connect + ($0.timeouts.response ?? Self.longestLease) }.max() ?? .zero
        let account = LedgerAccount(
            name: owner.name, pacer: pacer, replicas: configuration.replicas,
            lease: longest + pacer.policy.grace, wallClockOffset: Self.wallClockOffset)
        accounts[owner] = account
        return account
    }

    private mutating func pacer(
        of owner: Owner, policy: PacingPolicy, plan: PacingPlan, at now: MonotonicTime
    ) -> (pacer: Pacer, wake: Wake?) {
        guard let entry = entries[owner] else {
            let pacer = Pacer(policy: policy)
            pacer.setWallClock(offset: Self.wallClockOffset)
            entries[owner] = Entry(pacer: pacer, plan: plan)
            return (pacer, nil)
        }
        entry.pacer.setWallClock(offset: Self.wallClockOffset)
        let wake = entry.pacer.change(to: policy, origins: plan.origins(in: entry.plan), at: now)
        entries[owner]?.plan = plan
        return (entry.pacer, wake)
    }

    /// A provider that is added again finds its ledger while the ledger still remembers something.
    private mutating func leaveAll(except used: Set<Owner>, at now: MonotonicTime) {
        for owner in Array(entries.keys) {
            guard !used.contains(owner) else {
                entries[owner]?.leftAt = nil
                continue
            }
            guard let entry = entries[owner] else { continue }
            let leftAt = entry.leftAt ?? now
            let longest = entry.plan.windows.map(\.per).max() ?? .zero
            let snapshot = entry.pacer.snapshot(at: now, rows: 0)
            if leftAt + longest < now, snapshot.waiting == 0, snapshot.inFlight == 0 {
                entries[owner] = nil
            } else {
                entries[owner]?.leftAt = leftAt
            }
        }
    }
}

extension PacingPolicy {
    /// The common policy of providers that share a pacer.
    ///
    /// Their limits are equal; for other settings in which they differ, the pacer uses what is safe for all.
    fileprivate init(
        _ members: [(provider: ProviderConfiguration, plan: PacingPlan)], limits: SizeLimits
    ) {
        var margin = Duration.zero
        var isStrict = false
        for (provider, _) in members {
            switch provider.guarantee {
            case .strict: isStrict = true
            case .fast(let own): margin = max(margin, own)
            }
        }
        self.init(
            windows: members[0].plan.windows, quotaScope: members.lazy.compactMap(\.plan.quotaScope).first,
            guarantee: isStrict ? .strict : .fast(margin: margin), queueCapacity: limits.queue,
            keyCapacity: limits.keys)
        learns = members[0].plan.learns
        isObserved = members.allSatisfy { $0.provider.isPacingObserved }
    }
}
