internal import Wire

/// Prepares a provider's text for a problem: no control characters, bounded, valid UTF-8.
enum MessageText {
    /// The maximum length, in Unicode scalars.
    static let limit = 1000
    /// How many bytes of a text are decoded: enough for a message behind many blanks, and for characters of four bytes.
    static let decodingLimit = 16 * limit

    /// A message for people: like ``clean(_:)``, with character references replaced.
    ///
    /// Secrets that references hid in it are to be redacted afterwards.
    static func cleanSentence(_ text: consuming Text) -> Text? {
        clean(HTMLEntities.decoded(text, limit: decodingLimit))
    }

    /// The text without control characters and surrounding whitespace, truncated; `nil` if nothing is left.
    static func clean(_ text: consuming Text) -> Text? {
        let trimmed = trimmed(text)
        guard !trimmed.isEmpty else { return nil }
        return trimmed.count <= limit && isPrintable(trimmed) ? trimmed : scrubbed(trimmed.bytes)
    }

    /// Whether all is printable ASCII.
    private static func isPrintable(_ text: Text) -> Bool {
        if text.isPlain { return true }
        let bytes = text.storage.span.extracting(text.range)
        var index = 0
        while true {
            index = bytes.endOfPlainRun(from: index)
            guard index < bytes.count else { return true }
            guard bytes[index] == 0x22 || bytes[index] == 0x5C else { return false }
            index += 1
        }
    }

    private static func trimmed(_ text: consuming Text) -> Text {
        let bytes = text.storage.span
        var (start, end) = (text.range.lowerBound, text.range.upperBound)
        guard start < end, isBlank(bytes[start]) || isBlank(bytes[end - 1]) else { return text }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        while start < end, isBlank(bytes[start]) { start += 1 }
        return Text(text.storage, in: start..<end, isPlain: text.isPlain)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 0x09 < 5 }

    private static func scrubbed(_ bytes: ArraySlice<UInt8>) -> Text? {
        var result = String.UnicodeScalarView()
        var count = 0
        // A scalar has at most four bytes, and the rest need not be decoded.
        for scalar in String(decoding: bytes.prefix(4 * limit), as: UTF8.self).unicodeScalars {
            guard count < limit else { break }
            switch scalar.value {
            case 0x09...0x0D: result.append(" ")
            case 0..<0x20, 0x7F..<0xA0: continue
            default: result.append(scalar)
            }
            count += 1
        }
        let cleaned = trimmed(Text(String(result)))
        return cleaned.isEmpty ? nil : cleaned
    }
}

/// Texts that say no more than a status, so that a better one is looked for.
enum GenericTitle {
    /// HTTP's reason phrases, and the texts that frameworks use instead.
    private static let texts: [[UInt8]] = [
        "bad request", "unauthorized", "payment required", "forbidden", "not found", "method not allowed",
        "not acceptable", "proxy authentication required", "request timeout", "conflict", "gone",
        "length required", "precondition failed", "payload too large", "content too large",
        "request entity too large", "uri too long", "unsupported media type", "expectation failed",
        "misdirected request", "unprocessable entity", "unprocessable content", "locked", "failed dependency",
        "too early", "upgrade required", "precondition required", "too many requests",
        "request header fields too large", "unavailable for legal reasons", "internal server error",
        "not implemented", "bad gateway", "service unavailable", "gateway timeout", "client error",
        "server error", "error", "errors", "an error occurred", "an error has occurred", "failure", "failed",
        "one or more validation errors occurred", "http error", "unknown error", "request failed",
        "bad request exception", "the request is invalid",
    ].map { Array($0.utf8) }

    /// By length, so that a text is compared with few.
    private static let byLength: [[[UInt8]]] = {
        var lists: [[[UInt8]]] = Array(repeating: [], count: 40)
        for text in texts { lists[text.count].append(text) }
        return lists
    }()

    /// Whether the text is one of them, apart from a final full stop or exclamation mark.
    static func isGeneric(_ text: Text) -> Bool {
        guard text.count <= byLength.count else { return false }
        var bytes = text.storage.span.extracting(text.range)
        if bytes.count > 0, bytes[bytes.count - 1] == 0x2E || bytes[bytes.count - 1] == 0x21 {
            bytes = bytes.extracting(0..<bytes.count - 1)
        }
        guard bytes.count < byLength.count else { return false }
        let candidates = byLength[bytes.count]
        return candidates.contains { bytes.equalsIgnoringCase($0.span) }
    }
}

extension FieldBlock {
    /// The first value of a field, without blanks around it.
    func text(_ name: Text) -> Text? {
        rangeOfFirstValue(of: name.storage.span.extracting(name.range)).map { Text(storage, in: $0) }
    }

    /// The maximum over a field's values of what `read` returns.
    func greatest(_ name: Text, _ read: (Text) -> Int?) -> Int? {
        let name = name.storage.span.extracting(name.range)
        guard contains(name) else { return nil }
        var greatest: Int?
        forEach { field, value in
            guard field.equalsIgnoringCase(name),
                let number = read(Text(copying: value.extracting(value.trimmedRange)))
            else { return }
            greatest = max(greatest ?? number, number)
        }
        return greatest
    }
}
