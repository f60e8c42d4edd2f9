internal import Wire

/// Where a sentence mentions the field that it is about: `required_by`, `Required by`, `requiredBy`, with or without the path to it.
///
/// Found only when it is needed, since most sentences contain no phrase that a name could have.
struct FieldMention {
    /// More mentions in one sentence are not looked for.
    private static let limit = 4
    /// Words behind which the name of a field may end a sentence.
    ///
    /// Behind any other, the last word is what is wrong with the field.
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
        // Names without letters, and those of a whole sentence, have nothing that could be taken for a phrase.
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

    /// Where a mention ends that begins at `start`; letters and digits are compared, in any case, and separators may be others or none.
    private func end(from first: Int, in sentence: borrowing Span<UInt8>, at start: Int) -> Int? {
        let bytes = name.storage.span
        var index = start
        var position = first
        while true {
            while position < name.range.upperBound, !Self.isLetterOrDigit(bytes[position]) { position += 1 }
            guard position < name.range.upperBound else { break }
            if index > start, index < sentence.count, Self.isSeparator(sentence[index]) {
                // Only where a word of the name ends.
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
        // Another name that begins like this one.
        if index < sentence.count {
            let next = sentence[index]
            if Self.isLetterOrDigit(next) || next == 0x5F || next == 0x2D { return nil }
        }
        return index
    }

    /// Whether a mention names the field, and is not what is wrong with it: `This field is required.` about the field `required`.
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
