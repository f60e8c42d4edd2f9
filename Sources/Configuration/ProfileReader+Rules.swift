internal import Core

extension ProfileReader {
    /// What says something about an error, and so nothing about a success.
    private static let errorKeys = [
        "transient", "repeat", "effect", "answer_with", "pause", "limit", "waits", "mapped",
    ]

    static func rule(_ value: YAMLValue, of profile: String) -> Rule? {
        var rule = Rule(name: "", profile: profile, result: .invalidRequest)
        var given: [String: YAMLValue] = [:]
        for (key, value) in value.members(allowed: Keys.rule) {
            given[key] = value
            switch key {
            case "name": rule.name = value.nonEmptyString ?? ""
            case "when": rule.when = conditions(value, of: .rule)
            case "is":
                let codes = ProblemCode.allCases.filter { $0.origin == .provider || $0.origin == .network }
                let choices = codes.map { ($0.name, Optional($0)) } + [("success", nil)]
                guard let choice = value.choice(choices) else { break }
                if let code = choice { rule.result = code }
                rule.isSuccess = choice == nil
            case "transient": rule.isTransient = value.boolean
            case "repeat": rule.repeats = repeats(value)
            case "effect": rule.effect = value.choice(Effect.allCases.map { ($0.rawValue, $0) })
            case "answer_with": rule.status = value.integer(400...599)
            case "pause": rule.pause = value.choice(Rule.Pause.allCases.map { ($0.rawValue, $0) })
            case "limit": rule.limitName = value.limitName
            case "waits": rule.waits = value.elements.compactMap(wait)
            default: rule.isMapped = value.boolean ?? true
            }
        }
        guard value.isMapping else { return nil }
        if given["is"] == nil { value.report("needs 'is', the code of the problem") }
        if rule.name.isEmpty { value.report("needs a 'name'") }
        if rule.isSuccess {
            for key in errorKeys { given[key]?.report("says something about an error: a success has none") }
        } else if rule.status == nil, rule.when.statuses.ranges.contains(where: { $0.lowerBound < 400 }) {
            value.report("is about answers below 400: it needs 'answer_with', the status to send")
        }
        return rule
    }

    /// Where a response says whether the same request may succeed later; nowhere: `no`.
    static func repeats(_ value: YAMLValue) -> [ValuePlace] {
        if !value.isMapping, !value.isSequence, let text = value.scalarText,
            ["no", "off", "false"].contains(text)
        {
            return []
        }
        return value.places()
    }

    /// What conditions are a part of.
    enum ConditionOwner {
        case rule
        /// A wait or a place of fields: all responses count unless a status is given.
        case part
    }

    static func conditions(_ value: YAMLValue, of owner: ConditionOwner) -> Conditions {
        var when = Conditions()
        if owner == .part { when.statuses = StatusSet([StatusSet.possible]) }
        let keys = owner == .rule ? Keys.conditions : Keys.partConditions
        for (key, value) in value.filledMembers(allowed: keys) {
            switch key {
            case "status": when.statuses = value.statuses
            case "request": when.requests = value.oneOrMany.compactMap(requestPattern)
            case "content":
                when.kinds = value.oneOrMany.compactMap { kind in
                    kind.choice(BodyKind.allCases.map { ($0.rawValue, $0) })
                }
            case "content_type": when.contentType = value.textTest
            case "header": when.headers = value.oneOrMany.compactMap(header)
            case "code": when.code = value.codeTest
            case "message": when.message = value.textTest
            case "text": when.text = value.textTest
            case "value": when.values = value.oneOrMany.compactMap(valueTest)
            case "fields": when.hasFields = value.boolean
            case "used_up": when.isUsedUp = value.boolean
            case "has": when.present = value.places()
            default: when.absent = value.places()
            }
        }
        checkSteps(of: when, value)
        return when
    }

    /// Reports a step of the request's path that no `request` has.
    private static func checkSteps(of when: Conditions, _ value: YAMLValue) {
        let names = Set(when.requests.flatMap(\.stepNames))
        for place in when.values.map(\.place) + when.present + when.absent {
            guard let name = place.requestStep, !names.contains(name) else { continue }
            value.report(
                "looks at 'path {\(YAMLValue.printable(name))}', which no `request` beside it has as a step")
        }
    }

    private static func valueTest(_ value: YAMLValue) -> ValueTest? {
        var parts = PlaceParts()
        var text = TextTest()
        var (hasText, hasNumber, isWrong) = (false, false, false)
        var bounds: (lower: Double?, upper: Double?)
        for (key, value) in value.filledMembers(allowed: Keys.value) {
            guard !parts.read(key, value, .value) else { continue }
            switch key {
            case "less", "more":
                hasNumber = true
                guard let number = value.number else {
                    isWrong = true
                    break
                }
                if key == "less" { bounds.upper = number } else { bounds.lower = number }
            default:
                hasText = true
                value.read(key == "in" ? "equals" : key, into: &text)
            }
        }
        guard value.isMapping, let place = parts.place(of: value) else { return nil }
        guard hasText || hasNumber else {
            value.report(
                "needs what the value must be: one of \((Keys.test + ["in", "less", "more"]).joined(separator: ", "))"
                    + "; `has` asks whether there is one")
            return nil
        }
        guard !isWrong else { return nil }
        var test = ValueTest(place)
        if hasText { test.text = text }
        (test.lowerBound, test.upperBound) = (bounds.lower, bounds.upper)
        return test
    }

    private static func header(_ value: YAMLValue) -> (name: Text, test: TextTest)? {
        var name: Text?
        var test = TextTest()
        var hasTest = false
        var isNamed = false
        for (key, value) in value.members(allowed: Keys.header) {
            if key == "name" {
                name = value.fieldName.map { Text($0) }
                isNamed = true
            } else {
                value.read(key, into: &test)
                hasTest = true
            }
        }
        guard let name, hasTest else {
            // A name that is wrong has been reported already.
            if isNamed, hasTest { return nil }
            value.report(
                "needs 'name' and what its value must be, such as { name: Location, contains: /login }")
            return nil
        }
        return (name, test)
    }
}
