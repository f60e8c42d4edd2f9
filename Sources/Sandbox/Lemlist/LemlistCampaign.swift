/// A campaign of the imitated team.
struct LemlistCampaign: Sendable {
    var id: String
    var name: String
    /// `draft`, `running` or `paused`.
    var state: String
    var createdAt: String

    /// As it stands in a list.
    var summary: JSONValue {
        [
            "_id": .string(id), "name": .string(name), "labels": [], "createdAt": .string(createdAt),
            "createdBy": .string(LemlistImitation.userID), "status": .string(state),
        ]
    }

    /// As it is answered alone.
    var detail: JSONValue {
        [
            "_id": .string(id), "name": .string(name), "createdAt": .string(createdAt),
            "status": .string(state),
            "creator": ["userId": .string(LemlistImitation.userID), "userEmail": "demo@example.com"],
            "senders": [["id": .string(LemlistImitation.userID), "email": "demo@example.com"]],
        ]
    }

    /// What the team begins with.
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
