/// A lead in a campaign of the imitated team.
struct LemlistLead: Sendable {
    var id: String
    var contactID: String
    var campaignID: String
    var email: String
    /// What the caller said about it.
    var variables: JSONValue
    var isPaused = false
    var updatedAt: String

    /// Where it stands in the table of leads.
    static func place(_ campaignID: String, _ email: String) -> String {
        "\(campaignID)/\(email.lowercased())"
    }

    /// As it is answered when it is created, changed or deleted.
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

    /// As it is answered when it is looked up by its address.
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
