internal import ProxyCore

/// The pacers of all providers, by whom they count for: they outlive the configuration that they were made for.
struct Ledgers {
    private enum Owner: Hashable {
        case provider(String)
        case group(String)

        init(_ provider: ProviderConfiguration) {
            self = provider.limits.first?.by == .group ? .group(provider.group) : .provider(provider.name)
        }
    }

    private struct Entry {
        var pacer: Pacer
        /// Since when no provider has used it; `nil` if one does.
        var leftAt: MonotonicTime?
    }

    private var entries: [Owner: Entry] = [:]

    /// The pacers of the providers, in their order, each counting by its provider's limits from now on.
    ///
    /// - Returns: also the timers to arm, for those that wait under a limit that has changed.
    mutating func pacers(
        for configuration: ProxyConfiguration, at now: MonotonicTime
    ) -> (pacers: [Pacer], wakes: [(pacer: Pacer, wakes: [Wake])]) {
        var wakes: [(pacer: Pacer, wakes: [Wake])] = []
        let owners = configuration.providers.map(Owner.init)
        var settled: Set<Owner> = []
        let pacers = zip(owners, configuration.providers).map { owner, provider in
            let policy = PacingPolicy(provider, limits: configuration.limits)
            guard let pacer = entries[owner]?.pacer else {
                let pacer = Pacer(policy: policy)
                settled.insert(owner)
                entries[owner] = Entry(pacer: pacer)
                return pacer
            }
            // The providers of a group have the same limits, perhaps in another order: the first one says which.
            guard settled.insert(owner).inserted else { return pacer }
            let armed = pacer.change(to: policy, at: now)
            if !armed.isEmpty { wakes.append((pacer, armed)) }
            return pacer
        }
        leaveAll(except: Set(owners), at: now)
        return (pacers, wakes)
    }

    /// A provider that comes back finds its ledger as long as that remembers something.
    private mutating func leaveAll(except used: Set<Owner>, at now: MonotonicTime) {
        for owner in Array(entries.keys) {
            guard !used.contains(owner) else {
                entries[owner]?.leftAt = nil
                continue
            }
            guard let entry = entries[owner] else { continue }
            let leftAt = entry.leftAt ?? now
            let longest = entry.pacer.policy.windows.map(\.per).max() ?? .zero
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
    /// What a provider allows, and how much may be held for it.
    fileprivate init(_ provider: ProviderConfiguration, limits: SizeLimits) {
        self.init(
            windows: provider.limits.map { Window(requests: $0.requests, per: $0.per) },
            queueCapacity: limits.queue, keyCapacity: limits.keys)
    }
}
