public import Wire

/// The meaning of a provider's response: the contents of a `Problem`, and the consequences for Weir.
///
/// Immutable, and an object, because it has many parts and is passed around a lot.
public final class NormalizedError: Sendable {
    /// The consequence for pacing.
    public enum Pacing: Sendable, Hashable {
        /// None.
        case proceed
        /// The limit's ledger pauses for this many seconds; for its window if the time is unknown.
        case pauseLedger(seconds: Int?)
        /// Requests that use the quota pause for this many seconds, if the time is known.
        case pauseQuota(seconds: Int?)
    }

    /// What went wrong.
    public let code: ProblemCode
    /// The status to send.
    public let status: Int
    /// The status that the rule names, if it names one; ``status`` is the code's or the provider's otherwise.
    public let ruledStatus: Int?
    /// Whether the same request may succeed later.
    public let isTransient: Bool
    /// Whether it may succeed at ``retryAfter``, if not before.
    public let isTemporary: Bool
    /// Whether the cause is temporary, and repeating the request is safe.
    public let isRetryable: Bool
    /// Whether the side effect was performed.
    public let effect: Effect
    /// The provider's message, cleaned.
    public let detail: Text?
    /// The invalid fields.
    public let fields: [FieldProblem]
    /// Seconds to wait, rounded up, at least 1; `nil` if the provider does not say.
    public let retryAfter: Int?
    /// The limit that was reached.
    public let limit: QuotaLimit?
    /// The name of the limit that was reached, if the rule names it.
    public let limitName: String?
    /// The provider's response.
    public let upstream: UpstreamAnswer
    /// Members of the body that go into the problem unchanged.
    public let kept: [KeptMember]
    /// Whether a rule recognised the response.
    public let isMapped: Bool
    /// The shape of the body if no rule recognised the response: equal for bodies with the same members of the same
    /// types.
    public let shape: UInt64
    /// The rule that matched.
    public let rule: String
    /// The profile of the rule: the provider's own, or `generic`.
    public let profile: String
    /// What pacing does about it.
    public let pacing: Pacing

    /// The rule's interpretation of the response.
    ///
    /// - Parameters:
    ///   - isRepeatSafe: whether the request may be repeated even if it took effect.
    ///   - mayRepeat: the provider's statement whether the same request may succeed later.
    init(
        _ entry: RuleBook.Entry, _ reading: AnswerReading, isRepeatSafe: Bool, fields: [FieldProblem],
        kept: [KeptMember],
        retryAfter: Int?, limit: QuotaLimit?, mayRepeat: Bool?, upstream: UpstreamAnswer
    ) {
        let status = upstream.status
        code = entry.rule.result
        ruledStatus = entry.rule.status
        self.status = ruledStatus ?? (status < 400 ? entry.rule.result.status : status)
        isTransient = mayRepeat ?? entry.rule.isTransient ?? entry.rule.result.isTransient
        effect = entry.rule.effect ?? entry.rule.result.effect
        // The code alone does not promise it: a quota that resets at a known time, or a body that is too large for
        // now (RFC 9110 15.5.14).
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
    /// The rule's value, or else the code's.
    fileprivate init(_ entry: RuleBook.Entry, retryAfter: Int?) {
        let pause: Rule.Pause
        switch entry.rule.result {
        case .rateLimited: pause = .ledger
        // Unavailable for a stated time applies to all requests; without a time, it may apply only to this one.
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

/// A provider's complete response.
public struct ProviderAnswer: Sendable {
    /// The status, 100 to 999.
    public var status: Int
    /// The fields.
    public var fields: FieldBlock
    /// The decoded body.
    public var body: [UInt8]
    /// Whether the body was truncated at its limit, so that the text cannot be parsed as a whole.
    public var isTruncated: Bool
    /// Whether the codings of the body could be decoded.
    public var isDecoded: Bool
    /// Whether the provider sent the body in another character set than UTF-8.
    public var isConverted: Bool

    /// An answer.
    public init(
        status: Int, fields: FieldBlock, body: [UInt8], isTruncated: Bool = false, isDecoded: Bool = true,
        isConverted: Bool = false
    ) {
        self.status = status
        self.fields = fields
        self.body = body
        self.isTruncated = isTruncated
        self.isDecoded = isDecoded
        self.isConverted = isConverted
    }
}

/// The properties of the request on which the meaning of a response depends.
public struct RequestFacts: Sendable {
    /// The method.
    public var method: Text
    /// The path at the provider, after its base URL; a query is ignored.
    public var path: Text
    /// Whether the method is idempotent (RFC 9110 9.2.2).
    public var isIdempotent: Bool
    /// Whether the request carries an idempotency key, in the field that the profile names.
    public var hasIdempotencyKey: Bool
    /// The credential, redacted where the provider repeats it; less than 8 bytes are too short to be distinguished
    /// from other text.
    public var credential: [UInt8]?
    /// The other credentials of the request, redacted in the same way.
    public var otherSecrets: [[UInt8]] = []
    /// The redactor for the request's secrets, if it exists already: then those two are ignored.
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

    /// The facts of a request of which only the request line is known.
    public init(method: String, path: String, hasIdempotencyKey: Bool = false) {
        let idempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]
        self.init(
            method: Text(method), path: Text(path), isIdempotent: idempotent.contains(method),
            hasIdempotencyKey: hasIdempotencyKey)
    }
}
