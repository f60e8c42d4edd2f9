extension LemlistImitation {
    func listUnsubscribes(_ request: ImitationRequest) -> ImitationResponse {
        page(unsubscribes.all, request)
    }

    func unsubscribe(_ request: ImitationRequest) -> ImitationResponse {
        guard Self.isAddressOrDomain(request.capture(0)) else { return Self.badAddress }
        // For an address that is in no list, the response has an empty body and is not an error.
        guard let found = unsubscribes[request.capture(0).lowercased()] else { return .empty(200) }
        return .json(200, found)
    }

    mutating func addUnsubscribe(_ request: ImitationRequest) -> ImitationResponse {
        let value = request.capture(0)
        guard Self.isAddressOrDomain(value) else { return Self.badAddress }
        let id = makeID("uns")
        unsubscribes[value.lowercased()] = [
            "_id": .string(id), "createdAt": .string(CivilTime.iso8601(request.arrival.wall)),
            "value": .string(value), "source": "api",
        ]
        return .json(200, ["_id": .string(id), "value": .string(value), "email": .string(value)])
    }

    mutating func removeUnsubscribe(_ request: ImitationRequest) -> ImitationResponse {
        let value = request.capture(0)
        guard let found = unsubscribes[value.lowercased()] else {
            return .bareText(404, "Unsubscribe not found")
        }
        unsubscribes[value.lowercased()] = nil
        return .json(200, ["_id": found["_id"], "value": found["value"]])
    }

    mutating func createHook(_ request: ImitationRequest) -> ImitationResponse {
        let body = request.json
        guard let target = body["targetUrl"].text else {
            return .bareText(400, "Match error: Missing key 'targetUrl'")
        }
        let id = makeID("hoo")
        var members: [(String, JSONValue)] = [
            ("_id", .string(id)), ("targetUrl", .string(target)),
            ("createdAt", .string(CivilTime.iso8601(request.arrival.wall))),
        ]
        for name in ["type", "campaignId", "isFirst"] where body[name] != .null {
            members.append((name, body[name]))
        }
        hooks[id] = .members(members)
        return .json(200, .members(members))
    }

    mutating func deleteHook(_ request: ImitationRequest) -> ImitationResponse {
        guard let hook = hooks[request.capture(0)] else { return .bareText(404, "Webhook not found") }
        hooks[request.capture(0)] = nil
        return .json(200, hook)
    }

    mutating func enrich(_ request: ImitationRequest) -> ImitationResponse {
        let id = makeID("enr")
        var input: [(String, JSONValue)] = []
        for name in ["firstName", "lastName", "linkedinUrl", "companyName", "companyDomain", "email"] {
            if let value = request.parameter(name) { input.append((name, .string(value))) }
        }
        enrichments[id] = [
            "enrichmentId": .string(id), "enrichmentStatus": "done", "input": .members(input),
            "data": ["email": ["notFound": true]],
        ]
        return .json(200, ["id": .string(id)])
    }

    func enrichment(_ request: ImitationRequest) -> ImitationResponse {
        guard let found = enrichments[request.capture(0)] else {
            return .bareText(404, "Enrichment not found")
        }
        return .json(200, found)
    }

    private static func isAddressOrDomain(_ text: String) -> Bool {
        EmailAddress.isValid(text) || (text.hasPrefix("@") && EmailAddress.isHostName(text.dropFirst()))
    }

    /// A rejection that lemlist sends as a server error.
    private static let badAddress = ImitationResponse.bareText(
        500, "Invalid email address or domain. Domains must start with @")
}
