internal import Wire

/// Collects the field problems in a JSON body, in any of the formats that providers use.
///
/// - A list of objects that name a field: `[{"field":"to","message":"is required"}]`, with the names of ``FieldEntry``.
/// - A map from names to messages: `{"to":["is required"]}`, nested like the input.
/// - The name of one field: `"param":"to"`.
///
/// A text with a space is never a name, and an object that names no input yields nothing.
struct FieldExtraction {
    /// The maximum number of problems.
    static let limit = 100
    /// The maximum depth.
    private static let depthLimit = 12

    /// How certain a map must be.
    private enum MapKind {
        /// Values of `errors` are about fields, unless they are an error themselves.
        case named
        /// Values of `details` may be anything: only messages about input count.
        case suspected
        /// The profile declares it: every text counts.
        case declared
    }

    /// Places whose maps may be about anything.
    private static let vagueNames: NameList = [
        "details", "detail", "error", "data", "message", "meta", "info",
    ]
    /// Places whose texts are messages, not names.
    private static let collectiveNames: NameList = [
        "errors", "error", "details", "detail", "message", "messages", "violations", "issues", "fields",
        "validation",
    ]
    /// Members of an error that are not names of fields.
    private static let metaNames: NameList = [
        "code", "type", "status", "id", "request_id", "requestId", "trace_id", "traceId", "url", "help",
        "hint", "reason",
        "documentation_url", "documentation", "doc_url", "info", "description", "cause", "exception", "stack",
        "trace", "suggestion",
        "message", "msg", "error", "detail", "details", "title", "name", "timestamp", "instance",
        "retry_after",
    ]
    /// A map that contains one of these with a text is an error, not a map of fields.
    private static let errorNames: [Text] = [
        "message", "msg", "detail", "error", "error_message", "errorMessage", "error_description",
    ]

    /// Members that contain a map of parts, and are not parts themselves.
    private static let containers: NameList = ["children", "properties", "fieldErrors", "field_errors"]

    private let phrases: FieldPhrases
    /// The message of the whole error, for a body that only names a field.
    private let message: Text?
    /// Whether the error is about the content of the request.
    private let refusesContent: Bool
    /// Whether only what is called a field counts, because the error is about something else: no maps and no paths.
    private let isStrict: Bool
    private var found: [FieldProblem] = []

    /// - Parameters:
    ///   - refusesContent: whether the error is about the content of the request.
    ///   - isStrict: whether only what is called a field counts.
    init(phrases: FieldPhrases, message: Text?, refusesContent: Bool, isStrict: Bool) {
        self.phrases = phrases
        self.message = message
        self.refusesContent = refusesContent
        self.isStrict = isStrict
    }

    /// Whether a status means that the content of a request was rejected.
    static func refusesContent(_ status: Int) -> Bool {
        switch status {
        case 400, 409, 412, 413, 415, 422: true
        default: false
        }
    }

    /// The field problems of the first of the places that has any.
    ///
    /// - Parameters:
    ///   - json: the body, or a JSON text in its message; `nil` if there is none.
    ///   - reading: the response.
    mutating func read(
        _ places: [FieldPlace], of json: JSONDocument?, in reading: AnswerReading
    ) -> [FieldProblem] {
        let places = places.span
        for index in 0..<places.count where found.isEmpty {
            if let declared = places[index].declared {
                if let when = declared.when, !reading.acceptsAll(when) { continue }
                read(declared, in: reading.context().within(json))
                continue
            }
            guard let json else { continue }
            if places[index].place.details != nil {
                read(all: places[index], in: reading.context().within(json))
                continue
            }
            guard let node = json.value(at: places[index].place.pointer) else { continue }
            read(node, at: places[index], in: json)
        }
        return found
    }

