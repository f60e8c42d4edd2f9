internal import Wire

/// Texts that say no more than a status: a better one is looked for.
enum GenericTitle {
    /// The phrases of HTTP's statuses, and what frameworks put in their place.
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

    /// By length: a text is compared with few.
    private static let byLength: [[[UInt8]]] = {
        var lists: [[[UInt8]]] = Array(repeating: [], count: 40)
        for text in texts { lists[text.count].append(text) }
        return lists
    }()

    /// Whether the text, a full stop or exclamation mark aside, is one of them.
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
