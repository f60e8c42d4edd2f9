/// What a provider's answer means: everything that a `Problem` tells of it, and what Weir itself does about
/// it.
public struct NormalizedError: Sendable {
    /// What pacing does about it.
    public enum Pacing: Sendable, Hashable {
        /// Nothing.
        case proceed
        /// The limit's ledger pauses for so many seconds; for its window if nobody says how long.
        case pauseLedger(seconds: Int?)
        /// What uses up the quota pauses for so many seconds, if anybody says how long.
        case pauseQuota(seconds: Int?)
    }

    /// What went wrong.
    public var code: ProblemCode
    /// The status to send.
    public var status: Int
    /// Whether the same request may succeed later.
    public var isTransient: Bool
    /// Whether it may, and repeating it is safe.
    public var isRetryable: Bool
    /// Whether the side effect was performed.
    public var effect: Effect
    /// The provider's message, cleaned.
    public var detail: Text?
    /// What is wrong with which field.
    public var fields: [FieldProblem] = []
    /// Seconds to wait, rounded up, at least 1; `nil` if the provider does not say.
    public var retryAfter: Int?
    /// The limit that was hit.
    public var limit: QuotaLimit?
    /// The provider's answer.
    public var upstream: UpstreamAnswer
    /// Members of the body that go into the problem unchanged.
    public var kept: [KeptMember] = []
    /// Whether a rule knew the answer.
    public var isMapped: Bool
    /// The rule that matched.
    public var rule: String
    /// The profile in which the rule stands: the provider's own, or `generic`.
    public var profile: String
    /// What pacing does about it.
    public var pacing = Pacing.proceed
}
