internal import Core

/// A summary of the configuration in force, combined from defaults, file, environment and flags.
struct ConfigurationSummary {
    var configuration: ProxyConfiguration

    /// A table with one line for each provider.
    var lines: [String] {
        var table = TextTable("provider", "at", "goes to", "profile", "limits", "waits", "key", "errors")
        for provider in configuration.providers {
            table.add(
                provider.name, places(of: provider), "\(provider.upstream)", provider.profile,
                Spelling.limits(configuration.ownLimits(of: provider)),
                "≤ \(Spelling.duration(provider.maximumWait))",
                provider.credential == nil ? "the app's" : "Weir's", provider.errors.rawValue)
        }
        return table.lines + notes + instances
    }

    /// Why limits are not exact.
    private var notes: [String] {
        configuration.providers.flatMap { provider in
            let limits = configuration.ownLimits(of: provider)
            let names = RateLimitFields.names(
                of: limits.map { $0.window(scope: 0) }, called: limits.map(\.name))
            return zip(limits, names).flatMap { limit, name in
                limit.notes.map { "not exact: the limit \(name) of \(provider.name): \($0)" }
            }
        }
    }

    /// How the limits are shared with other instances.
    private var instances: [String] {
        let count = configuration.replicas
        if let ledger = configuration.ledger {
            return [
                "\(Spelling.count(count, "instance")) share the limits through the ledger at \(ledger)"
            ]
        }
        return count == 1 ? [] : ["the limits are the share of one instance out of \(count)"]
    }

    /// A line for each listener through which other machines can use Weir's keys.
    var exposedKeys: [String] {
        // Whoever has no token can use nothing.
        guard configuration.accessTokens.isEmpty else { return [] }
        let held = configuration.providers.filter { $0.credential != nil }
        let mounted = held.filter { $0.mount != nil }
        var listeners =
            configuration.listenTLS?.clientAuthorities == nil ? [(configuration.listen, mounted)] : []
        listeners += held.compactMap { provider in
            guard provider.listenTLS?.clientAuthorities == nil else { return nil }
            return provider.listen.map { ($0, [provider]) }
        }
        return listeners.compactMap { address, providers in
            guard case .tcp(let host, _) = address, !host.isLoopback, !providers.isEmpty else { return nil }
            let names = providers.map(\.name).joined(separator: ", ")
            let hosts = configuration.hosts.map(\.description).joined(separator: ", ")
            return
                "any client that reaches \(address) can use the key of \(names) if its Host is an address, localhost"
                + (hosts.isEmpty ? "; `hosts` may name more" : " or one of `hosts`: \(hosts)")
        }
    }

    private func places(of provider: ProviderConfiguration) -> String {
        let own = provider.listen.map { "\($0)\(provider.listenTLS == nil ? "" : " (TLS)")" }
        return [provider.mount?.path, own].compactMap { $0 }.joined(separator: ", ")
    }
}
