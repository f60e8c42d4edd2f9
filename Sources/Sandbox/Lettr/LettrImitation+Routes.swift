extension LettrImitation {
    /// The paths that are imitated, behind the mount.
    static let routes = RouteTable<LettrImitation>([
        "GET /health": { $0.health($1) },
        "GET /auth/check": { $0.checkKey($1) },
        "GET /emails": { $0.listEmails($1) },
        "POST /emails": { $0.sendEmail($1) },
        "GET /emails/events": { $0.listEmails($1) },
        "GET /emails/scheduled": { $0.listScheduled($1) },
        "POST /emails/scheduled": { $0.scheduleEmail($1) },
        "GET /emails/scheduled/*": { $0.scheduledEmail($1) },
        "DELETE /emails/scheduled/*": { $0.cancelScheduled($1) },
        "GET /emails/*": { $0.email($1) },
        "GET /domains": { $0.listDomains($1) },
        "POST /domains": { $0.createDomain($1) },
        "GET /domains/*": { $0.domain($1) },
        "DELETE /domains/*": { $0.deleteDomain($1) },
        "POST /domains/*/verify": { $0.verifyDomain($1) },
        "GET /webhooks": { $0.listWebhooks($1) },
        "POST /webhooks": { $0.createWebhook($1) },
        "GET /webhooks/*": { $0.webhook($1) },
        "PUT /webhooks/*": { $0.updateWebhook($1) },
        "DELETE /webhooks/*": { $0.deleteWebhook($1) },
        "GET /templates": { $0.listTemplates($1) },
        "POST /templates": { $0.createTemplate($1) },
        "GET /templates/html": { $0.templateHTML($1) },
        "GET /templates/*": { $0.template($1) },
        "PUT /templates/*": { $0.updateTemplate($1) },
        "DELETE /templates/*": { $0.deleteTemplate($1) },
        "GET /templates/*/merge-tags": { $0.mergeTags($1) },
        "GET /projects": { $0.listProjects($1) },
        "GET /audience/lists": { $0.listLists($1) },
        "POST /audience/lists": { $0.createList($1) },
        "GET /audience/lists/*": { $0.list($1) },
        "DELETE /audience/lists/*": { $0.deleteList($1) },
        "GET /audience/contacts": { $0.listContacts($1) },
        "POST /audience/contacts": { $0.createContact($1) },
        "GET /audience/contacts/*": { $0.contact($1) },
        "PATCH /audience/contacts/*": { $0.updateContact($1) },
        "DELETE /audience/contacts/*": { $0.deleteContact($1) },
        "GET /campaigns": { $0.listCampaigns($1) },
    ])

    static let teamID = 123

    private func health(_ request: ImitationRequest) -> ImitationResponse {
        let data: JSONValue = [
            "status": "ok", "timestamp": .string(CivilTime.iso8601(request.arrival.wall)),
        ]
        return Self.success(200, "Health check passed.", data)
    }

    private func checkKey(_ request: ImitationRequest) -> ImitationResponse {
        let data: JSONValue = [
            "team_id": .integer(Self.teamID), "timestamp": .string(CivilTime.iso8601(request.arrival.wall)),
        ]
        return Self.success(200, "API key is valid.", data)
    }

    private func listProjects(_ request: ImitationRequest) -> ImitationResponse {
        let project: JSONValue = [
            "id": 1, "name": "Default Project", "emoji": nil, "team_id": .integer(Self.teamID),
            "created_at": "2026-01-15T10:30:00+00:00", "updated_at": "2026-01-15T10:30:00+00:00",
        ]
        return page([project], as: "projects", "Projects retrieved successfully.", request)
    }

    private func listCampaigns(_ request: ImitationRequest) -> ImitationResponse {
        page([], as: "campaigns", "Campaigns retrieved successfully.", request)
    }

    /// A success in the envelope that all have.
    static func success(_ status: Int, _ message: String, _ data: JSONValue) -> ImitationResponse {
        .json(status, ["message": .string(message), "data": data])
    }

    /// The page of a list that `page` and `per_page` ask for, with Laravel's pagination.
    func page(
        _ all: [JSONValue], as name: String, _ message: String, _ request: ImitationRequest
    ) -> ImitationResponse {
        var errors = LettrValidation()
        let perPage = errors.size("per_page", in: 1...100, default: 25, request)
        let number = errors.size("page", in: 1...1_000_000, default: 1, request)
        if let refusal = errors.refusal { return refusal }
        let shown = Array(all.dropFirst((number - 1) * perPage).prefix(perPage))
        let pagination: JSONValue = [
            "total": .integer(all.count), "per_page": .integer(perPage), "current_page": .integer(number),
            "last_page": .integer(max(1, (all.count + perPage - 1) / perPage)),
        ]
        return Self.success(200, message, .members([(name, .array(shown)), ("pagination", pagination)]))
    }
}
