internal import Core

extension ProfileReader {
    static func readCredential(_ value: YAMLValue, into profile: inout Profile) {
        for (key, value) in value.filledMembers(allowed: Keys.credential) {
            switch key {
            case "found_in": profile.credentialPlaces = value.oneOrMany.compactMap(credentialPlace)
            case "sent_as": profile.credentialInjections = value.oneOrMany.compactMap(credentialInjection)
            case "user": profile.credentialUser = basicUser(value) ?? ""
            default: profile.secretPrefixes = value.texts
            }
        }
    }

    /// A place alone, or with the requests that carry the credential there: `{ as: header X-Key, routes: * /admin/** }`.
    private static func credentialInjection(_ value: YAMLValue) -> CredentialInjection? {
        guard value.isMapping, value.hasKey(in: ["as", "routes"]) else {
            return credentialPlace(value).map { CredentialInjection($0) }
        }
        var place: CredentialPlace?
        var routes: [RequestPattern] = []
        var given: Set<String> = []
        for (key, value) in value.members(allowed: Keys.routedPlace) {
            given.insert(key)
            if key == "as" {
                place = credentialPlace(value)
            } else {
                if value.isSequence { _ = value.filledElements }
                routes = value.oneOrMany.compactMap(requestPattern)
            }
        }
        if given.count < 2 {
            value.report("needs 'as' and 'routes': a place, and the requests that carry the credential there")
        }
        return place.map { CredentialInjection($0, routes: routes) }
    }

    /// The user name of `basic` (RFC 7617 2): it has no colon.
    private static func basicUser(_ value: YAMLValue) -> String? {
        guard let text = value.nonEmptyString else { return nil }
        guard text.utf8.count <= 256, !text.contains(":"),
            !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else {
            value.report("must be a user name of up to 256 bytes without a colon and control characters")
            return nil
        }
        return text
    }

    /// `bearer`, or `{ header: X-Key, prefix: 'Token token=' }`.
    private static func credentialPlace(_ value: YAMLValue) -> CredentialPlace? {
        if value.isMapping { return prefixedField(value) }
        guard let text = value.scalarText else { return nil }
        do throws(InvalidSetting) {
            return try CredentialPlace(parsing: text)
        } catch {
            value.report("\(value.quoted) \(error.reason)")
            return nil
        }
    }

    private static func prefixedField(_ value: YAMLValue) -> CredentialPlace? {
        var name: String?
        var prefix: String?
        var given: Set<String> = []
        for (key, value) in value.members(allowed: Keys.prefixedField) {
            given.insert(key)
            if key == "header" { name = value.fieldName } else { prefix = value.nonEmptyString }
        }
        guard given.count == 2 else {
            value.report(
                "needs 'header' and 'prefix': the field, and what stands before the credential in it")
            return nil
        }
        guard let name, let prefix else { return nil }
        do throws(InvalidSetting) {
            return try CredentialPlace(header: name, prefix: prefix)
        } catch {
            value.report("'\(YAMLValue.printable(name))' \(error.reason)")
            return nil
        }
    }

    /// The fields that requests get: none that belongs to a connection, frames a message or carries a credential.
    static func requestDefaults(_ value: YAMLValue) -> [(name: String, value: String)] {
        value.filledMembers(allowed: nil).compactMap { member in
            let name = "'\(YAMLValue.printable(member.name))'"
            guard YAMLValue.isFieldName(member.name) else {
                member.value.report("\(name) must be the name of a header field, such as Accept")
                return nil
            }
            if let reason = FieldRules.reasonAgainstDefault(Array(member.name.utf8).span) {
                member.value.report("\(name) \(reason)")
                return nil
            }
            guard let text = member.value.nonEmptyString else { return nil }
            guard !text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" || $0.value == 0x7F })
            else {
                member.value.report(
                    "must be one line without control characters, as the value of a header field")
                return nil
            }
            return (member.name, text)
        }
    }

