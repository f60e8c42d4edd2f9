internal import BuiltIn
internal import Configuration
internal import Core
internal import Engine
internal import Glibc

/// A configuration with the profiles that its providers use.
struct LoadedConfiguration {
    var configuration: ProxyConfiguration
    /// One for each provider, in the same order.
    var normalizers: [ErrorNormalizer]
}

/// A provider as the command line names it: `stripe`, or `stripe=https://api.stripe.com`.
struct NamedProvider {
    var name: String
    var upstream: String?

    init(_ argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(parts[0])
        upstream = parts.count == 2 ? String(parts[1]) : nil
    }

    /// The file that names these providers and nothing else, a line each.
    static func configuration(of providers: [NamedProvider]) -> String {
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
        return providers.reduce(into: "providers:") { file, provider in
            let upstream = provider.upstream.map { "upstream: \(quoted($0))" } ?? ""
            file += "\n  \(quoted(provider.name)): { \(upstream) }"
        }
    }
}

/// Reads the configuration from a file, the environment and the flags, and the profiles that it names.
struct ConfigurationLoader {
    /// The file, `-` for standard input, or `nil` for the built-in defaults.
    var path: String?
    /// The providers that the command line names in place of a file.
    var namedProviders: [NamedProvider] = []
    var overrides = ConfigurationOverrides()
    /// The files that are read, with their contents.
    var sources = SourceFiles()
    /// Whether an empty file means the built-in defaults; during a reload it is a file that is being written.
    var acceptsEmptyFile = true

    /// Reads everything; paths in a file are relative to the file's folder.
    ///
    /// - Throws: ``ConfigurationMistakes``: all of them at once, the profile files' included.
    func load() throws(ConfigurationMistakes) -> LoadedConfiguration {
        let folder = path.flatMap(Files.folder)
        let profiles = try ProfileLibrary(folder: folder, sources: sources)
        var configuration: ProxyConfiguration
        do {
            configuration = try read(profiles, in: folder)
        } catch {
            throw ConfigurationMistakes(all: error.all + profiles.mistakes)
        }
        guard profiles.mistakes.isEmpty else { throw ConfigurationMistakes(all: profiles.mistakes) }
        configuration.resolvePaths(in: folder)
        configuration.dropStreams()
        configuration.addContents(of: sources, in: folder)
        var normalizers: [ErrorNormalizer] = []
        for provider in configuration.providers {
            let profile = try profiles.profile(named: provider.profile)
            normalizers.append(
                ErrorNormalizer(
                    profile: profile, limits: configuration.ownLimits(of: provider),
                    bodyLimit: provider.includesUpstreamBody ? configuration.limits.errorBody : 0))
        }
        return LoadedConfiguration(configuration: configuration, normalizers: normalizers)
    }

    /// Like ``load()``, but prints the mistakes to standard error and throws the exit code.
    func loadOrReport() throws -> LoadedConfiguration {
        do {
            return try load()
        } catch {
            StandardStreams.printError("\(error)")
            throw Failure.check
        }
    }

    private func read(
        _ profiles: ProfileLibrary, in folder: String?
    ) throws(ConfigurationMistakes) -> ProxyConfiguration {
        if !namedProviders.isEmpty {
            return try ConfigurationReader.read(
                text: NamedProvider.configuration(of: namedProviders), file: "--provider",
                surroundings: .system,
                profiles: profiles.defaults(of:), overrides: overrides)
        }
        guard let path else {
            return try ProxyConfiguration.builtIn(
                surroundings: .system, profiles: profiles.defaults(of:), overrides: overrides)
        }
        guard let text = sources.read(path) else {
            throw ConfigurationMistakes(file: path, reason: "cannot be read: \(Files.lastError)")
        }
        guard acceptsEmptyFile || text.contains(where: { !$0.isWhitespace }) else {
            throw ConfigurationMistakes(
                file: path,
                reason: "is empty; during a reload, an empty file does not select the built-in defaults")
        }
        var surroundings = Surroundings.system
        surroundings.file = { [sources] in sources.read(Files.path($0, in: folder)) }
        return try ConfigurationReader.read(
            text: text, file: path, surroundings: surroundings, profiles: profiles.defaults(of:),
            overrides: overrides)
    }
}

extension ProxyConfiguration {
    /// Makes the paths of files that are opened later begin at `folder`.
    fileprivate mutating func resolvePaths(in folder: String?) {
        if let file = tracing?.caFile { tracing?.caFile = Files.path(file, in: folder) }
        for index in providers.indices {
            var tls = providers[index].tls
            tls.caFile = tls.caFile.map { Files.path($0, in: folder) }
            tls.clientCertificate = tls.clientCertificate.map { Files.path($0, in: folder) }
            tls.clientKey = tls.clientKey.map { Files.path($0, in: folder) }
            providers[index].tls = tls
            let credential = providers[index].credentialFile
            providers[index].credentialFile = credential.map { Files.path($0, in: folder) }
        }
    }

    /// Leaves out pipes and the like, whose content is read once.
    fileprivate mutating func dropStreams() {
        for index in providers.indices {
            guard let path = providers[index].credentialFile, FileMark(path)?.isRegular != true else {
                continue
            }
            providers[index].credentialFile = nil
        }
    }

    /// Adds hashes of the files that the providers name, so that a changed file is a changed configuration.
    fileprivate mutating func addContents(of sources: SourceFiles, in folder: String?) {
        if let file = tracing?.caFile { tracing?.contents = sources.contents(of: [file]) }
        for index in providers.indices {
            let tls = providers[index].tls
            let files = [tls.caFile, tls.clientCertificate, tls.clientKey].compactMap { $0 }
            providers[index].tls.contents = files.isEmpty ? 0 : sources.contents(of: files)
            let profile = providers[index].profile
            guard ProfileLibrary.isPath(profile) else { continue }
            providers[index].profileContents = sources.contents(of: [Files.path(profile, in: folder)])
        }
    }
}

extension ConfigurationOverrides {
    /// The overrides of the environment, without flags.
    static var environment: ConfigurationOverrides { ConfigurationOverrides(variable: Environment.variable) }
}

extension Surroundings {
    /// The environment and the files of this process.
    static let system = Surroundings(
        variable: Environment.variable, file: { Files.read($0) },
        identityMistake: { ListenerTLS(certificate: Secret($0), key: Secret($1)).mistake },
        authorityMistake: { ListenerTLS.mistake(inAuthorities: $0) })
}
