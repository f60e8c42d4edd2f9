/// What a profile says about a provider where the configuration says nothing.
public struct ProfileDefaults: Hashable, Sendable {
    /// The provider's base URL, `nil` for a profile that fits many providers.
    public var upstream: String?
    /// The provider's rate limits, empty if none are known.
    public var limits: [RateLimit]

    /// Defaults with these values.
    public init(upstream: String?, limits: [RateLimit]) {
        self.upstream = upstream
        self.limits = limits
    }
}
