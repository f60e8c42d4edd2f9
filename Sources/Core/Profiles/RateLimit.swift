/// A rate limit of a provider, as its profile or the configuration says it.
public struct RateLimit: Sendable, Hashable {
    /// Requests that weigh more than one.
    public struct Cost: Sendable, Hashable {
        /// Which.
        public var request: RequestPattern
        /// How many slots each takes: 1 to 10,000, and no more than the limit has.
        public var slots: Int

        /// A cost.
        public init(request: RequestPattern, slots: Int) {
            self.request = request
            self.slots = slots
        }
    }

    /// What the rules of a profile, problems and pages call it; unique among the limits of a provider.
    public var name: String?
    /// The number of requests in a window, or at the same time: 1 to 10,000,000.
    public var requests: Int
    /// The length of a window: 1 ms to 31 days; zero for requests at the same time.
    public var per: Duration
    /// How requests are counted.
    public var span: PacingPolicy.Window.Span
    /// Whose requests count together.
    public var by: LimitScope
    /// The requests that it counts; empty: all.
    public var routes: [RequestPattern] = []
    /// Requests that it does not count.
    public var exceptions: [RequestPattern] = []
    /// Whether it counts the requests that no other limit names in ``routes`` or ``operations``, in place of ``routes``.
    public var countsRest = false
    /// Where it is counted by operation: the requests that it counts, each entry for itself, in place of ``routes``.
    public var operations: [RequestPattern] = []
    /// What weighs more than one slot; the first that fits decides.
    public var costs: [Cost] = []

    /// The values of ``requests`` that a configuration may have.
    public static let requestsRange = 1...10_000_000
    /// The values of ``per`` that a configuration may have.
    public static let perRange: ClosedRange<Duration> = .milliseconds(1) ... .seconds(31 * 86400)
    /// The most limits that one provider may have.
    public static let maximumCount = PacingDemand.maximumLimits
    /// The most different ``by`` that the limits of one provider may have.
    public static let maximumScopes = PacingDemand.maximumScopes - 1
    /// The most patterns in ``routes``, ``exceptions`` and ``costs``.
    public static let maximumPatterns = 64
    /// The most patterns in ``operations``.
    public static let maximumOperations = 512

    /// A limit of so many requests in each window of time.
    public init(requests: Int, per: Duration, by: LimitScope) {
        self.requests = requests
        self.per = per
        self.by = by
        span = .rolling
    }

    /// A limit of so many requests in each day or month, or at the same time.
    public init(requests: Int, counted span: PacingPolicy.Window.Span, by: LimitScope) {
        self.requests = requests
        self.by = by
        self.span = span
        per = PacingPolicy.Window(requests: requests, counted: span).per
    }

    /// The same for the pacer.
    public func window(scope: Int) -> PacingPolicy.Window {
        span == .rolling
            ? PacingPolicy.Window(requests: requests, per: per, scope: scope)
            : PacingPolicy.Window(requests: requests, counted: span, scope: scope)
    }

    /// The same as a member of a problem.
    public func quota(remaining: Int?) -> QuotaLimit {
        let parts = per.components
        let seconds = Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
        return QuotaLimit(requests: requests, per: seconds, remaining: remaining, by: by, name: name)
    }

    /// What says which requests it counts together.
    public struct Counter: Sendable, Hashable {
        /// Whose.
        public let by: LimitScope
        /// The patterns that say it; empty if the path does not matter.
        public let patterns: [RequestPattern]
    }

    /// What says which requests it counts together: limits with the same one share their keys.
    public var counter: Counter { Counter(by: by, patterns: by.readsPath ? named : []) }

    /// What it counts if that is said by patterns; empty for all requests, and for the rest.
    public var named: [RequestPattern] { operations.isEmpty ? routes : operations }

    /// Whether it counts the same requests for the same keys as `other`, perhaps with other numbers.
    func counts(as other: RateLimit) -> Bool {
        by == other.by && routes == other.routes && exceptions == other.exceptions
            && countsRest == other.countsRest && operations == other.operations
    }
}

extension Array where Element == RateLimit {
    /// The limits that count a request, in their order.
    func counting(method: Text, path: Text) -> [RateLimit] {
        func matches(_ patterns: [RequestPattern]) -> Bool {
            patterns.contains { $0.matches(method: method, path: path) }
        }
        let isNamed = contains { matches($0.named) && !matches($0.exceptions) }
        return filter { limit in
            guard !matches(limit.exceptions) else { return false }
            if limit.countsRest { return !isNamed }
            return limit.named.isEmpty || matches(limit.named)
        }
    }
}

extension RateLimit {
    /// What one of `replicas` instances may use of this limit, so that all of them together never exceed it; `nil` if that
    /// is not a request.
    ///
    /// Fewer requests in a longer window would not do: instances that know nothing of each other may all use theirs at the
    /// same moment.
    public func share(of replicas: Int) -> RateLimit? {
        let requests = requests / max(replicas, 1)
        guard requests >= 1 else { return nil }
        var share = self
        share.requests = requests
        return share
    }
}

extension ProxyConfiguration {
    /// The limits that this instance keeps by itself: its share, or the whole where instances
    /// count together.
    public func ownLimits(of provider: ProviderConfiguration) -> [RateLimit] {
        guard ledger == nil, replicas > 1 else { return provider.limits }
        // A limit that cannot be shared is a mistake; should one come here, too little is sent, never too much.
        return provider.limits.map { limit in limit.share(of: replicas) ?? limit }
    }
}
