internal import HTTPWire

extension BodyReading {
    /// The text of the first place that has one of the wanted kind.
    static func first(_ places: [Place], in json: JSONDocument) -> Text? {
        let places = places.span
        for index in 0..<places.count {
            guard let node = json.value(at: places[index].pointer), let text = json.string(node),
                !text.isEmpty
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
