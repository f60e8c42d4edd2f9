internal import Core

extension LettrImitation {
    /// The refusal that a recipient's local part asks for.
    static func quotaRefusal(_ email: LettrEmail, _ now: Moment) -> ImitationResponse? {
        let wishes = Set(email.recipients.map { EmailAddress.localPart($0) })
        if wishes.contains("quota") {
            return error(
                429, "daily_quota_exceeded", "Daily sending quota exceeded. Please try again tomorrow."
            ).withQuota(dailyLeft: 0, monthlyLeft: 2500, now)
        }
        if wishes.contains("monthly") {
            return error(
                429, "quota_exceeded", "Sending quota exceeded. Upgrade your plan to continue sending."
            ).withQuota(dailyLeft: 100, monthlyLeft: 0, now)
        }
        return wishes.contains("ratelimit") ? tooManyRequests.with("Retry-After", "1") : nil
    }

    /// The refusal of an e-mail that is well-formed.
    func refusal(of email: LettrEmail, _ request: ImitationRequest) -> ImitationResponse? {
        if EmailAddress.domain(email.from).hasPrefix("unconfigured.") {
            return Self.error(
                400, "unconfigured_domain", "The sender domain is not configured or approved for sending.")
        }
        if let slug = request.json["template_slug"].text, templates[slug] == nil {
            return Self.error(404, "template_not_found", "Template with slug '\(slug)' was not found.")
        }
        return nil
    }

    /// How long the answer to an e-mail is held back.
    static func delay(of email: LettrEmail) -> Duration? {
        email.recipients.contains { EmailAddress.localPart($0) == "slow" } ? .seconds(2) : nil
    }
}

extension ImitationResponse {
    /// The same answer with the quotas of the free plan: 100 a day, 3000 a month, both in UTC.
    fileprivate func withQuota(dailyLeft: Int, monthlyLeft: Int, _ now: Moment) -> ImitationResponse {
        let day: Int64 = 86_400
        let tomorrow = (now.wall / 1000 / day + 1) * day
        // A day that is surely in the next month leads to that month's first day.
        let date = CivilTime(milliseconds: now.wall)
        let later = tomorrow + Int64(31 - date.day) * day
        let reached = CivilTime(milliseconds: later * 1000)
        let nextMonth = later - Int64(reached.day - 1) * day
        return with("X-Daily-Limit", "100").with("X-Daily-Remaining", "\(dailyLeft)")
            .with("X-Daily-Reset", "\(tomorrow)")
            .with("X-Monthly-Limit", "3000").with("X-Monthly-Remaining", "\(monthlyLeft)")
            .with("X-Monthly-Reset", "\(nextMonth)")
    }
}
