internal import Wire

/// Rejects requests that a web page could have sent through a browser, where they could use a credential that Weir
/// adds or read Weir's pages.
///
/// A browser reveals the origin of a request: in `Sec-Fetch-Site` (to addresses that it trusts), in `Origin` (of
/// everything except plain navigation, images and scripts), and in `Host`, if a page's own name was made to resolve
/// to Weir (``HostGuard``).
public struct PageGuard: Sendable {
    /// Why a request is rejected.
    public enum Refusal: Sendable, Hashable, CaseIterable {
        /// `Host` is a name that could be a page's.
        case host
        /// `Sec-Fetch-Site` is neither `same-origin` nor `none`.
        case site
        /// `Origin` is `null`, no origin of http or https, or one whose host could be a page's.
        case origin
        /// It is a CORS preflight: no page is allowed what it asks for.
        case preflight
    }

    private let names: [HostPattern]
    private var refusals: Set<Refusal> = []
    private var asksForMethod = false

    /// A guard that has seen no field.
    ///
    /// - Parameter names: the hosts that are allowed, besides addresses and `localhost`.
    public init(names: [HostPattern]) { self.names = names }

    /// Inspects one field of the request.
    public mutating func take(name: Span<UInt8>, value: Span<UInt8>) {
        switch name.count {
        case 4:
            if name.equalsIgnoringCase("host"), !HostGuard.allows(value, names: names) {
                refusals.insert(.host)
            }
        case 6:
            if name.equalsIgnoringCase("origin"), !isAllowed(origin: value) { refusals.insert(.origin) }
        case 14:
            if name.equalsIgnoringCase("sec-fetch-site"), !value.equalsIgnoringCase("same-origin"),
                !value.equalsIgnoringCase("none")
            {
                refusals.insert(.site)
            }
        case 29:
            if name.equalsIgnoringCase("access-control-request-method") { asksForMethod = true }
        default: break
        }
    }

    /// Why the request is rejected, or `nil`; to be called after the last field.
    public func refusal(isOptions: Bool) -> Refusal? {
        for refusal in Refusal.allCases where refusals.contains(refusal) { return refusal }
        return isOptions && asksForMethod ? .preflight : nil
    }

    /// Whether an origin (RFC 6454 7) is `http://host` or `https://host`, perhaps with a port, and the host would be allowed in `Host`.
    ///
    /// The host of any other scheme names no server: a browser's extensions (`moz-extension://…`), apps and files make up their own.
    private func isAllowed(origin: Span<UInt8>) -> Bool {
        var end = 0
        while end < origin.count, origin[end] != 0x3A { end += 1 }
        let scheme = origin.extracting(0..<end)
        guard scheme.equalsIgnoringCase("http") || scheme.equalsIgnoringCase("https"),
            end + 3 < origin.count, origin[end + 1] == 0x2F, origin[end + 2] == 0x2F
        else { return false }
        let host = origin.extracting(end + 3..<origin.count)
        return HostField.isWellFormed(host) && HostGuard.allows(host, names: names)
    }
}

extension PageGuard.Refusal {
    /// The fault for the client.
    ///
    /// - Parameter place: what is protected, as the beginning of a sentence: "Weir adds a credential here".
    public func fault(place: String) -> Fault {
        let reason =
            switch self {
            case .host: "Host must be an address, localhost or a name under `hosts`"
            case .site: "Sec-Fetch-Site must be same-origin or none, and a web page of another site sent this"
            case .origin:
                "Origin must be http:// or https:// and an address, localhost or a name under `hosts`"
            case .preflight: "no web page is allowed to use it, so CORS preflights are refused"
            }
        var fault = Fault(
            .badClientRequest, detail: Text("\(place): \(reason)."), effect: Effect.none,
            proxyError: .httpRequestDenied)
        // RFC 9110 15.5.20: another host was meant. The others are understood, but not allowed.
        fault.status = self == .host ? 421 : 403
        return fault
    }
}
