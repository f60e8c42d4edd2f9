internal import Core
internal import Engine
internal import Logging
internal import Sandbox

/// What `weir run` prints when it starts to serve: its addresses and the configuration.
struct Announcement {
    let server: ProxyServer
    let configuration: ProxyConfiguration
    let sandbox: Sandbox?

    /// Writes log lines: one for the server, one for each provider.
    func log(to logger: Logger) {
        var metadata: Logger.Metadata = ["address": "\(server.address)"]
        if let admin = server.adminAddress { metadata["admin"] = "\(admin)" }
        for (provider, address) in server.providerAddresses {
            metadata["provider_\(provider)"] = "\(address)"
        }
        logger.notice("listening", metadata: metadata)
        for provider in configuration.providers {
            logger.info(
                "provider",
                metadata: [
                    "provider": "\(provider.name)", "mount": "\(provider.mount?.path ?? "none")",
                    "upstream": "\(provider.upstream)", "profile": "\(provider.profile)",
                    "limits": "\(Spelling.limits(configuration.ownLimits(of: provider)))",
                    "max_wait": "\(Spelling.duration(provider.maximumWait))",
                    "errors": "\(provider.errors.rawValue)",
                ])
        }
    }

    /// The lines for people; with a sandbox, they end with commands to paste.
    var lines: [String] {
        var lines = [
            "",
            "Weir \(Versions.weir) listens on \(server.address)\(configuration.listenTLS == nil ? "" : " (TLS)")",
        ]
        if let admin = server.adminAddress { lines.append("admin paths are on \(admin)") }
        lines += [""] + ConfigurationSummary(configuration: configuration).lines
        guard let sandbox else { return lines + [""] }
        let names = Set(configuration.providers.map(\.profile)).union(Sandbox.usualProfiles)
        let imitated = sandbox.profiles.filter(names.contains)
        lines += [""] + SandboxMessage.lines(of: sandbox, profiles: imitated)
        let others = configuration.providers.filter { sandbox.upstream(for: $0.profile) == nil }
        if !others.isEmpty {
            lines.append(
                "Not simulated, requests go to the real API: \(others.map(\.name).joined(separator: ", "))")
        }
        let commands = SandboxMessage.commands(
            of: sandbox, places: place(of:), metrics: adminPlace + "/metrics")
        return lines + ["", "Paste into another terminal:", ""] + commands.map { "  \($0)" } + [""]
    }

    /// The curl arguments for the first provider of a profile, or `nil` if there is none.
    private func place(of profile: String) -> String? {
        guard let provider = configuration.providers.first(where: { $0.profile == profile }) else {
            return nil
        }
        if let mount = provider.mount { return mainPlace + mount.path }
        return server.providerAddresses.first { $0.provider == provider.name }
            .map { Self.url($0.address, speaksTLS: provider.listenTLS != nil) }
    }

    private var mainPlace: String {
        Self.url(server.address, speaksTLS: configuration.listenTLS != nil)
    }

    private var adminPlace: String {
        server.adminAddress.map { Self.url($0, speaksTLS: false) } ?? mainPlace
    }

    /// The curl arguments for a listening address; the loopback address if Weir listens on all addresses.
    private static func url(_ address: String, speaksTLS: Bool) -> String {
        let scheme = speaksTLS ? "https" : "http"
        if address.hasPrefix("unix:") { return "--unix-socket \(address.dropFirst(5)) \(scheme)://localhost" }
        for (any, loopback) in [("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:")] where address.hasPrefix(any)
        {
            return "\(scheme)://\(loopback)\(address.dropFirst(any.count))"
        }
        return "\(scheme)://\(address)"
    }
}
