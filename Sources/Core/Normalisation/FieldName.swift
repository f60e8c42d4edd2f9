internal import Wire

/// What may be the name of a field, and what is a sentence instead.
enum FieldName {
    /// Where a request holds its fields: the first step of a path to one.
    private static let locations: NameList = [
        "body", "query", "path", "header", "headers", "cookie", "cookies", "params", "querystring", "payload",
        "json",
    ]
    /// What programs write for no name.
    private static let nothing: NameList = ["null", "none", "undefined", "nil", "$"]
    /// Names of members for problems of the whole input.
    private static let wholes: NameList = [
        "non_field_errors", "nonFieldErrors", "__all__", "full_messages", "fullMessages", "_errors",
        "formErrors", "form_errors",
    ]
    /// Words that make a sentence of a label.
    private static let predicates: [Text] = [
        "is", "are", "was", "has", "have", "must", "should", "not", "found", "cannot", "invalid", "missing",
        "required", "wrong",
    ]
    /// Words with which a sentence goes on after the name of its subject.
    private static let verbs: [Text] = ["must", "should", "cannot"]

    /// Whether the text has a blank in it: then it is a sentence, not a name or a code.
    static func hasBlank(_ text: Text) -> Bool {
        text.bytes.contains { $0 == 0x20 || (0x09...0x0D).contains($0) }
    }

    /// Whether a text can be a name.
    static func isName(_ text: Text) -> Bool {
        !text.isEmpty && text.count <= MessageText.limit && !hasBlank(text)
            && !nothing.containsIgnoringCase(text)
    }

    /// Whether a text can be the label that an object gives a field beside its sentence: `First name`.
    static func isLabel(_ text: Text) -> Bool {
        guard let first = text.bytes.first, (0x41...0x5A).contains(first) || first >= 0x80, text.count <= 40,
            text.bytes.count(where: { $0 == 0x20 }) <= 2
        else { return false }
        guard
            text.bytes.allSatisfy({
                $0.isASCIILetter || $0.isASCIIDigit || $0 >= 0x80 || $0 == 0x20 || $0 == 0x2D || $0 == 0x5F
            })
        else { return false }
        return !text.bytes.split(separator: 0x20).contains { word in
            predicates.contains { word.span.equalsIgnoringCase($0.storage.span) }
        }
    }

    /// Whether the member is about the whole input.
    static func isWhole(_ name: Text) -> Bool { name.isEmpty || wholes.contains(name) }

    /// Whether the text is one of the places in a request, such as `body` or `query`.
    static func isLocation(_ text: Text) -> Bool { locations.containsIgnoringCase(text) }

    /// Whether the text is the class of an exception: `ValidationError`.
    static func isClass(_ text: Text) -> Bool {
        let name = text.bytes
        return name.span.endsIgnoringCase(with: "error") || name.span.endsIgnoringCase(with: "exception")
    }

    /// How sentences begin that leave the subject to the name of their list (Django REST, Rails, ASP.NET).
    private static let implicitSubjects: [StaticString] = [
        "this field ", "this value ", "this list ", "ensure this ", "ensure that ", "may not ", "must ",
        "can't ",
        "cannot ", "can not ", "should ", "is ", "has ", "are ", "not a valid", "a valid ", "enter a ",
        "enter the ",
        "invalid pk", "expected a ", "select a valid", "upload a ", "incorrect type", "does not ", "doesn't ",
        "\"", "the submitted ", "date has ", "datetime has ", "time has ", "invalid hyperlink",
        "object with ",
    ]

    /// Whether a sentence does not say what it is about.
    static func hasImplicitSubject(_ sentence: Text) -> Bool {
        let text = sentence.storage.span.extracting(sentence.range)
        return implicitSubjects.contains { text.startsIgnoringCase(with: $0) }
    }

    /// The name with which a sentence of class-validator begins: `email must be an email`, `each value in tags must be a string`.
    static func subject(of sentence: Text) -> Text? {
        var words: [Range<Int>] = []
        var start = sentence.range.lowerBound
        let bytes = sentence.storage.span
        while start < sentence.range.upperBound, words.count < 6 {
            var end = start
            while end < sentence.range.upperBound, bytes[end] != 0x20 { end += 1 }
            words.append(start..<end)
            start = end + 1
        }
        func word(_ index: Int) -> Text { Text(sentence.storage, in: words[index]) }
        func hasVerb(at index: Int) -> Bool { index < words.count && verbs.contains(word(index)) }
        if hasVerb(at: 1), isName(word(0)) { return word(0) }
        if words.count > 2, word(0) == "property" || (word(0) == "nested" && word(1) == "property") {
            let index = word(0) == "property" ? 1 : 2
            if hasVerb(at: index + 1) { return word(index) }
        }
        if hasVerb(at: 4), word(0) == "each", word(1) == "value", word(2) == "in" { return word(3) }
        return nil
    }
}
