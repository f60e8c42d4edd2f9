internal import HTTPWire

extension BodyReading {
    /// What the provider calls the error, and a sentence that stands where such a name is expected.
    ///
    /// An integer is a name by its spelling; one that only repeats the status is the last choice.
    static func code(
        _ places: [Place], in json: JSONDocument, status: Int
    ) -> (code: Text?, sentence: Text?) {
        var repeated: Text?
        var sentence: Text?
        let places = places.span
        for index in 0..<places.count {
            guard let node = json.value(at: places[index].pointer) else { continue }
            if json.kind(node) == .number {
                guard places[index].condition != .sentence, let number = json.integer(node) else { continue }
                if number != status { return (json.raw(node), sentence) }
                if repeated == nil { repeated = json.raw(node) }
                continue
            }
            guard let text = json.string(node), !isBlank(text) else { continue }
            if FieldName.hasBlank(text) {
                if sentence == nil { sentence = text }
            } else if places[index].condition != .identifier || isIdentifier(text) {
                return (text, sentence)
            }
        }
        return (repeated, sentence)
    }

    /// The first sentence in what a body says about errors, wherever it is.
    static func anySentence(in json: JSONDocument) -> Text? {
        if json.kind(json.root) == .array { return sentence(in: json, under: json.root, depth: 0) }
        let names: [Text] = [
            "errors", "error", "Errors", "Error", "detail", "details", "violations", "message", "messages",
            "issues",
        ]
        for name in names {
            if let node = json.member(name, of: json.root),
                let found = sentence(in: json, under: node, depth: 0)
            {
                return found
            }
        }
        return nil
    }

    private static func sentence(in json: JSONDocument, under node: Int, depth: Int) -> Text? {
        if let text = json.string(node) { return FieldName.hasBlank(text) && !isBlank(text) ? text : nil }
        guard depth < 6 else { return nil }
        var found: Text?
        if json.kind(node) == .object, let own = FieldEntry(node, in: json)[.sentence].flatMap(json.string) {
            return own
        }
        json.forEachElement(of: node) {
            if found == nil { found = sentence(in: json, under: $0, depth: depth + 1) }
        }
        json.forEachMember(of: node) {
            if found == nil { found = sentence(in: json, under: $1, depth: depth + 1) }
        }
        return found
    }

    private static func isBlank(_ text: Text) -> Bool {
        text.bytes.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) }
    }

    /// The text of the first place that has one of the wanted kind.
    static func first(_ places: [Place], in json: JSONDocument) -> Text? {
        let places = places.span
        for index in 0..<places.count {
            guard let node = json.value(at: places[index].pointer), let text = json.string(node),
                !isBlank(text)
            else { continue }
            switch places[index].condition {
            case .any: return text
            case .identifier: if isIdentifier(text) { return text }
            case .sentence: if !isIdentifier(text) { return text }
            }
        }
        return nil
    }

    /// Whether a text is a code and no sentence: `LEAD_NOT_FOUND`, `not_found`, `BadRequest`.
    static func isIdentifier(_ text: Text) -> Bool {
        var underscores = 0
        var humps = 0
        var uppercase = 0
        var lowercase = 0
        var previous: UInt8 = 0
        for byte in text.bytes {
            switch byte {
            case 0x41...0x5A:
                if previous.isASCIILetter && previous >= 0x61 { humps += 1 }
                uppercase += 1
            case 0x61...0x7A: lowercase += 1
            case 0x30...0x39: if previous == 0 { return false }
            case 0x5F:
                if previous == 0 || previous == 0x5F { return false }
                underscores += 1
            default: return false
            }
            previous = byte
        }
        guard previous != 0x5F, let first = text.bytes.first else { return false }
        if underscores > 0 { return uppercase == 0 || lowercase == 0 }
        return humps > 0 && first < 0x61
    }
}
