import Configuration
import Core

/// The defaults of the profiles that the tests know.
func knownProfiles(_ name: String) -> ProfileDefaults? {
    switch name {
    case "lemlist":
        ProfileDefaults(
            upstream: "https://api.lemlist.com/api",
            limits: [RateLimit(requests: 20, per: .seconds(2), by: .credential)])
    case "lettr":
        ProfileDefaults(
            upstream: "https://app.lettr.com/api",
            limits: [RateLimit(requests: 3, per: .seconds(1), by: .group)])
    case "generic": ProfileDefaults(upstream: nil, limits: [])
    default: nil
    }
}

/// Reads `text` as `weir.yaml`, with these variables and files around it.
func read(
    _ text: String, variables: [String: String] = [:], files: [String: String] = [:],
    flags: [ConfigurationOverrides.Setting: String] = [:]
) throws(ConfigurationMistakes) -> ProxyConfiguration {
    try ConfigurationReader.read(
        text: text, file: "weir.yaml",
        surroundings: Surroundings(variable: { variables[$0] }, file: { files[$0] }),
        profiles: knownProfiles,
        overrides: ConfigurationOverrides(flags: flags, variable: { variables[$0] }))
}

/// Reads a file with the one provider `api`, whose members are `members`.
func readProvider(
    _ members: String, variables: [String: String] = [:], files: [String: String] = [:]
) throws -> ProviderConfiguration? {
    let text = "providers: { api: { upstream: http://127.0.0.1:9, \(members) } }"
    return try read(text, variables: variables, files: files).providers.first
}

/// The mistakes of `text`, one a line; empty if it has none.
func mistakes(
    _ text: String, variables: [String: String] = [:],
    flags: [ConfigurationOverrides.Setting: String] = [:]
) -> String {
    do {
        _ = try read(text, variables: variables, flags: flags)
        return ""
    } catch {
        return error.description
    }
}

/// The mistakes of a provider whose members are `members`, without the place.
func providerMistakes(_ members: String) -> [String] {
    do {
        _ = try read("providers: { api: { upstream: 'http://127.0.0.1:9', \(members) } }")
        return []
    } catch {
        return error.all.map { "\($0.key): \($0.reason)" }
    }
}
