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

    let json: JSONDocument
    let phrases: FieldPhrases
    /// The message of the whole error, for a body that only names a field.
    let message: Text?
    private(set) var found: [FieldProblem] = []

    init(json: JSONDocument, phrases: FieldPhrases, message: Text?) {
        self.json = json
        self.phrases = phrases
        self.message = message
    }

    /// Reads the first of the places that has any field problem.
    mutating func read(_ places: [JSONPointer]) {
        for place in places where found.isEmpty {
            guard let node = json.value(at: place) else { continue }
            switch json.kind(node) {
            case .object: members(of: node, path: [])
            case .array: list(node)
            case .string: if let field = json.string(node) { add(field, message) }
            default: break
            }
        }
    }

    /// A map from names to sentences; nested maps become dotted names.
    private mutating func members(of node: Int, path: [UInt8]) {
        var children: [(name: Text, value: Int)] = []
        json.forEachMember(of: node) { name, value in
            if let name = json.string(name) { children.append((name, value)) }
        }
        for child in children where found.count < Self.limit {
            if path.isEmpty {
                value(child.value, field: child.name)
            } else {
                value(child.value, field: Text(path + [0x2E] + child.name.bytes))
            }
        }
    }

    private mutating func value(_ node: Int, field: Text) {
        switch json.kind(node) {
        case .object:
            if let sentence = sentence(of: node) {
                add(field, sentence)
            } else {
                members(of: node, path: Array(field.bytes))
            }
        case .array:
            var elements: [Int] = []
            json.forEachElement(of: node) { elements.append($0) }
            for (index, element) in elements.enumerated() where found.count < Self.limit {
                switch json.kind(element) {
                case .object where sentence(of: element) == nil:
                    value(element, field: Text(Array(field.bytes) + Array(".\(index)".utf8)))
                case .object: add(field, sentence(of: element))
                default: if let text = json.scalarText(element) { add(field, text) }
                }
            }
        default: if let text = json.scalarText(node) { add(field, text) }
        }
    }

    /// A list of objects that name a field and say what is wrong with it.
    private mutating func list(_ node: Int) {
        var elements: [Int] = []
        json.forEachElement(of: node) { elements.append($0) }
        for element in elements where found.count < Self.limit {
            guard let field = name(of: element) else { continue }
            add(field, sentence(of: element))
        }
    }

    private func name(of node: Int) -> Text? {
        for name in Self.names {
            guard let value = json.member(name, of: node) else { continue }
            if let text = json.string(value), !text.isEmpty { return text }
            if json.kind(value) == .array { return path(value) }
        }
        // JSON:API puts it one step deeper.
        guard let source = json.member("source", of: node) else { return nil }
        return json.member("pointer", of: source).flatMap(json.string)
            ?? json.member("parameter", of: source).flatMap(json.string)
    }

    /// A list of steps as a dotted name.
    private func path(_ node: Int) -> Text? {
        var bytes: [UInt8] = []
        json.forEachElement(of: node) { step in
            guard let text = json.scalarText(step) else { return }
            if !bytes.isEmpty { bytes.append(0x2E) }
            bytes += text.bytes
        }
        return bytes.isEmpty ? nil : Text(bytes)
    }

    private func sentence(of node: Int) -> Text? {
        for name in Self.sentences {
            if let text = json.member(name, of: node).flatMap(json.string), !text.isEmpty { return text }
        }
        return nil
    }

    private mutating func add(_ field: Text, _ sentence: Text?) {
        guard found.count < Self.limit, let field = MessageText.clean(field) else { return }
        let detail = sentence.flatMap(MessageText.clean)
        found.append(FieldProblem(field: field, code: detail.map(phrases.code) ?? .invalid, detail: detail))
    }
}
