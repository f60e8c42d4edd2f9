internal import Wire
internal import Downstream
internal import Core

/// Who may use a credential that Weir adds, and for which paths.
extension Exchange {
    /// Why the request must not be sent with Weir's credential; nil if it may be.
    func credentialRefusal(of provider: ProviderService) -> Fault? {
        guard provider.credentials.injects else { return nil }
        if isWithinReachOfPages, let refusal = pageRefusal(names: service.configuration.hosts) {
            return refusal.fault(place: "Weir adds a credential here")
        }
        // What the provider makes of them may lie outside of the path that the credential is meant for.
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
    /// Why a web page may have sent the request; nil if none has.
    func pageRefusal(names: [HostPattern]) -> PageGuard.Refusal? {
        var pages = PageGuard(names: names)
        head.forEachField { name, value in pages.take(name: name, value: value) }
        return pages.refusal(isOptions: head.withMethod { $0.equals("OPTIONS") })
    }
}
