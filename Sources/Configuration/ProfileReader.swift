public import Core

/// Reads profile files: YAML, as docs/profiles.md describes.
public enum ProfileReader {
    /// Reads one profile.
    ///
    /// - Parameters:
    ///   - file: the file's name in mistakes.
    ///   - surroundings: where `${…}` is looked up.
    ///   - generic: the profile whose rules, places and phrases are appended to the file's own, and whose `waits` and
    ///     `rate_fields` apply if the file has none; `nil` for that profile itself.
    /// - Throws: all mistakes of the file at once.
    public static func read(
        text: String, file: String, surroundings: Surroundings = .none, generic: Profile?
    ) throws(ConfigurationMistakes) -> Profile {
        let reading = YAMLReading(file: file, surroundings: surroundings)
        var profile = Profile(name: "")
        if let root = reading.parse(text) {
            let members = root.members(allowed: Keys.profile)
            profile.name = members.first { $0.name == "name" }?.value.nonEmptyString ?? ""
            for (key, value) in members { read(key, value, into: &profile) }
            checkDefaults(of: profile, members)
            checkLimitNames(of: profile, members)
            checkTiers(of: profile, members)
            checkUpstream(of: profile, members)
            if profile.name.isEmpty { root.report("needs a 'name'") }
        } else if reading.mistakes.isEmpty {
            reading.report("is empty", key: "", line: 1, column: 1)
        }
        try reading.throwMistakes()
        if let generic, profile.inheritsGeneric { complete(&profile, with: generic) }
        return profile
    }

    /// Reads a file of recorded cases, which has the key `cases` alone.
    ///
    /// - Throws: all mistakes of the file at once.
    public static func readCases(text: String, file: String) throws(ConfigurationMistakes) -> [ProfileCase] {
        let reading = YAMLReading(file: file, surroundings: .none)
        var cases: [ProfileCase] = []
        if let root = reading.parse(text) {
            for (_, value) in root.members(allowed: ["cases"]) {
                cases = value.elements.compactMap(profileCase)
            }
        } else if reading.mistakes.isEmpty {
            reading.report("is empty", key: "", line: 1, column: 1)
        }
        try reading.throwMistakes()
        return cases
    }

    /// Reads the profiles that are part of the program.
    ///
    /// - Parameter files: the profiles' names and texts; `generic` must be among them, and completes the
    ///   others.
    /// - Throws: the mistakes of the first file that has any.
    public static func builtIn(
        _ files: [(name: String, yaml: String)]
    ) throws(ConfigurationMistakes) -> [Profile] {
        var generic: Profile?
        for file in files where file.name == "generic" {
            generic = try read(text: file.yaml, file: "generic.yaml", generic: nil)
        }
        var profiles: [Profile] = []
        for file in files {
            if file.name == "generic", let generic {
                profiles.append(generic)
            } else {
                profiles.append(try read(text: file.yaml, file: "\(file.name).yaml", generic: generic))
            }
        }
        return profiles
    }

    private static func read(_ key: String, _ value: YAMLValue, into profile: inout Profile) {
        switch key {
        case "inherit": profile.inheritsGeneric = value.boolean ?? true
        case "upstream": profile.upstream = value.nonEmptyString
        case "variables":
            for (name, value) in value.filledMembers(allowed: nil) {
                profile.variables[name] = value.upstreamVariable(named: name)
            }
        case "hosts":
            for (name, value) in value.filledMembers(allowed: nil) {
                guard UpstreamHost.isValid(name: name) else {
                    value.report("the name of a host \(InvalidSetting.name.reason)")
                    continue
                }
                value.nonEmptyString.map { profile.hosts.append(UpstreamHost(name: name, url: $0)) }
            }
        case "credential": readCredential(value, into: &profile)
        case "errors":
            profile.errors = value.choice(
                ProviderConfiguration.ErrorForm.allCases.map { ($0.rawValue, $0) })
        case "limits": profile.limits = value.rateLimits(defaultScope: .credential)
        case "tiers": profile.tiers = tiers(value)
        case "tier": profile.tier = value.nonEmptyString
        case "quota_requests": profile.quotaRequests = value.oneOrMany.compactMap(requestPattern)
        case "request_defaults": profile.requestDefaults = requestDefaults(value)
        case "idempotency": profile.idempotency = idempotency(value)
        case "probe": profile.probe = probe(value)
        case "request_id": profile.requestIDFields = value.fieldNames
        case "waits": profile.waits = value.filledElements.compactMap(wait)
        case "repeat": profile.repeats = repeats(value)
        case "rate_fields": profile.rateFields = rateFields(value)
        case "read": profile.reading = bodyReading(value)
        case "keep": profile.kept = value.oneOrMany.compactMap(keptName)
        case "field_phrases": profile.fieldPhrases = FieldPhrases(phrases(value))
        case "rules":
            let name = profile.name
            profile.rules = value.elements.compactMap { rule($0, of: name) }
        case "cases": profile.cases = value.elements.compactMap(profileCase)
        default: break
        }
    }

