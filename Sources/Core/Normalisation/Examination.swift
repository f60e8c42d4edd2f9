internal import Wire

/// Which rules may be applied to the body of a response.
///
/// All rules may be applied to an error. Below 400 a response is a success until its body proves otherwise: it is
/// examined only if it is short enough to be an error, and JSON or of a type that the rule names. A stream is never
/// examined.
struct Examination {
    private static let contentType = Array("content-type".utf8)
    // A literal would be made anew for each answer.
    private static let head: Text = "HEAD"

    private let isError: Bool
    /// Whether there is a body that can be read as a whole.
    private let isReadable: Bool
    private let isEmpty: Bool
    private let hasLength: Bool

    /// For a response of which only the head has arrived.
    init(status: Int, isHead: Bool, length: Int64?, limit: Int) {
        isError = status >= 400
        let hasBody = !isHead && status != 204 && status != 205 && status != 304
        isReadable = hasBody && length ?? 0 <= Int64(limit)
        isEmpty = length == 0
        hasLength = length != nil
    }

    /// For a response that has been collected.
    init(_ answer: ProviderAnswer, of request: RequestFacts) {
        self.init(
            status: answer.status, isHead: request.method == Self.head,
            length: Int64(answer.body.count), limit: answer.isTruncated ? -1 : .max)
    }

    /// Whether the body of a success may be read as JSON.
    func allowsJSON(_ fields: borrowing FieldBlock) -> Bool {
        guard isReadable, !isEmpty else { return false }
        switch fields.withFirstValue(of: Self.contentType.span, { MediaType($0) }) {
        case .json: return true
        case nil: return hasLength
        case .html, .text, .other: return false
        }
    }

    /// Whether a rule whose conditions on the head are met may be compared with the response.
    ///
    /// - Parameter fields: the response's fields.
    func allows(_ entry: RuleBook.Entry, _ fields: borrowing FieldBlock) -> Bool {
        guard entry.when.looksAtBody, !isError else { return true }
        guard isReadable else { return false }
        if entry.when.conditions.contentType != nil { return true }
        // Wrong types are common, but a body with a length is not a stream.
        if hasLength, entry.when.conditions.kinds.contains(.json) { return true }
        // Only a few rules depend on it.
        switch fields.withFirstValue(of: Self.contentType.span, { MediaType($0) }) {
        case .json: return true
        case .html: return entry.when.conditions.kinds.contains(.html)
        case .text: return entry.when.conditions.kinds.contains(.text)
        case .other: return isEmpty && entry.when.conditions.kinds.contains(.empty)
        // Anything but a stream.
        case nil: return hasLength
        }
    }
}

/// The properties of a `Content-Type` that matter to rules.
enum MediaType {
    case json, html, text, other

    /// Reads a value such as `application/problem+json; charset=utf-8`.
    init(_ value: Span<UInt8>) {
        var end = 0
        while end < value.count, value[end] != 0x3B { end += 1 }
        let part = value.extracting(0..<end)
        let name = part.extracting(part.trimmedRange)
        if name.equalsIgnoringCase("text/html") || name.equalsIgnoringCase("application/xhtml+xml") {
            self = .html
        } else if name.equalsIgnoringCase("text/plain") {
            self = .text
        } else if name.equalsIgnoringCase("application/json") || name.equalsIgnoringCase("text/json")
            || Self.endsWithJSON(name)
        {
            self = .json
        } else {
            self = .other
        }
    }

    /// `+json` (RFC 6839 3.1), except `application/stream+json`, which is a sequence of texts.
    private static func endsWithJSON(_ name: Span<UInt8>) -> Bool {
        guard name.count > 5, !name.equalsIgnoringCase("application/stream+json") else { return false }
        return name.extracting(name.count - 5..<name.count).equalsIgnoringCase("+json")
    }
}
