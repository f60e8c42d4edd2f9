extension LemlistImitation {
    func listLeads(_ request: ImitationRequest) -> ImitationResponse {
        guard campaigns[request.capture(0)] != nil else { return Self.noCampaign }
        let leads = leads.all.filter { $0.campaignID == request.capture(0) }
        return page(
            leads.map {
                ["_id": .string($0.id), "contactId": .string($0.contactID), "state": "scanned"]
            }, request)
    }

    mutating func createLead(_ request: ImitationRequest) -> ImitationResponse {
        guard let campaign = campaigns[request.capture(0)] else { return Self.noCampaign }
        let body = request.json
        guard case .object = body else { return .bareText(400, "Bad params") }
        guard let email = body["email"].text, EmailAddress.isValid(email) else {
            return .bareText(400, "Bad params (invalid email)")
        }
        let place = LemlistLead.place(campaign.id, email)
        if leads[place] != nil { return .bareText(400, "Lead already in the campaign") }
        if request.parameter("deduplicate") == "true", !leads(with: email).isEmpty {
            return .bareText(409, "Lead already in other campaign")
        }
        let lead = LemlistLead(
            id: makeID("lea"), contactID: makeID("ctc"), campaignID: campaign.id, email: email,
            variables: body,
            updatedAt: CivilTime.iso8601(request.arrival.wall))
        leads[place] = lead
        return .json(200, lead.record(in: campaign)).after(Self.delay(of: email))
    }

    mutating func updateLead(_ request: ImitationRequest) -> ImitationResponse {
        guard campaigns[request.capture(0)] != nil else { return Self.noCampaign }
        guard var lead = lead(request.capture(1), in: request.capture(0)) else { return Self.noLead }
        guard case .object(let members) = request.json else { return .bareText(400, "Bad params") }
        for member in members where member.name != "email" { lead.variables[member.name] = member.value }
        leads[LemlistLead.place(lead.campaignID, lead.email)] = lead
        return .json(200, lead.record(in: campaigns[lead.campaignID]))
    }

    mutating func deleteLead(_ request: ImitationRequest) -> ImitationResponse {
        guard campaigns[request.capture(0)] != nil else { return Self.noCampaign }
        guard let lead = lead(request.capture(1), in: request.capture(0)) else { return Self.noLead }
        leads[LemlistLead.place(lead.campaignID, lead.email)] = nil
        return .json(200, lead.record(in: nil))
    }

    func findLead(_ request: ImitationRequest) -> ImitationResponse {
        let wanted = request.parameter("email") ?? request.parameter("id") ?? ""
        guard let lead = leads.all.first(where: { $0.id == wanted || Self.isSame($0.email, wanted) }) else {
            return Self.noLead
        }
        return .json(200, lead.record(in: nil))
    }

    func leadsWithAddress(_ request: ImitationRequest) -> ImitationResponse {
        let found = leads(with: request.capture(0))
        if found.isEmpty { return Self.noLead.after(Self.delay(of: request.capture(0))) }
        return .json(200, .array(found.map { $0.detail(in: campaigns[$0.campaignID]) }))
            .after(Self.delay(of: request.capture(0)))
    }

    mutating func setPaused(_ request: ImitationRequest, _ isPaused: Bool) -> ImitationResponse {
        let wanted = request.capture(0)
        let found = leads.all.filter { $0.id == wanted || Self.isSame($0.email, wanted) }
        guard !found.isEmpty else { return Self.noLead }
        for var lead in found {
            lead.isPaused = isPaused
            leads[LemlistLead.place(lead.campaignID, lead.email)] = lead
        }
        return .json(200, .array(found.map { ["_id": .string($0.id), "isPaused": .boolean(isPaused)] }))
    }

    func activities(_ request: ImitationRequest) -> ImitationResponse {
        page(
            leads.all.map { lead in
                [
                    "_id": .string("act_" + lead.id.dropFirst(4)), "type": "hasEmailAddress",
                    "createdAt": .string(lead.updatedAt), "leadEmail": .string(lead.email),
                    "leadId": .string(lead.id), "contactId": .string(lead.contactID),
                    "campaignId": .string(lead.campaignID), "teamId": .string(Self.teamID),
                ]
            }, request)
    }

    private func leads(with email: String) -> [LemlistLead] {
        leads.all.filter { Self.isSame($0.email, email) }
    }

    private func lead(_ wanted: String, in campaign: String) -> LemlistLead? {
        leads.all.first { $0.campaignID == campaign && ($0.id == wanted || Self.isSame($0.email, wanted)) }
    }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.lowercased() == right.lowercased()
    }

    /// A lead whose address begins with `slow@` gets a delayed response.
    private static func delay(of email: String) -> Duration? {
        EmailAddress.localPart(email) == "slow" ? .seconds(2) : nil
    }

    private static let noLead = ImitationResponse.bareText(404, "Lead not found")
}

/// A lead in a campaign of the simulated team.
struct LemlistLead: Sendable {
    var id: String
    var contactID: String
    var campaignID: String
    var email: String
    /// The members that the caller supplied.
    var variables: JSONValue
    var isPaused = false
    var updatedAt: String

    /// Its key in the table of leads.
    static func place(_ campaignID: String, _ email: String) -> String {
        "\(campaignID)/\(email.lowercased())"
    }

    /// Its representation when it is created, changed or deleted.
    func record(in campaign: LemlistCampaign?) -> JSONValue {
        var members: [(String, JSONValue)] = [("campaignId", .string(campaignID))]
        if let campaign { members.append(("campaignName", .string(campaign.name))) }
        if case .object(let variables) = variables {
            members += variables.filter { $0.name != "email" }.map { ($0.name, $0.value) }
        }
        members += [
            ("email", .string(email)), ("_id", .string(id)), ("isPaused", .boolean(isPaused)),
            ("contactId", .string(contactID)),
        ]
        return .members(members)
    }

    /// Its representation when it is looked up by address.
    func detail(in campaign: LemlistCampaign?) -> JSONValue {
        [
            "_id": .string(id), "updatedAt": .string(updatedAt), "isPaused": .boolean(isPaused),
            "state": "scanned", "status": "review", "personalized": false, "source": "api",
            "variables": variables, "contactId": .string(contactID),
            "campaign": [
                "id": .string(campaignID), "name": campaign.map { .string($0.name) } ?? nil,
                "status": campaign.map { .string($0.state) } ?? nil,
            ],
            "sendingUser": [:],
        ]
    }
}
