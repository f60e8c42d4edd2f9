/// One rate limit of a provider: so many requests in each window of time, counted separately per key.
public struct LimitConfiguration: Hashable, Sendable {
    /// Who shares one count.
    public enum Scope: String, CaseIterable, Sendable {
        /// Each credential that a request carries has its own; requests without one share another.
        case credential
        /// All requests to the provider share one.
        case provider
        /// All requests to the providers of one ``ProviderConfiguration/group`` share one.
        case group
    }

    /// The number of requests in a window: 1 to 10,000,000.
    public var requests: Int
    /// The length of a window: 1 ms to 31 days.
    public var per: Duration
    /// Who shares the count.
    public var scope: Scope

    /// The values of ``requests`` that a configuration may have.
    public static let requestsRange = 1...10_000_000
    /// The values of ``per`` that a configuration may have.
    public static let perRange: ClosedRange<Duration> = .milliseconds(1) ... .seconds(31 * 86400)
    /// The most limits that one provider may have.
    public static let maximumCount = 8

    /// Allows `requests` in each window of length `per`, counted by `scope`.
    public init(requests: Int, per: Duration, scope: Scope) {
        self.requests = requests
        self.per = per
        self.scope = scope
    }
}
