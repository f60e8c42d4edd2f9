internal import Core

/// What a mapping says of a place: `{ at: header X-Code, match: '^([^:]+)' }`.
struct PlaceParts {
    /// The keys of a place; times have `unit` as well.
    static let keys = ["at", "match", "then"]

    private var source: ValuePlace.Source?
    private var condition = ValuePlace.Condition.any
    private var match: TextPattern?
    private var then: ValuePlace?
    private var unit: ValuePlace.Unit?
    private var isGiven = false
    private var isWrong = false

    /// Reads one member; `false` if its key is none of a place.
    mutating func read(_ key: String, _ value: YAMLValue, _ use: PlaceUse, depth: Int = 0) -> Bool {
        switch key {
        case "at":
            isGiven = true
            guard let (source, condition) = value.placeSource(use, isMember: true) else { return wrong() }
            (self.source, self.condition) = (source, condition)
        case "match":
            guard let pattern = value.pattern else { return wrong() }
            match = pattern
        case "then":
            guard depth < 3 else {
                value.report("is nested too deeply: at most 3 JSON texts within each other")
                return wrong()
            }
            guard let inner = value.place(.inner, depth: depth + 1) else { return wrong() }
            then = inner
        case "unit":
            guard let unit = value.choice(ValuePlace.Unit.allCases.map { ($0.rawValue, $0) }) else {
                return wrong()
            }
            self.unit = unit
        default: return false
        }
        return true
    }

    private mutating func wrong() -> Bool {
        isWrong = true
        return true
    }

    /// Whether one of the keys was there.
    var hasPlace: Bool { isGiven }

    /// The place that `value`, the mapping, describes; reports that it describes none.
    func place(of value: YAMLValue) -> ValuePlace? {
        guard let source else {
            if !isGiven, value.isMapping { value.report("needs 'at', such as { at: header X-Code }") }
            return nil
        }
        return isWrong ? nil : ValuePlace(source, condition, match: match, then: then, unit: unit)
    }
}

/// What is allowed of a place, by what it is for.
struct PlaceUse {
    /// Whether it may be in the message.
    var allowsMessage = true
    /// Whether it may be anywhere but in JSON.
    var allowsOthers = true
    /// Whether it may say which strings count: `/error if identifier`.
    var allowsConditions = false
    /// Whether it is a time, whose unit may be given.
    var isTime = false

    /// A value of any kind.
    static let value = PlaceUse()
    /// The code or the message.
    static let code = PlaceUse(allowsConditions: true)
    static let message = PlaceUse(allowsMessage: false, allowsConditions: true)
    /// A time.
    static let time = PlaceUse(isTime: true)
    /// A value of a JSON text.
    static let inner = PlaceUse(allowsMessage: false, allowsOthers: false)

    /// The keys of a mapping.
    var keys: [String] { isTime ? ProfileReader.Keys.time : ProfileReader.Keys.place }

    /// What may be written.
    func allowed(isMember: Bool) -> String {
        let json = "a JSON Pointer such as /error/message, or a JSONPath such as $.errors[*].code"
        guard allowsOthers else { return json }
        guard isMember else { return json + ", or a mapping such as { at: header X-Code }" }
        return json + ", header NAME, \(allowsMessage ? "message, " : "")text, or path {NAME}"
    }
}

extension YAMLValue {
    /// A place: a JSON Pointer, a JSONPath, or a mapping.
    func place(_ use: PlaceUse = .value, depth: Int = 0) -> ValuePlace? {
        guard isMapping else {
            guard let (source, condition) = placeSource(use, isMember: false) else { return nil }
            return ValuePlace(source, condition)
        }
        var parts = PlaceParts()
        for (key, value) in filledMembers(allowed: use.keys) { _ = parts.read(key, value, use, depth: depth) }
        return parts.place(of: self)
    }

    /// One or more places.
    func places(_ use: PlaceUse = .value) -> [ValuePlace] { oneOrMany.compactMap { $0.place(use) } }

