internal import Core

extension ProfileReader {
    private static let ruleKeys = [
        "name", "when", "is", "transient", "effect", "answer_with", "pause", "waits", "mapped",
    ]
    private static let conditionKeys = [
        "status", "request", "content", "content_type", "header", "code", "message", "has", "lacks", "fields",
        "used_up",
    ]

    static func rule(_ value: YAMLValue, of profile: String) -> Rule? {
        var rule = Rule(name: "", profile: profile, result: .invalidRequest)
        var hasResult = false
        for (key, value) in value.members(allowed: ruleKeys) {
            switch key {
            case "name": rule.name = value.nonEmptyString ?? ""
            case "when": readConditions(value, into: &rule)
            case "is":
                hasResult = true
                let codes = ProblemCode.allCases.filter { $0.origin == .provider || $0.origin == .network }
                if let code = value.choice(codes.map { ($0.name, $0) }) { rule.result = code }
            case "transient": rule.isTransient = value.boolean
            case "effect": rule.effect = value.choice(Effect.allCases.map { ($0.rawValue, $0) })
            case "answer_with": rule.status = value.integer(400...599)
            case "pause": rule.pause = value.choice(Rule.Pause.allCases.map { ($0.rawValue, $0) })
            case "waits": rule.waits = value.elements.compactMap(wait)
            default: rule.isMapped = value.boolean ?? true
            }
        }
        guard value.isMapping else { return nil }
        if !hasResult { value.report("needs 'is', the code of the problem") }
        if rule.name.isEmpty { value.report("needs a 'name'") }
        if rule.status == nil, rule.statuses.ranges.contains(where: { $0.lowerBound < 400 }) {
            value.report("is about answers below 400: it needs 'answer_with', the status to send")
        }
        return rule
    }

    private static func readConditions(_ value: YAMLValue, into rule: inout Rule) {
        for (key, value) in value.filledMembers(allowed: conditionKeys) {
            switch key {
            case "status": rule.statuses = value.statuses
            case "request": rule.requests = value.oneOrMany.compactMap(requestPattern)
            case "content":
                rule.kinds = value.oneOrMany.compactMap { kind in
                    kind.choice(BodyKind.allCases.map { ($0.rawValue, $0) })
                }
            case "content_type": rule.contentType = value.textTest
            case "header": rule.header = header(value)
            case "code": rule.code = value.codeTest
            case "message": rule.message = value.textTest
            case "fields": rule.hasFields = value.boolean
            case "used_up": rule.isUsedUp = value.boolean
            case "has": rule.present = value.oneOrMany.compactMap(\.pointer)
            default: rule.absent = value.oneOrMany.compactMap(\.pointer)
            }
        }
    }

    private static func header(_ value: YAMLValue) -> (name: Text, test: TextTest)? {
        var name: Text?
        var test = TextTest()
        var hasTest = false
        var isNamed = false
        for (key, value) in value.members(allowed: ["name"] + YAMLValue.textTestKeys) {
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
