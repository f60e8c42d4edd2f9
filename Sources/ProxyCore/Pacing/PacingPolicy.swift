/// What a provider allows per key, and how much a pacer may hold: the configuration of one `Pacer`.
public struct PacingPolicy: Sendable, Hashable {
    /// A limit: so many requests in any span of so much time.
    public struct Window: Sendable, Hashable {
        /// The requests allowed, 1 to 1 000 000 000.
        public let requests: Int
        /// The length of the window, one microsecond to 400 days.
        public let per: Duration

        /// A limit of `requests` per `per`; values out of range are moved to the nearest end of it.
        public init(requests: Int, per: Duration) {
            self.requests = min(max(requests, 1), 1_000_000_000)
            self.per = min(max(per, .microseconds(1)), .seconds(400 * 86_400))
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
    public var windows: [Window]
    /// When a slot that was used is free again.
    public var guarantee: Guarantee
    /// How long after a connection was lost its request may still reach the provider and be counted.
    public var grace: Duration
    /// How many requests may wait, in all ledgers together.
    public var queueCapacity: Int
    /// How many ledgers may have a history, a request in flight, or a waiting request at the same time.
    public var keyCapacity: Int

    /// Makes a policy.
    ///
    /// Capacities are moved into 0 (one for keys) to 2^30.
    public init(
        windows: [Window], guarantee: Guarantee = .strict, grace: Duration = .seconds(1),
        queueCapacity: Int = 1024, keyCapacity: Int = 100_000
    ) {
        self.windows = windows
        self.guarantee = guarantee
        self.grace = grace
        self.queueCapacity = min(max(queueCapacity, 0), 1 << 30)
        self.keyCapacity = min(max(keyCapacity, 1), 1 << 30)
    }
}
