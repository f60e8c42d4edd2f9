/// The state of a pacer at one moment, for metrics and pages.
public struct PacerSnapshot: Hashable, Sendable {
    /// The state of one limit.
    public struct Reading: Hashable, Sendable {
        /// The limit.
        public let window: PacingPolicy.Window
        /// The index of the limit in the policy.
        public let limit: Int
        /// The slots in use.
        public let used: Int
        /// The requests that could be sent now.
        public let remaining: Int
        /// The number of slots: those of the limit, unless responses report another number.
        public let capacity: Int
        /// The time until the whole limit is free if nothing more is sent.
        public let resetIn: Duration
        /// How long the rest lasts at the present rate; nil if slots are freed before it is used up.
        public let exhaustedIn: Duration?
    }

    /// What responses have told of one window of a limit that nobody has configured.
    public struct Learned: Hashable, Sendable {
        /// The field that says it, as a place in ``RateHeaders/sources``.
        public let source: Int
        /// The requests of the window, if that is said.
        public let limit: Int?
        /// The requests that may be sent now for certain.
        public let remaining: Int
        /// What one request takes of it, as far as it was seen.
        public let cost: Int
        /// How long until the window begins anew, if that is said.
        public let resetIn: Duration?
    }

    /// The state of one ledger.
    public struct Ledger: Hashable, Sendable {
        /// Its key.
        public let key: LedgerKey
        /// The scope to which the key belongs.
        public let scope: Int
        /// The limits of its scope, in the order of the policy.
        public let windows: [Reading]
        /// Requests in flight without a response.
        public let inFlight: Int
        /// Waiting requests.
        public let waiting: Int
        /// How long the requested number of requests would wait; nil if a limit has fewer slots.
        public let expectedWait: Duration?
        /// The reason of its pause, if it is paused.
        public let pause: PauseReason?
        /// What was learned of its limits.
        public let learned: [Learned]
        /// The time between two requests after refusals without a count; nil if there were none of late.
        public let gap: Duration?
        /// How long the pause lasts, or how long the response to the probe is awaited.
        public let pausedFor: Duration
    }

    /// The limits, each with the state of the ledger with the fewest requests left among `ledgers`.
    public let windows: [Reading]
    /// Waiting requests in all ledgers.
    public let waiting: Int
    /// How long the oldest of them has waited.
    public let oldestWait: Duration
    /// Requests in flight without a response in all ledgers.
    public let inFlight: Int
    /// The number of ledgers.
    public let keys: Int
    /// How many of them are paused or wait for the response to a probe.
    public let paused: Int
    /// The smoothed fraction of the provider's count that did not come through Weir in its latest responses, 0 to 1.
    public let foreignShare: Double
    /// The limit that the provider reports if no configured one is as large.
    public let reportedLimit: Int?
    /// Requests that were sent at once because limits are only observed, and would have waited.
    public let wouldHaveWaited: UInt64
    /// Those that would have been rejected.
    public let wouldHaveBeenRefused: UInt64
    /// The most recently used ledgers, latest first, up to the requested number.
    public let ledgers: [Ledger]
}

/// What one request needs: its keys, its cost under each limit, and its urgency.
///
/// A plain value of fixed size; creating one allocates nothing.
public struct PacingDemand: Sendable, Hashable {
    /// The maximum number of scopes (different keys of one request) of a policy.
    public static let maximumScopes = 4
    /// The maximum number of limits of a policy.
    public static let maximumLimits = 8
    /// The maximum number of slots that one request may take.
    public static let maximumWeight = 10_000
    /// Means the policy in force.
    public static let latestRevision = UInt32.max

    /// The hash of the request's key in each scope.
    public var keys: SIMD4<UInt64>
    /// The slots that it takes under each limit, in the order of the policy; 0 if the limit does not apply to it.
    public var weights: SIMD8<UInt16>
    /// Whether it uses the quota of the policy's `quotaScope`.
    public var usesQuota: Bool
    /// Its urgency, 0 (most urgent) to 7 (RFC 9218 4.1); other values are clamped.
    public var urgency: Int
    /// The version of the policy for which it was computed; an older version is converted.
    public var revision = PacingDemand.latestRevision

    /// A request that takes one slot under each limit, with the same key in all scopes.
    public init(key: LedgerKey, urgency: Int = 3) {
        keys = SIMD4(repeating: key.hash)
        weights = SIMD8(repeating: 1)
        usesQuota = true
        self.urgency = urgency
    }

    /// A request with these keys and costs.
    public init(keys: SIMD4<UInt64>, weights: SIMD8<UInt16>, usesQuota: Bool, urgency: Int = 3) {
        self.keys = keys
        self.weights = weights
        self.usesQuota = usesQuota
        self.urgency = urgency
    }
}
