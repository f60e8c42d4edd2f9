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
