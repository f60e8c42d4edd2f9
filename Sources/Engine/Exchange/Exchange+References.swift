internal import Wire
internal import Core

extension Exchange {
    /// Makes the references of the response's fields lead where the provider meant, through Weir if it can; asked for only if there are such fields.
    func rewriteReferences() {
        guard let provider, let references = provider.references else { return }
        var mount: [UInt8] = []
        if case .mounts = destination { mount = provider.mountPrefix }
        var fields = FieldBlock()
        let target = upstreamTarget
        responseFields.forEach { name, value in
            if ReferenceRewriter.concerns(name),
                let rewritten = references.rewritten(
                    name, value, target: target.span, mount: mount.span)
            {
                fields.append(name: name, value: rewritten.span)
            } else {
                fields.append(name: name, value: value)
            }
        }
        responseFields = fields
    }
}
