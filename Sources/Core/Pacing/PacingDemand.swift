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
