internal import ContentCoding
internal import Core
internal import Wire

/// What running the cases of a profile has shown.
struct ProfileTesting {
    /// What is wrong or noteworthy, a line each, then the summary.
    var lines: [String] = []
    /// Whether all came out as they should, and each rule was reached.
    var hasPassed = true

    /// Runs the profile's own cases and `others`.
    ///
    /// - Parameters:
    ///   - own: the profile without what the generic one adds.
    ///   - isAlone: whether no other is tested: then places that found nothing are reported as well.
    init(_ profile: Profile, _ own: Profile, and others: [ProfileCase], isAlone: Bool) {
        let normalizer = ErrorNormalizer(profile: profile)
        var coverage = ProfileCoverage(of: own, normalizer: normalizer)
        var failures = 0
        for (index, recorded) in (profile.cases + others).enumerated() {
            let answer = Self.answer(recorded)
            if index < profile.cases.count { coverage.add(recorded, answer) }
            let mismatches = recorded.run(with: normalizer, on: answer)
            guard !mismatches.isEmpty else { continue }
            failures += 1
            let what = "\(recorded.id) (\(recorded.name))"
            lines.append("\(profile.name): \(what): \(mismatches.joined(separator: "; "))")
        }
        let missed = coverage.missedRules
        for rule in missed {
            let place = "the rule '\(rule.name)' (rules[\(rule.index)])"
            lines.append(
                rule.hiddenBy.map {
                    "\(profile.name): \(place) can never decide: '\($0)' before it takes all its responses"
                } ?? "\(profile.name): no case reaches \(place)")
        }
        let silent = coverage.silentPlaces
        // Of all profiles at once this would be too much.
        if isAlone, !silent.isEmpty {
            lines.append(
                "\(profile.name): these places found nothing in any case: \(silent.joined(separator: ", "))")
        }
        let cases =
            Spelling.count(profile.cases.count, "case")
            + (others.isEmpty ? "" : " and \(others.count) of the generic profile")
        let outcome = failures == 0 ? "all as recorded" : "\(failures) not as recorded"
        lines.append(
            "\(profile.name): \(cases), \(outcome); \(coverage.reachedCount) of "
                + "\(Spelling.count(own.rules.count, "rule")) reached")
        hasPassed = failures == 0 && missed.isEmpty
    }

    /// The response as the proxy reads it.
    static func answer(_ recorded: ProfileCase) -> ProviderAnswer {
        let fields = recorded.fields
        let decoded = BodyText.decode(
            recorded.body, coding: fields.list("Content-Encoding"), contentType: fields.first("Content-Type"),
            limit: SizeLimits().errorBody)
        return ProviderAnswer(
            status: recorded.status, fields: fields, body: decoded.bytes, isTruncated: decoded.isTruncated)
    }
}
