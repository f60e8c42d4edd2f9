public import Wire

/// Turns a provider's responses into errors in one format, by its profile.
///
/// Created once per provider and shared by all workers; it has no state.
public final class ErrorNormalizer: Sendable {
    /// The profile.
    public let profile: Profile
    /// How many bytes of the provider's body are included in `upstream.body`; with 0 the member is absent.
    public let bodyLimit: Int
    let book: RuleBook
    private let plainRedactor: SecretRedactor
    private let redactors: RedactorMemo
    private let limits: [RateLimit]
    /// Whether the bodies of responses say what their requests cost.
    private let readsCosts: Bool
    /// The names of limits that have no window to report.
    private let concurrentNames: Set<String>
    let rate: RateHeaders
    /// Whether a code may be in the message.
    let readsCodeInMessage: Bool
    /// Whether the profile describes the form of the fields at any place.
    let declaresFields: Bool
    /// The places of field problems.
    let fieldPlaces: [FieldPlace]

    /// Compiles a profile.
    ///
    /// - Parameters:
    ///   - limits: the limits in force, which a `rate_limited` problem reports; default: the profile's.
    ///   - bodyLimit: see ``bodyLimit``.
    public init(profile: Profile, limits: [RateLimit]? = nil, bodyLimit: Int = 0) {
        self.profile = profile
        self.bodyLimit = bodyLimit
        // A limit on concurrent requests has no window to report.
        let all = limits ?? profile.limits
        readsCosts = all.contains { $0.answerCost?.place.isInBody == true }
        self.limits = all.filter { $0.span != .concurrent }
        concurrentNames = Set(all.filter { $0.span == .concurrent }.compactMap(\.name))
        rate = RateHeaders(names: profile.rateFields, limits: self.limits.map(\.requests))
        book = RuleBook(profile.rules)
        plainRedactor = SecretRedactor(secrets: [], prefixes: profile.secretPrefixes)
        redactors = RedactorMemo(prefixes: profile.secretPrefixes)
        fieldPlaces = profile.reading.fields
        declaresFields = fieldPlaces.contains { $0.declared != nil }
        readsCodeInMessage = profile.reading.code.contains(where: \.looksAtMessage)
    }

    /// Whether the body must be collected, because the response is an error or may be one in disguise.
    ///
    /// Below 400 a body is examined only if it may be short enough, and is JSON or of a type that a rule names.
    ///
    /// - Parameters:
    ///   - isHead: whether the method is HEAD, so that the response has no body whatever its fields say.
    ///   - length: the declared length of the body, if any.
    ///   - limit: how many bytes of a body are examined.
    public func wants(
        status: Int, fields: FieldBlock, isHead: Bool = false, length: Int64? = nil, limit: Int = .max
    ) -> Bool {
        if status >= 400 { return true }
        if readsCosts {
            let examination = Examination(status: status, isHead: isHead, length: length, limit: limit)
            if examination.allowsJSON(fields) { return true }
        }
        // Most profiles have no rule about successes.
        guard !book.candidates(status).isEmpty else { return false }
        return mayBeError(
            status, fields,
            Examination(status: status, isHead: isHead, length: length, limit: limit))
    }

    private func mayBeError(_ status: Int, _ fields: FieldBlock, _ examination: Examination) -> Bool {
        status >= 400
            || book.candidates(status).contains {
                !$0.rule.isSuccess && Self.acceptsHead($0.when, fields) && examination.allows($0, fields)
            }
    }

    /// The meaning of a response, or `nil` if it is not an error and is relayed unchanged.
    ///
    /// - Parameter wallClockSeconds: seconds since 1970, for absolute times in a response without `Date`.
    public func normalize(
        _ answer: ProviderAnswer, of request: RequestFacts, at wallClockSeconds: Int64
    ) -> NormalizedError? {
        guard let (reading, entry) = decide(answer, of: request), !entry.rule.isSuccess else { return nil }
        return error(reading, entry, of: request, at: Int(wallClockSeconds))
    }

