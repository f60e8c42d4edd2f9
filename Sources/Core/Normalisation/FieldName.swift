internal import Wire

/// Distinguishes names of fields from sentences.
enum FieldName {
    /// The parts of a request that contain fields: the first step of a path.
    private static let locations: NameList = [
        "body", "query", "path", "header", "headers", "cookie", "cookies", "params", "querystring", "payload",
        "json",
    ]
    /// What programs write when there is no name.
    private static let nothing: NameList = ["null", "none", "undefined", "nil", "$"]
    /// Names of members for problems of the whole input.
    private static let wholes: NameList = [
        "non_field_errors", "nonFieldErrors", "__all__", "full_messages", "fullMessages", "_errors",
        "formErrors", "form_errors",
    ]
    /// Words that turn a label into a sentence.
    private static let predicates: [Text] = [
        "is", "are", "was", "has", "have", "must", "should", "not", "found", "cannot", "invalid", "missing",
        "required", "wrong",
    ]
    /// Words with which a sentence continues after its subject.
    private static let verbs: [Text] = ["must", "should", "cannot"]

    /// Whether the text contains a space: then it is a sentence, not a name or a code.
    static func hasBlank(_ text: Text) -> Bool {
        text.bytes.contains { $0 == 0x20 || (0x09...0x0D).contains($0) }
    }

    /// Whether a text can be a name.
    static func isName(_ text: Text) -> Bool {
        !text.isEmpty && text.count <= MessageText.limit && !hasBlank(text)
            && !nothing.containsIgnoringCase(text)
    }

    /// Whether a text can be the label of a field in an object that also has a message: `First name`.
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

    /// Whether the text is a part of a request, such as `body` or `query`.
    static func isLocation(_ text: Text) -> Bool { locations.containsIgnoringCase(text) }

    /// Whether the text is the class of an exception: `ValidationError`.
    static func isClass(_ text: Text) -> Bool {
        let name = text.bytes
        return name.span.endsIgnoringCase(with: "error") || name.span.endsIgnoringCase(with: "exception")
    }

    /// Beginnings of sentences whose subject is the name of their list (Django REST, Rails, ASP.NET).
    private static let implicitSubjects: [StaticString] = [
        "this field ", "this value ", "this list ", "ensure this ", "ensure that ", "may not ", "must ",
        "can't ",
        "cannot ", "can not ", "should ", "is ", "has ", "are ", "not a valid", "a valid ", "enter a ",
        "enter the ",
        "invalid pk", "expected a ", "select a valid", "upload a ", "incorrect type", "does not ", "doesn't ",
        "\"", "the submitted ", "date has ", "datetime has ", "time has ", "invalid hyperlink",
        "object with ",
    ]

    /// Whether a sentence lacks a subject.
    static func hasImplicitSubject(_ sentence: Text) -> Bool {
        let text = sentence.storage.span.extracting(sentence.range)
        return implicitSubjects.contains { text.startsIgnoringCase(with: $0) }
    }

    /// The name with which a class-validator sentence begins: `email must be an email`, `each value in tags must be a
    /// string`.
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

/// The places at which a sentence mentions its field: `required_by`, `Required by`, `requiredBy`, with or without the
/// path to it.
///
/// Computed only when needed, since most sentences contain no phrase that a name could contain.
struct FieldMention {
    /// The maximum number of mentions per sentence.
    private static let limit = 4
    /// Words after which the name of a field may end a sentence.
    ///
    /// After any other word, the last word describes the problem.
    private static let introductions: [StaticString] = [
        "for", "of", "in", "param", "parameter", "property", "attribute", "argument", "key", "named",
        "header",
    ]

    private let name: Text
    /// Where the last step of the name begins.
    private let lastStep: Int
    private var isSearched = false
    private var places = InlineArray<4, Range<Int>>(repeating: 0..<0)
    private var count = 0

