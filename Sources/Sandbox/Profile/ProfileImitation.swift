internal import Core
internal import Wire

/// A provider as its profile describes it: it asks for a key, enforces the limits, reports them in the profile's
/// fields, and refuses requests with recorded responses.
///
/// It accepts every key in a place that the profile names, unless the key contains the word `invalid`.
struct ProfileImitation: Imitation {
    static let tooLarge = ImitationResponse.json(413, ["message": "The sandbox reads at most 1 MiB."])

    private let cases: CaseBook
    private let credentials: CredentialReader
    private let fields: RateFieldWriter
    private var limits: StrictLimits
    /// The recorded refusal for each limit, without times and counts.
    private let refusals: [ImitationResponse]
    private let unauthenticated: ImitationResponse
    /// Recorded successes.
    private let successes: [ProfileCase]
    private let basePath: String
    private var identifiers = IdentifierSource(seed: 7)

    /// A provider with the limits of one of the profile's tiers; `nil` for the profile's own.
    ///
    /// - Parameters:
    ///   - basePath: the path of the profile's base URL; recorded requests may begin with it.
    ///   - cases: the responses that can be asked for.
    ///   - generic: the profile from which it has what it does not say itself.
    init(_ profile: Profile, tier: String?, basePath: String, cases: CaseBook, generic: Profile?) {
        self.cases = cases
        self.basePath = basePath
        credentials = CredentialReader(places: profile.credentialPlaces, injected: nil, isShared: false)
        let chosen = profile.tiers.first { $0.name == tier ?? profile.tier }?.limits ?? []
        let all = profile.limits + chosen
        // A provider that names no fields reports nothing; the generic ones are only places to look.
        let isSilent = profile.rateFields == generic?.rateFields
        fields = RateFieldWriter(isSilent ? RateFields() : profile.rateFields, cases: profile.cases)
        limits = StrictLimits(all, credentials: credentials)
        let normalizer = ErrorNormalizer(profile: profile, limits: all)
        let writer = fields
        refusals = all.map { Self.refusal(by: $0, of: profile, normalizer, writer) }
        successes = profile.cases.filter { $0.expectation == nil && (200...299).contains($0.status) }
        let rejected = profile.cases.filter { $0.expectation?.code == .unauthenticated }
        unauthenticated =
            (rejected.first { $0.status == 401 } ?? rejected.first)
            .map { Self.withoutTimes(CaseBook.response($0), writer) }
            ?? .json(401, ["message": "No valid key was given."])
    }

    mutating func answer(_ request: ImitationRequest) -> ImitationResponse {
        // A response that is asked for is sent in any case, and does not count.
        if let requested = cases.answer(to: request) { return requested }
        guard isAuthenticated(request) else { return unauthenticated }
        var verdict = limits.admit(request)
        var response: ImitationResponse
        if let limit = verdict.refusedBy {
            response = refusals[limit]
            response.isRefusal = true
            report(verdict, at: request.arrival, in: &response)
            return response.with("Retry-After", "\(RateFieldWriter.wholeSeconds(verdict.wait))")
        }
        response = success(request)
        limits.correct(&verdict, by: response)
        response.slots = verdict.slots
        report(verdict, at: request.arrival, in: &response)
        return response
    }

    /// Writes the state of the limits, and the numbers that are learned from responses: here the configured ones.
    private func report(
        _ verdict: StrictLimits.Verdict, at now: Moment, in response: inout ImitationResponse
    ) {
        fields.write(verdict.usages, at: now, into: &response)
        for usage in verdict.usages {
            guard let name = usage.limit.learnedFrom, response.fields.first(name) == nil else { continue }
            response.fields.append(name, "\(usage.limit.requests)")
        }
    }

    mutating func release(_ slots: [StrictLimits.Slot]) { limits.release(slots) }

    private func isAuthenticated(_ request: ImitationRequest) -> Bool {
        let target = Array("\(request.path)?\(request.query)".utf8)
        let found = credentials.credential(target: target.span) { body in request.fields.forEach(body) }
        guard let found, found.contains(where: { $0 != UInt8(ascii: ":") }) else { return false }
        return !String(decoding: found, as: UTF8.self).lowercased().contains("invalid")
    }

    /// The recorded success of this request, or what the request was.
    private mutating func success(_ request: ImitationRequest) -> ImitationResponse {
        let recorded = successes.first { recorded in
            let path = recorded.request.path.prefix { $0 != "?" }
            return recorded.request.method == request.method
                && (path == request.path || path == basePath + request.path)
        }
        if let recorded {
            var response = CaseBook.response(recorded)
            let learned = limits.limits.compactMap { $0.learnedFrom?.lowercased() }
            response.fields = response.fields.without(fields.names.union(learned))
            return response
        }
        return .json(
            200,
            [
                "ok": true, "id": .string("sandbox_\(identifiers.alphanumerics(16))"),
                "request": [
                    "method": .string(request.method), "path": .string(request.path),
                    "body": request.json,
                ],
            ])
    }

    /// The recorded refusal that fits a limit best, without times and counts.
    private static func refusal(
        by limit: RateLimit, of profile: Profile, _ normalizer: ErrorNormalizer, _ writer: RateFieldWriter
    ) -> ImitationResponse {
        let isLong =
            switch limit.span {
            case .day, .month: true
            case .aligned: limit.per >= .seconds(86_400)
            case .rolling, .concurrent: false
            }
        var best = ImitationResponse.json(429, ["message": "Too many requests"])
        var bestScore = -1
        let now = Moment(monotonic: MonotonicTime(nanoseconds: 0), wall: 1_795_132_800_000)
        for recorded in profile.cases where recorded.fields.first("Content-Encoding") == nil {
            guard let code = recorded.expectation?.code, code == .rateLimited || code == .quotaExceeded,
                recorded.status >= 400
            else { continue }
            let response = withoutTimes(CaseBook.response(recorded), writer)
            var probe = response.with("Retry-After", "7")
            let usage = StrictLimits.Usage(limit: limit, remaining: 0, untilReset: .seconds(7))
            writer.write([usage], at: now, into: &probe)
            let answer = ProviderAnswer(status: probe.status, fields: probe.fields, body: probe.body)
            let facts = RequestFacts(method: recorded.request.method, path: recorded.request.path)
            guard let error = normalizer.normalize(answer, of: facts, at: now.wall / 1000) else { continue }
            var score = 0
            // It must mean the kind of limit, then name the limit, then have no time of its own in the body.
            if error.code == (isLong ? .quotaExceeded : .rateLimited) { score += 16 }
            if error.limitName != nil, error.limitName == limit.name { score += 8 }
            if error.limitName == nil { score += 2 }
            if error.retryAfter == 7 { score += 4 }
            if probe.status == 429 || probe.status == 403, !probe.body.isEmpty { score += 1 }
            if score > bestScore { (best, bestScore) = (response, score) }
        }
        return best
    }

    /// A response without the fields that say when or how much.
    private static func withoutTimes(
        _ response: ImitationResponse, _ writer: RateFieldWriter
    ) -> ImitationResponse {
        var copy = response
        copy.fields = response.fields.without(
            writer.names.union(["retry-after", "retry-after-ms", "x-ms-retry-after-ms", "date"]))
        return copy
    }
}

extension FieldBlock {
    /// The fields that have none of these names, which are in lower case.
    fileprivate func without(_ names: Set<String>) -> FieldBlock {
        var rest = FieldBlock()
        forEach { name, value in
            if !names.contains(name.string.lowercased()) { rest.append(name: name, value: value) }
        }
        return rest
    }
}
