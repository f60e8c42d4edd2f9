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
