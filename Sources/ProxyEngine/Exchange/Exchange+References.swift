internal import HTTPWire
internal import ProxyCore

extension Exchange {
    /// Makes what the answer's fields say of the provider's own address lead to Weir; asked for only if there are such fields.
    func rewriteReferences() {
        guard let provider, let references = provider.references else { return }
        var mount: [UInt8] = []
        if case .mounts = destination { mount = provider.mountPrefix }
        var fields = FieldBlock()
        responseFields.forEach { name, value in
            if ReferenceRewriter.concerns(name),
                let rewritten = references.rewritten(name, value, mount: mount.span)
            {
                fields.append(name: name, value: rewritten.span)
            } else {
                fields.append(name: name, value: value)
            }
        }
        responseFields = fields
    }
}
