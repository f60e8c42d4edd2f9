internal import BuiltIn
internal import Configuration
internal import Core
internal import Sandbox

/// The profiles that a sandbox imitates, as the command line names them.
struct SandboxSelection {
    /// The profiles, in order.
    private(set) var providers: [Sandbox.Provider] = []
    /// The profile whose cases every provider has besides its own.
    let generic: Profile
    /// The names or paths of the profiles, by their names.
    private(set) var origins: [String: String] = [:]
    private let readsCasesLater: Bool

    /// All profiles of providers that are part of the program; `generic` is the profile of none.
    ///
    /// Their recorded cases, most of their text, are read when the first request to them arrives.
    static func builtIn() throws -> SandboxSelection {
        try SandboxSelection(names: ProfileLibrary.names.filter { $0 != "generic" }, readsCasesLater: true)
    }

    /// Reads the profiles that `names` lists: `github,stripe=sandbox,./mine.yaml`, or `all`.
    ///
    /// Prints what is wrong, and throws the exit code.
    init(names: [String], readsCasesLater: Bool = false) throws {
        self.readsCasesLater = readsCasesLater
        do {
            generic = try Self.read("generic", generic: nil)
            for name in names {
                let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                try add(String(parts[0]), tier: parts.count == 2 ? String(parts[1]) : nil)
            }
        } catch let mistakes as ConfigurationMistakes {
            StandardStreams.printError("\(mistakes)")
            throw Failure.check
        }
    }

    /// The names in the values of `--profile`; those of lemlist and Lettr if there is none.
    static func names(_ values: [String]) throws -> [String] {
        guard !values.isEmpty else { return Sandbox.usualProfiles }
        var names: [String] = []
        for name in values.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            guard !name.isEmpty else {
                throw Failure.report("--profile: a name is empty; write github,stripe", Failure.usage)
            }
            names += name == "all" ? ProfileLibrary.names : [String(name)]
        }
        return names
    }

    private mutating func add(_ name: String, tier: String?) throws {
        guard BuiltIn.profile(named: name) != nil || ProfileLibrary.isPath(name) else {
            let known = ProfileLibrary.names.joined(separator: ", ")
            throw Failure.report(
                "--profile: '\(name)' is not one of: \(known), all; nor the path of a profile (with a / or .yaml)",
                Failure.usage)
        }
        let isLater = readsCasesLater && BuiltIn.profile(named: name) != nil
        let profile = name == "generic" ? generic : try Self.read(name, generic: generic, withCases: !isLater)
        if let tier {
            let tiers = Sandbox.usualProfiles.contains(profile.name) ? [] : profile.tiers.map(\.name)
            guard tiers.contains(tier) else {
                let known =
                    tiers.isEmpty
                    ? "has no tiers" : "has no tier '\(tier)'; it has \(tiers.joined(separator: ", "))"
                throw Failure.report("--profile: \(profile.name) \(known)", Failure.usage)
            }
        }
        guard ProviderConfiguration.isValid(name: profile.name) else {
            throw Failure.report(
                "--profile: the name '\(profile.name)' in \(name) must be a lower-case letter, then lower-case letters, digits, - and _, at most 32 in all",
                Failure.check)
        }
        if let index = providers.firstIndex(where: { $0.profile.name == profile.name }) {
            // `all,stripe=sandbox`: what is more precise counts.
            if let tier { providers[index].tier = tier }
            return
        }
        origins[profile.name] = name
        var provider = Sandbox.Provider(profile, tier: tier)
        if isLater {
            // A built-in profile has no mistakes: a test reads each of them.
            provider.complete = { [generic] in (try? Self.read(name, generic: generic)) ?? profile }
        }
        providers.append(provider)
    }

    private static func read(_ name: String, generic: Profile?, withCases: Bool = true) throws -> Profile {
        if let text = withCases ? BuiltIn.profileWithCases(named: name) : BuiltIn.profile(named: name) {
            return try ProfileReader.read(text: text, file: "\(name).yaml", generic: generic)
        }
        guard let text = SourceFiles().read(name) else {
            throw ConfigurationMistakes(file: name, reason: "cannot be read: \(Files.lastError)")
        }
        return try ProfileReader.read(text: text, file: name, surroundings: .system, generic: generic)
    }

    /// The rules in a file; prints what is wrong with it, and throws the exit code.
    func rules(in file: String) throws -> [SandboxRule] {
        guard let text = SourceFiles().read(file) else {
            throw Failure.report("\(file): cannot be read: \(Files.lastError)", Failure.check)
        }
        let shared = generic.cases.map(\.id)
        do {
            return try SandboxRulesReader.read(
                text: text, file: file, profiles: providers.map(\.profile.name),
                cases: { name in
                    let own = providers.first { $0.profile.name == name }?.profile.cases.map(\.id)
                    return Set((own ?? []) + shared)
                })
        } catch {
            StandardStreams.printError("\(error)")
            throw Failure.check
        }
    }
}

