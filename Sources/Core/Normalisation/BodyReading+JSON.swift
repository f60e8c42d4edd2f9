internal import Wire

extension BodyReading {
    /// What the provider calls the error, and a sentence that stands where such a name is expected.
    ///
    /// An integer is a name by its spelling, unless it only repeats the status.
    static func code(
        _ places: [Place], in json: JSONDocument, status: Int
    ) -> (code: Text?, sentence: Text?) {
        var sentence: Text?
        let places = places.span
        for index in 0..<places.count {
            guard let node = json.value(at: places[index].pointer) else { continue }
            if json.kind(node) == .number {
                guard places[index].condition == .any, !places[index].isStatus,
                    let number = json.integer(node), number != status
                else { continue }
                return (json.raw(node), sentence)
            }
            guard let text = json.string(node), !isBlank(text) else { continue }
            if FieldName.hasBlank(text) {
                if sentence == nil { sentence = text }
            } else if places[index].condition != .identifier || isIdentifier(text), !isStatus(text, status) {
                return (withoutNamespace(text), sentence)
            }
        }
        return (nil, sentence)
    }

    /// Whether the text is the status in digits.
    private static func isStatus(_ text: Text, _ status: Int) -> Bool {
        guard text.count == 3 else { return false }
        var number = 0
        for byte in text.bytes {
            guard byte.isASCIIDigit else { return false }
            number = number * 10 + Int(byte - 0x30)
        }
        return number == status
    }

    /// The name of an error of AWS without its namespace and what some services add: `com.amazon#Name:http://…`.
    static func withoutNamespace(_ code: Text) -> Text {
        let bytes = code.storage.span
        var (start, end) = (code.range.lowerBound, code.range.upperBound)
        for index in code.range {
            if bytes[index] == 0x23 { start = index + 1 }
            if bytes[index] == 0x3A, bytes.extracting(index + 1..<end).startsIgnoringCase(with: "http") {
                end = index
                break
            }
        }
        guard start < end, start > code.range.lowerBound || end < code.range.upperBound,
            bytes[start].isASCIILetter
        else { return code }
        return Text(code.storage, in: start..<end, isPlain: code.isPlain)
    }

    /// The message: the first text that says more than the status, else the first of all.
    static func message(
        _ places: [Place], in json: JSONDocument, orSentence sentence: Text?
    ) -> Text? {
        guard let first = first(places, in: json) else {
            return sentence ?? anySentence(in: json) ?? anySentence(in: json, allowsGeneric: true)
        }
        guard GenericTitle.isGeneric(first) else { return first }
        return specific(places, in: json) ?? sentence.flatMap { GenericTitle.isGeneric($0) ? nil : $0 }
            ?? anySentence(in: json) ?? first
    }

    /// The first sentence at one of the places that says more than the status.
    private static func specific(_ places: [Place], in json: JSONDocument) -> Text? {
        let places = places.span
        for index in 0..<places.count {
            guard let node = json.value(at: places[index].pointer), let text = json.string(node),
                FieldName.hasBlank(text), !isBlank(text), !GenericTitle.isGeneric(text)
            else { continue }
            return text
        }
        return nil
    }

    /// The first sentence in what a body says about errors, wherever it is, that says more than the status.
    private static func anySentence(in json: JSONDocument, allowsGeneric: Bool = false) -> Text? {
        if json.kind(json.root) == .array {
            return sentence(in: json, under: json.root, allowsGeneric, depth: 0)
        }
        let names: [Text] = [
            "errors", "error", "Errors", "Error", "detail", "details", "violations", "message", "messages",
            "issues",
        ]
        for name in names {
            if let node = json.member(name, of: json.root),
                let found = sentence(in: json, under: node, allowsGeneric, depth: 0)
            {
                return found
            }
        }
        return nil
    }

    private static func sentence(
        in json: JSONDocument, under node: Int, _ allowsGeneric: Bool, depth: Int
    ) -> Text? {
        if let text = json.string(node) {
            return FieldName.hasBlank(text) && !isBlank(text)
                && (allowsGeneric || !GenericTitle.isGeneric(text)) ? text : nil
        }
        guard depth < 6 else { return nil }
        var found: Text?
        if json.kind(node) == .object, let own = FieldEntry(node, in: json)[.sentence].flatMap(json.string),
            allowsGeneric || !GenericTitle.isGeneric(own)
        {
            return own
        }
        json.forEachElement(of: node) {
            if found == nil { found = sentence(in: json, under: $0, allowsGeneric, depth: depth + 1) }
        }
        json.forEachMember(of: node) {
            if found == nil { found = sentence(in: json, under: $1, allowsGeneric, depth: depth + 1) }
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

    /// What is there of a message whose end is missing: some words, for less may be a name.
    static func beginning(_ places: [Place], in json: JSONDocument) -> Text? {
        for place in places where place.condition != .identifier {
            guard let text = json.value(at: place.pointer).flatMap(json.beginning), !isBlank(text),
                FieldName.hasBlank(text)
            else { continue }
            return text
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