    private mutating func read(_ node: Int, at place: FieldPlace, in json: JSONDocument) {
        switch json.kind(node) {
        case .array:
            list(node, in: json, under: nil, depth: 0)
            guard found.isEmpty, refusesContent, !isStrict else { return }
            if place.name == "message" { sentences(node, in: json) }
            if place.name == nil { maps(node, in: json) }
        case .object:
            guard let name = place.name else {
                if refusesContent, !isStrict { root(node, in: json) }
                return
            }
            if isError(node, in: json) {
                entry(node, in: json, under: nil, wholeMessage: message, depth: 0)
            } else if isStrict {
                return
            } else if !Self.vagueNames.contains(name) {
                map(node, in: json, under: nil, .named, depth: 0)
            } else if refusesContent {
                map(node, in: json, under: nil, .suspected, depth: 0)
            }
        case .string:
            guard let name = place.name, !Self.collectiveNames.contains(name), let field = json.string(node),
                FieldName.isName(field), !isStrict || name != "target"
            else { return }
            let code = json.value(at: place.parent).flatMap { json.member("code", of: $0) }
            add(field, message, code: code.flatMap(json.string))
        default: break
        }
    }

    // MARK: Lists

    private mutating func list(_ node: Int, in json: JSONDocument, under path: Text?, depth: Int) {
        guard depth < Self.depthLimit else { return }
        json.forEachElement(of: node) { element in
            guard found.count < Self.limit, json.kind(element) == .object else { return }
            entry(element, in: json, under: path, wholeMessage: nil, depth: depth)
        }
    }

    /// A list of maps, one per element of a list that was sent (Django REST).
    private mutating func maps(_ node: Int, in json: JSONDocument) {
        var index = 0
        json.forEachElement(of: node) { element in
            if !json.isEmpty(element), json.kind(element) == .object, !json.isCut(element),
                isMapOfLists(element, in: json, depth: 0)
            {
                map(element, in: json, under: Text(String(index)), .named, depth: 0)
            }
            index += 1
        }
    }

    /// Messages that begin with the names of fields, as in class-validator.
    private mutating func sentences(_ node: Int, in json: JSONDocument) {
        json.forEachElement(of: node) { element in
            guard let sentence = json.string(element), let field = FieldName.subject(of: sentence) else {
                return
            }
            add(field, sentence, code: nil)
        }
    }

    /// An object that may name a field and its problem.
    ///
    /// - Parameters:
    ///   - path: the name of the enclosing object.
    ///   - wholeMessage: the message if the object itself has none.
    private mutating func entry(
        _ node: Int, in json: JSONDocument, under path: Text?, wholeMessage: Text?, depth: Int
    ) {
        // The missing part may contain the name or the reason.
        guard depth < Self.depthLimit, !json.isCut(node) else { return }
        let entry = FieldEntry(node, in: json)
        let own = name(of: entry, in: json)
        let field = Self.joined(path, own)
        if let constraints = entry[.constraints], let field {
            json.forEachMember(of: constraints) { rule, sentence in
                guard let sentence = json.string(sentence) else { return }
                add(field, sentence, code: json.string(rule))
            }
        }
        if let children = entry[.children] { list(children, in: json, under: field, depth: depth + 1) }
        if let names = entry[.names], own == nil || json.kind(names) == .array {
            let sentence = sentence(of: entry, in: json) ?? wholeMessage
            let count = found.count
            json.forEachElement(of: names) { name in
                guard let name = json.string(name), FieldName.isName(name) else { return }
                if let field = Self.joined(field, name) {
                    add(field, sentence, code: code(of: entry, in: json))
                }
            }
            if found.count > count { return }
        }
        guard let field, own != nil else {
            if let several = entry[.several] { list(several, in: json, under: path, depth: depth + 1) }
            return
        }
        guard entry[.constraints] == nil else { return }
        if let sentence = sentence(of: entry, in: json) {
            add(field, sentence, code: code(of: entry, in: json))
        } else if let several = entry[.several] {
            var count = 0
            json.forEachElement(of: several) { element in
                guard let sentence = json.string(element) else { return }
                add(field, sentence, code: code(of: entry, in: json))
                count += 1
            }
            if count == 0 { list(several, in: json, under: field, depth: depth + 1) }
        } else if entry[.children] == nil {
            add(field, wholeMessage, code: code(of: entry, in: json))
        }
    }

