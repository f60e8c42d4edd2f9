internal import BuiltIn
internal import Configuration
internal import ProxyCore
internal import Synchronization

/// Finds profiles by name, among the built-in ones, or by path; each is read once.
final class ProfileLibrary: Sendable {
    private let known = Mutex<[String: Result<Profile, ConfigurationMistakes>]>([:])

    /// The names of the built-in profiles.
    static let builtInNames = BuiltIn.profiles.map(\.name)

    /// The profile of this name, or in this file.
    ///
    /// - Throws: ``ConfigurationMistakes``
    func profile(named name: String) throws(ConfigurationMistakes) -> Profile {
        let result = known.withLock { known in
            if let result = known[name] { return result }
            let result = Result { () throws(ConfigurationMistakes) in try Self.read(name) }
            known[name] = result
            return result
        }
        return try result.get()
    }

    /// What the configuration needs to know of a profile; `nil` if there is none, or it has mistakes.
    func defaults(of name: String) -> ProfileDefaults? {
        guard let profile = try? profile(named: name) else { return nil }
        return ProfileDefaults(upstream: profile.upstream, limits: profile.limits)
    }

    private static func read(_ name: String) throws(ConfigurationMistakes) -> Profile {
        let builtIn = try ProfileReader.builtIn(BuiltIn.profiles)
        if let profile = builtIn.first(where: { $0.name == name }) { return profile }
        guard name.contains("/") || name.hasSuffix(".yaml") else {
            throw ConfigurationMistakes(all: [
                ConfigurationMistake(
                    file: name,
                    reason:
                        "is neither a profile (\(builtInNames.joined(separator: ", "))) nor the path of one")
            ])
        }
        guard let text = Files.read(name) else {
            throw ConfigurationMistakes(all: [
                ConfigurationMistake(file: name, reason: "cannot be read: \(Files.lastError)")
            ])
        }
        return try ProfileReader.read(
            text: text, file: name, surroundings: .system, generic: builtIn.first { $0.name == "generic" })
    }
}
