internal import Wire

/// A response with the information in its body; an object, so that its many parts are not copied from call to call.
final class AnswerReading {
    // A literal would be made anew for each answer.
    private static let contentTypeField: Text = "Content-Type"

    let answer: ProviderAnswer
    let body: ProviderBody
    // Variables, so that places are evaluated in the context of `self`: closures would capture copies of all parts.
    private(set) var message: Text?
    /// A message that begins like this one, if its end is missing.
    var longerMessage: Text? {
        guard isMessageCut, let message else { return nil }
        return Text(message.bytes + Array("\u{FFFD} \u{FFFD}".utf8))
    }
    private var isMessageCut = false
    /// The provider's own code.
    private(set) var code: Text?
    private var readFields: [FieldProblem]?
    /// The JSON text in place of a message (Zod's errors, and errors wrapped by gateways).
    private var embedded: JSONDocument?
    /// Redacts secrets in texts that are composed from the body or come from elsewhere.
    private let redaction: TextRedaction

    private let request: RequestFacts
    private let normalizer: ErrorNormalizer

    init(
        _ answer: ProviderAnswer, _ body: ProviderBody, _ request: RequestFacts,
        _ normalizer: ErrorNormalizer,
        _ redaction: TextRedaction
    ) {
        self.answer = answer
        self.body = body
        self.request = request
        self.normalizer = normalizer
        self.redaction = redaction
        if let json = body.json { read(json) } else { readText() }
    }

    /// Reads the message and the code of a body that is not JSON.
    private func readText() {
        let reading = normalizer.profile.reading
        // Before the message: its places see a message as `codeContext` finds it.
        let code = BodyReading.code(reading.code, in: nil, status: answer.status) { codeContext() }.code
        message =
            (BodyReading.message(reading.message, beyondJSON: { context() }).flatMap(
                MessageText.cleanSentence)
            ?? body.plainMessage(isTruncated: answer.isTruncated)).map(redaction.redacted)
        self.code =
            (code ?? body.markupCode(status: answer.status) ?? Self.code(of: answer, reading))
            .flatMap(MessageText.clean).map(redaction.redacted)
    }

    /// Reads the message and the code of a JSON body.
    private func read(_ json: JSONDocument) {
        let reading = normalizer.profile.reading
        var (code, sentence) = BodyReading.code(reading.code, in: json, status: answer.status) {
            codeContext()
        }
        var message = BodyReading.message(reading.message, in: json, orSentence: sentence) { context() }
        isMessageCut = message == nil && body.isCutJSON
        if isMessageCut { message = BodyReading.beginning(reading.message, in: json) }
        embedded = message.flatMap(Self.document)
        if let embedded {
            let inner: () -> PlaceContext = { self.context().within(embedded) }
            if code == nil {
                code = BodyReading.code(reading.code, in: embedded, status: answer.status, inner).code
            }
            if let text = BodyReading.message(reading.message, in: embedded, orSentence: nil, inner) {
                message = text
            }
        }
        self.code = (code ?? Self.code(of: answer, reading)).flatMap(MessageText.clean).map(
            redaction.redacted)
        self.message = message.flatMap(MessageText.cleanSentence).map(redaction.redacted)
    }

    /// The context for finding a code, which may be in the message; for use before ``message`` is read.
    private func codeContext() -> PlaceContext {
        var found = context()
        guard normalizer.readsCodeInMessage else { return found }
        let places = normalizer.profile.reading.message
        found.message =
            if let json = body.json {
                BodyReading.message(places, in: json, orSentence: nil) { context() }
            } else {
                BodyReading.message(places, beyondJSON: { context() })
                    ?? body.plainMessage(isTruncated: answer.isTruncated)
            }
        return found
    }

    /// The context for evaluating places.
    ///
    /// - Parameter patterns: the patterns that name segments of the request's path.
    func context(_ patterns: [RequestPattern] = []) -> PlaceContext {
        PlaceContext(
            json: body.json, fields: answer.fields, message: message, text: body.text(body.content),
            request: request, patterns: patterns)
    }

