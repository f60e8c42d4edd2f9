public import Wire

/// Turns a provider's answers into errors of one schema, as its profile says.
///
/// Made once per provider and shared by all workers; it holds no state.
public final class ErrorNormalizer: Sendable {
    /// The profile.
    public let profile: Profile
    /// How many bytes of the provider's body go into `upstream.body`; 0: the member is absent.
    public let bodyLimit: Int
    let book: RuleBook
    private let plainRedactor: SecretRedactor
    private let redactors: RedactorMemo
    private let limits: [RateLimit]
    private let rate: RateHeaders
    private let fieldPlaces: [FieldPlace]

    /// Compiles a profile.
    ///
    /// - Parameters:
    ///   - limits: the limits in force, of which a `rate_limited` problem tells; default: the profile's.
    ///   - bodyLimit: see ``bodyLimit``.
    public init(profile: Profile, limits: [RateLimit]? = nil, bodyLimit: Int = 0) {
        self.profile = profile
        self.bodyLimit = bodyLimit
        // What counts requests at the same time has no window to tell.
        self.limits = (limits ?? profile.limits).filter { $0.span != .concurrent }
        rate = RateHeaders(names: profile.rateFields, limits: self.limits.map(\.requests))
        book = RuleBook(profile.rules)
        plainRedactor = SecretRedactor(secrets: [], prefixes: profile.secretPrefixes)
        redactors = RedactorMemo(prefixes: profile.secretPrefixes)
        fieldPlaces = profile.reading.fields.map(FieldPlace.init)
    }

    /// Whether the body must be collected, because the answer is an error or may be one in disguise.
    ///
    /// Below 400 a body is examined only if it may be short enough, and is JSON or of a type that a rule names.
    ///
    /// - Parameters:
    ///   - isHead: whether the request's method is HEAD: the answer has no body, whatever its fields say.
    ///   - length: the announced length of the body, if there is one.
    ///   - limit: how many bytes of a body are examined.
    public func wants(
        status: Int, fields: FieldBlock, isHead: Bool = false, length: Int64? = nil, limit: Int = .max
    ) -> Bool {
        if status >= 400 { return true }
        // Most profiles have no rule about successes.
        guard !book.candidates(status).isEmpty else { return false }
        return mayBeError(
            status, fields,
            Examination(status: status, isHead: isHead, length: length, limit: limit))
    }

    private func mayBeError(_ status: Int, _ fields: FieldBlock, _ examination: Examination) -> Bool {
        status >= 400
            || book.candidates(status).contains {
                Self.acceptsHead($0, fields) && examination.allows($0, fields)
            }
    }

    /// What an answer means, or `nil` if it is no error and passes untouched.
    ///
    /// - Parameter wallClockSeconds: seconds since 1970, for absolute times in an answer without `Date`.
    public func normalize(
        _ answer: ProviderAnswer, of request: RequestFacts, at wallClockSeconds: Int64
    ) -> NormalizedError? {
        let candidates = book.candidates(answer.status)
        guard answer.status >= 400 || !candidates.isEmpty else { return nil }
        let examination = Examination(answer, of: request)
        guard mayBeError(answer.status, answer.fields, examination) else { return nil }
        let redactor = redactor(of: request)
        let isClean = !redactor.mayContain(answer.body.span)
        let redacted = isClean ? nil : redactor.redacted(answer.body, isCut: answer.isTruncated)
        let reading = AnswerReading(
            answer, ProviderBody(redacted ?? answer.body, isCut: answer.isTruncated), profile.reading,
            TextRedaction(redactor, cleanBody: isClean ? answer.body : nil))
        // It is about the connection to the provider, and must not reach the client as a status of Weir's own (RFC 9110 15.5.8).
        if answer.status == 407 {
            return error(
                reading, RuleBook.Entry(.proxyAuthentication), of: request, at: Int(wallClockSeconds))
        }
        for entry in candidates
        where examination.allows(entry, answer.fields) && accepts(entry, reading, request) {
            return error(reading, entry, of: request, at: Int(wallClockSeconds))
        }
        guard answer.status >= 400 else { return nil }
        let fallback = RuleBook.Entry(.lastResort(answer.status))
        return error(reading, fallback, of: request, at: Int(wallClockSeconds))
    }

    /// The provider's id of the request, from the fields of its response; `nil` if there is none.
    public func requestID(in fields: FieldBlock) -> Text? { profile.requestID(in: fields) }

    /// The beginning of an answer's body, at most `limit` bytes, secrets taken out.
    public func excerpt(of answer: ProviderAnswer, _ request: RequestFacts, limit: Int) -> [UInt8] {
        let body = redactor(of: request).redacted(answer.body, isCut: answer.isTruncated) ?? answer.body
        return Array(body.prefix(limit))
    }

    /// Hides what a provider may repeat of the request.
    private func redactor(of request: RequestFacts) -> SecretRedactor {
        request.redactor ?? redactor(of: (request.credential.map { [$0] } ?? []) + request.otherSecrets)
    }

