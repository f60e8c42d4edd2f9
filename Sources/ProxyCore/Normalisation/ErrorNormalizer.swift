public import HTTPWire

/// Turns a provider's answers into errors of one schema, as its profile says.
///
/// Made once per provider and shared by all workers; it holds no state.
public final class ErrorNormalizer: Sendable {
    /// The profile.
    public let profile: Profile
    /// How many bytes of the provider's body go into `upstream.body`; 0: the member is absent.
    public let bodyLimit: Int
    let book: RuleBook
    private let redaction: Redaction

    /// Compiles a profile.
    public init(profile: Profile, bodyLimit: Int = 0) {
        self.profile = profile
        self.bodyLimit = bodyLimit
        book = RuleBook(profile.rules)
        redaction = Redaction(prefixes: profile.secretPrefixes)
    }

    /// Whether the body must be collected, because the answer is an error or may be one in disguise.
    public func wants(status: Int, fields: FieldBlock) -> Bool {
        if status >= 400 { return true }
        return book.candidates(status).contains { Self.acceptsHead($0.rule, fields) }
    }

    /// What an answer means, or `nil` if it is no error and passes untouched.
    ///
    /// - Parameter wallClockSeconds: seconds since 1970, for absolute times in an answer without `Date`.
    public func normalize(
        _ answer: ProviderAnswer, of request: RequestFacts, at wallClockSeconds: Int64
    ) -> NormalizedError? {
        guard wants(status: answer.status, fields: answer.fields) else { return nil }
        let bytes = redaction.applied(to: answer.body, credential: request.credential)
        let reading = AnswerReading(answer, ProviderBody(bytes), profile.reading)
        if let entry = book.candidates(answer.status).first(where: { accepts($0.rule, reading, request) }) {
            return error(reading, entry, of: request, at: Int(wallClockSeconds))
        }
        guard answer.status >= 400 else { return nil }
        let entry = RuleBook.Entry(.lastResort(answer.status))
        return error(reading, entry, of: request, at: Int(wallClockSeconds))
    }

    /// The beginning of an answer's body, at most `limit` bytes, secrets taken out.
    public func excerpt(of answer: ProviderAnswer, _ request: RequestFacts, limit: Int) -> [UInt8] {
        Array(redaction.applied(to: answer.body, credential: request.credential).prefix(limit))
    }

    private static func acceptsHead(_ rule: Rule, _ fields: FieldBlock) -> Bool {
        if let test = rule.contentType {
            let isAccepted = fields.withFirstValue(of: contentTypeName.span) { test.accepts($0) }
            guard isAccepted ?? test.accepts(Text([])) else { return false }
        }
        if let (name, test) = rule.header {
            guard let value = fields.text(name), test.accepts(value) else { return false }
        }
        return true
    }

    private func accepts(_ rule: Rule, _ reading: AnswerReading, _ request: RequestFacts) -> Bool {
        guard Self.acceptsHead(rule, reading.answer.fields) else { return false }
        if !rule.kinds.isEmpty, !rule.kinds.contains(reading.body.kind) { return false }
        if let test = rule.code {
            guard let code = reading.code, test.accepts(code) else { return false }
        }
        if let test = rule.message {
            guard let message = reading.message, test.accepts(message) else { return false }
        }
        if !rule.present.isEmpty, !rule.present.contains(where: reading.has) { return false }
        if rule.absent.contains(where: reading.has) { return false }
        return rule.requests.isEmpty
            || rule.requests.contains { $0.matches(method: request.method, path: request.path) }
    }

    private func error(
        _ reading: AnswerReading, _ entry: RuleBook.Entry, of request: RequestFacts, at clock: Int
    ) -> NormalizedError {
        let answer = reading.answer
        let isRepeatSafe =
            request.isIdempotent
            || (request.hasIdempotencyKey
                && profile.honoursIdempotencyKey(method: request.method, path: request.path))
        var fields: [FieldProblem] = []
        var kept: [KeptMember] = []
        if let json = reading.body.json {
            if (400..<500).contains(answer.status) || entry.rule.result == .validationFailed {
                var extraction = FieldExtraction(phrases: profile.fieldPhrases, message: reading.message)
                fields = extraction.read(profile.reading.fields, of: json)
            }
            kept = reading.kept(profile.kept, of: json)
        }
        return NormalizedError(
            entry, reading, isRepeatSafe: isRepeatSafe, fields: fields, kept: kept,
            retryAfter: WaitReading(reading, clock: clock).seconds(entry.rule.waits ?? profile.waits),
            limit: entry.rule.result == .rateLimited ? limit(answer.fields, at: clock) : nil,
            upstream: reading.upstream(profile, bodyLimit: bodyLimit))
    }

    private func limit(_ fields: FieldBlock, at clock: Int) -> QuotaLimit? {
        guard let limit = profile.limits.first else { return nil }
        let rate = RateReading(fields, named: profile.rateFields, at: Int64(clock))
        var quota = limit.quota(remaining: rate.remaining)
        if let requests = rate.limit, requests > 0 { quota.requests = requests }
        return quota
    }
}

private let contentTypeName = Array("content-type".utf8)
