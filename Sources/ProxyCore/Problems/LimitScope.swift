/// Whose requests count together against a limit.
public enum LimitScope: String, CaseIterable, Sendable {
    /// Each credential has its own.
    case credential
    /// All requests to the provider share it.
    case provider
    /// Several credentials share it, as the configuration says.
    case group
}
