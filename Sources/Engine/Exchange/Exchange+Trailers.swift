internal import Core
internal import Downstream
internal import Upstream
internal import Wire

/// Trailers in both directions (RFC 9110 6.5), filtered by ``FieldRules/crosses(_:as:connection:)``.
extension Exchange {
    // MARK: To the provider

    /// Announces the trailers of a chunked request, as the client does.
    func announceTrailers(to transfer: any UpstreamTransfer) {
        guard inspection.framing == .chunked, transfer.sendsTrailers else { return }
        head.forEachField { name, value in
            guard name.equalsIgnoringCase("trailer"),
                let names = FieldRules.trailerNames(
                    value, as: .requestTrailer, connection: inspection.connectionFields)
            else { return }
            transfer.addField(FieldNames.trailer, names)
        }
    }

    /// Forwards the trailers of a request whose body is complete.
    func sendTrailers(to transfer: any UpstreamTransfer) {
        guard inspection.framing == .chunked, transfer.sendsTrailers else { return }
        let trailers = takeTrailers()
        guard trailers.count > 0, trailers.byteCount <= FieldRules.trailerLimit, let provider else { return }
        trailers.forEach { name, value in
            // A trailer must not be taken for a credential.
            guard provider.credentials.fieldIndex(name) == nil,
                crosses(name, as: .requestTrailer, to: provider)
            else { return }
            transfer.addTrailer(name: name, value: value)
        }
    }

    // MARK: To the client

    /// Whether the response's body is sent in chunks, so that trailers can follow.
    private var isAnsweredInChunks: Bool {
        guard let response = transfer?.response else { return false }
        return !isHead && !head.isHTTP10 && response.status != 304 && response.bodyLength == nil
    }

    /// Whether the response has trailers, so that it is sent in chunks although it is complete.
    var hasTrailersToGive: Bool {
        guard let response = transfer?.response, response.hasTrailers, isAnsweredInChunks else {
            return false
        }
        var isAny = false
        response.trailers.forEach { name, _ in
            if crossesAsTrailer(name) { isAny = true }
        }
        return isAny
    }

    /// Whether a trailer of the provider's goes to the client: none about the bytes of a body that Weir has changed.
    private func crossesAsTrailer(_ name: Span<UInt8>) -> Bool {
        if isRewritten, FieldRules.describesBytes(name) { return false }
        return FieldRules.crosses(name, as: .responseTrailer, connection: responseConnection)
    }

    /// Announces the trailers of an answer that is sent in chunks, as the provider does.
    func announceTrailers(of response: ResponseHead) {
        guard isAnsweredInChunks else { return }
        response.fields.forEach { name, value in
            guard name.equalsIgnoringCase("trailer"),
                let names = FieldRules.trailerNames(
                    value, as: .responseTrailer, connection: responseConnection),
                !isCredential(inName: names.span)
            else { return }
            responseFields.append(FieldNames.trailer, names)
        }
    }

    /// Sends the trailers after the body, if libmicrohttpd has space for them.
    func giveTrailers() {
        guard let trailers = transfer?.response.trailers, trailers.count > 0, isAnsweredInChunks else {
            return
        }
        responseFields.removeAll()
        var hasReferences = false
        responseFields.append(trailers) { name, _ in
            if ReferenceRewriter.concerns(name) { hasReferences = true }
            return crossesAsTrailer(name)
        }
        if hasReferences { rewriteReferences() }
        hideCredential()
        guard responseFields.byteCount <= FieldRules.trailerLimit, hasRoom(for: responseFields) else {
            return
        }
        addTrailers(responseFields)
    }
}
