extension LettrImitation {
    mutating func sendEmail(_ request: ImitationRequest) -> ImitationResponse {
        var errors = LettrValidation()
        let key = Self.idempotencyKey(request, &errors)
        let email = makeEmail(request, &errors)
        if let refusal = errors.refusal { return refusal }
        // Quotas come before the replay, as documented: a repeated send may still be refused.
        if let refusal = Self.quotaRefusal(email, request.arrival) { return refusal }
        guard let key else { return accept(email, request) }
        let place = "\(request.credential("bearer") ?? "") \(key)"
        if let earlier = sends[place], earlier.isKept(at: request.arrival.monotonic) {
            guard earlier.payload == request.body.hashValue else { return Self.reusedKey }
            return earlier.answer.with("Idempotency-Replayed", "true")
        }
        let answer = accept(email, request)
        if answer.status < 300 {
            sends[place] = nil
            sends[place] = LettrSend(
                payload: request.body.hashValue, answer: answer, time: request.arrival.monotonic)
        }
        return answer
    }

    private mutating func accept(_ email: LettrEmail, _ request: ImitationRequest) -> ImitationResponse {
        if let refusal = refusal(of: email, request) { return refusal }
        var email = email
        email.id = identifiers.digits(19)
        emails[email.id] = email
        let data: JSONValue = [
            "request_id": .string(email.id), "accepted": .integer(email.recipients.count), "rejected": 0,
        ]
        return Self.success(200, "Email queued for delivery.", data).after(Self.delay(of: email))
    }

    func listEmails(_ request: ImitationRequest) -> ImitationResponse {
        var errors = LettrValidation()
        let perPage = errors.size("per_page", in: 1...100, default: 25, request)
        if let refusal = errors.refusal { return refusal }
        let all = emails.all.reversed().flatMap(\.events)
        let start = request.parameter("cursor").flatMap { Int($0) } ?? 0
        let shown = Array(all.dropFirst(max(0, start)).prefix(perPage))
        let next = max(0, start) + shown.count
        let now = request.arrival.wall
        let events: JSONValue = [
            "data": .array(shown), "total_count": .integer(all.count),
            "from": .string(CivilTime.iso8601(now - 10 * 86_400_000)), "to": .string(CivilTime.iso8601(now)),
            "pagination": [
                "next_cursor": next < all.count ? "\(next)" : nil, "per_page": .integer(perPage),
            ],
        ]
        return Self.success(200, "Emails retrieved successfully.", ["events": events])
    }

    func email(_ request: ImitationRequest) -> ImitationResponse {
        guard let email = emails[request.capture(0)] else {
            return Self.error(404, "not_found", "Email not found.")
        }
        return Self.success(200, "Email retrieved successfully.", email.detail)
    }

    /// Reads what is to be sent; the same for a send at once and a scheduled one.
    func makeEmail(_ request: ImitationRequest, _ errors: inout LettrValidation) -> LettrEmail {
        let body = request.json
        let from = errors.required("from", in: body, missing: "The sender email address is required.")
        if !from.isEmpty, !EmailAddress.isValid(from) {
            errors.add("from", "The sender email address must be a valid email address.")
        }
        if body["to"].isBlank { errors.add("to", "At least one recipient email address is required.") }
        let recipients = ["to", "cc", "bcc"].flatMap { errors.addresses($0, in: body) }
        let count = ["to", "cc", "bcc"].reduce(0) { $0 + (body[$1].elements?.count ?? 0) }
        if count > 50 { errors.add("to", "The to field must not have more than 50 items.") }
        if body["template_slug"].isBlank {
            _ = errors.required(
                "subject", in: body, maximum: 998,
                missing: "The subject field is required when template slug is not present.")
            if body["html"].isBlank, body["text"].isBlank {
                errors.add(
                    "html", "The html field is required when none of text / template slug are present.")
            }
        }
        return LettrEmail(
            id: "", from: from, fromName: body["from_name"], subject: body["subject"], recipients: recipients,
            tag: body["tag"], time: request.arrival.wall)
    }

    private static func idempotencyKey(_ request: ImitationRequest, _ errors: inout LettrValidation)
        -> String?
    {
        guard let key = request.field("Idempotency-Key") else { return nil }
        let isValid =
            (1...255).contains(key.utf8.count)
            && key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
        if !isValid { errors.add("Idempotency-Key", "The Idempotency-Key format is invalid.") }
        return key
    }

    private static let reusedKey = error(
        409, "idempotency_key_conflict",
        "This Idempotency-Key was already used with a different request payload.")
}
