public import Core

/// Reads the file that says how the sandbox behaves: YAML, as docs/sandbox.md describes.
public enum SandboxRulesReader {
    /// The maximum number of rules.
    public static let maximumRules = 256

    private static let ruleKeys = ["profiles", "routes"] + SandboxBehaviour.Key.allCases.map(\.rawValue)

    /// Reads the rules, in order.
    ///
    /// - Parameters:
    ///   - file: the file's name in mistakes.
    ///   - profiles: the names of the profiles that the sandbox imitates.
    ///   - cases: the ids of recorded cases of one of them.
    /// - Throws: all mistakes of the file at once.
    public static func read(
        text: String, file: String, profiles: [String], cases: (_ profile: String) -> Set<String>
    ) throws(ConfigurationMistakes) -> [SandboxRule] {
        let reading = YAMLReading(file: file, surroundings: .none)
        var rules: [SandboxRule] = []
        if let root = reading.parse(text) {
            let members = root.filledMembers(allowed: ["rules"])
            let values = members.first?.value.filledElements ?? []
            if values.count > maximumRules {
                root.report("has \(values.count) rules; allowed: at most \(maximumRules)")
            }
            for value in values.prefix(maximumRules) { rules.append(rule(value, profiles, cases)) }
        } else if reading.mistakes.isEmpty {
            reading.report("is empty; it needs `rules`", key: "", line: 1, column: 1)
        }
        try reading.throwMistakes()
        return rules
    }

    private static func rule(
        _ value: YAMLValue, _ profiles: [String], _ cases: (String) -> Set<String>
    ) -> SandboxRule {
        var rule = SandboxRule()
        var recorded: YAMLValue?
        var isGiven = false
        for (name, value) in value.filledMembers(allowed: ruleKeys) {
            switch name {
            case "profiles":
                rule.profiles = value.distinct(value.oneOrMany) { value in
                    guard let name = value.nonEmptyString else { return nil }
                    guard profiles.contains(name) else {
                        value.report(
                            "\(value.quoted) is not imitated; allowed: \(profiles.joined(separator: ", "))")
                        return nil
                    }
                    return name
                }
            case "routes": rule.routes = value.oneOrMany.compactMap(ProfileReader.requestPattern)
            default:
                guard let key = SandboxBehaviour.Key(rawValue: name), let text = value.scalarText else {
                    continue
                }
                isGiven = isGiven || key != .seed
                do throws(InvalidSetting) {
                    try rule.behaviour.set(key, to: text)
                } catch {
                    value.report("\(value.quoted) \(error.reason)")
                }
                if key == .recorded { recorded = value }
            }
        }
        if !isGiven, value.isMapping {
            let keys = SandboxBehaviour.Key.allCases.filter { $0 != .seed }.map(\.rawValue)
            value.report("needs one of: \(keys.joined(separator: ", "))")
        }
        if rule.behaviour.seed != nil, rule.behaviour.errorRate == nil {
            value.report("has a seed, which needs an error_rate")
        }
        if let recorded, let id = rule.behaviour.recorded {
            if rule.behaviour.status != nil || rule.behaviour.code != nil {
                recorded.report("excludes status and code: the recorded case has both")
            }
            for profile in rule.profiles.isEmpty ? profiles : rule.profiles
            where !cases(profile).contains(id) {
                recorded.report(
                    "\(recorded.quoted) is no recorded case of the profile '\(profile)'"
                        + (rule.profiles.isEmpty ? "; `profiles` names those that have it" : ""))
                break
            }
        }
        return rule
    }
}