    private func name(of entry: FieldEntry, in json: JSONDocument) -> Text? {
        var name = givenName(of: entry, in: json)
        guard let parameters = entry[.parameters] else { return name }
        // JSON Schema reports missing and additional properties beside the path of their container.
        for key: Text in ["missingProperty", "additionalProperty", "unevaluatedProperty", "propertyName"] {
            guard let part = json.member(key, of: parameters).flatMap(json.string), FieldName.isName(part)
            else { continue }
            let isPointer = name == nil || name?.bytes.first == 0x2F
            guard let container = name, !container.isEmpty else {
                return isPointer ? Self.pointer(nil, part) : part
            }
            name = isPointer ? Self.pointer(container, part) : Self.joined(container, part)
            break
        }
        return name
    }

    private func givenName(of entry: FieldEntry, in json: JSONDocument) -> Text? {
        if let node = entry[.name], !isAboutSomethingElse(entry, in: json) {
            if json.kind(node) == .array {
                if let path = path(
                    node, in: json, dropsLocation: entry.isUnderLoc, isJSON: isBrokenJSON(entry, in: json))
                {
                    return path
                }
            } else if let text = json.string(node), isName(text, of: entry, in: json),
                !entry.isUnderName || !FieldName.isClass(text)
            {
                return text
            }
        }
        if let source = entry[.source] {
            for key: Text in ["pointer", "parameter", "header"] {
                if let name = json.member(key, of: source).flatMap(json.string), FieldName.isName(name) {
                    return name
                }
            }
            if let names = json.member("propertyName", of: source), let first = json.element(0, of: names),
                let name = json.string(first), FieldName.isName(name)
            {
                return name
            }
        }
        guard !isStrict, let location = entry[.location].flatMap(json.string), FieldName.isName(location),
            !FieldName.isLocation(location)
        else { return nil }
        return location
    }

    /// Whether a possible name is not that of a field: the path to a result (GraphQL), the name of an object
    /// (Kubernetes), or, if the error is about something else, an uncertain name.
    private func isAboutSomethingElse(_ entry: FieldEntry, in json: JSONDocument) -> Bool {
        if isStrict, !entry.namesField { return true }
        if entry.isUnderName { return entry.isKind && entry[.sentence] == nil }
        guard entry.isUnderPath else { return false }
        if entry[.graph] != nil { return true }
        guard let node = entry[.name], json.kind(node) == .array, entry[.code] == nil else { return false }
        return json.member("data", of: json.root) != nil
    }

    private func isName(_ text: Text, of entry: FieldEntry, in json: JSONDocument) -> Bool {
        if FieldName.isName(text) { return true }
        guard FieldName.hasBlank(text), FieldName.isLabel(text),
            let sentence = entry[.sentence].flatMap(json.string)
        else { return false }
        return sentence != text
    }

    private func isBrokenJSON(_ entry: FieldEntry, in json: JSONDocument) -> Bool {
        guard let code = entry[.code].flatMap(json.string) else { return false }
        return code == "json_invalid" || code == "value_error.jsondecode"
    }

    /// A list of path steps as a dotted name.
    private func path(_ node: Int, in json: JSONDocument, dropsLocation: Bool, isJSON: Bool) -> Text? {
        var bytes: [UInt8] = []
        var first: Text?
        var count = 0
        json.forEachElement(of: node) { step in
            guard let text = json.scalarText(step) else { return }
            count += 1
            if count == 1 { first = text }
            if count == 2, dropsLocation, let first, FieldName.isLocation(first) { bytes.removeAll() }
            if !bytes.isEmpty { bytes.append(0x2E) }
            bytes.append(text)
        }
        // The step after the location is a position in the text, not in the value.
        if isJSON, let first { return first }
        let name = Text(bytes)
        return FieldName.isName(name) ? name : nil
    }

    /// The problem in the entry; `nil` if it only names the field.
    private func sentence(of entry: FieldEntry, in json: JSONDocument) -> Text? {
        entry[.sentence].flatMap(json.sentence) ?? entry[.reason].flatMap(json.sentence)
    }

