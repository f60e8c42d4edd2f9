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

/// The error types of `Proxy-Status` (RFC 9209 2.3) that Weir can meet.
public enum ProxyErrorType: String, CaseIterable, Sendable {
    /// The resolver did not answer in time.
    case dnsTimeout = "dns_timeout"
    /// The name did not resolve.
    case dnsError = "dns_error"
    /// No provider is configured for the path.
    case destinationNotFound = "destination_not_found"
    /// The provider is held back.
    case destinationUnavailable = "destination_unavailable"
    /// The provider's address is one that must not be used.
    case destinationIPProhibited = "destination_ip_prohibited"
    /// There is no way to the address.
    case destinationIPUnroutable = "destination_ip_unroutable"
    /// Nobody listens there.
    case connectionRefused = "connection_refused"
    /// The connection was not made in time.
    case connectionTimeout = "connection_timeout"
    /// The connection ended before the answer did.
    case connectionTerminated = "connection_terminated"
    /// Nothing came in time.
    case connectionReadTimeout = "connection_read_timeout"
    /// The request could not be sent in time.
    case connectionWriteTimeout = "connection_write_timeout"
    /// Too much is going on.
    case connectionLimitReached = "connection_limit_reached"
    /// The TLS handshake failed.
    case tlsProtocolError = "tls_protocol_error"
    /// The certificate is not trusted.
    case tlsCertificateError = "tls_certificate_error"
    /// The provider ended the handshake.
    case tlsAlertReceived = "tls_alert_received"
    /// The client's request is malformed.
    case httpRequestError = "http_request_error"
    /// The client's request is not allowed.
    case httpRequestDenied = "http_request_denied"
    /// The answer broke off.
    case httpResponseIncomplete = "http_response_incomplete"
    /// The header section is too large.
    case httpResponseHeaderSectionSize = "http_response_header_section_size"
    /// The body is too large.
    case httpResponseBodySize = "http_response_body_size"
    /// The transfer coding is broken.
    case httpResponseTransferCoding = "http_response_transfer_coding"
    /// The content coding is broken.
    case httpResponseContentCoding = "http_response_content_coding"
    /// No answer began in time.
    case httpResponseTimeout = "http_response_timeout"
    /// The answer is not HTTP.
    case httpProtocolError = "http_protocol_error"
    /// Weir answered by itself, as it should.
    case proxyInternalResponse = "proxy_internal_response"
    /// A defect in Weir.
    case proxyInternalError = "proxy_internal_error"
    /// The configuration is wrong.
    case proxyConfigurationError = "proxy_configuration_error"
    /// The request came round to Weir again.
    case proxyLoopDetected = "proxy_loop_detected"

    /// The value of `Proxy-Status` with which the proxy `pseudonym` says it (RFC 9209 2).
    public func status(of pseudonym: [UInt8]) -> [UInt8] { pseudonym + Array("; error=\(rawValue)".utf8) }

    /// The type that fits a code about which nothing more is known.
    public init(_ code: ProblemCode) {
        switch code {
        case .providerTimeout: self = .httpResponseTimeout
        case .providerUnreachable: self = .destinationUnavailable
        case .connectionLost: self = .connectionTerminated
        case .tlsFailure: self = .tlsProtocolError
        case .providerBadResponse: self = .httpProtocolError
        case .circuitOpen: self = .destinationUnavailable
        case .routeNotFound: self = .destinationNotFound
        case .internalError: self = .proxyInternalError
        case .badClientRequest, .requestTooLarge, .headersTooLarge, .uriTooLong: self = .httpRequestError
        default: self = .proxyInternalResponse
        }
    }
}
