internal import Upstream
internal import Wire
internal import Downstream
internal import Core

/// The provider's fields on their way to the client, in every form of message.
extension Exchange {
    /// What is among the fields that crossed.
    struct FieldMarks: OptionSet {
        var rawValue: UInt8

        static let rateLimit = FieldMarks(rawValue: 1)
        static let requestID = FieldMarks(rawValue: 2)
        static let references = FieldMarks(rawValue: 4)
        static let cacheControl = FieldMarks(rawValue: 8)
        static let challenge = FieldMarks(rawValue: 16)
    }

    /// Makes the fields of a response that is relayed: the provider's, and Weir's own.
    func makeRelayFields(_ response: ResponseHead, of provider: ProviderService) {
        responseFields.removeAll()
        let marks = appendFields(of: response, as: .response)
        // The provider's own id of the request is what its support asks for.
        if !marks.contains(.requestID) { responseFields.append(FieldNames.requestID, requestID) }
        addRateLimit(hasProviders: marks.contains(.rateLimit))
        addPreferenceApplied()
        let upstream =
            (sentAt ?? worker.now).nanoseconds(to: upstreamEndedAt ?? firstByteAt ?? worker.now)
            + retrying.upstreamNanoseconds
        let whole = startedAt.nanoseconds(to: upstreamEndedAt ?? worker.now)
        responseFields.append(name: FieldNames.serverTiming) {
            ServerTiming.append(
                queue: machine.waited, upstream: upstream, proxy: whole - machine.waited - upstream,
                to: &$0)
        }
    }

    /// Adds the provider's fields that cross in a message of this form; references lead to Weir, and Weir's own credential is hidden.
    ///
    /// Where Weir rewrote a relayed body, what the provider says of its bytes stays behind.
    @discardableResult
    func appendFields(of response: ResponseHead, as form: FieldForm) -> FieldMarks {
        var marks = FieldMarks()
        var fields = FieldBlock()
        swap(&fields, &responseFields)
        // Few responses name fields of their connection: only for those is each name looked up.
        var connection = ConnectionFields()
        let own = fields.count
        fields.append(response.fields) { name, value in
            guard FieldRules.crosses(name, as: form) else {
                if name.equalsIgnoringCase("connection") { connection.add(value) }
                return false
            }
            if isRewritten, FieldRules.describesBytes(name) { return false }
            marks.note(name)
            return true
        }
        if !connection.isEmpty {
            let all = fields
            var index = 0
            fields.removeAll()
            fields.append(all) { name, _ in
                defer { index += 1 }
                return index < own || !connection.contains(name)
            }
            marks = FieldMarks()
            fields.forEach { name, _ in marks.note(name) }
        }
        responseConnection = connection
        swap(&fields, &responseFields)
        if marks.contains(.references) { rewriteReferences() }
        hideCredential()
        return marks
    }
}

extension Exchange.FieldMarks {
    /// Notes a field that has a meaning for what Weir adds.
    @inline(__always)
    fileprivate mutating func note(_ name: Span<UInt8>) {
        if RateLimitFields.isOne(name) { insert(.rateLimit) }
        if ReferenceRewriter.concerns(name) { insert(.references) }
        switch name.count {
        case 12: if name.equalsIgnoringCase("x-request-id") { insert(.requestID) }
        case 13: if name.equalsIgnoringCase("cache-control") { insert(.cacheControl) }
        case 16: if name.equalsIgnoringCase("www-authenticate") { insert(.challenge) }
        default: break
        }
    }
}