    /// The JSON in a text, if it is an object or an array.
    private static func document(_ text: Text) -> JSONDocument? {
        let bytes = text.bytes
        guard let first = bytes.first(where: { $0 > 0x20 }), first == 0x7B || first == 0x5B,
            let last = bytes.last(where: { $0 > 0x20 }), last == 0x7D || last == 0x5D
        else { return nil }
        return JSONDocument(Array(bytes))
    }

    /// The provider's code in a header field of the response.
    private static func code(of answer: ProviderAnswer, _ reading: BodyReading) -> Text? {
        for index in 0..<reading.codeFields.count {
            if let text = answer.fields.text(reading.codeFields[index]), !text.isEmpty,
                !FieldName.hasBlank(text)
            {
                return BodyReading.withoutNamespace(text)
            }
        }
        return nil
    }

    /// Whether the place has a value that is neither `null`, `false`, nor empty.
    func has(_ place: ValuePlace, _ patterns: [RequestPattern] = []) -> Bool {
        guard place.details == nil else { return place.find(in: context(patterns)) { $0.isSomething } }
        guard let json = body.json, let node = json.value(at: place.pointer) else { return false }
        return json.isSomething(node)
    }

    /// Whether the rule recognised the response: a rule about the status alone does not recognise JSON without a
    /// message and a code.
    ///
    /// - Parameter hasFields: whether the problem contains fields. If not, as with a 500, fields in the body do not
    ///   count.
    func isKnown(to entry: RuleBook.Entry, hasFields: Bool) -> Bool {
        entry.when.looksAtBody || body.kind != .json || body.isCutJSON || message != nil || code != nil
            || hasFields
    }

    /// The field problems in the body, read once.
    func fields(_ places: [FieldPlace], _ phrases: FieldPhrases) -> [FieldProblem] {
        if let readFields { return readFields }
        let fields = extract(
            places, phrases, refusesContent: FieldExtraction.refusesContent(answer.status), isStrict: false)
        readFields = fields
        return fields
    }

    /// The field problems for the problem: if an error is not about the content of the request, only what the body
    /// calls a field.
    func fields(_ places: [FieldPlace], _ phrases: FieldPhrases, isValidation: Bool) -> [FieldProblem] {
        if FieldExtraction.refusesContent(answer.status) { return fields(places, phrases) }
        let mayTell =
            (400..<500).contains(answer.status) || (answer.status < 400 && normalizer.declaresFields)
        guard isValidation || mayTell else { return [] }
        if readFields?.isEmpty == true, !isValidation { return [] }
        return extract(places, phrases, refusesContent: isValidation, isStrict: !isValidation)
    }

    /// Whether a place says something about fields.
    func finds(_ place: FieldPlace, _ phrases: FieldPhrases) -> Bool {
        !extract([place], phrases, refusesContent: true, isStrict: false).isEmpty
    }

    private func extract(
        _ places: [FieldPlace], _ phrases: FieldPhrases, refusesContent: Bool, isStrict: Bool
    ) -> [FieldProblem] {
        guard body.json != nil || normalizer.declaresFields else { return [] }
        var extraction = FieldExtraction(
            phrases: phrases, message: message, refusesContent: refusesContent, isStrict: isStrict)
        var fields = extraction.read(places, of: body.json, in: self)
        if fields.isEmpty, let embedded { fields = extraction.read(places, of: embedded, in: self) }
        redaction.redact(&fields)
        return fields
    }

    /// The problem's `upstream` object.
    ///
    /// - Parameter bodyLimit: the maximum size of the included body.
    func upstream(_ profile: Profile, bodyLimit: Int) -> UpstreamAnswer {
        let contentType = answer.fields.text(Self.contentTypeField).flatMap(MessageText.clean)
            .map(redaction.redacted)
        let isProblem = contentType?.bytes.span.startsIgnoringCase(with: "application/problem+json") == true
        return UpstreamAnswer(
            status: answer.status, code: code, message: message,
            requestID: requestID(profile).map(redaction.redacted),
            contentType: contentType, problem: isProblem ? problemMembers : [],
            body: bodyLimit > 0 && !body.content.isEmpty ? body.text(body.content.prefix(bodyLimit)) : nil)
    }

    private func requestID(_ profile: Profile) -> Text? {
        if let id = profile.requestID(in: answer.fields) { return id }
        for place in profile.reading.requestID {
            if place.details != nil {
                if let id = place.text(in: context()).flatMap(MessageText.clean) { return id }
            } else if let json = body.json,
                let id = json.value(at: place.pointer).flatMap(json.string).flatMap(MessageText.clean)
            {
                return id
            }
        }
        return nil
    }