    static func idempotency(_ value: YAMLValue) -> Idempotency? {
        var header: String?
        var isGiven = false
        var requests: [RequestPattern] = []
        for (key, value) in value.members(allowed: Keys.idempotency) {
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

    /// A cheap authenticated request: `{ request: GET /team, account: /name }`.
    static func probe(_ value: YAMLValue) -> ProfileProbe? {
        var path: String?
        var account: ValuePlace?
        var isGiven = false
        for (key, value) in value.filledMembers(allowed: Keys.probe) {
            guard key == "request" else {
                account = value.place()
                continue
            }
            isGiven = true
            guard let text = value.scalarText else { continue }
            do throws(InvalidSetting) {
                path = try ProfileProbe.path(parsing: text)
            } catch {
                value.report("\(value.quoted) \(error.reason)")
            }
        }
        guard let path else {
            if !isGiven, value.isMapping { value.report("needs 'request', such as GET /account") }
            return nil
        }
        return ProfileProbe(path: path, account: account)
    }

    static func requestPattern(_ value: YAMLValue) -> RequestPattern? {
        guard let text = value.scalarText else { return nil }
        do throws(InvalidSetting) {
            return try RequestPattern(parsing: text)
        } catch {
            value.report("\(value.quoted) \(error.reason)")
            return nil
        }
    }

    static func wait(_ value: YAMLValue) -> WaitSource? {
        var kinds: [WaitSource.Kind] = []
        var given = 0
        // An error in disguise may have any status.
        var statuses = StatusSet([StatusSet.possible])
        var when: ConditionSet?
        var parts = PlaceParts()
        var hasParts = false
        var points: [String: YAMLValue] = [:]
        for (key, value) in value.members(allowed: Keys.wait) {
            if Keys.waitKinds.contains(key) { given += 1 }
            switch key {
            case "header": if let name = value.fieldName { kinds.append(.delay(header: Text(name))) }
            case "milliseconds":
                if let name = value.fieldName { kinds.append(.milliseconds(header: Text(name))) }
            case "from":
                guard let text = value.scalarText else { break }
                guard text == "rate_fields" else {
                    value.report("\(value.quoted) must be rate_fields")
                    return nil
                }
                kinds.append(.usedUp)
            case "reset": if let name = value.fieldName { kinds.append(.reset(header: Text(name))) }
            case "body": if let place = value.place(.time) { kinds.append(.at(place)) }
            case "seconds":
                if let seconds = value.integer(1...2_764_800) { kinds.append(.fixed(seconds: seconds)) }
            case "need", "have", "rate": points[key] = value
            case "on": statuses = value.statuses
            case "when": when = ConditionSet(conditions(value, of: .part))
            default:
                hasParts = true
                _ = parts.read(key, value, .time)
            }
        }
        guard value.isMapping else { return nil }
        if !points.isEmpty, let kind = computedWait(points, of: value) { kinds.append(kind) }
        if parts.hasPlace {
            if let place = parts.place(of: value) { kinds.append(.at(place)) }
        } else if hasParts {
            value.report("needs 'at', the place that 'match', 'unit' and 'then' are about")
            return nil
        }
        guard kinds.count == 1, given == 1 else {
            // An invalid place has been reported already.
            if given == 1 { return nil }
            let names = Keys.waitKinds.map { "'\($0)'" }
            value.report("needs one of \(names.dropLast().joined(separator: ", ")) and \(names.last ?? "")")
            return nil
        }
        return WaitSource(kinds[0], on: statuses, when: when)
    }

    /// A wait of (`need` - `have`) / `rate` seconds.
    private static func computedWait(
        _ points: [String: YAMLValue], of value: YAMLValue
    ) -> WaitSource.Kind? {
        guard points["need"] != nil, points["rate"] != nil else {
            value.report(
                "needs 'need' and 'rate', the places of the points that a request needs and of those that are added per second; 'have' is the place of those that are available"
            )
            return nil
        }
        let places = points.mapValues { $0.place() }
        guard case let need?? = places["need"], case let rate?? = places["rate"] else { return nil }
        guard let have = places["have"] else { return .computed(need: need, have: nil, rate: rate) }
        return have.map { .computed(need: need, have: $0, rate: rate) }
    }

    static func rateFields(_ value: YAMLValue) -> RateFields {
        var fields = RateFields()
        var places: [String: YAMLValue] = [:]
        for (key, value) in value.filledMembers(
            allowed: Keys.rateFields)
        {
            places[key] = value
            switch key {
            case "limit": fields.limit = value.fieldNames
            case "remaining": fields.remaining = value.fieldNames
            case "used": fields.used = value.fieldNames
            case "state": fields.state = value.fieldNames
            case "policy": fields.policy = value.fieldNames
            default: fields.reset = value.fieldNames
            }
        }
        // Elements at the same position belong together. A list with a mistake in it has been reported.
        let lists = [("remaining", fields.remaining), ("limit", fields.limit), ("reset", fields.reset)]
        let given = lists.filter { name, found in
            guard let value = places[name] else { return false }
            return found.count == (value.isSequence ? value.elements.count : 1)
        }
        for (name, found) in given.dropFirst() where found.count != given[0].1.count {
            places[name]?.report(
                "has \(found.count) of \(given[0].1.count) fields: each stands at the same place as in `\(given[0].0)`, "
                    + "so both lists must be of the same length")
        }
        return fields
    }

    static func bodyReading(_ value: YAMLValue) -> BodyReading {
        var reading = BodyReading()
        for (key, value) in value.filledMembers(allowed: Keys.read) {
            guard let part = BodyReading.Part(rawValue: key) else {
                reading.inherited = inherited(value)
                continue
            }
            switch part {
            case .codeHeaders: reading.codeFields = value.fieldNames
            case .message: reading.message = value.places(.message)
            case .code: reading.code = value.places(.code)
            case .fields: reading.fields = value.oneOrMany.compactMap(fieldPlace)
            case .requestID: reading.requestID = value.places()
            }
        }
        return reading
    }

    /// The parts to which those of the generic profile are added: `yes`, `no`, or a list.
    private static func inherited(_ value: YAMLValue) -> Set<BodyReading.Part> {
        let all = BodyReading.Part.allCases
        guard !value.isSequence else {
            return Set(value.filledElements.compactMap { $0.choice(all.map { ($0.rawValue, $0) }) })
        }
        return value.boolean ?? true ? Set(all) : []
    }

    static func phrases(_ value: YAMLValue) -> [(phrase: String, code: FieldProblemCode)] {
        let names = FieldProblemCode.allCases.map(\.rawValue)
        return value.elements.flatMap { element in
            element.filledMembers(allowed: names).flatMap { name, value in
                let code = FieldProblemCode(rawValue: name) ?? .invalid
                return value.oneOrMany.compactMap(\.nonEmptyString).map { ($0, code) }
            }
        }
    }
}
