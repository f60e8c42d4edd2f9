internal import Wire

/// An answer with what its body says; an object, so that its many parts are not copied from call to call.
final class AnswerReading {
    // A literal would be made anew for each answer.
    private static let contentTypeField: Text = "Content-Type"

    let answer: ProviderAnswer
    let body: ProviderBody
    let message: Text?
    /// A message that begins like this one, if the end of it is missing.
    var longerMessage: Text? {
        guard isMessageCut, let message else { return nil }
        return Text(message.bytes + Array("\u{FFFD} \u{FFFD}".utf8))
    }
    private let isMessageCut: Bool
    /// The provider's own code.
    let code: Text?
    private var readFields: [FieldProblem]?
    /// The JSON that the message is, instead of a sentence (Zod's errors, and what gateways wrap).
    private let embedded: JSONDocument?
    /// Hides secrets in texts that are put together from the body, or are not in it.
    private let redaction: TextRedaction

    init(
        _ answer: ProviderAnswer, _ body: ProviderBody, _ reading: BodyReading, _ redaction: TextRedaction
    ) {
        self.answer = answer
        self.body = body
        self.redaction = redaction
        guard let json = body.json else {
            isMessageCut = false
            message = body.plainMessage(isTruncated: answer.isTruncated).map(redaction.redacted)
            code = (body.markupCode(status: answer.status) ?? Self.code(of: answer, reading))
                .flatMap(MessageText.clean).map(redaction.redacted)
            embedded = nil
            return
        }
        var (code, sentence) = BodyReading.code(reading.code, in: json, status: answer.status)
        var message = BodyReading.message(reading.message, in: json, orSentence: sentence)
        isMessageCut = message == nil && body.isCutJSON
        if isMessageCut { message = BodyReading.beginning(reading.message, in: json) }
        embedded = message.flatMap(Self.document)
        if let embedded {
            if code == nil { code = BodyReading.code(reading.code, in: embedded, status: answer.status).code }
            if let inner = BodyReading.message(reading.message, in: embedded, orSentence: nil) {
                message = inner
            }
        }
        self.code = (code ?? Self.code(of: answer, reading)).flatMap(MessageText.clean).map(
            redaction.redacted)
        self.message = message.flatMap(MessageText.cleanSentence).map(redaction.redacted)
    }

    /// The JSON that a text is, if it is an object or an array.
    private static func document(_ text: Text) -> JSONDocument? {
        let bytes = text.bytes
        guard let first = bytes.first(where: { $0 > 0x20 }), first == 0x7B || first == 0x5B,
            let last = bytes.last(where: { $0 > 0x20 }), last == 0x7D || last == 0x5D
        else { return nil }
        return JSONDocument(Array(bytes))
    }

    /// The provider's code in a field of the answer.
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

    /// Whether the body has a value there that is neither `null`, `false`, nor empty.
    func has(_ pointer: JSONPointer) -> Bool {
        guard let json = body.json, let node = json.value(at: pointer) else { return false }
        switch json.kind(node) {
        case .null, .false: return false
        case .object, .array: return !json.isEmpty(node)
        case .string: return json.string(node)?.isEmpty == false
        case .true, .number: return true
        }
    }

    /// Whether the rule knew what it saw: one that looks only at the status knows nothing of JSON that says
    /// nothing.
    ///
    /// - Parameter hasFields: whether the problem tells of fields. Where it does not, as with a 500, fields alone say nothing.
    func isKnown(to entry: RuleBook.Entry, hasFields: Bool) -> Bool {
        entry.looksAtBody || body.kind != .json || body.isCutJSON || message != nil || code != nil
            || hasFields
    }

    /// What the body says about fields, read once.
    func fields(_ places: [FieldPlace], _ phrases: FieldPhrases) -> [FieldProblem] {
        if let readFields { return readFields }
        let fields = extract(
            places, phrases, refusesContent: FieldExtraction.refusesContent(answer.status), isStrict: false)
        readFields = fields
        return fields
    }

    /// What the problem tells of them: where an error is not about the content of the request, only what the body calls a field.
    func fields(_ places: [FieldPlace], _ phrases: FieldPhrases, isValidation: Bool) -> [FieldProblem] {
        if FieldExtraction.refusesContent(answer.status) { return fields(places, phrases) }
        guard isValidation || (400..<500).contains(answer.status) else { return [] }
        if readFields?.isEmpty == true, !isValidation { return [] }
        return extract(places, phrases, refusesContent: isValidation, isStrict: !isValidation)
    }

    private func extract(
        _ places: [FieldPlace], _ phrases: FieldPhrases, refusesContent: Bool, isStrict: Bool
    ) -> [FieldProblem] {
        guard let json = body.json else { return [] }
        var extraction = FieldExtraction(
            phrases: phrases, message: message, refusesContent: refusesContent, isStrict: isStrict)
        var fields = extraction.read(places, of: json)
        if fields.isEmpty, let embedded { fields = extraction.read(places, of: embedded) }
        redaction.redact(&fields)
        return fields
    }

    /// What the problem tells of the answer.
    ///
    /// - Parameter bodyLimit: how many bytes of the body are told.
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
        guard let json = body.json else { return nil }
        for place in profile.reading.requestID {
            if let id = json.value(at: place).flatMap(json.string).flatMap(MessageText.clean) { return id }
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

extension Profile {
    /// The provider's id of the request, from the fields of its response.
    func requestID(in fields: FieldBlock) -> Text? {
        for index in 0..<requestIDFields.count {
            if let id = fields.text(requestIDFields[index]).flatMap(MessageText.clean) { return id }
        }
        return nil
    }
}
