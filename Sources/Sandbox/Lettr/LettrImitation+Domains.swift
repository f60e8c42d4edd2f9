extension LettrImitation {
    func listDomains(_ request: ImitationRequest) -> ImitationResponse {
        Self.success(200, "Domains retrieved successfully.", ["domains": .array(domains.all.map(\.summary))])
    }

    mutating func createDomain(_ request: ImitationRequest) -> ImitationResponse {
        var errors = LettrValidation()
        let name = errors.required("domain", in: request.json).lowercased()
        if !name.isEmpty, !EmailAddress.isHostName(name) {
            errors.add("domain", "The domain must be a valid domain name (e.g., example.com).")
        }
        if let refusal = errors.refusal { return refusal }
        guard domains[name] == nil else {
            return Self.error(409, "resource_already_exists", "This domain is already registered.")
        }
        let domain = LettrDomain(
            name: name, isApproved: false, createdAt: CivilTime.offset8601(request.arrival.wall))
        domains[name] = domain
        return Self.success(201, "Domain created successfully.", domain.creation)
    }

    func domain(_ request: ImitationRequest) -> ImitationResponse {
        guard let domain = domains[request.capture(0).lowercased()] else { return Self.noDomain }
        return Self.success(200, "Domain retrieved successfully.", domain.detail)
    }

    mutating func deleteDomain(_ request: ImitationRequest) -> ImitationResponse {
        let name = request.capture(0).lowercased()
        guard domains[name] != nil else { return Self.noDomain }
        domains[name] = nil
        return .empty(204)
    }

    func verifyDomain(_ request: ImitationRequest) -> ImitationResponse {
        guard let domain = domains[request.capture(0).lowercased()] else { return Self.noDomain }
        return Self.success(200, "Domain verification completed.", domain.verification)
    }

    private static let noDomain = error(404, "not_found", "Domain not found.")
}

/// A sending domain of the simulated team.
struct LettrDomain: Sendable {
    var name: String
    var isApproved: Bool
    var createdAt: String

    /// The initial domains.
    static let sample = LettrDomain(
        name: "example.com", isApproved: true, createdAt: "2026-01-15T10:30:00+00:00")

    private var status: JSONValue { isApproved ? "approved" : "pending" }
    private var label: JSONValue { isApproved ? "Approved" : "Pending Review" }
    private var check: JSONValue { isApproved ? "valid" : nil }

    /// Its representation in a list.
    var summary: JSONValue {
        [
            "domain": .string(name), "status": status, "status_label": label,
            "can_send": .boolean(isApproved),
            "cname_status": check, "dkim_status": check, "created_at": .string(createdAt),
            "updated_at": .string(createdAt),
        ]
    }

    /// Its representation as a single resource.
    var detail: JSONValue {
        [
            "domain": .string(name), "status": status, "status_label": label,
            "can_send": .boolean(isApproved),
            "cname_status": check, "dkim_status": check, "dmarc_status": check, "spf_status": check,
            "is_primary_domain": .boolean(isApproved), "tracking_domain": nil, "dns": ["dkim": Self.key],
            "dns_provider": nil, "created_at": .string(createdAt), "updated_at": .string(createdAt),
        ]
    }

    /// Its representation when it is created.
    var creation: JSONValue {
        var key = Self.key
        key["signing_domain"] = .string(name)
        return ["domain": .string(name), "status": status, "status_label": label, "dkim": key]
    }

    /// The result of a verification.
    var verification: JSONValue {
        let found: JSONValue = isApproved ? "valid" : "invalid"
        return [
            "domain": .string(name), "dkim_status": found, "cname_status": found,
            "dmarc_status": isApproved ? "valid" : "missing",
            "spf_status": isApproved ? "valid" : "unverified",
            "ownership_verified": isApproved ? "true" : nil, "is_primary_domain": .boolean(isApproved),
        ]
    }

    private static let key: JSONValue = [
        "selector": "scph0123", "public": "MIGfMA0GCSqGSIb3DQEBA", "headers": "from:to:subject:date",
    ]
}
