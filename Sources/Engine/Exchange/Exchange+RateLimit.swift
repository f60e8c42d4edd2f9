internal import Wire
internal import Core

/// What answers say of Weir's own limits: `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11).
extension Exchange {
    /// Adds what is left of the limit, behind what the provider says of its own.
    ///
    /// - Parameter hasProviders: whether the answer has one of the two fields already.
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

    /// Asks the pacer what is left for a problem that no answer of the provider's led to.
    ///
    /// A refusal of the pacer's has said it already. One who has sent a bad request is told nothing: it may be nobody who may
    /// use the provider at all.
    func takeHeadroom(of fault: Fault) {
        guard fault.code != .throttled, fault.code.origin != .client else { return }
        refreshHeadroom()
    }

    /// Asks the pacer what is left now, for a request like this one.
    ///
    /// - Parameter retryAfter: the seconds in the answer's `Retry-After`, which is not to be earlier than the end of `t`.
    func refreshHeadroom(until retryAfter: Int? = nil) {
        guard let provider, !provider.plan.windows.isEmpty else { return }
        headroom = provider.pacer.headroom(of: demand(on: provider), at: worker.now)
        if let retryAfter { headroom = headroom?.ending(within: .seconds(retryAfter)) }
    }
}
