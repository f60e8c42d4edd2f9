/// What an imitation has counted.
public struct ProviderCounts: Sendable, Hashable {
    /// Requests that came.
    public var requests = 0
    /// Those of them that came too early for the rate limit, and were refused for it.
    public var refusals = 0

    /// Nothing.
    public init() {}
}