    private func code(of entry: FieldEntry, in json: JSONDocument) -> FieldCodeHint {
        var hint = FieldCodeHint()
        hint.name = entry[.code].flatMap(json.scalarText)
        if hint.name == nil || hint.name.flatMap(FieldCodeNames.code) == nil, entry[.sentence] != nil,
            let reason = entry[.reason].flatMap(json.string), !FieldName.hasBlank(reason)
        {
            hint.name = reason
        }
        // For GitHub, the object is missing, not the value.
        hint.isAboutObject = entry[.resource] != nil
        hint.valueType = entry[.valueType].flatMap(json.string)
        return hint
    }

    // MARK: Maps

    /// Whether an object is one error rather than a map from names to errors.
    private func isError(_ node: Int, in json: JSONDocument) -> Bool {
        let names = json.names(of: node)
        for name in Self.errorNames where names & NameSet.bit(name.bytes) != 0 {
            if let value = json.member(name, of: node), json.kind(value) == .string { return true }
        }
        let entry = FieldEntry(node, in: json)
        if entry[.names] != nil, json.member("source", of: node) != nil { return true }
        guard let name = entry[.name].flatMap(json.string), FieldName.isName(name),
            !isAboutSomethingElse(entry, in: json)
        else { return false }
        return entry[.code] != nil || entry[.sentence] != nil || entry[.reason] != nil
    }

    /// A body that is only a map from names to lists of messages (Django REST, ASP.NET), or one error about a path
    /// (yup).
    private mutating func root(_ node: Int, in json: JSONDocument) {
        guard !json.isEmpty(node) else { return }
        if let path = json.member("path", of: node).flatMap(json.string), path.bytes.first != 0x2F,
            let errors = json.member("errors", of: node), hasSentence(errors, in: json)
        {
            return entry(node, in: json, under: nil, wholeMessage: message, depth: 0)
        }
        guard isMapOfLists(node, in: json, depth: 0) else { return }
        map(node, in: json, under: nil, .named, depth: 0)
    }

    private func isMapOfLists(_ node: Int, in json: JSONDocument, depth: Int) -> Bool {
        guard depth < Self.depthLimit else { return false }
        var isMap = true
        // Names whose list of messages is about the whole request, unless it appears together with others.
        var collective: [Int] = []
        var count = 0
        json.forEachMember(of: node) { key, value in
            guard isMap, !json.isCut(value) else { return }
            let name = json.string(key)
            if let name, FieldName.isWhole(name), json.kind(value) == .array {
                // Within a part, they describe its problem.
                if depth > 0, !json.isEmpty(value) { count += 1 }
                return
            }
            count += 1
            if depth == 0, let name, Self.collectiveNames.contains(name) { collective.append(value) }
            isMap = isListOfProblems(value, in: json, depth: depth)
        }
        guard isMap, count > 0 else { return false }
        return count > collective.count || collective.allSatisfy { hasImplicitSubject($0, in: json) }
    }

    /// Whether the messages of a list begin with the problem, so that the name of the list must be the field's.
    private func hasImplicitSubject(_ list: Int, in json: JSONDocument) -> Bool {
        guard json.kind(list) == .array else { return false }
        var isImplicit = true
        json.forEachElement(of: list) { element in
            guard isImplicit else { return }
            isImplicit = json.string(element).map(FieldName.hasImplicitSubject) ?? false
        }
        return isImplicit
    }

    private func isListOfProblems(_ node: Int, in json: JSONDocument, depth: Int) -> Bool {
        switch json.kind(node) {
        case .object: return !json.isEmpty(node) && isMapOfLists(node, in: json, depth: depth + 1)
        case .array:
            var count = 0
            var isList = true
            json.forEachElement(of: node) { element in
                guard isList else { return }
                switch json.kind(element) {
                case .string:
                    isList = json.string(element).map(isSentence) ?? false
                    count += 1
                case .object:
                    if json.isEmpty(element) { return }
                    isList =
                        FieldEntry(element, in: json)[.sentence] != nil
                        || isMapOfLists(element, in: json, depth: depth + 1)
                    count += 1
                default: isList = false
                }
            }
            return isList && (count > 0 || json.isCut(node))
        default: return false
        }
    }

