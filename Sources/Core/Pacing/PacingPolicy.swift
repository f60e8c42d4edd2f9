/// What a provider allows per key, and how much a pacer may store: the configuration of one `Pacer`.
public struct PacingPolicy: Sendable, Hashable {
    /// A limit: a number of requests per sliding window, per day or month, or at the same time.
    public struct Window: Sendable, Hashable {
        /// How the requests are counted.
        public enum Span: Sendable, Hashable {
            /// Those in any interval of length `per`.
            case rolling
            /// Those since midnight UTC.
            case day
            /// Those since the first of the month, midnight UTC.
            case month
            /// Those whose responses are incomplete.
            case concurrent
            /// Those since the last multiple of `per` on the provider's clock.
            case aligned(ClockAlignment)
        }

        /// The number of allowed requests, 1 to 1 000 000 000.
        public let requests: Int
        /// The length of the window, one microsecond to 400 days; zero for `concurrent`.
        public let per: Duration
        /// How the requests are counted.
        public let span: Span
        /// The scope whose key it uses: 0 up to `PacingDemand.maximumScopes`.
        public let scope: Int

        /// A limit of `requests` per `per`; values out of range are clamped.
        public init(requests: Int, per: Duration, scope: Int = 0) {
            self.init(
                requests: requests, per: min(max(per, .microseconds(1)), .seconds(400 * 86_400)),
                span: .rolling, scope: scope)
        }

        /// A limit of `requests` per day or month, or of concurrent requests.
        public init(requests: Int, counted span: Span, scope: Int = 0) {
            let per: Duration =
                switch span {
                case .rolling, .day: .seconds(86_400)
                case .month: .seconds(31 * 86_400)
                case .concurrent: .zero
                case .aligned: .seconds(86_400)
                }
            self.init(requests: requests, per: per, span: span, scope: scope)
        }

        /// A limit of `requests` in each window of `per`, 1 second to 1 day, that begins at a multiple of it on the
        /// provider's clock.
        public init(requests: Int, per: Duration, aligned alignment: ClockAlignment, scope: Int = 0) {
            self.init(
                requests: requests, per: min(max(per, .seconds(1)), .seconds(86_400)),
                span: .aligned(alignment), scope: scope)
        }

        private init(requests: Int, per: Duration, span: Span, scope: Int) {
            self.requests = min(max(requests, 1), 1_000_000_000)
            self.per = per
            self.span = span
            self.scope = min(max(scope, 0), PacingDemand.maximumScopes - 1)
        }
    }

    /// When a used slot is freed.
    public enum Guarantee: Sendable, Hashable {
        /// One window after the first byte of the response: the provider's limit is never exceeded.
        case strict
        /// One window and `margin` after the request was sent: faster, with occasional rejections.
        case fast(margin: Duration)
    }

    /// The limits, all of which apply; without any, only the provider's own rejections pace.
    ///
    /// At most `PacingDemand.maximumLimits`; further ones are ignored.
    public var windows: [Window]
    /// The scope whose ledgers have no limit and pause when a quota is used up, while other requests continue; nil if
    /// a used-up quota pauses nothing.
    public var quotaScope: Int?
    /// When a used slot is freed.
    public var guarantee: Guarantee
    /// Whether a key is paced by what responses say of the provider's count; without limits alone.
    public var learns = false
    /// Whether limits are only observed: everything is sent at once, and counted if it would have waited.
    public var isObserved = false
    /// How long after a connection was lost its request may still reach the provider and be counted.
    public var grace: Duration
    /// How much earlier a request counts as having arrived, for each step by which it is more urgent than another
    /// one.
    ///
    /// So no request is overtaken by one that arrives more than seven times as long after it.
    public var aging = Duration.seconds(2)
    /// The maximum number of waiting requests in all ledgers together.
    public var queueCapacity: Int
    /// The maximum number of ledgers with a history, a request in flight or a waiting request.
    public var keyCapacity: Int

    /// Creates a policy.
    ///
    /// Capacities are clamped to 0 (for keys: one per scope) to 2^30.
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

    /// The number of keys of a request.
    public var scopes: Int { max(windows.lazy.map(\.scope).max() ?? 0, quotaScope ?? 0) + 1 }

    /// Whether windows begin at fixed times of the provider's clock, which `Date` shows.
    public var readsProviderClock: Bool {
        windows.contains { if case .aligned = $0.span { true } else { false } }
    }

    /// Whether the end of a response must be reported as well.
    public var countsConcurrency: Bool { windows.contains { $0.span == .concurrent } }
}