    /// Reports URLs that are none, and variables that no URL has.
    private static func checkUpstream(of profile: Profile, _ members: [(name: String, value: YAMLValue)]) {
        var used: Set<String> = []
        func check(_ text: String, at value: YAMLValue?) {
            do throws(InvalidSetting) {
                guard UpstreamTemplate.hasVariables(text) else { return _ = try UpstreamURL(parsing: text) }
                let template = try UpstreamTemplate(parsing: text)
                used.formUnion(template.names)
                for name in template.names {
                    switch profile.variables[name] {
                    case .value(let value):
                        if let mistake = template.mistake(in: value, of: name) {
                            throw InvalidSetting("has a variable '\(name)' that \(mistake)")
                        }
                    case .credential where template.position(of: name) == .host:
                        throw InvalidSetting(
                            "has a variable '\(name)' that cannot come from the credential: it is the whole host"
                        )
                    case .credential, nil: break
                    }
                }
            } catch {
                value?.report("'\(YAMLValue.printable(text))' \(error.reason)")
            }
        }
        let upstream = members.first { $0.name == "upstream" }?.value
        if let text = profile.upstream { check(text, at: upstream) }
        let hosts = members.first { $0.name == "hosts" }?.value
        if profile.hosts.count > UpstreamHost.maximumCount {
            hosts?.report("has \(profile.hosts.count) hosts; allowed: at most \(UpstreamHost.maximumCount)")
        }
        for host in profile.hosts { check(host.url, at: hosts) }
        let names = used.isEmpty ? "none" : used.sorted().joined(separator: ", ")
        for name in profile.variables.keys.sorted() where !used.contains(name) {
            members.first { $0.name == "variables" }?.value.report(
                "'\(name)' has no effect: the variables of `upstream` and `hosts` are: \(names)")
        }
    }

    /// Reports a field that requests get in the place of a credential: only `credential` is kept from web pages, logs and problems.
    private static func checkDefaults(of profile: Profile, _ members: [(name: String, value: YAMLValue)]) {
        let places = profile.credentialPlaces + profile.credentialInjections.map(\.place)
        guard let value = members.first(where: { $0.name == "request_defaults" })?.value else { return }
        for place in places {
            guard case .header(let name, _) = place,
                let field = profile.requestDefaults.first(where: {
                    FieldRules.isTwin(Array($0.name.utf8).span, Array(name.utf8).span)
                })
            else { continue }
            value.report(
                "'\(field.name)' carries a credential, as `credential` has it; a key of Weir's own is the provider's `credential` "
                    + "in the configuration")
        }
    }

    /// Reports rules that name a missing limit; in a profile without limits, the configuration may define it.
    private static func checkLimitNames(of profile: Profile, _ members: [(name: String, value: YAMLValue)]) {
        let limits = profile.limits + profile.tiers.flatMap(\.limits)
        guard !limits.isEmpty, let rules = members.first(where: { $0.name == "rules" })?.value,
            rules.isSequence
        else { return }
        let names = limits.compactMap(\.name)
        for rule in rules.elements where rule.isMapping {
            guard let value = rule.member("limit"), let name = value.plainText, !names.contains(name) else {
                continue
            }
            let known =
                names.isEmpty ? "none of them has a name" : "they are \(names.joined(separator: ", "))"
            value.report("\(value.quoted) is not the name of one of `limits`: \(known)")
        }
    }

    /// Reports a missing tier, and limits that are too many or have equal names, together with those of all tiers.
    private static func checkTiers(of profile: Profile, _ members: [(name: String, value: YAMLValue)]) {
        func value(_ name: String) -> YAMLValue? { members.first { $0.name == name }?.value }
        if let tier = profile.tier, !profile.tiers.contains(where: { $0.name == tier }) {
            let names = profile.tiers.map(\.name).joined(separator: ", ")
            value("tier")?.report(
                names.isEmpty
                    ? "needs `tiers`, one of which it names" : "'\(tier)' is not one of the `tiers`: \(names)"
            )
        }
        for tier in profile.tiers {
            value("tiers")?.members(allowed: nil).first { $0.name == tier.name }?.value
                .check(profile.limits + tier.limits)
        }
    }

    private static func tiers(_ value: YAMLValue) -> [ProfileTier] {
        value.filledMembers(allowed: nil).compactMap { name, value in
            guard ProviderConfiguration.isValid(name: name) else {
                value.report("the name of a tier \(InvalidSetting.name.reason)")
                return nil
            }
            return ProfileTier(name: name, limits: value.rateLimits(defaultScope: .credential))
        }
    }

    /// Adds what every profile inherits.
    private static func complete(_ profile: inout Profile, with generic: Profile) {
        profile.reading.inherit(generic.reading)
        profile.fieldPhrases = profile.fieldPhrases.followed(by: generic.fieldPhrases)
        if profile.waits.isEmpty { profile.waits = generic.waits }
        if profile.rateFields == RateFields() { profile.rateFields = generic.rateFields }
        if profile.requestIDFields.isEmpty { profile.requestIDFields = generic.requestIDFields }
        if profile.credentialPlaces.isEmpty { profile.credentialPlaces = generic.credentialPlaces }
        profile.rules += generic.rules
    }

    private static func keptName(_ value: YAMLValue) -> Text? {
        guard let name = value.nonEmptyString else { return nil }
        guard !name.hasPrefix("/") else {
            value.report("'\(name)' must be the name of a member at the top of the body, without a slash")
            return nil
        }
        guard !ProblemFormat.memberNames.contains(name) else {
            value.report("'\(name)' is a member of every problem and cannot be kept")
            return nil
        }
        return Text(name)
    }
}