    private func isSentence(_ text: Text) -> Bool {
        FieldName.hasBlank(text) || phrases.code(of: text) != .invalid
    }

    /// A map from names to messages; nested maps become dotted names.
    private mutating func map(
        _ node: Int, in json: JSONDocument, under path: Text?, _ kind: MapKind, depth: Int
    ) {
        guard depth < Self.depthLimit else { return }
        json.forEachMember(of: node) { key, value in
            guard found.count < Self.limit, let name = json.string(key) else { return }
            switch json.kind(value) {
            case .array where FieldName.isWhole(name) && path != nil:
                // The problems of the value itself, in addition to those of its parts.
                if let path { values(value, in: json, of: path, kind, depth: depth) }
            case .object where depth < 2 && Self.containers.contains(name):
                map(value, in: json, under: path, kind, depth: depth + 1)
            default:
                guard !FieldName.isWhole(name), FieldName.isName(name) else { return }
                self.value(
                    value, in: json, named: name, of: Self.joined(path, name) ?? name, kind, depth: depth)
            }
        }
    }

    private mutating func value(
        _ node: Int, in json: JSONDocument, named name: Text, of field: Text, _ kind: MapKind, depth: Int
    ) {
        // No name is that long, and copying it for each of its members would be slow.
        guard field.count <= MessageText.limit else { return }
        switch json.kind(node) {
        case .object where json.isCut(node): break
        case .object:
            let entry = FieldEntry(node, in: json)
            if FieldName.isLocation(name), entry[.names] != nil {
                self.entry(node, in: json, under: nil, wholeMessage: message, depth: depth + 1)
            } else if let sentence = sentence(of: entry, in: json) {
                guard kind != .suspected || isSentence(sentence) else { return }
                add(field, sentence, code: code(of: entry, in: json))
            } else if let several = entry[.several], hasSentence(several, in: json) {
                values(several, in: json, of: field, kind, depth: depth)
                map(node, in: json, under: field, kind, depth: depth + 1, except: several)
            } else {
                map(node, in: json, under: field, kind, depth: depth + 1)
            }
        case .array: values(node, in: json, of: field, kind, depth: depth)
        case .string:
            guard let text = json.string(node), !text.isEmpty else { return }
            switch kind {
            case .named: guard isSentence(text) || !Self.metaNames.contains(name) else { return }
            case .suspected:
                guard phrases.code(of: text) != .invalid, !Self.metaNames.contains(name) else { return }
            case .declared: break
            }
            add(field, text, code: nil)
        default: break
        }
    }

    private mutating func map(
        _ node: Int, in json: JSONDocument, under path: Text?, _ kind: MapKind, depth: Int, except done: Int
    ) {
        guard depth < Self.depthLimit else { return }
        json.forEachMember(of: node) { key, value in
            guard value != done, json.kind(value) == .object || json.kind(value) == .array,
                let name = json.string(key)
            else { return }
            if Self.containers.contains(name) {
                map(value, in: json, under: path, kind, depth: depth + 1)
            } else if FieldName.isName(name), !FieldName.isWhole(name) {
                self.value(
                    value, in: json, named: name, of: Self.joined(path, name) ?? name, kind, depth: depth)
            }
        }
    }

    private func hasSentence(_ list: Int, in json: JSONDocument) -> Bool {
        json.element(0, of: list).map { json.kind($0) == .string } ?? false
    }

