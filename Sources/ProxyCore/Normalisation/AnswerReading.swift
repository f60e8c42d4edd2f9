internal import HTTPWire

/// An answer with what its body says; an object, so that its many parts are not copied from call to call.
final class AnswerReading {
    // A literal would be made anew for each answer.
    private static let contentTypeField: Text = "Content-Type"

    let answer: ProviderAnswer
    let body: ProviderBody
    let message: Text?
    /// The provider's own code.
    let code: Text?
    private var readFields: [FieldProblem]?
    /// Hides secrets in texts that are put together from the body, or are not in it.
    let redactor: SecretRedactor

    init(
        _ answer: ProviderAnswer, _ body: ProviderBody, _ reading: BodyReading, _ redactor: SecretRedactor
    ) {
        self.answer = answer
        self.body = body
        self.redactor = redactor
        if let json = body.json {
            let (code, sentence) = BodyReading.code(reading.code, in: json, status: answer.status)
            self.code = code.flatMap(MessageText.clean).map(redactor.redacted)
            message =
                (BodyReading.first(reading.message, in: json) ?? sentence ?? BodyReading.anySentence(in: json))
                .flatMap(MessageText.cleanSentence).map(redactor.redacted)
        } else {
            message = body.plainMessage(isTruncated: answer.isTruncated).map(redactor.redacted)
            code = nil
        }
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
    func isKnown(to entry: RuleBook.Entry) -> Bool {
        entry.looksAtBody || body.kind != .json || message != nil || code != nil
            || readFields?.isEmpty == false
    }

    /// What the body says about fields, read once.
    func fields(_ places: [FieldPlace], _ phrases: FieldPhrases) -> [FieldProblem] {
        if let readFields { return readFields }
        var fields: [FieldProblem] = []
        if let json = body.json {
            var extraction = FieldExtraction(phrases: phrases, message: message, status: answer.status)
            fields = extraction.read(places, of: json).map { $0.redacted(by: redactor) }
        }
        readFields = fields
        return fields
    }

    /// What the problem tells of the answer.
    ///
    /// - Parameter bodyLimit: how many bytes of the body are told.
    func upstream(_ profile: Profile, bodyLimit: Int) -> UpstreamAnswer {
        let contentType = answer.fields.text(Self.contentTypeField).flatMap(MessageText.clean)
            .map(redactor.redacted)
        let isProblem = contentType?.bytes.span.startsIgnoringCase(with: "application/problem+json") == true
        return UpstreamAnswer(
            status: answer.status, code: code, message: message,
            requestID: requestID(profile).map(redactor.redacted),
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
            JSONWriter.string(redactor.redacted(text), into: &value)
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
            guard let node = json.member(names[index], of: json.root) else { continue }
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
