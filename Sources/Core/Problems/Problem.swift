/// One error as Weir tells it: RFC 9457, with more members.
///
/// Always complete; what is unknown is absent. It has many parts and one reader, so it is never copied.
public struct Problem: ~Copyable, Sendable {
    /// What went wrong; decides `type`, `title` and `origin`.
    public var code: ProblemCode
    /// The HTTP status that is sent.
    public var status: Int
    /// What happened this time; the code's own sentence if nothing is known.
    public var detail: Text?
    /// The exchange's id: also the last step of `instance`.
    public var requestID: Text
    /// The provider's name in the configuration, once the request is routed.
    public var provider: Text?
    /// Whether the identical request may succeed later, and repeating it is safe.
    public let isRetryable: Bool
    /// Seconds to wait, never too few; only where ``isRetryable``: a time to wait is an invitation to repeat the request.
    public private(set) var retryAfter: Double?
    /// Whether the cause passes with time: only then is there a time to wait.
    private let isTemporary: Bool
    /// Whether the side effect was performed.
    public var effect: Effect
    /// What is wrong with which field.
    public var fields: [FieldProblem] = []
    /// The limit that was hit.
    public var limit: QuotaLimit?
    /// The provider's answer.
    public var upstream: UpstreamAnswer?
    /// How many requests were really sent; absent if 0.
    public var attempts = 0
    /// Seconds in the queue; absent if 0.
    public var waited = 0.0
    /// Whether a rule knew the provider's answer.
    public var isMapped = true
    /// Members of the provider's body that its own clients read.
    public var kept: [KeptMember] = []

    /// A problem that a provider's answer became.
    public init(_ error: NormalizedError, provider: Text, requestID: Text) {
        code = error.code
        status = error.status
        detail = error.detail
        self.requestID = requestID
        self.provider = provider
        isRetryable = error.isRetryable
        isTemporary = error.isTemporary
        retryAfter = isTemporary ? error.retryAfter.map(Double.init) : nil
        effect = error.effect
        fields = error.fields
        limit = error.limit
        upstream = error.upstream
        isMapped = error.isMapped
        kept = error.kept
    }

    /// A problem that is Weir's own or the network's.
    ///
    /// - Parameter isRepeatSafe: whether the request may be repeated even if it took effect: its method is
    ///   idempotent, or it carries an idempotency key that the provider honours.
    public init(_ fault: Fault, provider: Text?, requestID: Text, isRepeatSafe: Bool) {
        code = fault.code
        status = fault.status
        detail = fault.detail
        self.requestID = requestID
        self.provider = provider
        isTemporary = fault.isTransient
        isRetryable = isTemporary && (fault.effect == .none || isRepeatSafe)
        retryAfter = isTemporary ? fault.retryAfter : nil
        effect = fault.effect
        limit = fault.limit
    }

    /// Changes the time to wait, if the cause passes with time.
    public mutating func setRetryAfter(_ seconds: Double?) { retryAfter = isTemporary ? seconds : nil }

    /// The value of a `Retry-After` field (RFC 9110 10.2.3): `retryAfter` in whole seconds, rounded up.
    public var retryAfterField: Int? {
        guard let retryAfter, retryAfter.isFinite else { return nil }
        return Int(min(max(retryAfter, 0), 1e12).rounded(.up))
    }
}
