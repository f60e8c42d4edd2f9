internal import Core

/// The Lettr API as documented, for one team with two keys.
///
/// A value without I/O: it turns requests into responses. Created objects are kept in bounded tables. Some addresses
/// trigger a behaviour: the recipients `quota@`, `monthly@` and `ratelimit@` one of the three responses with status
/// 429, `slow@` a response after two seconds, and a sender's domain that begins with `unconfigured.` a rejection.
struct LettrImitation: Imitation {
    /// The accepted keys, both of the same team.
    static let keys = ["lttr_sandbox_demo", "lttr_demo"]
    /// The path of the API.
    static let mount = "/lettr/api"

    private let cases: CaseBook
    /// 3 requests per second for all keys of the team together.
    private var window = StrictWindow(limit: 3, length: .seconds(1))

    var identifiers = IdentifierSource(seed: 3)
    var emails = BoundedTable<LettrEmail> { $0.weight }
    var scheduled = BoundedTable<LettrEmail> { $0.weight }
    /// The responses to sends with an idempotency key.
    var sends = BoundedTable<LettrSend> { $0.answer.body.count }
    var domains = BoundedTable<LettrDomain> { $0.name.utf8.count }
    var webhooks = BoundedTable<JSONValue>()
    var templates = BoundedTable<JSONValue>()
    var contacts = BoundedTable<JSONValue>()
    var lists = BoundedTable<JSONValue>()

    /// A team with one domain and one template.
    init(cases: CaseBook) {
        self.cases = cases
        domains[LettrDomain.sample.name] = LettrDomain.sample
        templates["welcome-email"] = Self.sampleTemplate
    }

    /// The response to a request; its path is relative to the mount.
    mutating func answer(_ request: ImitationRequest) -> ImitationResponse {
        let response: ImitationResponse
        if let recorded = cases.answer(to: request) {
            // A rejection takes precedence over a recorded response.
            let verdict = window.admit(at: request.arrival.monotonic)
            if verdict.isAdmitted { return recorded }
            response = limited(Self.tooManyRequests, verdict, request.arrival)
        } else {
            response = perform(request)
        }
        return response.with("X-Correlation-Id", identifiers.uuid())
    }

    private mutating func perform(_ request: ImitationRequest) -> ImitationResponse {
        switch Self.routes.match(request.method, request.steps) {
        case .unknown:
            return .json(404, ["message": "The route \(Self.route(request)) could not be found."])
        case .otherMethods(let methods): return Self.wrongMethod(request, methods)
        case .answer(let answer, let captures):
            var request = request
            request.captures = captures
            return Self.isOpen(request) ? answer(&self, request) : authenticated(request, answer)
        }
    }

    private mutating func authenticated(
        _ request: ImitationRequest, _ answer: RouteTable<LettrImitation>.Answer
    ) -> ImitationResponse {
        guard let key = request.credential("bearer") else {
            return Self.wantsJSON(request) ? .json(401, ["message": "API key is required."]) : Self.login
        }
        // An unknown key belongs to no team, so nothing is counted.
        guard Self.keys.contains(key) else { return .json(401, ["message": "Invalid API key."]) }
        let verdict = window.admit(at: request.arrival.monotonic)
        let response = verdict.isAdmitted ? answer(&self, request) : Self.tooManyRequests
        return limited(response, verdict, request.arrival)
    }

    /// Every response to a known key reports the state of its window; only a rejection has `Retry-After`.
    private func limited(
        _ response: ImitationResponse, _ verdict: StrictWindow.Verdict, _ now: Moment
    ) -> ImitationResponse {
        var response = response.with("X-RateLimit-Limit", "\(window.limit)")
            .with("X-RateLimit-Remaining", "\(verdict.remaining)")
            .with("X-RateLimit-Reset", "\(now.epochSeconds(after: verdict.untilReset))")
        guard !verdict.isAdmitted else { return response }
        response.isRefusal = true
        return response.with("Retry-After", "1")
    }

    /// An error in the usual format.
    static func error(_ status: Int, _ code: String, _ message: String) -> ImitationResponse {
        .json(status, ["message": .string(message), "error_code": .string(code)])
    }

    /// The response to a body that is too large to be read.
    static let tooLarge = ImitationResponse.json(413, ["message": "The POST data is too large."])

