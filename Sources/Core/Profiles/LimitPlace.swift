internal import Wire

/// A place that a limit reads, in a request or a response: a JSON Pointer, a JSONPath, or a header field.
///
/// Places with the same text are equal.
public struct LimitPlace: Sendable, Hashable {
    /// The place as it is written.
    public let text: String
    private let place: ValuePlace

    /// Reads `/pointer` or `$.path`, and `header NAME` in a response.
    ///
    /// - Throws: what is allowed.
    public init(parsing text: String, allowsHeader: Bool) throws(InvalidSetting) {
        self.text = text
        let words = text.split(separator: " ").map(String.init)
        if allowsHeader, words.count == 2, words[0] == "header", Array(words[1].utf8).span.isToken {
            place = ValuePlace(.header(Text(words[1])))
        } else if text.hasPrefix("$") {
            do throws(JSONPathError) {
                place = ValuePlace(.path(try JSONPath(parsing: text)))
            } catch {
                throw InvalidSetting("is not a JSONPath: \(error)")
            }
        } else if text.hasPrefix("/"), let pointer = JSONPointer(text) {
            place = ValuePlace(pointer)
        } else {
            throw InvalidSetting(
                "must be a JSON Pointer such as /model, or a JSONPath such as $.to"
                    + (allowsHeader ? ", or header NAME" : ""))
        }
    }

    /// Whether it is in the body.
    var isInBody: Bool { place.header == nil }

    /// The first text at the place.
    func text(in json: JSONDocument?, fields: FieldBlock = FieldBlock()) -> Text? {
        place.text(in: PlaceContext(json: json, fields: fields, text: Text([])))
    }

    /// The first number at the place, rounded up; at least 0.
    func number(in json: JSONDocument?, fields: FieldBlock = FieldBlock()) -> Int? {
        var number: Int?
        place.find(in: PlaceContext(json: json, fields: fields, text: Text([]))) { found in
            guard let value = found.text.flatMap(WallClockTime.decimal) else { return false }
            number = Int(exactly: min(value.rounded(.up), 1e15))
            return true
        }
        return number
    }

    /// How many values are at the place; the elements count if it is one array.
    func count(in json: JSONDocument) -> Int {
        var count = 0
        var elements: Int?
        place.find(in: PlaceContext(json: json, fields: FieldBlock(), text: Text([]))) { found in
            count += 1
            if case .node(let node, let json) = found, json.kind(node) == .array {
                var number = 0
                json.forEachElement(of: node) { _ in number += 1 }
                elements = number
            }
            return false
        }
        return count == 1 ? elements ?? 1 : count
    }

    /// Whether both are written the same.
    public static func == (one: LimitPlace, other: LimitPlace) -> Bool { one.text == other.text }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