    /// The list of problems of one field, or of each of its elements.
    private mutating func values(
        _ node: Int, in json: JSONDocument, of field: Text, _ kind: MapKind, depth: Int
    ) {
        guard depth < Self.depthLimit, hasText(node, in: json) else { return }
        var index = 0
        json.forEachElement(of: node) { element in
            defer { index += 1 }
            guard found.count < Self.limit else { return }
            guard json.kind(element) == .object else {
                guard let text = json.scalarText(element), kind != .suspected || isSentence(text) else {
                    return
                }
                return add(field, text, code: nil)
            }
            guard !json.isCut(element) else { return }
            let entry = FieldEntry(element, in: json)
            if let sentence = sentence(of: entry, in: json) {
                let isLocation = FieldName.isLocation(field) && name(of: entry, in: json) != nil
                if isLocation {
                    self.entry(element, in: json, under: nil, wholeMessage: nil, depth: depth + 1)
                } else {
                    add(field, sentence, code: code(of: entry, in: json))
                }
            } else {
                map(element, in: json, under: Self.joined(field, Text(String(index))), kind, depth: depth + 1)
            }
        }
    }

    /// Whether a list contains anything but numbers.
    private func hasText(_ list: Int, in json: JSONDocument) -> Bool {
        var hasText = false
        json.forEachElement(of: list) { element in
            let kind = json.kind(element)
            if kind == .string || kind == .object { hasText = true }
        }
        return hasText
    }

    // MARK: Declared forms

    /// Reads a place with any number of values: each is a list, a map, an entry of a list, or a name.
    private mutating func read(all place: FieldPlace, in context: PlaceContext) {
        place.place.find(in: context) { result in
            switch result {
            case .node(let node, let json) where json.kind(node) == .object:
                entry(node, in: json, under: nil, wholeMessage: nil, depth: 0)
            case .node(let node, let json) where json.kind(node) == .array:
                list(node, in: json, under: nil, depth: 0)
            case .node(let node, let json):
                if let name = json.string(node), FieldName.isName(name) { add(name, message, code: nil) }
            case .text(let name): if FieldName.isName(name) { add(name, message, code: nil) }
            }
            return found.count >= Self.limit
        }
    }

    private mutating func read(_ declared: DeclaredFields, in context: PlaceContext) {
        declared.place.find(in: context) { result in
            // A pointer leads to the list itself.
            if declared.form == .each || declared.form == .names, case .node(let list, let json) = result,
                json.kind(list) == .array
            {
                json.forEachElement(of: list) { element in
                    if found.count < Self.limit { read(.node(element, json), declared, in: context) }
                }
            } else {
                read(result, declared, in: context)
            }
            return found.count >= Self.limit
        }
    }

    private mutating func read(
        _ result: ValuePlace.Found, _ declared: DeclaredFields, in context: PlaceContext
    ) {
        switch (declared.form, result) {
        case (.each, .node(let node, let json)):
            let inner = context.within(json, from: node)
            guard let place = declared.name else { break }
            addNames(at: place, declared, inner, inner)
        case (.map, .node(let node, let json)): map(node, in: json, under: nil, .declared, depth: 0)
        case (.names, _), (.from, _): addName(result, declared, context)
        case (.each, .text), (.map, .text): break
        }
    }

    private mutating func addNames(
        at place: ValuePlace, _ declared: DeclaredFields, _ names: PlaceContext, _ context: PlaceContext
    ) {
        place.find(in: names) { name in
            addName(name, declared, context)
            return found.count >= Self.limit
        }
    }

    /// Adds a problem of the field with this name; message and code are at the places that the profile names.
    private mutating func addName(
        _ name: ValuePlace.Found, _ declared: DeclaredFields, _ context: PlaceContext
    ) {
        guard let field = Self.name(name, without: declared.drop) else { return }
        var sentence = message
        declared.message?.find(in: context) { result in
            guard let text = result.text, !BodyReading.isBlank(text) else { return false }
            sentence = text
            return true
        }
        var hint = FieldCodeHint()
        var meaning: FieldProblemCode?
        declared.code?.find(in: context) { result in
            guard let text = result.text, !text.isEmpty else { return false }
            hint.name = text
            meaning = declared.means.first { text.equalsIgnoringCase($0.name) }?.code
            return true
        }
        add(field, sentence, code: hint, meaning: meaning)
    }