    static let tooManyRequests = error(
        429, "rate_limit_exceeded", "Rate limit exceeded. Please slow down your requests.")

    private static func isOpen(_ request: ImitationRequest) -> Bool { request.steps == ["health"] }

    private static func wantsJSON(_ request: ImitationRequest) -> Bool {
        let accept = request.field("Accept")?.lowercased() ?? ""
        return accept.contains("/json") || accept.contains("+json")
    }

    /// A route as Laravel names it in its messages.
    private static func route(_ request: ImitationRequest) -> String {
        (["api"] + request.path.split(separator: "/").map(String.init)).joined(separator: "/")
    }

    private static func wrongMethod(_ request: ImitationRequest, _ methods: [String]) -> ImitationResponse {
        let allowed = methods.flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] }.joined(separator: ", ")
        let message = "The \(request.method) method is not supported for route \(route(request))."
        return ImitationResponse.json(405, ["message": "\(message) Supported methods: \(allowed)."])
            .with("Allow", allowed)
    }

    private static let login = ImitationResponse.html(
        302,
        """
        <!DOCTYPE html><html><head>\
        <meta http-equiv="refresh" content="0;url='https://app.lettr.com/login'" /></head></html>
        """
    ).with("Location", "https://app.lettr.com/login")
}

extension LettrImitation {
    /// The simulated paths, relative to the mount.
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

    /// A success in the common envelope.
    static func success(_ status: Int, _ message: String, _ data: JSONValue) -> ImitationResponse {
        .json(status, ["message": .string(message), "data": data])
    }

    /// The page of a list selected by `page` and `per_page`, with Laravel's pagination.
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

extension LettrImitation {
    /// The rejection that a recipient's local part asks for.
    static func quotaRefusal(_ email: LettrEmail, _ now: Moment) -> ImitationResponse? {
        let wishes = Set(email.recipients.map { EmailAddress.localPart($0) })
        if wishes.contains("quota") {
            return error(
                429, "daily_quota_exceeded", "Daily sending quota exceeded. Please try again tomorrow."
            ).withQuota(dailyLeft: 0, monthlyLeft: 2500, now)
        }
        if wishes.contains("monthly") {
            return error(
                429, "quota_exceeded", "Sending quota exceeded. Upgrade your plan to continue sending."
            ).withQuota(dailyLeft: 100, monthlyLeft: 0, now)
        }
        return wishes.contains("ratelimit") ? tooManyRequests.with("Retry-After", "1") : nil
    }

    /// The rejection of a well-formed e-mail.
    func refusal(of email: LettrEmail, _ request: ImitationRequest) -> ImitationResponse? {
        if EmailAddress.domain(email.from).hasPrefix("unconfigured.") {
            return Self.error(
                400, "unconfigured_domain", "The sender domain is not configured or approved for sending.")
        }
        if let slug = request.json["template_slug"].text, templates[slug] == nil {
            return Self.error(404, "template_not_found", "Template with slug '\(slug)' was not found.")
        }
        return nil
    }

    /// The delay of the response to an e-mail.
    static func delay(of email: LettrEmail) -> Duration? {
        email.recipients.contains { EmailAddress.localPart($0) == "slow" } ? .seconds(2) : nil
    }
}

extension ImitationResponse {
    /// The same response with the quotas of the free plan: 100 per day and 3000 per month, both in UTC.
    fileprivate func withQuota(dailyLeft: Int, monthlyLeft: Int, _ now: Moment) -> ImitationResponse {
        let day: Int64 = 86_400
        let tomorrow = (now.wall / 1000 / day + 1) * day
        // A day that is certainly in the next month leads to that month's first day.
        let date = CivilTime(milliseconds: now.wall)
        let later = tomorrow + Int64(31 - date.day) * day
        let reached = CivilTime(milliseconds: later * 1000)
        let nextMonth = later - Int64(reached.day - 1) * day
        return with("X-Daily-Limit", "100").with("X-Daily-Remaining", "\(dailyLeft)")
            .with("X-Daily-Reset", "\(tomorrow)")
            .with("X-Monthly-Limit", "3000").with("X-Monthly-Remaining", "\(monthlyLeft)")
            .with("X-Monthly-Reset", "\(nextMonth)")
    }
}
