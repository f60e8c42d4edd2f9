extension LemlistImitation {
    func senders(_ request: ImitationRequest) -> ImitationResponse {
        let campaigns = campaigns.all.map { campaign -> JSONValue in
            [
                "_id": .string(campaign.id), "name": .string(campaign.name),
                "status": .string(campaign.state),
                "sendingChannels": ["email"],
            ]
        }
        return .json(200, [["userId": .string(Self.userID), "campaigns": .array(campaigns)]])
    }

    func listCampaigns(_ request: ImitationRequest) -> ImitationResponse {
        page(campaigns.all.map(\.summary), request)
    }

    mutating func createCampaign(_ request: ImitationRequest) -> ImitationResponse {
        guard case .object = request.json else { return .bareText(400, "Bad params") }
        guard let name = request.json["name"].text else {
            return .bareText(400, "Match error: Missing key 'name'")
        }
        let campaign = LemlistCampaign(
            id: makeID("cam"), name: name, state: "draft", createdAt: CivilTime.iso8601(request.arrival.wall))
        campaigns[campaign.id] = campaign
        var answer = campaign.summary
        answer["sequenceId"] = .string(makeID("seq"))
        answer["teamId"] = .string(Self.teamID)
        answer["state"] = .string(campaign.state)
        return .json(200, answer)
    }

    func campaign(_ request: ImitationRequest) -> ImitationResponse {
        guard let campaign = campaigns[request.capture(0)] else { return Self.noCampaign }
        return .json(200, campaign.detail)
    }

    mutating func updateCampaign(_ request: ImitationRequest) -> ImitationResponse {
        guard var campaign = campaigns[request.capture(0)] else { return Self.noCampaign }
        if let name = request.json["name"].text { campaign.name = name }
        campaigns[campaign.id] = campaign
        return .json(200, campaign.detail)
    }

    mutating func setState(_ request: ImitationRequest, _ state: String) -> ImitationResponse {
        guard var campaign = campaigns[request.capture(0)] else { return Self.noCampaign }
        campaign.state = state
        campaigns[campaign.id] = campaign
        return .json(200, ["_id": .string(campaign.id), "state": .string(state)])
    }

    static let noCampaign = ImitationResponse.bareText(404, "Campaign not found")
}

/// A campaign of the simulated team.
struct LemlistCampaign: Sendable {
    var id: String
    var name: String
    /// `draft`, `running` or `paused`.
    var state: String
    var createdAt: String

    /// Its representation in a list.
    var summary: JSONValue {
        [
            "_id": .string(id), "name": .string(name), "labels": [], "createdAt": .string(createdAt),
            "createdBy": .string(LemlistImitation.userID), "status": .string(state),
        ]
    }

    /// Its representation as a single resource.
    var detail: JSONValue {
        [
            "_id": .string(id), "name": .string(name), "createdAt": .string(createdAt),
            "status": .string(state),
            "creator": ["userId": .string(LemlistImitation.userID), "userEmail": "demo@example.com"],
            "senders": [["id": .string(LemlistImitation.userID), "email": "demo@example.com"]],
        ]
    }

    /// The initial campaigns.
    static let samples = [
        LemlistCampaign(
            id: "cam_A1B2C3D4E5F6G7H8I", name: "Product Launch Campaign", state: "running",
            createdAt: "2026-02-20T14:45:54.230Z"),
        LemlistCampaign(
            id: "cam_B2C3D4E5F6G7H8I9J", name: "Customer Onboarding", state: "paused",
            createdAt: "2026-03-14T13:32:57.880Z"),
        LemlistCampaign(
            id: "cam_C3D4E5F6G7H8I9J0K", name: "Autumn Outreach", state: "draft",
            createdAt: "2026-05-05T09:00:07.541Z"),
    ]
}
