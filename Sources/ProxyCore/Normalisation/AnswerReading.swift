internal import HTTPWire

/// An answer with what its body says; an object, so that its many parts are not copied from call to call.
final class AnswerReading {
    let answer: ProviderAnswer
    let body: ProviderBody
    let message: Text?
    /// The provider's own code.
    let code: Text?

    init(_ answer: ProviderAnswer, _ body: ProviderBody, _ reading: BodyReading) {
        self.answer = answer
        self.body = body
        if let json = body.json {
            message = reading.first(reading.message, in: json).flatMap(MessageText.clean)
            code = reading.first(reading.code, in: json).flatMap(MessageText.clean)
        } else {
            message = body.plainMessage(isTruncated: answer.isTruncated)
            code = nil
        }
    }

    /// Whether the body has a value there that is neither `null`, `false`, nor empty.
    func has(_ pointer: JSONPointer) -> Bool {
        guard let json = body.json, let node = json.value(at: pointer) else { return false }
        switch json.kind(node) {
        case .null, .false: return false
        case .object, .array: return json.firstChild(node) != nil
        case .string: return json.string(node)?.isEmpty == false
        case .true, .number: return true
        }
    }

    /// Whether the rule knew what it saw: one that looks only at the status knows nothing of JSON that says nothing.
    func isKnown(to rule: Rule) -> Bool {
        rule.looksAtBody || body.kind != .json || message != nil || code != nil
    }

    private static let problemMembers: [Text] = ["type", "title", "detail", "instance"]

    /// What the problem tells of the answer.
    func upstream(_ profile: Profile) -> UpstreamAnswer {
        var upstream = UpstreamAnswer(status: answer.status)
        upstream.code = code
        upstream.message = message
        upstream.contentType = answer.fields.text("Content-Type").flatMap(MessageText.clean)
        for name in profile.requestIDFields where upstream.requestID == nil {
            upstream.requestID = answer.fields.text(name).flatMap(MessageText.clean)
        }
        guard let json = body.json else { return upstream }
        if upstream.requestID == nil {
            let places = profile.reading.requestID.map { BodyReading.Place($0) }
            upstream.requestID = profile.reading.first(places, in: json).flatMap(MessageText.clean)
        }
        if upstream.contentType?.bytes.span.startsIgnoringCase(with: "application/problem+json") == true {
            for name in Self.problemMembers {
                guard let node = json.member(name, of: json.root), json.kind(node) == .string,
                    let value = json.string(node).flatMap(MessageText.clean)
                else { continue }
                var bytes: [UInt8] = []
                JSONWriter.string(value, into: &bytes)
                upstream.problem.append(KeptMember(name: name, value: Text(bytes)))
            }
        }
        return upstream
    }

    /// The members that the problem keeps.
    func kept(_ names: [Text], of json: JSONDocument) -> [KeptMember] {
        var kept: [KeptMember] = []
        guard !names.isEmpty else { return kept }
        kept.reserveCapacity(names.count)
        for name in names {
            guard let node = json.member(name, of: json.root) else { continue }
            kept.append(KeptMember(name: name, value: Text(json.raw(node))))
        }
        return kept
    }
}
