/// The fixed properties of each problem code.
enum ProblemCatalogue {
    struct Entry: Sendable {
        var name: String
        var origin: ProblemOrigin
        var status: Int
        var isTransient: Bool
        var effect: Effect
        var title: String
        var detail: String
        var documentation: String
    }

    /// The entries, in the order of `ProblemCode`.
    static let entries: [Entry] = provider + network + proxy + client

    private static let provider: [Entry] = [
        Entry(
            name: "invalid_request", origin: .provider, status: 400, isTransient: false, effect: .none,
            title: "Invalid request",
            detail: "The provider refused the request as malformed.",
            documentation:
                "The provider considers the request malformed: a wrong parameter, a wrong format or "
                + "an unknown value. Change the request."),
        Entry(
            name: "validation_failed", origin: .provider, status: 422, isTransient: false, effect: .none,
            title: "Validation failed",
            detail: "The provider refused one or more fields of the request.",
            documentation:
                "One or more fields are invalid. `fields` lists them if the provider names them. "
                + "Correct them and send the request again."),
        Entry(
            name: "unauthenticated", origin: .provider, status: 401, isTransient: false, effect: .none,
            title: "Not authenticated",
            detail: "The provider did not accept the credential.",
            documentation:
                "The credential is missing, wrong, revoked or unknown. Repeating the request may get "
                + "the key locked."),
        Entry(
            name: "permission_denied", origin: .provider, status: 403, isTransient: false, effect: .none,
            title: "Permission denied",
            detail: "The credential may not do this.",
            documentation:
                "The credential is valid but not allowed to do this: the resource belongs to another "
                + "team, a scope is missing, or the address is not on an allow list."),
        Entry(
            name: "account_blocked", origin: .provider, status: 403, isTransient: false, effect: .none,
            title: "Account blocked",
            detail: "The provider has blocked the account.",
            documentation:
                "The provider has blocked the account or its user. Contact the provider's support."),
        Entry(
            name: "payment_required", origin: .provider, status: 402, isTransient: false, effect: .none,
            title: "Payment required",
            detail: "The plan does not include this, or the credits are used up.",
            documentation:
                "The plan does not include this, or the credits are used up."),
        Entry(
            name: "not_found", origin: .provider, status: 404, isTransient: false, effect: .none,
            title: "Not found",
            detail: "The provider has nothing at this address.",
            documentation:
                "The resource, or the path itself, does not exist at the provider."),
        Entry(
            name: "method_not_allowed", origin: .provider, status: 405, isTransient: false, effect: .none,
            title: "Method not allowed",
            detail: "The provider does not allow this method here.",
            documentation:
                "The path exists, but not with this method. `Allow` lists the allowed methods if the "
                + "provider names them."),
        Entry(
            name: "not_acceptable", origin: .provider, status: 406, isTransient: false, effect: .none,
            title: "Not acceptable",
            detail: "The provider cannot answer in the format asked for.",
            documentation:
                "The provider cannot respond in the format that `Accept` asks for."),
        Entry(
            name: "conflict", origin: .provider, status: 409, isTransient: false, effect: .none,
            title: "Conflict",
            detail: "The state of the resource does not permit this.",
            documentation:
                "The state of the resource does not permit the action. Read its state before you try "
                + "again."),
        Entry(
            name: "already_exists", origin: .provider, status: 409, isTransient: false, effect: .none,
            title: "Already exists",
            detail: "The resource already exists.",
            documentation:
                "The resource that the request would create already exists."),
        Entry(
            name: "idempotency_conflict", origin: .provider, status: 409, isTransient: false, effect: .none,
            title: "Idempotency key reused",
            detail: "The idempotency key was used with another request.",
            documentation:
                "The idempotency key was already used with another payload. Use a new key for a new "
                + "request."),
        Entry(
            name: "gone", origin: .provider, status: 410, isTransient: false, effect: .none,
            title: "Gone",
            detail: "The resource existed once and is gone.",
            documentation:
                "The resource existed once and is permanently gone."),
        Entry(
            name: "precondition_failed", origin: .provider, status: 412, isTransient: false, effect: .none,
            title: "Precondition failed",
            detail: "A precondition of the request does not hold.",
            documentation:
                "A precondition such as `If-Match` is not met, or is required and missing."),
        Entry(
            name: "payload_too_large", origin: .provider, status: 413, isTransient: false, effect: .none,
            title: "Payload too large",
            detail: "The request is too large for the provider.",
            documentation:
                "The request is larger than the provider accepts."),
        Entry(
            name: "unsupported_media_type", origin: .provider, status: 415, isTransient: false, effect: .none,
            title: "Unsupported media type",
            detail: "The provider does not accept this content type.",
            documentation:
                "The provider does not accept the request's `Content-Type` or `Content-Encoding`."),
        Entry(
            name: "rate_limited", origin: .provider, status: 429, isTransient: true, effect: .none,
            title: "Rate limited",
            detail: "The provider refused the request because of its rate limit.",
            documentation:
                "The provider's rate limit was exceeded. Wait `retry_after` seconds. Weir queues "
                + "requests to avoid this, so another client shares the key or the configured limit is "
                + "too high."),
        Entry(
            name: "quota_exceeded", origin: .provider, status: 429, isTransient: false, effect: .none,
            title: "Quota exceeded",
            detail: "A quota of the account is used up.",
            documentation:
                "A daily, monthly or plan quota is used up. `retry_after` is the time until it is "
                + "renewed, if the provider reports it; retrying earlier does not help."),
        Entry(
            name: "legal_block", origin: .provider, status: 451, isTransient: false, effect: .none,
            title: "Unavailable for legal reasons",
            detail: "The provider refuses this for legal reasons.",
            documentation:
                "The provider rejects this for legal reasons. Contact the provider's support."),
        Entry(
            name: "edge_blocked", origin: .provider, status: 403, isTransient: false, effect: .none,
            title: "Blocked at the edge",
            detail: "A CDN or firewall in front of the provider refused the request.",
            documentation:
                "A CDN or firewall in front of the provider rejected the request, so the provider "
                + "never received it. Check the user agent, the address and the payload."),
        Entry(
            name: "provider_error", origin: .provider, status: 500, isTransient: true, effect: .unknown,
            title: "Provider error",
            detail: "The provider failed.",
            documentation:
                "The provider failed while it handled the request. Whether the request took effect is "
                + "unknown, unless `effect` says so."),
        Entry(
            name: "provider_unavailable", origin: .provider, status: 503, isTransient: true, effect: .unknown,
            title: "Provider unavailable",
            detail: "The provider is not available.",
            documentation:
                "The provider, or a gateway in front of it, is overloaded, down or in maintenance."),
    ]