    /// The index of the rule that matches a response; `nil` if none does.
    public func rule(for answer: ProviderAnswer, of request: RequestFacts) -> Int? {
        guard let index = decide(answer, of: request)?.entry.index, index >= 0 else { return nil }
        return index
    }

    /// The information in a response with the rule that matches; `nil` if it is not an error.
    func decide(
        _ answer: ProviderAnswer, of request: RequestFacts
    ) -> (reading: AnswerReading, entry: RuleBook.Entry)? {
        let candidates = book.candidates(answer.status)
        guard answer.status >= 400 || !candidates.isEmpty else { return nil }
        let examination = Examination(answer, of: request)
        guard mayBeError(answer.status, answer.fields, examination) else { return nil }
        let reading = reading(of: answer, request)
        // A 407 concerns the connection to the provider, and must not reach the client as Weir's own status (RFC 9110
        // 15.5.8).
        if answer.status == 407 { return (reading, RuleBook.Entry(.proxyAuthentication)) }
        for entry in candidates
        where examination.allows(entry, answer.fields) && Self.acceptsHead(entry.when, answer.fields)
            && reading.accepts(entry.when)
        {
            return (reading, entry)
        }
        guard answer.status >= 400 else { return nil }
        return (reading, RuleBook.Entry(.lastResort(answer.status)))
    }

    /// Reads a response and redacts it.
    func reading(of answer: ProviderAnswer, _ request: RequestFacts) -> AnswerReading {
        let redactor = redactor(of: request)
        let isClean = !redactor.mayContain(answer.body.span)
        let redacted = isClean ? nil : redactor.redacted(answer.body, isCut: answer.isTruncated)
        return AnswerReading(
            answer, ProviderBody(redacted ?? answer.body, isCut: answer.isTruncated), request, self,
            TextRedaction(redactor, cleanBody: isClean ? answer.body : nil))
    }

    /// The provider's request id, from the fields of its response; `nil` if there is none.
    public func requestID(in fields: FieldBlock) -> Text? { profile.requestID(in: fields) }

    /// The redacted beginning of a response's body, at most `limit` bytes.
    public func excerpt(of answer: ProviderAnswer, _ request: RequestFacts, limit: Int) -> [UInt8] {
        let body = redactor(of: request).redacted(answer.body, isCut: answer.isTruncated) ?? answer.body
        return Array(body.prefix(limit))
    }

    /// The redactor for everything of the request that a provider may repeat.
    private func redactor(of request: RequestFacts) -> SecretRedactor {
        request.redactor ?? redactor(of: (request.credential.map { [$0] } ?? []) + request.otherSecrets)
    }

