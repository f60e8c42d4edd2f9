/// What went wrong: the member of a problem to branch on.
///
/// The set is closed for this version; a client that receives an unknown code decides by status class, `retryable`
/// and `effect`.
public enum ProblemCode: UInt8, CaseIterable, Sendable {
    // The provider responded.
    /// The provider rejected the request as malformed.
    case invalidRequest
    /// The provider rejected one or more fields of the request.
    case validationFailed
    /// The provider did not accept the credential.
    case unauthenticated
    /// The credential is not allowed to do this.
    case permissionDenied
    /// The provider has blocked the account.
    case accountBlocked
    /// The plan does not include this, or the credits are used up.
    case paymentRequired
    /// The provider has no resource at this path.
    case notFound
    /// The provider does not allow this method here.
    case methodNotAllowed
    /// The provider cannot respond in the requested format.
    case notAcceptable
    /// The state of the resource does not permit this.
    case conflict
    /// The resource already exists.
    case alreadyExists
    /// The idempotency key was used with another request.
    case idempotencyConflict
    /// The resource existed once and is permanently gone.
    case gone
    /// A precondition of the request is not met.
    case preconditionFailed
    /// The request is too large for the provider.
    case payloadTooLarge
    /// The provider does not accept this content type.
    case unsupportedMediaType
    /// The provider's rate limit was exceeded.
    case rateLimited
    /// A quota of the account is used up.
    case quotaExceeded
    /// The provider rejects this for legal reasons.
    case legalBlock
    /// A CDN or firewall in front of the provider rejected the request.
    case edgeBlocked
    /// The provider failed.
    case providerError
    /// The provider is not available.
    case providerUnavailable

    // There was no usable response.
    /// The provider's response could not be used.
    case providerBadResponse
    /// The provider did not respond in time.
    case providerTimeout
    /// The provider could not be reached.
    case providerUnreachable
    /// The connection broke before the response was complete.
    case connectionLost
    /// No secure connection to the provider could be established.
    case tlsFailure

    // Weir rejected the request.
    /// The request would have to wait longer than it may.
    case throttled
    /// The request waited for its maximum time and was not sent.
    case queueTimeout
    /// The provider has rejected this credential several times in a row.
    case credentialsQuarantined
    /// The provider has failed repeatedly.
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
    /// Where the error arose.
    public var origin: ProblemOrigin { entry.origin }
    /// The status that Weir sends if there is no provider status to keep.
    public var status: Int { entry.status }
    /// Whether the same request may succeed later, unless a rule says otherwise.
    public var isTransient: Bool { entry.isTransient }
    /// Whether the side effect was performed, unless a rule says otherwise.
    public var effect: Effect { entry.effect }
    /// The title (RFC 9457 3.1.3): never changes.
    public var title: String { entry.title }
    /// The detail of a problem if nothing more is known.
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

/// The error types of `Proxy-Status` (RFC 9209 2.3) that Weir uses.
public enum ProxyErrorType: String, CaseIterable, Sendable {
    /// The resolver did not respond in time.
    case dnsTimeout = "dns_timeout"
    /// The name did not resolve.
    case dnsError = "dns_error"
    /// No provider is configured for the path.
    case destinationNotFound = "destination_not_found"
    /// Requests to the provider are held back.
    case destinationUnavailable = "destination_unavailable"
    /// The provider's address is not allowed.
    case destinationIPProhibited = "destination_ip_prohibited"
    /// There is no route to the address.
    case destinationIPUnroutable = "destination_ip_unroutable"
    /// The connection was refused.
    case connectionRefused = "connection_refused"
    /// The connection was not established in time.
    case connectionTimeout = "connection_timeout"
    /// The connection ended before the response did.
    case connectionTerminated = "connection_terminated"
    /// Nothing arrived in time.
    case connectionReadTimeout = "connection_read_timeout"
    /// The request could not be sent in time.
    case connectionWriteTimeout = "connection_write_timeout"
    /// A capacity limit was reached.
    case connectionLimitReached = "connection_limit_reached"
    /// The TLS handshake failed.
    case tlsProtocolError = "tls_protocol_error"
    /// The certificate is not trusted.
    case tlsCertificateError = "tls_certificate_error"
    /// The provider aborted the handshake.
    case tlsAlertReceived = "tls_alert_received"
    /// The client's request is malformed.
    case httpRequestError = "http_request_error"
    /// The client's request is not allowed.
    case httpRequestDenied = "http_request_denied"
    /// The response was truncated.
    case httpResponseIncomplete = "http_response_incomplete"
    /// The header section is too large.
    case httpResponseHeaderSectionSize = "http_response_header_section_size"
    /// The body is too large.
    case httpResponseBodySize = "http_response_body_size"
    /// The transfer coding is broken.
    case httpResponseTransferCoding = "http_response_transfer_coding"
    /// The content coding is broken.
    case httpResponseContentCoding = "http_response_content_coding"
    /// No response began in time.
    case httpResponseTimeout = "http_response_timeout"
    /// The response is not valid HTTP.
    case httpProtocolError = "http_protocol_error"
    /// Weir generated the response on purpose.
    case proxyInternalResponse = "proxy_internal_response"
    /// A defect in Weir.
    case proxyInternalError = "proxy_internal_error"
    /// The configuration is wrong.
    case proxyConfigurationError = "proxy_configuration_error"
    /// The request came back to Weir in a loop.
    case proxyLoopDetected = "proxy_loop_detected"

    /// The value of `Proxy-Status` for the proxy `pseudonym` (RFC 9209 2).
    public func status(of pseudonym: [UInt8]) -> [UInt8] { pseudonym + Array("; error=\(rawValue)".utf8) }

    /// The default type of a code.
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
