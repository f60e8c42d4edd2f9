/// An e-mail that the imitation has taken.
struct LettrEmail: Sendable {
    /// The id that addresses it.
    var id: String
    var from: String
    var fromName: JSONValue
    var subject: JSONValue
    var recipients: [String]
    var tag: JSONValue
    /// When it was taken, in milliseconds since 1970.
    var time: Int64
    /// `delivered`, `scheduled` or `cancelled`.
    var state = "delivered"
    /// The time at which it is to be sent, as the caller wrote it.
    var scheduledAt: JSONValue = nil

    /// The bytes that the caller determined, more or less.
    var weight: Int {
        [fromName, subject, tag, scheduledAt].reduce(from.utf8.count) { $0 + $1.weight }
            + recipients.reduce(0) { $0 + $1.utf8.count }
    }

    /// What has happened to it: for each recipient it was taken and delivered.
    var events: [JSONValue] {
        guard state == "delivered" else { return [] }
        return recipients.enumerated().flatMap { index, recipient in
            [event("delivery", index, recipient, 1000), event("injection", index, recipient, 0)]
        }
    }

    /// As it is answered alone.
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
