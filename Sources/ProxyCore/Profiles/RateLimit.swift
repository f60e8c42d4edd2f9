/// A provider's rate limit.
public struct RateLimit: Sendable, Hashable {
    /// How many requests are allowed in `per`.
    public var requests: Int
    /// The window.
    public var per: Duration
    /// Whose requests count together.
    public var by: LimitScope

    /// A limit.
    public init(requests: Int, per: Duration, by: LimitScope) {
        self.requests = requests
        self.per = per
        self.by = by
    }

    /// The same as a member of a problem.
    public func quota(remaining: Int?) -> QuotaLimit {
        let parts = per.components
        let seconds = Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
        return QuotaLimit(requests: requests, per: seconds, remaining: remaining, by: by)
    }
}
