extension LemlistImitation {
    /// The paths that are imitated, behind the mount; a slash at the end means nothing.
    static let routes = RouteTable<LemlistImitation>([
        "GET /team": { _, _ in .json(200, team) },
        "GET /team/senders": { $0.senders($1) },
        "GET /team/credits": { _, _ in .json(200, credits) },
        "GET /campaigns": { $0.listCampaigns($1) },
        "POST /campaigns": { $0.createCampaign($1) },
        "GET /campaigns/*": { $0.campaign($1) },
        "PATCH /campaigns/*": { $0.updateCampaign($1) },
        "POST /campaigns/*/pause": { $0.setState($1, "paused") },
        "POST /campaigns/*/start": { $0.setState($1, "running") },
        "GET /campaigns/*/leads": { $0.listLeads($1) },
        "POST /campaigns/*/leads": { $0.createLead($1) },
        "PATCH /campaigns/*/leads/*": { $0.updateLead($1) },
        "DELETE /campaigns/*/leads/*": { $0.deleteLead($1) },
        "GET /leads": { $0.findLead($1) },
        "GET /leads/*": { $0.leadsWithAddress($1) },
        "POST /leads/pause/*": { $0.setPaused($1, true) },
        "POST /leads/start/*": { $0.setPaused($1, false) },
        "GET /activities": { $0.activities($1) },
        "GET /unsubscribes": { $0.listUnsubscribes($1) },
        "GET /unsubscribes/*": { $0.unsubscribe($1) },
        "POST /unsubscribes/*": { $0.addUnsubscribe($1) },
        "DELETE /unsubscribes/*": { $0.removeUnsubscribe($1) },
        "GET /hooks": { imitation, _ in .json(200, .array(imitation.hooks.all)) },
        "POST /hooks": { $0.createHook($1) },
        "DELETE /hooks/*": { $0.deleteHook($1) },
        "GET /schedules": { _, _ in .json(200, ["schedules": [schedule]]) },
        "POST /enrich": { $0.enrich($1) },
        "GET /enrich/*": { $0.enrichment($1) },
    ])

    static let teamID = "tea_D4E5F6G7H8I9J0K1L"
    static let userID = "usr_E5F6G7H8I9J0K1L2M"

    private static let team: JSONValue = [
        "_id": .string(teamID), "name": "Weir sandbox", "userIds": [.string(userID)],
        "createdBy": .string(userID), "createdAt": "2026-01-05T08:52:30.926Z", "hooks": [],
    ]

    private static let credits: JSONValue = [
        "credits": 100,
        "details": [
            "remaining": ["total": 100, "freemium": 0, "subscription": 80, "gifted": 10, "paid": 10]
        ],
    ]

    private static let schedule: JSONValue = [
        "_id": "skd_F6G7H8I9J0K1L2M3N", "name": "Default schedule", "secondsToWait": 1200,
        "timezone": "Europe/Paris", "start": "09:00", "end": "18:00", "weekdays": [1, 2, 3, 4, 5],
        "public": false, "teamId": .string(teamID), "createdBy": .string(userID),
        "createdAt": "2026-01-05T08:52:31.204Z",
    ]

    /// An identifier such as `cam_` and 17 letters and digits.
    mutating func makeID(_ prefix: String) -> String { "\(prefix)_\(identifiers.alphanumerics(17))" }

    /// The part of a list that `offset` and `limit` ask for; at most 100.
    func page(_ all: [JSONValue], _ request: ImitationRequest) -> ImitationResponse {
        let offset = request.parameter("offset").flatMap { Int($0) } ?? 0
        let limit = request.parameter("limit").flatMap { Int($0) } ?? 100
        guard offset >= 0, limit >= 0 else { return .bareText(400, "Bad params") }
        return .json(200, .array(Array(all.dropFirst(offset).prefix(min(limit, 100)))))
    }
}
