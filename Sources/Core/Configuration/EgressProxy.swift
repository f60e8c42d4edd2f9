/// A proxy between Weir and a provider: every connection to the provider is a tunnel through it.
public struct EgressProxy: Hashable, Sendable {
    /// The URL as libcurl takes it, with user and password if it has them.
    public let url: Secret
    /// Scheme, host and port, without user and password: what may be shown.
    public let display: String

    /// The schemes that are understood: CONNECT over plaintext or TLS, and SOCKS 5 with names resolved by the proxy.
    static let schemes = ["http", "https", "socks5h"]

    /// Reads a URL such as `http://user:password@proxy.example:3128`; without a scheme it is http.
    ///
    /// - Throws: `InvalidSetting` for another scheme, a bad host or port, an incomplete escape in the user, or more than host and port
    ///   behind it.
    public init(parsing text: String) throws(InvalidSetting) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw InvalidSetting("must be printable ASCII without blanks, at most 2048 bytes")
        }
        var scheme = "http"
        var rest = text[...]
        if let mark = text.firstRange(of: "://") {
            scheme = text[..<mark.lowerBound].lowercased()
            rest = text[mark.upperBound...]
        }
        guard Self.schemes.contains(scheme) else {
            throw InvalidSetting("must begin with http://, https:// or socks5h://")
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var host = rest
        var user = Substring()
        if let at = rest.lastIndex(of: "@") { (user, host) = (rest[...at], rest[rest.index(after: at)...]) }
        guard !host.isEmpty, !host.contains(where: { "/?#".contains($0) }) else {
            throw InvalidSetting("must have a host, and nothing behind its port")
        }
        _ = try Authority(parsing: host)
        guard user != "@", !user.contains(where: { "/?#[]\"<>\\^`{|}".contains($0) }),
            user.hasCompleteEscapes
        else {
            throw InvalidSetting(
                "must have user:password or a user before '@'; a special character is written as %HH")
        }
        url = Secret("\(scheme)://\(user)\(host)")
        display = "\(scheme)://\(host)"
    }

    /// The proxy that the environment names for `upstream`, as curl and Go read it: `https_proxy` or `http_proxy` by the upstream's scheme,
    /// else `all_proxy`, lower case first, unless `no_proxy` names the upstream; never for an address or name of this machine.
    ///
    /// - Throws: `InvalidSetting` with the variable's name, for a value that is no proxy.
    public static func fromEnvironment(
        for upstream: UpstreamURL, variable: (String) -> String?
    ) throws(InvalidSetting) -> EgressProxy? {
        func value(_ name: String) -> (name: String, text: String)? {
            for name in [name, name.uppercased()] {
                if let text = variable(name), !text.isEmpty { return (name, text) }
            }
            return nil
        }
        if upstream.host == "localhost" || upstream.address?.isLoopback == true { return nil }
        guard let found = value("\(upstream.scheme.rawValue)_proxy") ?? value("all_proxy") else { return nil }
        if let list = value("no_proxy"), NoProxyList(parsing: list.text).contains(upstream) { return nil }
        do {
            return try EgressProxy(parsing: found.text)
        } catch {
            throw InvalidSetting("the environment's \(found.name) \(error.reason)")
        }
    }
}
