internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// Who may use a credential that Weir adds; see ``HostGuard``.
extension Exchange {
    /// Whether the client asks for a host that may be Weir's.
    ///
    /// What stands in an absolute request target is the same.
    var namesAllowedHost: Bool {
        let names = service.configuration.hosts
        var isAllowed = true
        head.forEachField { name, value in
            if name.equalsIgnoringCase("host") { isAllowed = HostGuard.allows(value, names: names) }
        }
        return isAllowed
    }

    /// What a client is told that asks for another host (RFC 9110 15.5.20).
    var misdirected: Fault {
        var fault = Fault(
            .badClientRequest,
            detail:
                "Weir adds a credential here: Host must be an address, localhost or a name under `hosts`.",
            effect: Effect.none, proxyError: .httpRequestDenied)
        fault.status = 421
        return fault
    }
}
