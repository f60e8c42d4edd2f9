/// What the head of a response says about the provider's limit.
public enum Verdict: Hashable, Sendable {
    /// The provider took the request, whatever else it says about it.
    case accepted
    /// It may be a rate refusal (429, 503): the body decides, and `judge` follows.
    case undecided
}

/// What the whole response says about the provider's limit, after an undecided `Verdict`.
public enum Ruling: Hashable, Sendable {
    /// It pauses nothing.
    case accepted
    /// The provider refuses this key; `retryAfter` is what it asked for, if it did.
    case rejected(retryAfter: Duration?, reason: PauseReason)
    /// One limit, given by its place in the policy, is used up for the key of this request: what it counts pauses, other requests go on.
    case limited(limit: Int, retryAfter: Duration?)
    /// A quota is used up: what uses it pauses (see `PacingPolicy.quotaScope`), other requests go on.
    case quotaUsedUp(retryAfter: Duration?)
}

/// Why a ledger is paused.
public enum PauseReason: Int, Hashable, Sendable, CaseIterable {
    /// The provider's rate limit refused a request.
    case rateLimited
    /// A longer quota is used up.
    case quotaExceeded
    /// The provider asked to come later for another cause.
    case unavailable
}

/// What is left of a ledger's tightest limit.
///
/// The `RateLimit` field of the answer says it (draft-ietf-httpapi-ratelimit-headers).
public struct Headroom: Hashable, Sendable {
    /// The limit with the fewest requests left.
    public let window: PacingPolicy.Window
    /// The requests that could be sent now.
    public let remaining: Int
    /// How long until all of the limit is free again if nothing more is sent.
    ///
    /// An estimate while requests are in flight.
    public let resetIn: Duration
    /// The place of the limit in the policy.
    public let limit: Int

    /// The same, for no longer than `duration`.
    public func ending(within duration: Duration) -> Headroom {
        Headroom(window: window, remaining: remaining, resetIn: min(resetIn, duration), limit: limit)
    }

    init(window: PacingPolicy.Window, remaining: Int, resetIn: Duration, limit: Int = 0) {
        self.window = window
        self.remaining = remaining
        self.resetIn = resetIn
        self.limit = limit
    }
}

/// What a response's report leads to.
public struct Outcome: Hashable, Sendable {
    /// What is left now; nil without limits.
    public let headroom: Headroom?
    /// A timer to arm.
    public let wake: Wake?
    /// Whether the provider's count shows that somebody else uses the key.
    public var isUsedByOthers = false
    /// The limit that the provider spoke of, if none of ours has it.
    public var strangeLimit: Int?
}
