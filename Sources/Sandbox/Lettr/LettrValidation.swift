/// The validation errors of a request, with Laravel's keys and messages.
struct LettrValidation: Sendable {
    /// Keys such as `to.0` with their messages, in the order in which they were found.
    private(set) var errors: [JSONValue.Member] = []

    /// Whether there are no errors.
    var isEmpty: Bool { errors.isEmpty }

    /// Adds a message.
    mutating func add(_ key: String, _ sentence: String) {
        guard let index = errors.firstIndex(where: { $0.name == key }) else {
            errors.append(JSONValue.Member(name: key, value: [.string(sentence)]))
            return
        }
        errors[index].value = .array((errors[index].value.elements ?? []) + [.string(sentence)])
    }

    /// The response, if there are errors.
    var refusal: ImitationResponse? {
        guard !errors.isEmpty else { return nil }
        return .json(
            422,
            ["message": "Validation failed.", "error_code": "validation_error", "errors": .object(errors)])
    }

    /// The text of a required member.
    mutating func required(_ key: String, in body: JSONValue, maximum: Int = 255, missing: String? = nil)
        -> String
    {
        let value = body[key]
        if value.isBlank {
            add(key, missing ?? "The \(Self.words(key)) field is required.")
            return ""
        }
        guard let text = value.text else {
            add(key, "The \(Self.words(key)) field must be a string.")
            return ""
        }
        if text.count > maximum {
            add(key, "The \(Self.words(key)) must not be greater than \(maximum) characters.")
        }
        return text
    }

    /// The addresses of a list; invalid ones are reported under their index.
    mutating func addresses(_ key: String, in body: JSONValue) -> [String] {
        if body[key].isBlank { return [] }
        guard let elements = body[key].elements else {
            add(key, "The \(key) field must be an array.")
            return []
        }
        var addresses: [String] = []
        for (index, element) in elements.enumerated() {
            if let text = element.text, EmailAddress.isValid(text) {
                addresses.append(text)
            } else {
                add("\(key).\(index)", "The \(key).\(index) must be a valid email address.")
            }
        }
        return addresses
    }

    /// An integer of the query.
    mutating func size(
        _ key: String, in range: ClosedRange<Int>, default standard: Int, _ request: ImitationRequest
    ) -> Int {
        guard let text = request.parameter(key) else { return standard }
        guard let number = Int(text) else {
            add(key, "The \(key) parameter must be an integer.")
            return standard
        }
        if number < range.lowerBound {
            add(key, "The \(key) parameter must be at least \(range.lowerBound).")
        }
        if number > range.upperBound { add(key, "The \(key) parameter must not exceed \(range.upperBound).") }
        return min(max(number, range.lowerBound), range.upperBound)
    }

    /// A member's name in Laravel's messages.
    private static func words(_ key: String) -> String {
        String(key.map { $0 == "_" ? " " : $0 })
    }
}
