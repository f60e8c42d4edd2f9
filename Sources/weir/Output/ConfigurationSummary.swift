internal import ProxyCore

/// The configuration in force, for people: what defaults, file, environment and flags come to.
struct ConfigurationSummary {
    var configuration: ProxyConfiguration

    /// A line for each provider, under headings.
    var lines: [String] {
        var table = TextTable("provider", "at", "goes to", "profile", "limits", "waits", "key", "errors")
        for provider in configuration.providers {
            table.add(
                provider.name, places(of: provider), "\(provider.upstream)", provider.profile,
                Spelling.limits(provider.limits), "≤ \(Spelling.duration(provider.maximumWait))",
                provider.credential == nil ? "the app's" : "Weir's", provider.errors.rawValue)
        }
        return table.lines
    }

    private func places(of provider: ProviderConfiguration) -> String {
        let own = provider.listen.map { "\($0)\(provider.listenTLS == nil ? "" : " (TLS)")" }
        return [provider.mount?.path, own].compactMap { $0 }.joined(separator: ", ")
    }
}
