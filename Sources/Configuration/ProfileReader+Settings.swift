internal import ProxyCore

extension ProfileReader {
    static func readCredential(_ value: YAMLValue, into profile: inout Profile) {
        for (key, value) in value.members(allowed: ["found_in", "sent_as", "secrets_begin_with"]) {
            switch key {
            case "found_in": profile.credentialPlaces = value.oneOrMany.compactMap(credentialPlace)
            case "sent_as": profile.credentialInjection = credentialPlace(value)
            default: profile.secretPrefixes = value.texts
            }
        }
    }

    private static func credentialPlace(_ value: YAMLValue) -> CredentialPlace? {
        guard let text = value.nonEmptyString else { return nil }
        let words = text.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("basic", 1): return .basicPassword
        case ("bearer", 1): return .bearer
        case ("header", 2) where YAMLValue.isFieldName(words[1]): return .header(words[1])
        case ("query", 2): return .query(words[1])
        default:
            value.report("'\(text)' is not one of: basic, bearer, header NAME, query NAME")
            return nil
        }
    }

    static func idempotency(_ value: YAMLValue) -> Idempotency? {
        var header: String?
        var isGiven = false
        var requests: [RequestPattern] = []
        for (key, value) in value.members(allowed: ["header", "requests"]) {
            if key == "header" {
                header = value.fieldName
                isGiven = true
            } else {
                requests = value.oneOrMany.compactMap(requestPattern)
            }
        }
        guard let header else {
            if !isGiven { value.report("needs 'header', the name of the field that carries the key") }
            return nil
        }
        return Idempotency(header: header, requests: requests)
    }

    static func requestPattern(_ value: YAMLValue) -> RequestPattern? {
        guard let text = value.nonEmptyString else { return nil }
        guard let pattern = RequestPattern(text) else {
            value.report(
                "'\(text)' must be a method and a path, such as POST /emails or * /campaigns/*/leads")
            return nil
        }
        return pattern
    }

    static func wait(_ value: YAMLValue) -> WaitSource? {
        var places: [WaitSource.Place] = []
        var given = 0
        var statuses = StatusSet.errors
        for (key, value) in value.members(allowed: ["header", "milliseconds", "reset", "body", "from", "on"])
        {
            if key != "on" { given += 1 }
            switch key {
            case "header": if let name = value.fieldName { places.append(.delay(header: Text(name))) }
            case "milliseconds":
                if let name = value.fieldName { places.append(.milliseconds(header: Text(name))) }
            case "from":
                guard let text = value.nonEmptyString else { break }
                guard text == "rate_fields" else {
                    value.report("'\(text)' must be rate_fields")
                    return nil
                }
                places.append(.usedUp)
            case "reset": if let name = value.fieldName { places.append(.reset(header: Text(name))) }
            case "body": if let pointer = value.pointer { places.append(.body(pointer)) }
            default: statuses = value.statuses
            }
        }
        guard value.isMapping else { return nil }
        guard places.count == 1 else {
            // A place that is wrong has been reported already.
            if given == 1 { return nil }
            value.report("needs one of 'header', 'milliseconds', 'reset', 'body' and 'from'")
            return nil
        }
        return WaitSource(places[0], on: statuses)
    }

    static func rateFields(_ value: YAMLValue) -> RateFields {
        var fields = RateFields()
        for (key, value) in value.members(
            allowed: ["limit", "remaining", "reset", "used", "state", "policy"])
        {
            switch key {
            case "limit": fields.limit = value.fieldNames
            case "remaining": fields.remaining = value.fieldNames
            case "used": fields.used = value.fieldNames
            case "state": fields.state = value.fieldNames
            case "policy": fields.policy = value.fieldNames
            default: fields.reset = value.fieldNames
            }
        }
        return fields
    }

    static func bodyReading(_ value: YAMLValue) -> BodyReading {
        var reading = BodyReading()
        for (key, value) in value.members(allowed: ["message", "code", "fields", "request_id"]) {
            switch key {
            case "message": reading.message = value.oneOrMany.compactMap(place)
            case "code": reading.code = value.oneOrMany.compactMap(place)
            case "fields": reading.fields = value.oneOrMany.compactMap(\.pointer)
            default: reading.requestID = value.oneOrMany.compactMap(\.pointer)
            }
        }
        return reading
    }

    /// `/error`, `/error if identifier`, `/error if sentence`.
    private static func place(_ value: YAMLValue) -> BodyReading.Place? {
        guard let text = value.string else { return nil }
        var condition = BodyReading.Condition.any
        var pointer = text
        for (suffix, meaning) in [
            (" if identifier", BodyReading.Condition.identifier), (" if sentence", .sentence),
        ] where text.hasSuffix(suffix) {
            pointer = String(text.dropLast(suffix.count))
            condition = meaning
        }
        guard let pointer = JSONPointer(pointer) else {
            value.report(
                "'\(text)' must be a JSON Pointer such as /error, then perhaps 'if identifier'"
                    + " or 'if sentence'"
            )
            return nil
        }
        return BodyReading.Place(pointer, condition)
    }

    static func phrases(_ value: YAMLValue) -> [(phrase: String, code: FieldProblemCode)] {
        let names = FieldProblemCode.allCases.map(\.rawValue)
        return value.elements.flatMap { element in
            element.members(allowed: names).flatMap { name, value in
                let code = FieldProblemCode(rawValue: name) ?? .invalid
                return value.oneOrMany.compactMap(\.nonEmptyString).map { ($0, code) }
            }
        }
    }
}