    /// Where a place begins, as a text says it.
    ///
    /// - Parameter isMember: whether it is the `at` of a mapping.
    func placeSource(
        _ use: PlaceUse, isMember: Bool
    ) -> (source: ValuePlace.Source, condition: ValuePlace.Condition)? {
        guard !isNull else {
            report("must be \(use.allowed(isMember: isMember)); '' is the whole body")
            return nil
        }
        guard let text = string else { return nil }
        if isMember, use.allowsOthers, let source = otherSource(text, use) { return (source, .any) }
        var (place, condition) = (text, ValuePlace.Condition.any)
        if use.allowsConditions {
            for (suffix, meaning) in [
                (" if identifier", ValuePlace.Condition.identifier), (" if sentence", .sentence),
            ] where text.hasSuffix(suffix) {
                place = String(text.dropLast(suffix.count))
                condition = meaning
            }
        }
        if place.hasPrefix("$") {
            do throws(JSONPathError) {
                return (.path(try JSONPath(parsing: place)), condition)
            } catch {
                report("\(quoted) is not a JSONPath: \(error)")
                return nil
            }
        }
        guard !Self.endsWithWords(place), let pointer = JSONPointer(place) else {
            let ending = use.allowsConditions ? "; then perhaps 'if identifier' or 'if sentence'" : ""
            report("\(quoted) must be \(use.allowed(isMember: isMember))\(ending)")
            return nil
        }
        return (.pointer(pointer), condition)
    }

    /// `header NAME`, `message`, `text`, `path {NAME}`.
    private func otherSource(_ text: String, _ use: PlaceUse) -> ValuePlace.Source? {
        let words = text.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("header", 2) where Self.isFieldName(words[1]): return .header(Text(words[1]))
        case ("message", 1) where use.allowsMessage: return .message
        case ("text", 1): return .text
        case ("path", 2) where words[1].hasPrefix("{") && words[1].hasSuffix("}") && words[1].count > 2:
            return .requestStep(String(words[1].dropFirst().dropLast()))
        default: return nil
        }
    }
}

extension ProfileReader {
    /// A place where field problems may be: a place alone, whose form is recognised, or a mapping that describes it.
    static func fieldPlace(_ value: YAMLValue) -> FieldPlace? {
        guard value.isMapping else { return value.place().map { FieldPlace($0) } }
        var form: (form: DeclaredFields.Form, place: ValuePlace?, drop: [Text])?
        var forms = 0
        var name: (place: ValuePlace, drop: [Text])?
        var message: ValuePlace?
        var code: (place: ValuePlace, means: [(name: Text, code: FieldProblemCode)])?
        var when: ConditionSet?
        var given: Set<String> = []
        for (key, value) in value.filledMembers(allowed: Keys.fields) {
            given.insert(key)
            switch key {
            case "each", "map":
                forms += 1
                form = (key == "each" ? .each : .map, value.place(), [])
            case "names", "from":
                forms += 1
                let place = namePlace(value)
                form = (key == "names" ? .names : .from, place?.place, place?.drop ?? [])
            case "name": name = namePlace(value)
            case "message": message = value.place()
            case "code": code = codePlace(value)
            default: when = ConditionSet(conditions(value, of: .part))
            }
        }
        guard forms == 1, let form else {
            value.report("needs one of 'each', 'map', 'names' and 'from'")
            return nil
        }
        switch form.form {
        case .each:
            if !given.contains("name") {
                value.report("needs 'name', where each problem has the name of its field")
            }
        case .map:
            for key in ["name", "message", "code"] where given.contains(key) {
                value.report("has no '\(key)': a map has the names of the fields and their sentences")
            }
        case .names, .from:
            if given.contains("name") {
                value.report("has no 'name': what is found is the name")
            }
        }
        guard let place = form.place else { return nil }
        return FieldPlace(
            DeclaredFields(
                form.form, at: place, name: name?.place, drop: name?.drop ?? form.drop, message: message,
                code: code?.place, means: code?.means ?? [], when: when))
    }

    /// A place of a name, and first steps that are left out.
    private static func namePlace(_ value: YAMLValue) -> (place: ValuePlace, drop: [Text])? {
        guard value.isMapping else { return value.place().map { ($0, []) } }
        var parts = PlaceParts()
        var drop: [Text] = []
        for (key, value) in value.filledMembers(allowed: Keys.fieldName) {
            if !parts.read(key, value, .value) { drop = value.texts }
        }
        return parts.place(of: value).map { ($0, drop) }
    }

    /// A place of the provider's name of a problem, and what such names mean.
    private static func codePlace(
        _ value: YAMLValue
    ) -> (place: ValuePlace, means: [(name: Text, code: FieldProblemCode)])? {
        guard value.isMapping else { return value.place().map { ($0, []) } }
        var parts = PlaceParts()
        var means: [(name: Text, code: FieldProblemCode)] = []
        for (key, value) in value.filledMembers(allowed: Keys.fieldCode) {
            guard !parts.read(key, value, .value) else { continue }
            for (name, value) in value.filledMembers(allowed: nil) {
                let codes = FieldProblemCode.allCases.map { ($0.rawValue, $0) }
                if let code = value.choice(codes) { means.append((Text(name), code)) }
            }
        }
        return parts.place(of: value).map { ($0, means) }
    }
}
