internal import Core

extension LettrImitation {
    mutating func sendEmail(_ request: ImitationRequest) -> ImitationResponse {
        var errors = LettrValidation()
        let key = Self.idempotencyKey(request, &errors)
        let email = makeEmail(request, &errors)
        if let refusal = errors.refusal { return refusal }
        // Quotas are checked before the replay, as documented: a repeated send may still be rejected.
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

    /// Reads an e-mail; the same for immediate and scheduled ones.
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

/// An e-mail that was accepted.
struct LettrEmail: Sendable {
    /// Its id.
    var id: String
    var from: String
    var fromName: JSONValue
    var subject: JSONValue
    var recipients: [String]
    var tag: JSONValue
    /// When it was accepted, in milliseconds since 1970.
    var time: Int64
    /// `delivered`, `scheduled` or `cancelled`.
    var state = "delivered"
    /// The scheduled time, as the caller wrote it.
    var scheduledAt: JSONValue = nil

    /// The approximate size of the parts that the caller determined, in bytes.
    var weight: Int {
        [fromName, subject, tag, scheduledAt].reduce(from.utf8.count) { $0 + $1.weight }
            + recipients.reduce(0) { $0 + $1.utf8.count }
    }

    /// Its events: for each recipient it was accepted and delivered.
    var events: [JSONValue] {
        guard state == "delivered" else { return [] }
        return recipients.enumerated().flatMap { index, recipient in
            [event("delivery", index, recipient, 1000), event("injection", index, recipient, 0)]
        }
    }

    /// Its representation as a single resource.
    var detail: JSONValue {
        let isSent = state == "delivered"
        var record: JSONValue = [
            "transmission_id": isSent ? .string(id) : nil, "state": .string(state),
            "scheduled_at": scheduledAt,
            "from": .string(from), "from_name": fromName, "subject": subject,
            "recipients": .array(recipients.map { .string($0) }),
            "num_recipients": .integer(recipients.count),
            "events": .array(events),
        ]
        guard !isSent else { return record }
        record["request_id"] = .string(id)
        record["accepted"] = .integer(state == "cancelled" ? 0 : recipients.count)
        record["rejected"] = 0
        record["tag"] = tag
        record["failure_reason"] = nil
        return record
    }

    private func event(_ type: String, _ index: Int, _ recipient: String, _ later: Int64) -> JSONValue {
        let domain = String(EmailAddress.domain(recipient))
        return [
            "event_id": "\(id)-\(type)-\(index)", "type": .string(type),
            "timestamp": .string(CivilTime.iso8601(time + later)), "request_id": .string(id),
            "message_id": "msg-\(id)-\(index)", "subject": subject, "friendly_from": .string(from),
            "sending_domain": .string(String(EmailAddress.domain(from))), "rcpt_to": .string(recipient),
            "raw_rcpt_to": .string(recipient), "recipient_domain": .string(domain), "click_tracking": true,
            "open_tracking": true, "transactional": true,
        ]
    }
}

/// The response to a send with an idempotency key.
struct LettrSend: Sendable {
    /// A hash of the payload, to detect a different one.
    var payload: Int
    var answer: ImitationResponse
    var time: MonotonicTime

    /// How long a response is kept.
    static let lifetime: Duration = .seconds(86_400)

    /// Whether it is still valid.
    func isKept(at now: MonotonicTime) -> Bool { now < time + Self.lifetime }
}

extension LettrImitation {
    mutating func scheduleEmail(_ request: ImitationRequest) -> ImitationResponse {
        var errors = LettrValidation()
        var email = makeEmail(request, &errors)
        let time = errors.required(
            "scheduled_at", in: request.json, missing: "The scheduled delivery time is required.")
        if !time.isEmpty { Self.checkTime(time, request.arrival.wall, &errors) }
        if let refusal = errors.refusal { return refusal }
        if let refusal = Self.quotaRefusal(email, request.arrival) ?? refusal(of: email, request) {
            return refusal
        }
        email.id = "sch_" + identifiers.alphanumerics(26)
        email.state = "scheduled"
        email.scheduledAt = .string(time)
        scheduled[email.id] = email
        return Self.success(201, "Email scheduled for delivery.", email.detail).after(Self.delay(of: email))
    }

    func listScheduled(_ request: ImitationRequest) -> ImitationResponse {
        let wanted = request.parameter("status")
        let found = scheduled.all.filter { wanted == nil || $0.state == wanted }
        return page(
            found.map(\.detail), as: "scheduled_emails", "Scheduled emails retrieved successfully.", request)
    }

    func scheduledEmail(_ request: ImitationRequest) -> ImitationResponse {
        guard let email = scheduled[request.capture(0)] else { return Self.noSchedule }
        return Self.success(200, "Scheduled transmission retrieved successfully.", email.detail)
    }

    mutating func cancelScheduled(_ request: ImitationRequest) -> ImitationResponse {
        guard var email = scheduled[request.capture(0)] else { return Self.noSchedule }
        guard email.state == "scheduled" else {
            return Self.error(
                409, "schedule_cancellation_failed", "Failed to cancel scheduled transmission \(email.id).")
        }
        email.state = "cancelled"
        scheduled[email.id] = email
        return Self.success(200, "Scheduled transmission cancelled successfully.", email.detail)
    }

    /// Between five minutes and thirty days from now.
    private static func checkTime(_ text: String, _ now: Int64, _ errors: inout LettrValidation) {
        guard let time = CivilTime.milliseconds(parsing: text) else {
            errors.add("scheduled_at", "The scheduled at field must be a valid date.")
            return
        }
        if time < now + 5 * 60_000 {
            errors.add(
                "scheduled_at", "The scheduled delivery time must be at least 5 minutes in the future.")
        } else if time > now + 30 * 86_400_000 {
            errors.add("scheduled_at", "The scheduled delivery time must be within 30 days.")
        }
    }

    private static let noSchedule = error(404, "not_found", "Scheduled transmission not found.")
}
