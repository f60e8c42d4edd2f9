internal import BuiltIn
internal import Configuration
internal import Glibc
internal import ProxyCore

/// A configuration with the profiles that its providers use.
struct LoadedConfiguration {
    var configuration: ProxyConfiguration
    var normalizers: [ErrorNormalizer]
}

/// Reads the configuration from a file, the environment and the flags, and the profiles that it names.
struct ConfigurationLoader {
    /// The file, or `nil` for the built-in defaults.
    var path: String?
    var overrides: ConfigurationOverrides

    /// Reads everything.
    ///
    /// - Throws: ``ConfigurationMistakes``, all of them at once.
    func load() throws(ConfigurationMistakes) -> LoadedConfiguration {
        let profiles = ProfileLibrary()
        let configuration: ProxyConfiguration
        if let path {
            guard let text = Files.read(path) else {
                throw ConfigurationMistakes(all: [
                    ConfigurationMistake(file: path, reason: "cannot be read: \(Files.lastError)")
                ])
            }
            configuration = try ConfigurationReader.read(
                text: text, file: path, surroundings: .system, profiles: profiles.defaults(of:),
                overrides: overrides)
        } else {
            configuration = try ProxyConfiguration.builtIn(
                surroundings: .system, profiles: profiles.defaults(of:), overrides: overrides)
        }
        var normalizers: [ErrorNormalizer] = []
        for provider in configuration.providers {
            let profile = try profiles.profile(named: provider.profile)
            normalizers.append(
                ErrorNormalizer(
                    profile: profile,
                    bodyLimit: provider.includesUpstreamBody ? configuration.limits.errorBody : 0))
        }
        return LoadedConfiguration(configuration: configuration, normalizers: normalizers)
    }
}

extension Surroundings {
    /// The environment and the files of this process.
    static let system = Surroundings(
        variable: { unsafe getenv($0).map { unsafe String(cString: $0) } }, file: { Files.read($0) })
}
