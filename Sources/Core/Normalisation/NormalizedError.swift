public import Wire

/// What a provider's answer means: everything that a `Problem` tells of it, and what Weir itself does about
/// it.
///
/// Immutable, and an object, because it has many parts and goes through many hands.
public final class NormalizedError: Sendable {
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
    public let code: ProblemCode
    /// The status to send.
    public let status: Int
    /// Whether the same request may succeed later.
    public let isTransient: Bool
    /// Whether it may at ``retryAfter``, if not before.
    public let isTemporary: Bool
    /// Whether the cause is temporary, and repeating the request is safe.
    public let isRetryable: Bool
    /// Whether the side effect was performed.
    public let effect: Effect
    /// The provider's message, cleaned.
    public let detail: Text?
    /// What is wrong with which field.
    public let fields: [FieldProblem]
    /// Seconds to wait, rounded up, at least 1; `nil` if the provider does not say.
    public let retryAfter: Int?
    /// The limit that was hit.
    public let limit: QuotaLimit?
    /// The name of the limit that was hit, if the rule knows it.
    public let limitName: String?
    /// The provider's answer.
    public let upstream: UpstreamAnswer
    /// Members of the body that go into the problem unchanged.
    public let kept: [KeptMember]
    /// Whether a rule knew the answer.
    public let isMapped: Bool
    /// The form of the body, if no rule knew the answer: the same for bodies with the same members of the same types.
    public let shape: UInt64
    /// The rule that matched.
    public let rule: String
    /// The profile in which the rule stands: the provider's own, or `generic`.
    public let profile: String
    /// What pacing does about it.
    public let pacing: Pacing

    /// What the rule says of the answer.
    ///
    /// - Parameters:
    ///   - isRepeatSafe: whether the request may be repeated even if it took effect.
    ///   - mayRepeat: what the provider says about whether the same request may succeed later.
    init(
        _ entry: RuleBook.Entry, _ reading: AnswerReading, isRepeatSafe: Bool, fields: [FieldProblem],
        kept: [KeptMember],
        retryAfter: Int?, limit: QuotaLimit?, mayRepeat: Bool?, upstream: UpstreamAnswer
    ) {
        let status = upstream.status
        code = entry.rule.result
        self.status = entry.rule.status ?? (status < 400 ? entry.rule.result.status : status)
        isTransient = mayRepeat ?? entry.rule.isTransient ?? entry.rule.result.isTransient
        effect = entry.rule.effect ?? entry.rule.result.effect
        // The code alone does not promise it: a quota that is renewed at a known time, and a body that is too large for now (RFC 9110
        // 15.5.14).
        isTemporary =
            isTransient || (retryAfter != nil && (code == .quotaExceeded || code == .payloadTooLarge))
        isRetryable = isTemporary && (effect == .none || isRepeatSafe)
        detail = upstream.message
        self.fields = fields
        self.kept = kept
        self.retryAfter = retryAfter
        self.limit = limit
        limitName = entry.rule.limitName
        self.upstream = upstream
        isMapped = entry.rule.isMapped && reading.isKnown(to: entry, hasFields: !fields.isEmpty)
        shape = isMapped ? 0 : BodyShape(reading.body).hash
        self.rule = entry.rule.name
        profile = entry.rule.profile
        pacing = Pacing(entry, retryAfter: retryAfter)
    }
}

extension NormalizedError.Pacing {
    /// What the rule says, or else its code.
    fileprivate init(_ entry: RuleBook.Entry, retryAfter: Int?) {
        let pause: Rule.Pause
        switch entry.rule.result {
        case .rateLimited: pause = .ledger
        // Unavailable for a stated time concerns all requests; without one, it may concern only this.
        case .providerUnavailable: pause = retryAfter == nil ? .none : .ledger
        case .quotaExceeded: pause = .quota
        default: pause = .none
        }
        switch entry.rule.pause ?? pause {
        case .none: self = .proceed
        case .ledger: self = .pauseLedger(seconds: retryAfter)
        case .quota: self = .pauseQuota(seconds: retryAfter)
        }
    }
}

/// A provider's whole answer.
public struct ProviderAnswer: Sendable {
    /// The status, 100 to 999.
    public var status: Int
    /// The fields.
    public var fields: FieldBlock
    /// The body without its content coding.
    public var body: [UInt8]
    /// Whether the body was cut at its limit, so that the text cannot be parsed as a whole.
    public var isTruncated: Bool
    /// Whether the codings of the body could be undone.
    public var isDecoded: Bool

    /// An answer.
    public init(
        status: Int, fields: FieldBlock, body: [UInt8], isTruncated: Bool = false, isDecoded: Bool = true
    ) {
        self.status = status
        self.fields = fields
        self.body = body
        self.isTruncated = isTruncated
        self.isDecoded = isDecoded
    }
}

/// What the meaning of an answer depends on in the request.
public struct RequestFacts: Sendable {
    /// The method.
    public var method: Text
    /// The path at the provider, behind its base URL; a query behind it does no harm.
    public var path: Text
    /// Whether repeating the method does no more than doing it once (RFC 9110 9.2.2).
    public var isIdempotent: Bool
    /// Whether the request carries an idempotency key, in the field that the profile names.
    public var hasIdempotencyKey: Bool
    /// The credential, redacted where the provider echoes it; shorter than 8 bytes is too short to be told
    /// from other text.
    public var credential: [UInt8]?
    /// What else of the request authenticates it, redacted in the same way.
    public var otherSecrets: [[UInt8]] = []
    /// What hides the secrets of the request, if that is known already: then those two do not matter.
    public var redactor: SecretRedactor?

    /// The facts.
    public init(
        method: Text, path: Text, isIdempotent: Bool, hasIdempotencyKey: Bool = false,
        credential: [UInt8]? = nil, redactor: SecretRedactor? = nil
    ) {
        self.method = method
        self.path = path
        self.isIdempotent = isIdempotent
        self.hasIdempotencyKey = hasIdempotencyKey
        self.credential = credential
        self.redactor = redactor
    }

    /// The facts of a request of which only the line is known.
    public init(method: String, path: String, hasIdempotencyKey: Bool = false) {
        let idempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]
        self.init(
            method: Text(method), path: Text(path), isIdempotent: idempotent.contains(method),
            hasIdempotencyKey: hasIdempotencyKey)
    }
}
