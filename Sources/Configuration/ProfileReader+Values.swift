internal import Core

extension YAMLValue {
    /// The elements of a non-empty list, or the single value itself, since one value is common.
    var oneOrMany: [YAMLValue] { isSequence ? filledElements : [self] }

    /// One or more strings.
    var texts: [Text] { oneOrMany.compactMap(\.nonEmptyString).map { Text($0) } }

    /// The name of a header field (RFC 9110 5.1); reports anything else.
    var fieldName: String? {
        guard let text = scalarText else { return nil }
        guard Self.isFieldName(text) else {
            let hint = text.hasPrefix("/") ? "; a place in the body is for `body`, `read` and `has`" : ""
            report("\(quoted) must be the name of a header field, such as Retry-After\(hint)")
            return nil
        }
        return text
    }

    /// Whether a text is a token.
    static func isFieldName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(nameCharacters.contains)
    }

    /// One or more names of header fields.
    var fieldNames: [Text] { oneOrMany.compactMap(\.fieldName).map { Text($0) } }

    private static let nameCharacters = Set(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// Whether something follows a pointer that is meant as a condition or by mistake: ` if …`, or a blank.
    static func endsWithWords(_ text: String) -> Bool {
        guard let last = text.unicodeScalars.last else { return false }
        let words = text.split(whereSeparator: \.isWhitespace)
        return last.properties.isWhitespace
            || words.dropFirst().contains { ["if", "unless", "when"].contains($0.lowercased()) }
    }

    /// One or more statuses and ranges, such as `[400, 500-599]`.
    var statuses: StatusSet {
        StatusSet(
            oneOrMany.compactMap { value in
                guard let text = value.scalarText else { return nil }
                let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
                if let first = ends.first, let lower = first, let last = ends.last, let upper = last,
                    ends.count <= 2, lower <= upper, StatusSet.possible.contains(lower),
                    StatusSet.possible.contains(upper)
                {
                    return lower...upper
                }
                value.report("\(value.quoted) must be a status from 100 to 999, or a range such as 500-599")
                return nil
            })
    }

    /// A condition on a text: `text`, `[text, text]`, or a mapping such as `{ contains: text }`.
    var textTest: TextTest? { textTest(ofCode: false) }

    /// A condition on a code, like ``textTest``; numbers must be whole.
    var codeTest: TextTest? { textTest(ofCode: true) }

    private func textTest(ofCode: Bool) -> TextTest? {
        var test = TextTest()
        guard isMapping else {
            for text in ofCode ? codes : texts { test.add(.equals, text) }
            return test
        }
        for (key, value) in filledMembers(allowed: ProfileReader.Keys.test) {
            value.read(key, ofCode: ofCode, into: &test)
        }
        return test
    }

    /// Reads one test of a text.
    func read(_ key: String, ofCode: Bool = false, into test: inout TextTest) {
        switch key {
        case "equals": for text in ofCode ? codes : texts { test.add(.equals, text) }
        case "starts_with": for text in texts { test.add(.startsWith, text) }
        case "contains": for text in texts { test.add(.contains, text) }
        case "ends_with": for text in texts { test.add(.endsWith, text) }
        default: for pattern in oneOrMany.compactMap(\.pattern) { test.add(pattern) }
        }
    }

    /// One or more codes.
    private var codes: [Text] {
        oneOrMany.compactMap { value in
            guard !value.isSpecialNumber else {
                value.report(
                    "\(value.quoted) is a number that no code is; allowed: a whole number, or a text, in quotes if it looks like a number"
                )
                return nil
            }
            return value.nonEmptyString.map { Text($0) }
        }
    }

    /// A regular expression.
    var pattern: TextPattern? {
        guard let text = nonEmptyString else { return nil }
        do {
            return try TextPattern(text)
        } catch {
            report("\(quoted) is not a regular expression: \(error)")
            return nil
        }
    }

    /// A decimal number.
    var number: Double? {
        guard let text = scalarText else { return nil }
        let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D }
        guard isDecimal, let number = Double(text), number.isFinite else {
            report("\(quoted) must be a number, such as 0 or 0.5")
            return nil
        }
        return number
    }
}