    /// A name, or a list of steps as one; the first step is dropped if it is in `drop`.
    private static func name(_ found: ValuePlace.Found, without drop: [Text]) -> Text? {
        if case .node(let node, let json) = found, json.kind(node) == .array {
            var bytes: [UInt8] = []
            var isFirst = true
            json.forEachElement(of: node) { step in
                defer { isFirst = false }
                guard let step = json.scalarText(step), bytes.count <= MessageText.limit,
                    !isFirst || !drop.contains(where: { step.equalsIgnoringCase($0) })
                else { return }
                if !bytes.isEmpty { bytes.append(0x2E) }
                bytes.append(step)
            }
            return bytes.isEmpty ? nil : Text(bytes)
        }
        guard let text = found.text, FieldName.isName(text) || FieldName.isLabel(text) else { return nil }
        for step in drop where text.count > step.count {
            let next = text.bytes[text.bytes.startIndex + step.count]
            let first = Text(text.storage, in: text.range.lowerBound..<text.range.lowerBound + step.count)
            guard next == 0x2E || next == 0x2F, first.equalsIgnoringCase(step) else { continue }
            return Text(text.storage, in: text.range.lowerBound + step.count + 1..<text.range.upperBound)
        }
        return text
    }

    // MARK: Results

    /// Joins two steps with a dot, which a step that begins with a bracket does not need.
    private static func joined(_ first: Text?, _ second: Text?) -> Text? {
        guard let first, !first.isEmpty else { return second }
        guard let second, !second.isEmpty else { return first }
        var bytes: [UInt8] = []
        bytes.append(first)
        if second.bytes.first != 0x5B && second.bytes.first != 0x2F { bytes.append(0x2E) }
        bytes.append(second)
        return Text(bytes)
    }

    /// A JSON Pointer with one more step.
    private static func pointer(_ container: Text?, _ step: Text) -> Text {
        var bytes: [UInt8] = []
        if let container { bytes.append(container) }
        bytes.append(0x2F)
        for byte in step.bytes {
            switch byte {
            case 0x7E: bytes += [0x7E, 0x30]
            case 0x2F: bytes += [0x7E, 0x31]
            default: bytes.append(byte)
            }
        }
        return Text(bytes)
    }

    private mutating func add(_ field: Text, _ sentence: Text?, code name: Text?) {
        var hint = FieldCodeHint()
        hint.name = name
        add(field, sentence, code: hint)
    }

    private mutating func add(
        _ field: Text, _ sentence: Text?, code hint: FieldCodeHint, meaning: FieldProblemCode? = nil
    ) {
        guard found.count < Self.limit, !field.isEmpty, !FieldName.isWhole(field),
            let field = MessageText.clean(field)
        else { return }
        if found.isEmpty { found.reserveCapacity(4) }
        let detail = sentence.flatMap(MessageText.cleanSentence)
        let code = meaning ?? hint.code(of: detail, about: field, phrases)
        found.append(FieldProblem(field: field, code: code, detail: detail))
    }
}

/// Information about a field's problem in addition to its message.
struct FieldCodeHint {
    /// The provider's name of the problem.
    var name: Text?
    /// Whether an object to which the field refers is missing.
    var isAboutObject = false
    /// The type of the value.
    var valueType: Text?

    /// The problem of a field, by the provider's name for it or else by the message.
    func code(of sentence: Text?, about field: Text, _ phrases: FieldPhrases) -> FieldProblemCode {
        let spoken = sentence.map { phrases.code(of: $0, field: field) } ?? .invalid
        guard let name, let code = FieldCodeNames.code(name, of: field) else {
            // Some providers put the name of the problem in place of a message.
            guard spoken == .invalid, let sentence, !FieldName.hasBlank(sentence) else { return spoken }
            return FieldCodeNames.code(sentence) ?? .invalid
        }
        if isAboutObject, name.equalsIgnoringCase("missing") { return .notFound }
        // Zod reports a missing value as having the wrong type, too.
        if code == .invalidType, spoken == .required { return spoken }
        guard code == .outOfRange, FieldCodeNames.isBound(name) else { return code }
        if let valueType, ["string", "array", "set"].contains(valueType) {
            return FieldCodeNames.isLowerBound(name) ? .tooShort : .tooLong
        }
        return spoken == .tooLong || spoken == .tooShort ? spoken : code
    }
}
