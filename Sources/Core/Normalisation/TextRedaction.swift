internal import Wire

/// Hides secrets in the texts that are read from an answer, most of which are parts of its body.
struct TextRedaction {
    private let redactor: SecretRedactor
    /// The body, if there is nothing in it that could be a secret: no part of it is searched again.
    private let cleanBody: [UInt8]?

    init(_ redactor: SecretRedactor, cleanBody: [UInt8]?) {
        self.redactor = redactor
        self.cleanBody = cleanBody
    }

    /// The text without secrets.
    func redacted(_ text: Text) -> Text { isClean(text) ? text : redactor.redacted(text) }

    /// Hides secrets in what is said about fields.
    func redact(_ fields: inout [FieldProblem]) {
        if areClean(fields) { return }
        for index in 0..<fields.count {
            fields[index].field = redacted(fields[index].field)
            fields[index].detail = fields[index].detail.map(redacted)
        }
    }

    private func areClean(_ fields: [FieldProblem]) -> Bool {
        let fields = fields.span
        for index in 0..<fields.count {
            guard isClean(fields[index].field) else { return false }
            if let detail = fields[index].detail, !isClean(detail) { return false }
        }
        return true
    }

    /// Whether the text is a part of the clean body, and not a copy or put together from several parts.
    private func isClean(_ text: Text) -> Bool {
        guard let cleanBody else { return false }
        return text.storage.span.isIdentical(to: cleanBody.span)
    }
}
