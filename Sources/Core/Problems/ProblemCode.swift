/// What went wrong: the one member of a problem to branch on.
///
/// The set is closed for this version; a client that meets an unknown code decides by status class,
/// `retryable` and `effect`.
public enum ProblemCode: UInt8, CaseIterable, Sendable {
    // The provider answered.
    /// The provider refused the request as malformed.
    case invalidRequest
    /// The provider refused one or more fields of the request.
    case validationFailed
    /// The provider did not accept the credential.
    case unauthenticated
    /// The credential may not do this.
    case permissionDenied
    /// The provider has blocked the account.
    case accountBlocked
    /// The plan does not include this, or the credits are used up.
    case paymentRequired
    /// The provider has nothing at this address.
    case notFound
    /// The provider does not allow this method here.
    case methodNotAllowed
    /// The provider cannot answer in the format asked for.
    case notAcceptable
    /// The state of the resource does not allow this.
    case conflict
    /// What the request would create exists.
    case alreadyExists
    /// The idempotency key was used with another request.
    case idempotencyConflict
    /// The resource existed once and is gone.
    case gone
    /// A precondition of the request does not hold.
    case preconditionFailed
    /// The provider refuses a request of this size.
    case payloadTooLarge
    /// The provider does not accept this content type.
    case unsupportedMediaType
    /// The provider refused the request because of its rate limit.
    case rateLimited
    /// A quota of the account is used up.
    case quotaExceeded
    /// The provider refuses this for legal reasons.
    case legalBlock
    /// A CDN or firewall in front of the provider refused the request.
    case edgeBlocked
    /// The provider failed.
    case providerError
    /// The provider is not available.
    case providerUnavailable

    // No usable answer came.
    /// The provider's answer could not be used.
    case providerBadResponse
    /// The provider did not answer in time.
    case providerTimeout
    /// The provider could not be reached.
    case providerUnreachable
    /// The connection broke before the answer was complete.
    case connectionLost
    /// No secure connection to the provider could be made.
    case tlsFailure

    // Weir refused.
    /// The request would have to wait longer than it may.
    case throttled
    /// The request waited as long as it may and was not sent.
    case queueTimeout
    /// The provider has refused this credential several times in a row.
    case credentialsQuarantined
    /// The provider has failed several times in a row.
    case circuitOpen
    /// Weir is shutting down.
    case shuttingDown
    /// No provider is configured for this path.
    case routeNotFound
    /// Weir failed.
    case internalError

    // The request is malformed.
    /// The request is malformed.
    case badClientRequest
    /// The body is larger than this proxy accepts.
    case requestTooLarge
    /// The header fields are larger than this proxy accepts.
    case headersTooLarge
    /// The request target is longer than this proxy accepts.
    case uriTooLong

    /// The spelling in problems, metrics and profiles, such as `rate_limited`.
    public var name: String { entry.name }
    /// Who failed.
    public var origin: ProblemOrigin { entry.origin }
    /// The status that Weir sends when no provider's status is there to be kept.
    public var status: Int { entry.status }
    /// Whether the same request may succeed later, unless a rule knows better.
    public var isTransient: Bool { entry.isTransient }
    /// Whether the side effect was performed, unless a rule knows better.
    public var effect: Effect { entry.effect }
    /// The title (RFC 9457 3.1.3): never changes.
    public var title: String { entry.title }
    /// The detail of a problem about which nobody says more.
    public var detail: String { entry.detail }
    /// What the code means and what to do, for the page that `type` leads to.
    public var documentation: String { entry.documentation }

    /// The code with this spelling.
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    private var entry: ProblemCatalogue.Entry { ProblemCatalogue.entries[Int(rawValue)] }
}