    /// The redactor for the request's credentials, as found by `credentials`.
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
            // If there are several, each matters.
            if count > 1 || hasOthers { authorization = nil }
        }
        var secrets = credentials.secrets(target: target, forEachField: forEachField)
        if let credential = credentials.credential(target: target, forEachField: forEachField) {
            secrets.append(credential)
        }
        guard !secrets.isEmpty else { return plainRedactor }
        return redactors.redactor(of: secrets, authorization: authorization)
    }

    /// Redacts these secrets and texts that look like the provider's secrets.
    public func redactor(of secrets: [[UInt8]]) -> SecretRedactor {
        secrets.isEmpty ? plainRedactor : redactors.redactor(of: secrets)
    }

    /// The shape of a response's body as text: its members and their types, at most `limit` bytes.
    public func shape(of answer: ProviderAnswer, _ request: RequestFacts, limit: Int) -> [UInt8] {
        let isCut = answer.isTruncated
        let body = redactor(of: request).redacted(answer.body, isCut: isCut) ?? answer.body
        return BodyShape(ProviderBody(body, isCut: isCut)).text(limit: limit)
    }

    /// Whether the conditions about the head of a response are met, except its status.
    static func acceptsHead(_ when: ConditionSet, _ fields: FieldBlock) -> Bool {
        guard when.looksAtHead else { return true }
        if let test = when.conditions.contentType {
            let isAccepted = fields.withFirstValue(of: contentTypeName.span) { test.accepts($0) }
            guard isAccepted ?? test.accepts(Text([])) else { return false }
        }
        for (name, test) in when.conditions.headers {
            guard let value = fields.text(name), test.accepts(value) else { return false }
        }
        guard when.looksAtHeadPlaces else { return true }
        let context = PlaceContext(json: nil, fields: fields, text: Text([]))
        for test in when.headValues {
            let isAccepted = test.place.find(in: context) { $0.text.map(test.accepts) ?? false }
            guard isAccepted else { return false }
        }
        let (present, absent) = (when.conditions.present, when.conditions.absent)
        // One of several places may be in the body.
        if !present.isEmpty, present.allSatisfy({ $0.header != nil }) {
            guard present.contains(where: { $0.find(in: context) { $0.isSomething } }) else { return false }
        }
        return !absent.contains { $0.header != nil && $0.find(in: context) { $0.isSomething } }
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
        if reading.body.json != nil || declaresFields {
            fields = reading.fields(
                fieldPlaces, profile.fieldPhrases, isValidation: entry.rule.result == .validationFailed)
        }
        if let json = reading.body.json { kept = reading.kept(profile.kept, of: json) }
        return NormalizedError(
            entry, reading, isRepeatSafe: isRepeatSafe, fields: fields, kept: kept,
            retryAfter: WaitReading(reading, rate: rate, clock: clock).seconds(
                entry.rule.waits ?? profile.waits),
            limit: limit(of: entry.rule, answer.fields, of: request),
            mayRepeat: mayRepeat(
                entry.rule.repeats ?? profile.repeats, reading, entry.when.conditions.requests),
            upstream: reading.upstream(profile, bodyLimit: bodyLimit))
    }

    /// Whether the provider reports that the same request may succeed later; `nil` if it says nothing about it.
    private func mayRepeat(
        _ places: [ValuePlace], _ reading: AnswerReading, _ patterns: [RequestPattern]
    ) -> Bool? {
        for place in places {
            guard let text = place.text(in: reading.context(patterns)) else { continue }
            switch text.string.lowercased() {
            case "true", "yes", "1": return true
            case "false", "no", "0": return false
            default: continue
            }
        }
        return nil
    }

    /// The limit that a rule names, otherwise the one that applies to the request; `nil` if no limit was reached.
    private func limit(of rule: Rule, _ fields: FieldBlock, of request: RequestFacts) -> QuotaLimit? {
        if let name = rule.limitName {
            if let limit = limits.first(where: { $0.name == name }) {
                let observed = rate.observation(fields)
                return limit.quota(remaining: observed?.limit == limit.requests ? observed?.remaining : nil)
            }
            if concurrentNames.contains(name) { return nil }
        }
        return rule.result == .rateLimited ? limit(fields, of: request) : nil
    }

    /// The limit that applies to the request: of several, the one that the provider reports, otherwise the first.
    private func limit(_ fields: FieldBlock, of request: RequestFacts) -> QuotaLimit? {
        let counting = limits.counting(method: request.method, path: request.path)
        let observed = rate.observation(fields)
        if let observed, let limit = counting.first(where: { $0.requests == observed.limit }) {
            return limit.quota(remaining: observed.remaining)
        }
        // The remainder of a limit of another size says nothing about this one.
        return counting.first?.quota(remaining: observed?.limit == nil ? observed?.remaining : nil)
    }
}

private let contentTypeName = Array("content-type".utf8)

extension Rule {
    /// The meaning of an error for which no rule says anything.
    static func lastResort(_ status: Int) -> Rule {
        var rule = Rule(
            name: "none", profile: "none", result: status < 500 ? .invalidRequest : .providerError)
        if status > 599 { rule.status = 502 }
        rule.isMapped = false
        return rule
    }

    /// The meaning of a 407: a proxy between Weir and the provider asks for credentials, and has forwarded nothing.
    static let proxyAuthentication: Rule = {
        var rule = Rule(name: "status 407", profile: "generic", result: .providerUnreachable)
        rule.isTransient = false
        rule.status = 502
        return rule
    }()
}
