internal import Core

/// The Lettr API as it is documented, for one team with two keys.
///
/// A value without I/O: requests in, answers out. What is created is kept in bounded tables. Some addresses
/// ask for something:
/// the recipient `quota@`, `monthly@` or `ratelimit@` for one of the three answers with status 429, `slow@`
/// for an answer after two
/// seconds, a sender's domain that begins with `unconfigured.` for a refusal of it.
struct LettrImitation: Sendable {
    /// The keys that are accepted; both are of the same team.
    static let keys = ["lttr_sandbox_demo", "lttr_demo"]
    /// The path behind which the API lies.
    static let mount = "/lettr/api"

    private let cases: CaseBook
    /// 3 requests in 1 second, all keys of the team together.
    private var window = StrictWindow(limit: 3, length: .seconds(1))

    var identifiers = IdentifierSource(seed: 3)
    var emails = BoundedTable<LettrEmail> { $0.weight }
    var scheduled = BoundedTable<LettrEmail> { $0.weight }
    /// What was answered to sends with an idempotency key.
    var sends = BoundedTable<LettrSend> { $0.answer.body.count }
    var domains = BoundedTable<LettrDomain> { $0.name.utf8.count }
    var webhooks = BoundedTable<JSONValue>()
    var templates = BoundedTable<JSONValue>()
    var contacts = BoundedTable<JSONValue>()
    var lists = BoundedTable<JSONValue>()

    /// A team that has one domain, one template, and nothing else.
    init(cases: CaseBook) {
        self.cases = cases
        domains[LettrDomain.sample.name] = LettrDomain.sample
        templates["welcome-email"] = Self.sampleTemplate
    }

    /// Answers a request whose path is behind the mount.
    mutating func answer(_ request: ImitationRequest) -> ImitationResponse {
        let response: ImitationResponse
        if let recorded = cases.answer(to: request) {
            // A refusal is the one thing that a recorded answer does not replace.
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
        // A key that is not known belongs to no team, so that nothing is counted.
        guard Self.keys.contains(key) else { return .json(401, ["message": "Invalid API key."]) }
        let verdict = window.admit(at: request.arrival.monotonic)
        let response = verdict.isAdmitted ? answer(&self, request) : Self.tooManyRequests
        return limited(response, verdict, request.arrival)
    }

    /// Every answer to a known key tells the state of its window; only a refusal has `Retry-After`.
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

    /// An error in the shape that most have.
    static func error(_ status: Int, _ code: String, _ message: String) -> ImitationResponse {
        .json(status, ["message": .string(message), "error_code": .string(code)])
    }

    /// The answer to a body that is too large to be read.
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
