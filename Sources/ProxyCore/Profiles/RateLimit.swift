/// A rate limit of a provider, as its profile or the configuration says it: so many requests in each window of time.
public struct RateLimit: Sendable, Hashable {
    /// The number of requests in a window: 1 to 10,000,000.
    public var requests: Int
    /// The length of a window: 1 ms to 31 days.
    public var per: Duration
    /// Whose requests count together.
    public var by: LimitScope

    /// The values of ``requests`` that a configuration may have.
    public static let requestsRange = 1...10_000_000
    /// The values of ``per`` that a configuration may have.
    public static let perRange: ClosedRange<Duration> = .milliseconds(1) ... .seconds(31 * 86400)
    /// The most limits that one provider may have.
    public static let maximumCount = 8

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
