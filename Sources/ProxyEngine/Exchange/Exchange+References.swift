internal import HTTPTransfer
internal import HTTPWire
internal import ProxyCore

extension Exchange {
    /// Whether a field of the provider's answer is copied with the others; one that may name the provider's address is looked at later.
    @inline(__always)
    func isForwardedAsItIs(_ name: Span<UInt8>, _ hasReferences: inout Bool) -> Bool {
        guard ReferenceRewriter.concerns(name) else { return true }
        hasReferences = true
        return false
    }

    /// Adds the fields that were left for later; what names the provider's own address leads to Weir.
    func appendReferences(of response: ResponseHead) {
        response.fields.forEach { name, value in
            guard ReferenceRewriter.concerns(name) else { return }
            if let rewritten = rewrittenReference(name, value) {
                responseFields.append(name: name, value: rewritten.span)
            } else {
                responseFields.append(name: name, value: value)
            }
        }
    }

    private func rewrittenReference(_ name: Span<UInt8>, _ value: Span<UInt8>) -> [UInt8]? {
        guard let provider, let references = provider.references else { return nil }
        let mount = listenerProvider == nil ? provider.mountPrefix : []
        return references.rewritten(name, value, mount: mount.span)
    }
}
