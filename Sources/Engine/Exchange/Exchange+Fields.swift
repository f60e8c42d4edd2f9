internal import Core
internal import Downstream
internal import Upstream
internal import Wire

/// The provider's fields for the client, in every form of message.
extension Exchange {
    /// Which relevant fields were among those relayed.
    struct FieldMarks: OptionSet {
        var rawValue: UInt8

        static let rateLimit = FieldMarks(rawValue: 1)
        static let requestID = FieldMarks(rawValue: 2)
        static let references = FieldMarks(rawValue: 4)
        static let cacheControl = FieldMarks(rawValue: 8)
        static let challenge = FieldMarks(rawValue: 16)
    }

    /// Makes the fields of a relayed response: the provider's and Weir's own.
    func makeRelayFields(_ response: ResponseHead, of provider: ProviderService) {
        responseFields.removeAll()
        let form = mergedError.map { FieldForm.merged(waits: $0.retryAfter != nil) } ?? .response
        let marks = appendFields(of: response, as: form)
        if let mergedError {
            addMergedFields(marks, of: mergedError, receivedStatus: response.status)
        }
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

    /// Adds the provider's fields that may be relayed in this form of message; references are rewritten, and Weir's
    /// own credential is redacted.
    ///
    /// If Weir has rewritten a relayed body, fields that describe the provider's bytes are dropped.
    @discardableResult
    func appendFields(of response: ResponseHead, as form: FieldForm) -> FieldMarks {
        var marks = FieldMarks()
        var fields = FieldBlock()
        swap(&fields, &responseFields)
        // Few responses name fields of their connection, so names are looked up only for those.
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
    /// Records a field that matters for what Weir adds.
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

/// Which requests may use a credential that Weir adds, and for which paths.
extension Exchange {
    /// Why the request must not be sent with Weir's credential; nil if it may be.
    func credentialRefusal(of provider: ProviderService) -> Fault? {
        guard provider.credentials.injects else { return nil }
        if isWithinReachOfPages, let refusal = pageRefusal(names: service.configuration.hosts) {
            return refusal.fault(place: "Weir adds a credential here")
        }
        // The provider's interpretation of them may lead outside the path for which the credential is meant.
        let target = target
        guard RequestTarget.hasDotSegments(target.span.extracting(restOffset..<target.count)) else {
            return nil
        }
        return Fault(
            .badClientRequest,
            detail: "Weir adds a credential here: the path must have no segment `.` or `..`, encoded or not.",
            effect: Effect.none, proxyError: .httpRequestDenied)
    }
}

extension IncomingRequest {
    /// Why the caller may not use Weir; `nil` if it may.
    func accessRefusal(
        _ tokens: AccessTokens, key: StaticString = "access.token", allowsBearer: Bool = false
    ) -> Fault? {
        guard !tokens.isEmpty else { return nil }
        var access = AccessGuard(tokens, allowsBearer: allowsBearer)
        head.forEachField { name, value in access.take(name: name, value: value) }
        return access.refusal(key: key)
    }

    /// Why the request may come from a web page; nil if it does not.
    func pageRefusal(names: [HostPattern]) -> PageGuard.Refusal? {
        var pages = PageGuard(names: names)
        head.forEachField { name, value in pages.take(name: name, value: value) }
        return pages.refusal(isOptions: head.withMethod { $0.equals("OPTIONS") })
    }
}

extension Exchange {
    /// Rewrites the references of the response's fields to lead where the provider meant, through Weir if possible;
    /// called only if there are such fields.
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

/// Reports Weir's own limits in responses: `RateLimit` and `RateLimit-Policy`
/// (draft-ietf-httpapi-ratelimit-headers-11).
extension Exchange {
    /// Adds what is left of the limit, after the provider's own items.
    ///
    /// - Parameter hasProviders: whether the response already has one of the two fields.
    func addRateLimit(hasProviders: Bool) {
        guard let provider, let headroom else { return }
        var naming = RateLimitFields.Naming.own
        var theirs = FieldBlock()
        if hasProviders {
            let free = RateLimitFields.naming(behind: responseFields, names: provider.windowNames)
            guard let free else { return }
            (naming, theirs) = (free, responseFields)
            responseFields = FieldBlock()
            responseFields.append(theirs) { name, _ in !RateLimitFields.isOne(name) }
        }
        responseFields.append(name: FieldNames.rateLimit) {
            RateLimitFields.appendItems(of: FieldNames.rateLimit, in: theirs, to: &$0)
            RateLimitFields.append(
                headroom, named: provider.limitName(headroom.limit, headroom.window), naming: naming, to: &$0)
        }
        responseFields.append(name: FieldNames.ratePolicy) {
            RateLimitFields.appendItems(of: FieldNames.ratePolicy, in: theirs, to: &$0)
            $0.append(provider.ratePolicy(naming))
        }
    }

    /// Asks the pacer what is left, for a problem without a response of the provider.
    ///
    /// A refusal of the pacer has this information already. A bad request gets none: its client may not be allowed to
    /// use the provider at all.
    func takeHeadroom(of fault: Fault) {
        guard fault.code != .throttled, fault.code.origin != .client else { return }
        refreshHeadroom()
    }

    /// Asks the pacer what is left now for a request like this one.
    ///
    /// - Parameter retryAfter: the seconds in the response's `Retry-After`, which must not be earlier than the end of
    ///   `t`.
    func refreshHeadroom(until retryAfter: Int? = nil) {
        guard let provider, !provider.plan.windows.isEmpty else { return }
        headroom = provider.pacer.headroom(of: demand(on: provider), at: worker.now)
        if let retryAfter { headroom = headroom?.ending(within: .seconds(retryAfter)) }
    }
}

/// Names and constant values that Weir writes, as bytes.
enum FieldNames {
    static let contentType = Array("Content-Type".utf8)
    static let problemType = Array("application/problem+json".utf8)
    static let contentEncoding = Array("Content-Encoding".utf8)
    static let cacheControl = Array("Cache-Control".utf8)
    static let noStore = Array("no-store".utf8)
    static let errorCode = Array("X-Error-Code".utf8)
    static let requestID = Array("X-Request-Id".utf8)
    static let retryAfter = Array("Retry-After".utf8)
    static let proxyStatus = Array("Proxy-Status".utf8)
    static let receivedStatus = Array("; received-status=".utf8)
    static let rateLimit = Array("RateLimit".utf8)
    static let ratePolicy = Array("RateLimit-Policy".utf8)
    static let preferenceApplied = Array("Preference-Applied".utf8)
    static let serverTiming = Array("Server-Timing".utf8)
    static let authenticate = Array("WWW-Authenticate".utf8)
    static let anyScheme = Array("Bearer".utf8)
    static let trailer = Array("Trailer".utf8)
    static let vary = Array("Vary".utf8)
    static let errorFormat = Array("X-Error-Format".utf8)
    static let via = Array("Via".utf8)
    static let traceparent = Array("traceparent".utf8)
    static let tracestate = Array("tracestate".utf8)
    static let allow = Array("Allow".utf8)
    /// Any other method is forwarded as well, except CONNECT and TRACE.
    static let forwardedMethods = Array("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS".utf8)
}

extension FieldBlock {
    mutating func append(_ name: [UInt8], _ value: [UInt8]) { append(name: name.span, value: value.span) }

    func contains(_ name: [UInt8]) -> Bool { contains(name.span) }
}
