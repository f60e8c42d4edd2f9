internal import Core

/// The lemlist API as it is documented and was recorded, for one team with one key.
///
/// A value without I/O: requests in, answers out. What is created is kept in bounded tables.
struct LemlistImitation: Sendable {
    /// The key that is accepted, as the password of Basic with an empty user, or as the query parameter
    /// `access_token`.
    static let key = "lemlist_demo"
    /// The path behind which the API lies.
    static let mount = "/lemlist/api"

    private let cases: CaseBook
    /// 20 requests in 2 seconds for each key, counted before the key is checked.
    private var windows = KeyedWindows(limit: 20, length: .seconds(2))

    var identifiers = IdentifierSource(seed: 20)
    var campaigns = BoundedTable<LemlistCampaign> { $0.name.utf8.count }
    /// By campaign and address.
    var leads = BoundedTable<LemlistLead> { $0.variables.weight }
    var unsubscribes = BoundedTable<JSONValue>()
    var hooks = BoundedTable<JSONValue>()
    var enrichments = BoundedTable<JSONValue>()

    /// A team that has three campaigns and nothing else.
    init(cases: CaseBook) {
        self.cases = cases
        for campaign in LemlistCampaign.samples { campaigns[campaign.id] = campaign }
    }

    /// Answers a request whose path is behind the mount.
    mutating func answer(_ request: ImitationRequest) -> ImitationResponse {
        let credential = LemlistCredential(request)
        if let recorded = cases.answer(to: request) {
            // A refusal is the one thing that a recorded answer does not replace.
            let verdict = windows.admit(credential?.key ?? "", at: request.arrival.monotonic)
            return verdict.isAdmitted ? recorded : limited(Self.tooManyRequests, verdict, request.arrival)
        }
        let match = Self.routes.match(request.method, request.steps)
        // The web application takes every path that the API has not, before anyone asks for a key.
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

    /// Every answer to a request with a key tells the state of its window; `Retry-After` stands in all of
    /// them.
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

    /// The answer to a body that is too large to be read.
    static let tooLarge = ImitationResponse.bareText(413, "request entity too large")

    private static let tooManyRequests = ImitationResponse.bareText(429, "Too Many Requests")

    private static let applicationPage = """
        <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>lemlist</title></head>\
        <body><div id="app"></div></body></html>
        """
}