extension Sandbox {
    /// Starts the sandbox, or prints why it cannot be started and throws the exit code.
    static func startOrReport(
        _ selection: SandboxSelection, at address: ListenAddress, rules: [SandboxRule] = []
    ) throws -> Sandbox {
        guard case .tcp(let host, let port) = address else {
            throw Failure.report(
                "the sandbox can listen only on a TCP port, not on \(address)", Failure.usage)
        }
        do {
            return try Sandbox(
                address: "\(host)", port: port, providers: selection.providers, generic: selection.generic,
                rules: rules)
        } catch {
            throw Failure.report("\(error)", Failure.unavailable)
        }
    }
}

extension LoadedConfiguration {
    /// Points every provider that `sandbox` imitates at it.
    ///
    /// A configured credential is replaced by the sandbox's key, so that the real one is not used.
    mutating func point(to sandbox: Sandbox) {
        for index in configuration.providers.indices {
            var provider = configuration.providers[index]
            guard let base = sandbox.upstream(for: provider.profile),
                let upstream = try? UpstreamURL(parsing: base)
            else { continue }
            provider.upstream = upstream
            provider.tls = TLSConfiguration()
            if provider.credential != nil {
                provider.credential = sandbox.key(for: provider.profile).map(Secret.init)
                (provider.credentialFile, provider.otherCredentials) = (nil, [])
            }
            configuration.providers[index] = provider
        }
    }
}

/// Messages that introduce the sandbox to a newcomer.
enum SandboxMessage {
    /// The base URLs and keys of the simulated providers.
    static func lines(of sandbox: Sandbox, profiles: [String]) -> [String] {
        var table = TextTable("imitation", "base URL", "key")
        for profile in profiles {
            table.add(profile, sandbox.upstream(for: profile) ?? "", sandbox.key(for: profile) ?? "")
        }
        return table.lines + [
            "Send the header `X-Sandbox-Case: ID` to get a recorded error; /-/sandbox/cases lists the IDs, "
                + "/-/sandbox shows counters."
        ]
    }

    /// A configuration that points Weir at the simulated providers.
    static func configuration(of sandbox: Sandbox, _ selection: SandboxSelection) -> String {
        var lines = ["providers:"]
        for provider in selection.providers {
            let name = provider.profile.name
            var keys = ["upstream: '\(sandbox.upstream(for: name) ?? "")'"]
            if let origin = selection.origins[name], origin != name {
                keys.insert("profile: '\(origin.replacing("'", with: "''"))'", at: 0)
            }
            if let tier = provider.tier { keys.append("tier: \(tier)") }
            lines.append("  \(name): { \(keys.joined(separator: ", ")) }")
        }
        return lines.joined(separator: "\n")
    }

    /// Commands to paste: a success, errors, and a burst of requests through Weir.
    ///
    /// - Parameters:
    ///   - places: returns the curl arguments for a provider of a profile: its base URL, and a socket if necessary.
    ///   - metrics: those of the metrics.
    static func commands(
        of sandbox: Sandbox, places: (String) -> String?, metrics: String
    ) -> [String] {
        var commands: [String] = []
        if let lemlist = places("lemlist"), let key = sandbox.key(for: "lemlist") {
            commands += [
                "# a successful response passes through unchanged",
                "curl -i -u :\(key) \(lemlist)/campaigns",
                "# an error becomes a problem: lemlist returns the text “Bad team”",
                "curl -i -u :\(key) -H 'X-Sandbox-Case: lemlist-028' \(lemlist)/campaigns",
                "# 50 requests at once: paced at 20 per 2 s, and none is rejected",
                "seq 50 | xargs -P 50 -I{} curl -s -o /dev/null -w '%{http_code}\\n' -u :\(key) \(lemlist)/team | sort | uniq -c",
            ]
        }
        if let lettr = places("lettr"), let key = sandbox.key(for: "lettr") {
            let message = #"{"from":"a@example.com","to":["nobody"],"subject":"Hello","text":"Hello"}"#
            commands += [
                "# the invalid field, in the same place for every provider",
                "curl -s -H 'Authorization: Bearer \(key)' --json '\(message)' \(lettr)/emails",
            ]
        }
        return commands + [
            "# this metric should stay 0", "curl -s \(metrics) | grep ^weir_provider_rejections",
        ]
    }
}