    /// A field's name, and the sentence.
    init(_ name: Text, in sentence: borrowing Span<UInt8>) {
        self.name = name
        let bytes = name.storage.span
        var start = name.range.upperBound
        var hasLetter = false
        while start > name.range.lowerBound {
            let byte = bytes[start - 1]
            if hasLetter, byte == 0x2E || byte == 0x2F || byte == 0x5B { break }
            if byte.isASCIILetter { hasLetter = true }
            start -= 1
        }
        lastStep = start
        // Names without letters, and those of a whole sentence, contain nothing that could be taken for a phrase.
        if !hasLetter || name.count > sentence.count + 64 { isSearched = true }
    }

    /// Whether the byte at that place belongs to a mention.
    mutating func contains(_ place: Int, in sentence: borrowing Span<UInt8>) -> Bool {
        if !isSearched { search(sentence) }
        for index in 0..<count where places[index].contains(place) { return true }
        return false
    }

    private mutating func search(_ sentence: borrowing Span<UInt8>) {
        isSearched = true
        var start = 0
        while start < sentence.count, count < Self.limit {
            guard Self.isLetterOrDigit(sentence[start]) else {
                start += 1
                continue
            }
            if let end = end(from: name.range.lowerBound, in: sentence, at: start)
                ?? (lastStep > name.range.lowerBound ? end(from: lastStep, in: sentence, at: start) : nil),
                isSubject(start..<end, of: sentence)
            {
                places[count] = start..<end
                count += 1
                start = end
            } else {
                while start < sentence.count, Self.isLetterOrDigit(sentence[start]) { start += 1 }
            }
        }
    }

    /// The end of a mention that begins at `start`; letters and digits are compared case-insensitively, separators
    /// are optional.
    private func end(from first: Int, in sentence: borrowing Span<UInt8>, at start: Int) -> Int? {
        let bytes = name.storage.span
        var index = start
        var position = first
        while true {
            while position < name.range.upperBound, !Self.isLetterOrDigit(bytes[position]) { position += 1 }
            guard position < name.range.upperBound else { break }
            if index > start, index < sentence.count, Self.isSeparator(sentence[index]) {
                // Only at the end of a word of the name.
                let isWordEnd =
                    !Self.isLetterOrDigit(bytes[position - 1])
                    || (bytes[position] &- 0x41 < 26 && !(bytes[position - 1] &- 0x41 < 26))
                guard isWordEnd else { return nil }
                while index < sentence.count, Self.isSeparator(sentence[index]) { index += 1 }
            }
            guard index < sentence.count,
                sentence[index].lowercasedASCII == bytes[position].lowercasedASCII
            else { return nil }
            index += 1
            position += 1
        }
        // Another name with the same beginning.
        if index < sentence.count {
            let next = sentence[index]
            if Self.isLetterOrDigit(next) || next == 0x5F || next == 0x2D { return nil }
        }
        return index
    }

    /// Whether a mention names the field rather than the problem: `This field is required.` about the field
    /// `required`.
    private func isSubject(_ place: Range<Int>, of sentence: borrowing Span<UInt8>) -> Bool {
        var next = place.upperBound
        while next < sentence.count, !Self.isLetterOrDigit(sentence[next]) { next += 1 }
        guard next == sentence.count else { return true }
        var end = place.lowerBound
        // A sentence of one word.
        guard end > 0 else { return false }
        if sentence[end - 1] != 0x20 { return true }
        while end > 0, sentence[end - 1] == 0x20 { end -= 1 }
        if end > 0, sentence[end - 1] == 0x3A || sentence[end - 1] == 0x3D { return true }
        var start = end
        while start > 0, Self.isLetterOrDigit(sentence[start - 1]) { start -= 1 }
        let word = sentence.extracting(start..<end)
        return Self.introductions.contains { word.equalsIgnoringCase($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || byte >= 0x80
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x5F, 0x2D, 0x2E, 0x2F, 0x5B, 0x5D: true
        default: false
        }
    }
}