    private static let network: [Entry] = [
        Entry(
            name: "provider_bad_response", origin: .network, status: 502, isTransient: false,
            effect: .unknown,
            title: "Bad response",
            detail: "The provider's answer could not be used.",
            documentation:
                "The response was not valid HTTP, or did not come from the API: a login page, for "
                + "example."),
        Entry(
            name: "provider_timeout", origin: .network, status: 504, isTransient: true, effect: .unknown,
            title: "Provider timed out",
            detail: "The provider did not answer in time.",
            documentation:
                "The provider, or a gateway in front of it, did not respond in time. The request may "
                + "have taken effect."),
        Entry(
            name: "provider_unreachable", origin: .network, status: 502, isTransient: true, effect: .none,
            title: "Provider unreachable",
            detail: "The provider could not be reached.",
            documentation:
                "The name did not resolve, or no connection could be made. Nothing was sent."),
        Entry(
            name: "connection_lost", origin: .network, status: 502, isTransient: true, effect: .unknown,
            title: "Connection lost",
            detail: "The connection broke before the answer was complete.",
            documentation:
                "The connection broke after the request was sent, wholly or in part. The request may "
                + "have taken effect."),
        Entry(
            name: "tls_failure", origin: .network, status: 502, isTransient: false, effect: .none,
            title: "TLS failure",
            detail: "No secure connection to the provider could be made.",
            documentation:
                "The handshake failed, the certificate is not trusted, or the provider ended TLS with "
                + "an alert. `effect` is `none` unless the provider may have read the request."),
    ]

    private static let proxy: [Entry] = [
        Entry(
            name: "throttled", origin: .proxy, status: 429, isTransient: true, effect: .none,
            title: "Throttled",
            detail: "The request would have to wait longer than it may.",
            documentation:
                "Sending the request now would exceed the provider's rate limit, and the wait would "
                + "be longer than allowed. Nothing was sent. Send it again in `retry_after` seconds."),
        Entry(
            name: "queue_timeout", origin: .proxy, status: 429, isTransient: true, effect: .none,
            title: "Queue timed out",
            detail: "The request waited as long as it may and was not sent.",
            documentation:
                "The request waited in Weir's queue for its maximum time. Nothing was sent."),
        Entry(
            name: "credentials_quarantined", origin: .proxy, status: 401, isTransient: true, effect: .none,
            title: "Credential quarantined",
            detail: "The provider has refused this credential several times in a row.",
            documentation:
                "The provider has rejected this credential several times in a row. Weir holds back "
                + "requests with it so that the account is not locked. Nothing was sent."),
        Entry(
            name: "circuit_open", origin: .proxy, status: 503, isTransient: true, effect: .none,
            title: "Circuit open",
            detail: "The provider has failed several times in a row.",
            documentation:
                "The provider has failed repeatedly. Weir sends it nothing for a while so that it can "
                + "recover. Nothing was sent."),
        Entry(
            name: "shutting_down", origin: .proxy, status: 503, isTransient: true, effect: .none,
            title: "Shutting down",
            detail: "Weir is shutting down.",
            documentation:
                "Weir is shutting down. `effect` is `none` if the request had not been sent yet."),
        Entry(
            name: "route_not_found", origin: .proxy, status: 404, isTransient: false, effect: .none,
            title: "Route not found",
            detail: "No provider is configured for this path.",
            documentation:
                "No provider is mounted at this path. Nothing was sent."),
        Entry(
            name: "internal_error", origin: .proxy, status: 500, isTransient: false, effect: .unknown,
            title: "Internal error",
            detail: "Weir failed.",
            documentation:
                "A defect in Weir. Please report it with the request id."),
    ]

    private static let client: [Entry] = [
        Entry(
            name: "bad_client_request", origin: .client, status: 400, isTransient: false, effect: .none,
            title: "Bad request",
            detail: "The request is malformed.",
            documentation:
                "The request violates HTTP, or asks for something that Weir does not allow. Nothing "
                + "was sent."),
        Entry(
            name: "request_too_large", origin: .client, status: 413, isTransient: false, effect: .none,
            title: "Request too large",
            detail: "The body is larger than this proxy accepts.",
            documentation:
                "The body is larger than `limits.request_body`."),
        Entry(
            name: "headers_too_large", origin: .client, status: 431, isTransient: false, effect: .none,
            title: "Headers too large",
            detail: "The header fields are larger than this proxy accepts.",
            documentation:
                "The header fields are larger than Weir accepts. Nothing was sent."),
        Entry(
            name: "uri_too_long", origin: .client, status: 414, isTransient: false, effect: .none,
            title: "URI too long",
            detail: "The request target is longer than this proxy accepts.",
            documentation:
                "The request target is longer than Weir accepts. Nothing was sent."),
    ]
}