    private var problemMembers: [KeptMember] {
        guard let json = body.json else { return [] }
        let names: [Text] = ["type", "title", "detail", "instance"]
        return names.compactMap { name in
            guard let text = json.member(name, of: json.root).flatMap(json.string).flatMap(MessageText.clean)
            else { return nil }
            var value: [UInt8] = []
            JSONWriter.string(redaction.redacted(text), into: &value)
            return KeptMember(name: name, value: Text(value))
        }
    }

    /// The members that the problem keeps.
    func kept(_ names: [Text], of json: JSONDocument) -> [KeptMember] {
        var kept: [KeptMember] = []
        guard !names.isEmpty else { return kept }
        kept.reserveCapacity(names.count)
        let names = names.span
        for index in 0..<names.count {
            guard let node = json.member(names[index], of: json.root), !json.isCut(node) else { continue }
            kept.append(KeptMember(name: names[index], value: json.raw(node)))
        }
        return kept
    }
}

// MARK: Conditions

extension AnswerReading {
    /// Whether the conditions are met, except those checked by ``ErrorNormalizer/acceptsHead(_:_:)``.
    func accepts(_ when: ConditionSet) -> Bool {
        if !when.conditions.kinds.isEmpty, !when.conditions.kinds.contains(body.kind) { return false }
        if let test = when.conditions.code {
            guard let code, test.accepts(code) else { return false }
        }
        if let test = when.conditions.message {
            guard let message, test.accepts(message) else { return false }
            if let longer = longerMessage, !test.accepts(longer) { return false }
        }
        if let test = when.conditions.text {
            guard !body.content.isEmpty, test.accepts(body.text(body.content)) else { return false }
        }
        for test in when.bodyValues where !accepts(test, when.conditions.requests) { return false }
        if !when.conditions.present.isEmpty,
            !when.conditions.present.contains(where: { has($0, when.conditions.requests) })
        {
            return false
        }
        guard acceptsAbsence(when) else { return false }
        if let hasFields = when.conditions.hasFields {
            guard fields(normalizer.fieldPlaces, normalizer.profile.fieldPhrases).isEmpty != hasFields else {
                return false
            }
        }
        if let isUsedUp = when.conditions.isUsedUp, normalizer.rate.saysUsedUp(answer.fields) != isUsedUp {
            return false
        }
        return when.conditions.requests.isEmpty
            || when.conditions.requests.contains { $0.matches(method: request.method, path: request.path) }
    }

    /// Whether all conditions are met, for conditions outside of a rule.
    func acceptsAll(_ when: ConditionSet) -> Bool {
        when.conditions.statuses.contains(answer.status)
            && ErrorNormalizer.acceptsHead(when, answer.fields) && accepts(when)
    }

    private func accepts(_ test: ValueTest, _ patterns: [RequestPattern]) -> Bool {
        guard test.place.details == nil else {
            return test.place.find(in: context(patterns)) { $0.text.map(test.accepts) ?? false }
        }
        guard let json = body.json, let node = json.value(at: test.place.pointer) else { return false }
        return json.scalarText(node).map(test.accepts) ?? false
    }

    private func acceptsAbsence(_ when: ConditionSet) -> Bool {
        let absent = when.conditions.absent
        guard !absent.isEmpty else {
            return !(body.isCutJSON && when.conditions.hasFields == false)
        }
        if absent.contains(where: { has($0, when.conditions.requests) }) { return false }
        guard absent.contains(where: \.looksAtBody) else { return true }
        // Below 400, nothing counts as absent in a body that could not be parsed.
        if when.conditions.kinds.isEmpty, answer.status < 400, body.json == nil { return false }
        // A member that is absent in a truncated body may be in the rest.
        return !body.isCutJSON
    }
}

extension Profile {
    /// The provider's request id, from the fields of its response.
    func requestID(in fields: FieldBlock) -> Text? {
        for index in 0..<requestIDFields.count {
            if let id = fields.text(requestIDFields[index]).flatMap(MessageText.clean) { return id }
        }
        return nil
    }
}