    /// Hides what authenticates a request, in which `credentials` finds that.
    ///
    /// - Parameter forEachField: calls its argument with each field of the request.
    public func redactor(
        of credentials: CredentialReader, target: Span<UInt8>,
        forEachField: ((_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) -> Void
    ) -> SecretRedactor {
        var authorization: [UInt8]?
        if credentials.readsOnlyAuthorization, target.index(of: 0x3F, from: 0) == target.count {
            var count = 0
            var hasOthers = false
            var known: SecretRedactor?
            forEachField { name, value in
                guard name.count == 13, name.equalsIgnoringCase("authorization") else {
                    if CredentialReader.mayHoldSecret(name) { hasOthers = true }
                    return
                }
                count += 1
                known = redactors.redactor(authorization: value)
                guard known == nil else { return }
                var copy: [UInt8] = []
                copy.append(value)
                authorization = copy
            }
            if !hasOthers {
                if count == 0 { return plainRedactor }
                if count == 1, let known { return known }
            }
            // Of several each matters.
            if count > 1 || hasOthers { authorization = nil }
        }
        var secrets = credentials.secrets(target: target, forEachField: forEachField)
        if let credential = credentials.credential(target: target, forEachField: forEachField) {
            secrets.append(credential)
        }
        guard !secrets.isEmpty else { return plainRedactor }
        return redactors.redactor(of: secrets, authorization: authorization)
    }

    /// Hides these secrets, and what looks like one of the provider's.
    public func redactor(of secrets: [[UInt8]]) -> SecretRedactor {
        secrets.isEmpty ? plainRedactor : redactors.redactor(of: secrets)
    }

    /// The form of an answer's body in words: its members and their types, at most `limit` bytes.
    public func shape(of answer: ProviderAnswer, _ request: RequestFacts, limit: Int) -> [UInt8] {
        let isCut = answer.isTruncated
        let body = redactor(of: request).redacted(answer.body, isCut: isCut) ?? answer.body
        return BodyShape(ProviderBody(body, isCut: isCut)).text(limit: limit)
    }

    private static func acceptsHead(_ entry: RuleBook.Entry, _ fields: FieldBlock) -> Bool {
        guard entry.looksAtFields else { return true }
        if let test = entry.rule.contentType {
            let isAccepted = fields.withFirstValue(of: contentTypeName.span) { test.accepts($0) }
            guard isAccepted ?? test.accepts(Text([])) else { return false }
        }
        if let (name, test) = entry.rule.header {
            guard let value = fields.text(name), test.accepts(value) else { return false }
        }
        return true
    }

    private func accepts(_ entry: RuleBook.Entry, _ reading: AnswerReading, _ request: RequestFacts) -> Bool {
        guard Self.acceptsHead(entry, reading.answer.fields) else { return false }
        if !entry.rule.kinds.isEmpty, !entry.rule.kinds.contains(reading.body.kind) { return false }
        if let test = entry.rule.code {
            guard let code = reading.code, test.accepts(code) else { return false }
        }
        if let test = entry.rule.message {
            guard let message = reading.message, test.accepts(message) else { return false }
            if let longer = reading.longerMessage, !test.accepts(longer) { return false }
        }
        if !entry.rule.present.isEmpty, !entry.rule.present.contains(where: reading.has) { return false }
        if entry.rule.absent.contains(where: reading.has) { return false }
        // Below 400, nothing is absent from a body that could not be read.
        if !entry.rule.absent.isEmpty, entry.rule.kinds.isEmpty, reading.answer.status < 400,
            reading.body.json == nil
        {
            return false
        }
        // What is absent from a part of a body may be in the rest.
        if reading.body.isCutJSON, !entry.rule.absent.isEmpty || entry.rule.hasFields == false {
            return false
        }
        if let hasFields = entry.rule.hasFields {
            guard reading.fields(fieldPlaces, profile.fieldPhrases).isEmpty != hasFields else { return false }
        }
        if let isUsedUp = entry.rule.isUsedUp, rate.saysUsedUp(reading.answer.fields) != isUsedUp {
            return false
        }
        return entry.rule.requests.isEmpty
            || entry.rule.requests.contains { $0.matches(method: request.method, path: request.path) }
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
            fields = reading.fields(
                fieldPlaces, profile.fieldPhrases, isValidation: entry.rule.result == .validationFailed)
            kept = reading.kept(profile.kept, of: json)
        }
        return NormalizedError(
            entry, reading, isRepeatSafe: isRepeatSafe, fields: fields, kept: kept,
            retryAfter: WaitReading(reading, rate: rate, clock: clock).seconds(
                entry.rule.waits ?? profile.waits),
            limit: entry.rule.result == .rateLimited ? limit(answer.fields, of: request) : nil,
            upstream: reading.upstream(profile, bodyLimit: bodyLimit))
    }

    /// The limit that counts the request: of several the one of which the provider speaks, else the first.
    private func limit(_ fields: FieldBlock, of request: RequestFacts) -> QuotaLimit? {
        let counting = limits.counting(method: request.method, path: request.path)
        let observed = rate.observation(fields)
        if let observed, let limit = counting.first(where: { $0.requests == observed.limit }) {
            return limit.quota(remaining: observed.remaining)
        }
        // What is left of a limit of another size says nothing of this one.
        return counting.first?.quota(remaining: observed?.limit == nil ? observed?.remaining : nil)
    }
}

private let contentTypeName = Array("content-type".utf8)

extension Rule {
    /// What an error means about which no rule says anything.
    static func lastResort(_ status: Int) -> Rule {
        var rule = Rule(
            name: "none", profile: "none", result: status < 500 ? .invalidRequest : .providerError)
        if status > 599 { rule.status = 502 }
        rule.isMapped = false
        return rule
    }

    /// What a 407 means: a proxy on the way to the provider asks for credentials, and has sent nothing on.
    static let proxyAuthentication: Rule = {
        var rule = Rule(name: "status 407", profile: "generic", result: .providerUnreachable)
        rule.isTransient = false
        rule.status = 502
        return rule
    }()
}
