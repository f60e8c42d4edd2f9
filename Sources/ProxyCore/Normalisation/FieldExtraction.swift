internal import HTTPWire

/// Collects what a JSON body says about fields, in any of the shapes that providers use.
struct FieldExtraction {
    /// More problems than anybody reads.
    static let limit = 100

    private static let names: [Text] = [
        "field", "path", "pointer", "param", "name", "property", "attribute", "loc",
    ]
    private static let sentences: [Text] = [
        "message", "detail", "reason", "msg", "description", "error", "title",
    ]

    private let phrases: FieldPhrases
    /// The message of the whole error, for a body that only names a field.
    private let message: Text?
    private var found: [FieldProblem] = []

    init(phrases: FieldPhrases, message: Text?) {
        self.phrases = phrases
        self.message = message
    }

    /// The field problems of the first of the places that has any.
    mutating func read(_ places: [JSONPointer], of json: JSONDocument) -> [FieldProblem] {
        for index in 0..<places.count where found.isEmpty {
            guard let node = json.value(at: places[index]) else { continue }
            switch json.kind(node) {
            case .object: members(of: node, in: json, path: nil)
            case .array: list(node, in: json)
            case .string: if let field = json.string(node) { add(field, message) }
            default: break
            }
        }
        return found
    }

    /// A map from names to sentences; nested maps become dotted names.
    private mutating func members(of node: Int, in json: JSONDocument, path: Text?) {
        json.forEachMember(of: node) { name, child in
            guard found.count < Self.limit, let name = json.string(name) else { return }
            value(child, in: json, field: path.map { Self.joined($0, name) } ?? name)
        }
    }

    private mutating func value(_ node: Int, in json: JSONDocument, field: Text) {
        // No name is that long, and copying it for each of its members would take its time.
        guard field.count <= MessageText.limit else { return }
        switch json.kind(node) {
        case .object:
            if let sentence = sentence(of: node, in: json) {
                add(field, sentence)
            } else {
                members(of: node, in: json, path: field)
            }
        case .array:
            var index = 0
            json.forEachElement(of: node) { element in
                defer { index += 1 }
                guard found.count < Self.limit else { return }
                if json.kind(element) != .object {
                    if let text = json.scalarText(element) { add(field, text) }
                } else if let sentence = sentence(of: element, in: json) {
                    add(field, sentence)
                } else {
                    value(element, in: json, field: Self.joined(field, Text(String(index))))
                }
            }
        default: if let text = json.scalarText(node) { add(field, text) }
        }
    }

    /// A list of objects that name a field and say what is wrong with it.
    private mutating func list(_ node: Int, in json: JSONDocument) {
        json.forEachElement(of: node) { element in
            guard found.count < Self.limit, let field = name(of: element, in: json) else { return }
            add(field, sentence(of: element, in: json))
        }
    }

    private func name(of node: Int, in json: JSONDocument) -> Text? {
        for name in Self.names {
            guard let value = json.member(name, of: node) else { continue }
            if let text = json.string(value), !text.isEmpty { return text }
            if json.kind(value) == .array { return path(value, in: json) }
        }
        // JSON:API puts it one step deeper.
        guard let source = json.member("source", of: node) else { return nil }
        return json.member("pointer", of: source).flatMap(json.string)
            ?? json.member("parameter", of: source).flatMap(json.string)
    }

    /// A list of steps as a dotted name.
    private func path(_ node: Int, in json: JSONDocument) -> Text? {
        var bytes: [UInt8] = []
        json.forEachElement(of: node) { step in
            guard let text = json.scalarText(step) else { return }
            if !bytes.isEmpty { bytes.append(0x2E) }
            bytes.append(text)
        }
        return bytes.isEmpty ? nil : Text(bytes)
    }

    /// Two steps with a dot between them.
    private static func joined(_ first: Text, _ second: Text) -> Text {
        var bytes: [UInt8] = []
        bytes.append(first)
        bytes.append(0x2E)
        bytes.append(second)
        return Text(bytes)
    }

    private func sentence(of node: Int, in json: JSONDocument) -> Text? {
        for name in Self.sentences {
            if let text = json.member(name, of: node).flatMap(json.string), !text.isEmpty { return text }
        }
        return nil
    }

    private mutating func add(_ field: Text, _ sentence: Text?) {
        guard found.count < Self.limit, let field = MessageText.clean(field) else { return }
        if found.isEmpty { found.reserveCapacity(4) }
        let detail = sentence.flatMap(MessageText.clean)
        found.append(FieldProblem(field: field, code: detail.map(phrases.code) ?? .invalid, detail: detail))
    }
}
