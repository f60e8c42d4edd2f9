/// What a provider allows per key, and how much a pacer may hold: the configuration of one `Pacer`.
public struct PacingPolicy: Sendable, Hashable {
    /// A limit: so many requests in any span of so much time, on a day or in a month, or at the same time.
    public struct Window: Sendable, Hashable {
        /// How the requests are counted.
        public enum Span: Sendable, Hashable {
            /// Those of any span of `per`, wherever it begins.
            case rolling
            /// Those since midnight UTC.
            case day
            /// Those since the first of the month, midnight UTC.
            case month
            /// Those that are not answered in full.
            case concurrent
        }

        /// The requests allowed, 1 to 1 000 000 000.
        public let requests: Int
        /// The length of the window, one microsecond to 400 days; zero for `concurrent`.
        public let per: Duration
        /// How the requests are counted.
        public let span: Span
        /// Which of a request's keys it is counted by: 0 up to `PacingDemand.maximumScopes`.
        public let scope: Int

        /// A limit of `requests` per `per`; values out of range are moved to the nearest end of it.
        public init(requests: Int, per: Duration, scope: Int = 0) {
            self.init(
                requests: requests, per: min(max(per, .microseconds(1)), .seconds(400 * 86_400)),
                span: .rolling, scope: scope)
        }

        /// A limit of `requests` in each day or month, or at the same time.
        public init(requests: Int, counted span: Span, scope: Int = 0) {
            let per: Duration =
                switch span {
                case .rolling, .day: .seconds(86_400)
                case .month: .seconds(31 * 86_400)
                case .concurrent: .zero
                }
            self.init(requests: requests, per: per, span: span, scope: scope)
        }

        private init(requests: Int, per: Duration, span: Span, scope: Int) {
            self.requests = min(max(requests, 1), 1_000_000_000)
            self.per = per
            self.span = span
            self.scope = min(max(scope, 0), PacingDemand.maximumScopes - 1)
        }
    }

    /// When a slot that was used is free again.
    public enum Guarantee: Sendable, Hashable {
        /// One window after the first byte of the response: the provider's limit is never exceeded.
        case strict
        /// One window and `margin` after the request was sent: faster, and now and then refused.
        case fast(margin: Duration)
    }

    /// The limits, all of which a request must keep; none means that only the provider's own refusals pace.
    ///
    /// At most `PacingDemand.maximumLimits`; those beyond are left out.
    public var windows: [Window]
    /// The scope whose ledgers hold no limit and pause when a quota is used up: what does not use the quota
    /// goes on; nil when a used-up quota pauses nothing.
    public var quotaScope: Int?
    /// When a slot that was used is free again.
    public var guarantee: Guarantee
    /// Whether limits are only watched: everything is sent at once, and counted if it should have waited.
    public var isObserved = false
    /// How long after a connection was lost its request may still reach the provider and be counted.
    public var grace: Duration
    /// How much earlier a request counts as having come for each step that it is more urgent than another.
    ///
    /// So nobody is overtaken by what comes seven times as long after it.
    public var aging = Duration.seconds(2)
    /// How many requests may wait, in all ledgers together.
    public var queueCapacity: Int
    /// How many ledgers may have a history, a request in flight, or a waiting request at the same time.
    public var keyCapacity: Int

    /// Makes a policy.
    ///
    /// Capacities are moved into 0 (for keys: one for each scope) to 2^30.
    public init(
        windows: [Window], quotaScope: Int? = nil, guarantee: Guarantee = .strict,
        grace: Duration = .seconds(1), queueCapacity: Int = 1024, keyCapacity: Int = 100_000
    ) {
        self.windows = Array(windows.prefix(PacingDemand.maximumLimits))
        self.quotaScope = quotaScope
        self.guarantee = guarantee
        self.grace = grace
        self.queueCapacity = min(max(queueCapacity, 0), 1 << 30)
        self.keyCapacity = min(max(keyCapacity, 1), 1 << 30)
    }

    /// How many keys a request has.
    public var scopes: Int { max(windows.lazy.map(\.scope).max() ?? 0, quotaScope ?? 0) + 1 }

    /// Whether the end of a response must be reported as well.
    public var countsConcurrency: Bool { windows.contains { $0.span == .concurrent } }
}
