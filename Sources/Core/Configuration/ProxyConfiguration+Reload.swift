extension ProxyConfiguration {
    /// Restores the settings that cannot change while Weir runs, so that the others can be applied.
    ///
    /// Sockets are bound and workers are created at the start. The grouping of requests cannot change while requests
    /// are counted by the old one, so if such a change is requested, the limits of all providers stay as they were.
    ///
    /// - Parameters:
    ///   - started: the configuration with which the program started.
    ///   - running: the configuration in force.
    /// - Returns: the keys whose changes need a restart, in the order of the file.
    public mutating func keepWhatNeedsRestart(
        started: ProxyConfiguration, running: ProxyConfiguration
    ) -> [String] {
        var keys: [String] = []
        func keep<Value: Equatable>(_ key: String, _ new: inout Value, _ old: Value) {
            guard new != old else { return }
            new = old
            keys.append(key)
        }
        keep("listen", &listen, started.listen)
        // The certificate may change, but not whether TLS is used.
        if (listenTLS == nil) != (started.listenTLS == nil) {
            listenTLS = running.listenTLS
            keys.append("listen.tls")
        }
        keep("admin.listen", &adminListen, started.adminListen)
        keep("workers", &workers, started.workers)
        keep("ledger", &ledger, started.ledger)
        // Instances that share a ledger must agree on their number.
        if ledger != nil { keep("replicas", &replicas, started.replicas) }
        for index in providers.indices {
            let name = providers[index].name
            let bound = started.providers.first { $0.name == name }
            keep("providers.\(name).listen", &providers[index].listen, bound?.listen)
            guard (providers[index].listenTLS == nil) != (bound?.listenTLS == nil) else { continue }
            let former = running.providers.first { $0.name == name } ?? bound
            providers[index].listenTLS = former?.listenTLS
            if bound?.listen != nil { keys.append("providers.\(name).listen.tls") }
        }
        for former in started.providers where former.listen != nil {
            if !providers.contains(where: { $0.name == former.name }) {
                keys.append("providers.\(former.name).listen")
            }
        }
        keys += keepLedgers(of: running)
        keep("limits.connections", &limits.connections, started.limits.connections)
        keep("limits.client_idle", &clientTimeouts.idle, started.clientTimeouts.idle)
        return keys
    }

    private mutating func keepLedgers(of running: ProxyConfiguration) -> [String] {
        var keys: [String] = []
        for provider in providers {
            guard let former = running.providers.first(where: { $0.name == provider.name }),
                provider.limits != former.limits || provider.group != former.group
            else { continue }
            let (scopes, formerScopes) = (provider.limits.map(\.by), former.limits.map(\.by))
            let (plan, formerPlan) = (PacingPlan(limits: provider.limits), PacingPlan(limits: former.limits))
            if !scopes.isEmpty, !formerScopes.isEmpty, plan.counters != formerPlan.counters {
                keys.append("providers.\(provider.name).limits[].by")
            } else if scopes.contains(.group), formerScopes.contains(.group), provider.group != former.group {
                keys.append("providers.\(provider.name).group")
            } else if ledger != nil {
                // The scopes that other instances count by cannot change in this instance alone.
                keys.append("providers.\(provider.name).limits")
            } else if !plan.canFollow(formerPlan) {
                keys.append("providers.\(provider.name).limits")
            }
        }
        guard !keys.isEmpty else { return [] }
        for index in providers.indices {
            let former =
                running.providers.first { $0.name == providers[index].name }
                ?? running.providers.first { $0.sharesLedger(with: providers[index]) }
            guard let former else { continue }
            (providers[index].limits, providers[index].group) = (former.limits, former.group)
        }
        return keys
    }
}

extension ProviderConfiguration {
    fileprivate func sharesLedger(with other: ProviderConfiguration) -> Bool {
        ledgerName == other.ledgerName
            || limits.contains { $0.by == .group } && other.limits.contains { $0.by == .group }
                && group == other.group
    }
}
