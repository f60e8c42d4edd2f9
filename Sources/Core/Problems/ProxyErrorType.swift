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
