internal import Wire

/// Whose requests count together against a limit.
public enum LimitScope: Sendable, Hashable {
    /// Each credential has its own.
    case credential
    /// All requests to the provider share it.
    case provider
    /// Several providers or credentials share it, as the configuration says.
    case group
    /// Each value of a request field has its own.
    case header(String)
    /// Each value of a query parameter has its own.
    case query(String)

    /// The scope as the configuration spells it: `credential`, `header X-Tenant`.
    public var name: String {
        switch self {
        case .credential: "credential"
        case .provider: "provider"
        case .group: "group"
        case .header(let name): "header \(name)"
        case .query(let name): "query \(name)"
        }
    }

    /// Reads a scope as the configuration spells it; `nil` if it is none, if the name of the field is no token (RFC 9110 5.6.2), or
    /// that of the parameter none that ``QueryParameterName`` allows.
    public init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        let isNamed = words.count == 2 && Array(words[1].utf8).span.isToken
        let isParameter = words.count == 2 && QueryParameterName.isValid(words[1])
        switch words.first {
        case "credential" where words.count == 1: self = .credential
        case "provider" where words.count == 1: self = .provider
        case "group" where words.count == 1: self = .group
        case "header" where isNamed, "header:" where isNamed: self = .header(words[1])
        case "query" where isParameter, "query:" where isParameter: self = .query(words[1])
        default: return nil
        }
    }
}
