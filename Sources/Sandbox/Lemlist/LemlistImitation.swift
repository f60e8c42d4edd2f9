internal import Core

/// The lemlist API as documented and recorded, for one team with one key.
///
/// A value without I/O: it turns requests into responses. Created objects are kept in bounded tables.
struct LemlistImitation: Imitation {
    /// The accepted key: the password of Basic with an empty user, or the query parameter `access_token`.
    static let key = "lemlist_demo"
    /// The path of the API.
    static let mount = "/lemlist/api"

    private let cases: CaseBook
    /// 20 requests in 2 seconds per key, counted before the key is checked.
    private var windows = KeyedWindows(limit: 20, length: .seconds(2))

    var identifiers = IdentifierSource(seed: 20)
    var campaigns = BoundedTable<LemlistCampaign> { $0.name.utf8.count }
    /// By campaign and address.
    var leads = BoundedTable<LemlistLead> { $0.variables.weight }
    var unsubscribes = BoundedTable<JSONValue>()
    var hooks = BoundedTable<JSONValue>()
    var enrichments = BoundedTable<JSONValue>()

    /// A team with three campaigns.
    init(cases: CaseBook) {
        self.cases = cases
        for campaign in LemlistCampaign.samples { campaigns[campaign.id] = campaign }
    }

    /// The response to a request; its path is relative to the mount.
    mutating func answer(_ request: ImitationRequest) -> ImitationResponse {
        let credential = LemlistCredential(request)
        if let recorded = cases.answer(to: request) {
            // A rejection takes precedence over a recorded response.
            let verdict = windows.admit(credential?.key ?? "", at: request.arrival.monotonic)
            return verdict.isAdmitted ? recorded : limited(Self.tooManyRequests, verdict, request.arrival)
        }
        let match = Self.routes.match(request.method, request.steps)
        // The web application serves every path that the API does not have, without asking for a key.
        if case .unknown = match { return .html(200, Self.applicationPage) }
        guard let credential else { return .bareText(400, "no api key provided") }
        let verdict = windows.admit(credential.key, at: request.arrival.monotonic)
        guard verdict.isAdmitted else { return limited(Self.tooManyRequests, verdict, request.arrival) }
        guard credential.isAccepted else {
            let refusal = ImitationResponse.bareText(401, "The authentication you supplied is incorrect")
            return limited(refusal, verdict, request.arrival)
        }
        return limited(perform(request, match), verdict, request.arrival)
    }

    private mutating func perform(
        _ request: ImitationRequest, _ match: RouteTable<LemlistImitation>.Match
    ) -> ImitationResponse {
        switch match {
        case .answer(let answer, let captures):
            var request = request
            request.captures = captures
            return answer(&self, request)
        case .otherMethods(let methods):
            return ImitationResponse.empty(405).with("Allow", methods.joined(separator: ", "))
        case .unknown: return .html(200, Self.applicationPage)
        }
    }

    /// Every response to a request with a key reports the state of its window, including `Retry-After`.
    private func limited(
        _ response: ImitationResponse, _ verdict: StrictWindow.Verdict, _ now: Moment
    ) -> ImitationResponse {
        var response = response.with("Retry-After", "2")
            .with("X-RateLimit-Limit", "\(windows.limit)")
            .with("X-RateLimit-Remaining", "\(verdict.remaining)")
            .with("X-RateLimit-Reset", CivilTime.javaScript(now.wallMilliseconds(after: verdict.untilReset)))
        response.isRefusal = !verdict.isAdmitted
        return response
    }

    /// The response to a body that is too large to be read.
    static let tooLarge = ImitationResponse.bareText(413, "request entity too large")

    private static let tooManyRequests = ImitationResponse.bareText(429, "Too Many Requests")

    private static let applicationPage = """
        <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>lemlist</title></head>\
        <body><div id="app"></div></body></html>
        """
}

extension LemlistImitation {
    /// The simulated paths, relative to the mount; a slash at the end is ignored.
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

    /// The part of a list selected by `offset` and `limit`; at most 100.
    func page(_ all: [JSONValue], _ request: ImitationRequest) -> ImitationResponse {
        let offset = request.parameter("offset").flatMap { Int($0) } ?? 0
        let limit = request.parameter("limit").flatMap { Int($0) } ?? 100
        guard offset >= 0, limit >= 0 else { return .bareText(400, "Bad params") }
        return .json(200, .array(Array(all.dropFirst(offset).prefix(min(limit, 100)))))
    }
}

/// The key of a request to lemlist.
struct LemlistCredential: Sendable, Equatable {
    /// The key, as sent.
    var key: String
    /// Whether it is valid.
    var isAccepted: Bool

    /// Finds the key: the password of Basic, or `access_token`.
    ///
    /// - Returns: `nil` without one; other schemes and Basic without a colon count as none.
    init?(_ request: ImitationRequest) {
        if let token = request.parameter("access_token"), !token.isEmpty {
            self.init(key: token, isAccepted: token == LemlistImitation.key)
            return
        }
        guard let encoded = request.credential("basic"), let bytes = Base64.decode(Array(encoded.utf8).span),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon + 1 < bytes.count
        else { return nil }
        let key = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
        self.init(key: key, isAccepted: colon == 0 && key == LemlistImitation.key)
    }

    private init(key: String, isAccepted: Bool) {
        self.key = key
        self.isAccepted = isAccepted
    }
}
