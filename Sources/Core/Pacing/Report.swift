/// What the head of a response says about the provider's limit.
public enum Verdict: Hashable, Sendable {
    /// The provider accepted the request, whatever else it says about it.
    case accepted
    /// It may be a rejection (429, 503): the body decides, and `judge` follows.
    case undecided
}

/// What the whole response says about the provider's limit, after an undecided `Verdict`.
public enum Ruling: Hashable, Sendable {
    /// It pauses nothing.
    case accepted
    /// The provider rejects this key; `retryAfter` is the time that it asks for, if any.
    case rejected(retryAfter: Duration?, reason: PauseReason)
    /// One limit, given by its index in the policy, is used up for the key of this request: its requests pause,
    /// others continue.
    case limited(limit: Int, retryAfter: Duration?)
    /// A quota is used up: requests that use it pause (see `PacingPolicy.quotaScope`), others continue.
    case quotaUsedUp(retryAfter: Duration?)
}

/// Why a ledger is paused.
public enum PauseReason: Int, Hashable, Sendable, CaseIterable {
    /// The provider rejected a request because of its rate limit.
    case rateLimited
    /// A longer quota is used up.
    case quotaExceeded
    /// The provider asked for a later retry for another reason.
    case unavailable
}

/// What is left of a ledger's tightest limit.
///
/// It is reported in the response's `RateLimit` field (draft-ietf-httpapi-ratelimit-headers).
public struct Headroom: Hashable, Sendable {
    /// The limit with the fewest requests left.
    public let window: PacingPolicy.Window
    /// The requests that could be sent now.
    public let remaining: Int
    /// The time until the whole limit is free if nothing more is sent.
    ///
    /// An estimate while requests are in flight.
    public let resetIn: Duration
    /// The index of the limit in the policy.
    public let limit: Int

    /// The same, but for at most `duration`.
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

/// The result of a response's report.
public struct Outcome: Hashable, Sendable {
    /// What is left now; nil without limits.
    public let headroom: Headroom?
    /// A timer to arm.
    public let wake: Wake?
    /// Whether the provider's count shows that another client uses the key.
    public var isUsedByOthers = false
    /// The limit that the provider reports, if it is not one of ours.
    public var strangeLimit: Int?
}
