/// What a pacer holds at one moment: for the metrics and for people.
public struct PacerSnapshot: Hashable, Sendable {
    /// The state of one limit.
    public struct Reading: Hashable, Sendable {
        /// The limit.
        public let window: PacingPolicy.Window
        /// The place of the limit in the policy.
        public let limit: Int
        /// The slots in use.
        public let used: Int
        /// The requests that could be sent now.
        public let remaining: Int
        /// How long until all of the limit is free again if nothing more is sent.
        public let resetIn: Duration
        /// How long the rest lasts at the present rate; nil if it is not used up before slots come back.
        public let exhaustedIn: Duration?
    }

    /// The state of one ledger.
    public struct Ledger: Hashable, Sendable {
        /// Whose.
        public let key: LedgerKey
        /// Which of a request's keys that is.
        public let scope: Int
        /// The limits of its scope, in the order of the policy.
        public let windows: [Reading]
        /// Requests sent and not answered yet.
        public let inFlight: Int
        /// Requests that wait.
        public let waiting: Int
        /// How long requests that came now, as many as asked for, would wait; nil if a limit has not so many.
        public let expectedWait: Duration?
        /// Why it is paused, if it is.
        public let pause: PauseReason?
        /// How long the pause lasts, or how long the answer to the request that tries again is awaited.
        public let pausedFor: Duration
    }

    /// The limits, each as the ledger with the fewest requests left has it, among those in `ledgers`.
    public let windows: [Reading]
    /// Requests that wait, in all ledgers.
    public let waiting: Int
    /// How long the one that waits longest has waited.
    public let oldestWait: Duration
    /// Requests sent and not answered yet, in all ledgers.
    public let inFlight: Int
    /// How many ledgers are held.
    public let keys: Int
    /// How many of them are paused, or wait for the answer to the one request that tries again.
    public let paused: Int
    /// What part of the provider's count was not ours in its latest answers, 0 to 1, smoothed.
    public let foreignShare: Double
    /// The limit that the provider speaks of when none of ours has it.
    public let reportedLimit: Int?
    /// Requests that were sent at once because limits are only watched, and would have waited.
    public let wouldHaveWaited: UInt64
    /// The same for those that would have been refused.
    public let wouldHaveBeenRefused: UInt64
    /// The ledgers used last, latest first: as many as were asked for.
    public let ledgers: [Ledger]
}

/// What one request asks of the limits: whose it is, how much it takes of each, and how urgent it is.
///
/// A plain value of fixed size: making one allocates nothing.
public struct PacingDemand: Sendable, Hashable {
    /// The most scopes (different keys of one request) that a policy may have.
    public static let maximumScopes = 4
    /// The most limits that a policy may have.
    public static let maximumLimits = 8
    /// The most slots that one request may take.
    public static let maximumWeight = 10_000
    /// Stands for the policy in force.
    public static let latestRevision = UInt32.max

    /// The hash of the request's key in each scope.
    public var keys: SIMD4<UInt64>
    /// The slots that it takes in each limit, in the order of the policy; 0 where the limit does not count it.
    public var weights: SIMD8<UInt16>
    /// Whether it uses what the policy's `quotaScope` stands for.
    public var usesQuota: Bool
    /// How urgent it is, 0 (most) to 7 (RFC 9218 4.1); others are moved to the nearest end.
    public var urgency: Int
    /// Under which policy of the pacer it was weighed: one that was replaced since is taken account of.
    public var revision = PacingDemand.latestRevision

    /// A request that each limit counts once, with the same key in all scopes.
    public init(key: LedgerKey, urgency: Int = 3) {
        keys = SIMD4(repeating: key.hash)
        weights = SIMD8(repeating: 1)
        usesQuota = true
        self.urgency = urgency
    }

    /// A request with these keys and weights.
    public init(keys: SIMD4<UInt64>, weights: SIMD8<UInt16>, usesQuota: Bool, urgency: Int = 3) {
        self.keys = keys
        self.weights = weights
        self.usesQuota = usesQuota
        self.urgency = urgency
    }
}
