internal import Wire

extension BodyReading {
    /// The provider's code for the error, and a message found in its place.
    ///
    /// An integer is a code, unless it only repeats the status.
    ///
    /// - Parameter context: the context for places that are not plain pointers.
    static func code(
        _ places: [ValuePlace], in json: JSONDocument?, status: Int, _ context: () -> PlaceContext
    ) -> (code: Text?, sentence: Text?) {
        var sentence: Text?
        let places = places.span
        for index in 0..<places.count {
            if places[index].details != nil {
                let place = places[index]
                var code: Text?
                place.find(in: context()) { found in
                    if case .node(let node, let json) = found {
                        code = Self.code(at: node, place, in: json, status: status, &sentence)
                    } else if case .text(let text) = found {
                        code = Self.code(text, place, status: status, &sentence)
                    }
                    return code != nil
                }
                if let code { return (code, sentence) }
                continue
            }
            guard let json, let node = json.value(at: places[index].pointer) else { continue }
            if let code = code(at: node, places[index], in: json, status: status, &sentence) {
                return (code, sentence)
            }
        }
        return (nil, sentence)
    }

    private static func code(
        at node: Int, _ place: borrowing ValuePlace, in json: JSONDocument, status: Int,
        _ sentence: inout Text?
    ) -> Text? {
        if json.kind(node) == .number {
            let number = json.raw(node)
            // What is too large for an integer is no code of anybody's.
            guard place.mayBeNumber, !place.isStatus, let value = json.integer(node), value != status
            else { return nil }
            return number
        }
        guard let text = json.sentence(node) else { return nil }
        return code(text, place, status: status, &sentence)
    }

    private static func code(
        _ text: Text, _ place: borrowing ValuePlace, status: Int, _ sentence: inout Text?
    ) -> Text? {
        guard !isBlank(text) else { return nil }
        if FieldName.hasBlank(text) {
            if sentence == nil { sentence = text }
            return nil
        }
        guard place.condition != .identifier || isIdentifier(text), !isStatus(text, status) else {
            return nil
        }
        return withoutNamespace(text)
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

    /// The name of an AWS error without its namespace and additions of some services: `com.amazon#Name:http://…`.
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

    /// The message: the first text that says more than the status, otherwise the first text.
    static func message(
        _ places: [ValuePlace], in json: JSONDocument, orSentence sentence: Text?,
        _ context: () -> PlaceContext
    ) -> Text? {
        guard let first = first(places, in: json, context) else {
            return sentence ?? anySentence(in: json) ?? anySentence(in: json, allowsGeneric: true)
        }
        guard GenericTitle.isGeneric(first) else { return first }
        return specific(places, in: json, context) ?? sentence.flatMap {
            GenericTitle.isGeneric($0) ? nil : $0
        }
            ?? anySentence(in: json) ?? first
    }

    /// The first message at one of the places that says more than the status.
    private static func specific(
        _ places: [ValuePlace], in json: JSONDocument, _ context: () -> PlaceContext
    ) -> Text? {
        func isSpecific(_ text: Text) -> Bool {
            FieldName.hasBlank(text) && !isBlank(text) && !GenericTitle.isGeneric(text)
        }
        let places = places.span
        for index in 0..<places.count {
            if places[index].details != nil {
                if let text = sentence(at: places[index], context(), isSpecific) { return text }
                continue
            }
            guard let node = json.value(at: places[index].pointer), let text = json.sentence(node),
                isSpecific(text)
            else { continue }
            return text
        }
        return nil
    }

    /// The first text at a place that is not a plain pointer and that `accepts` accepts; numbers are not messages.
    private static func sentence(
        at place: ValuePlace, _ context: PlaceContext, _ accepts: (Text) -> Bool
    ) -> Text? {
        var result: Text?
        place.find(in: context) { found in
            switch found {
            case .node(let node, let json): result = json.string(node)
            case .text(let text): result = text
            }
            if let text = result, !accepts(text) { result = nil }
            return result != nil
        }
        return result
    }

    /// The results of the places for a body that is not JSON.
    static func message(_ places: [ValuePlace], beyondJSON context: () -> PlaceContext) -> Text? {
        for place in places where place.details != nil {
            if let text = sentence(at: place, context(), { accepts($0, place.condition) }) { return text }
        }
        return nil
    }

    /// The first message that says more than the status, anywhere in the error part of a body.
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
        if let text = json.sentence(node) {
            return FieldName.hasBlank(text) && !isBlank(text)
                && (allowsGeneric || !GenericTitle.isGeneric(text)) ? text : nil
        }
        guard depth < 6 else { return nil }
        var found: Text?
        if json.kind(node) == .object, let own = FieldEntry(node, in: json)[.sentence].flatMap(json.sentence),
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

    static func isBlank(_ text: Text) -> Bool {
        text.bytes.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) }
    }

    /// The text at the first place that has one of the wanted kind.
    private static func first(
        _ places: [ValuePlace], in json: JSONDocument, _ context: () -> PlaceContext
    ) -> Text? {
        let places = places.span
        for index in 0..<places.count {
            if places[index].details != nil {
                let condition = places[index].condition
                if let text = sentence(at: places[index], context(), { accepts($0, condition) }) {
                    return text
                }
                continue
            }
            guard let node = json.value(at: places[index].pointer), let text = json.sentence(node),
                accepts(text, places[index].condition)
            else { continue }
            return text
        }
        return nil
    }

    private static func accepts(_ text: Text, _ condition: ValuePlace.Condition) -> Bool {
        guard !isBlank(text) else { return false }
        switch condition {
        case .any: return true
        case .identifier: return isIdentifier(text)
        case .sentence: return !isIdentifier(text)
        }
    }

    /// The available part of a truncated message: several words, since less may be a name.
    static func beginning(_ places: [ValuePlace], in json: JSONDocument) -> Text? {
        for place in places where place.details == nil && place.condition != .identifier {
            guard let text = json.value(at: place.pointer).flatMap(json.beginning), !isBlank(text),
                FieldName.hasBlank(text)
            else { continue }
            return text
        }
        return nil
    }

    /// Whether a text is a code rather than a message: `LEAD_NOT_FOUND`, `not_found`, `BadRequest`.
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
