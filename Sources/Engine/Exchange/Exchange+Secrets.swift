internal import Core
internal import Downstream
internal import Upstream
internal import Wire

/// Redaction of credentials that Weir adds or the client sends, where a provider repeats them.
extension Exchange {
    /// Redacts Weir's own credential in the fields for the client, which does not know it.
    func hideCredential() {
        guard let redactor = provider?.heldCredential else { return }
        var mayContain = false
        responseFields.forEach { name, value in
            if redactor.mayContain(value) { mayContain = true }
            if name.count >= redactor.shortestLength, redactor.mayContain(name) { mayContain = true }
        }
        guard mayContain else { return }
        var fields = FieldBlock()
        responseFields.forEach { name, value in
            // A name cannot be redacted: the field is dropped.
            guard !isCredential(inName: name) else { return }
            var bytes: [UInt8] = []
            bytes.append(value)
            // A reference must not contain brackets there.
            let mark = ReferenceRewriter.concerns(name) ? Self.markInReferences : SecretRedactor.mark
            if let hidden = redactor.redacted(bytes, mark: mark) { bytes = hidden }
            fields.append(name: name, value: bytes.span)
        }
        responseFields = fields
    }

    /// Whether the provider repeats Weir's own credential in the name of a field.
    func isCredential(inName name: Span<UInt8>) -> Bool {
        guard let redactor = provider?.heldCredential, name.count >= redactor.shortestLength else {
            return false
        }
        var bytes: [UInt8] = []
        bytes.append(name)
        return redactor.redacted(bytes) != nil
    }

    private static let markInReferences = Array("redacted".utf8)

    /// Whether the provider's error keeps its own body, if it was read whole.
    ///
    /// A 407 is about Weir's connection to the provider, and never does. What is longer than Weir reads may have Weir's own credential
    /// in it.
    func keepsErrorBody(status: Int) -> Bool { errorForm != .problem && status != 407 }

    /// Hides Weir's own credential in the body of an error that is relayed; without one, not a byte is changed.
    ///
    /// - Parameter answer: with its body as it reads without a content coding.
    func hideCredential(inRelayed answer: ProviderAnswer) {
        guard let redactor = provider?.heldCredential else { return }
        // The sent bytes are those that arrived, which may not be in the character set in which they were
        // interpreted.
        guard let redacted = redactor.redacted(answer.body) ?? redactor.redacted(responseBody.bytes) else {
            return
        }
        responseBody.removeAll()
        responseBody.append(redacted)
        isRewritten = true
    }

    /// The provider's request id for the log; nil if there is none, or if it repeats a credential.
    func upstreamRequestID(of provider: ProviderService) -> Text? {
        if let errorRequestID { return errorRequestID.id }
        guard firstByteAt != nil, let fields = transfer?.response.fields,
            let id = provider.normalizer.requestID(in: fields)
        else { return nil }
        if let redactor = provider.heldCredential { return redactor.redacted(id) }
        let (target, head) = (target, head)
        let redactor = provider.normalizer.redactor(of: provider.credentials, target: target.span) {
            head.forEachField($0)
        }
        return redactor.redacted(id)
    }
}
