/// A proxy between Weir and a provider: every connection to the provider is a tunnel through it.
public struct EgressProxy: Hashable, Sendable {
    /// The URL for libcurl, including user and password.
    public let url: Secret
    /// Scheme, host and port, without user and password; safe to show.
    public let display: String
    /// The name or address, without brackets.
    public let host: String

    /// The supported schemes: CONNECT over plain text or TLS, and SOCKS 5 with names resolved by the proxy.
    static let schemes = ["http", "https", "socks5h"]

    /// Reads a URL such as `http://user:password@proxy.example:3128`; without a scheme it is http.
    ///
    /// - Throws: `InvalidSetting` for another scheme, an invalid host or port, an incomplete escape in the user, or
    ///   anything after host and port.
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
        self.host = try Authority(parsing: host).host
        guard user != "@", user.dropLast().isUserInfo else {
            throw InvalidSetting(
                "must have user:password or a user before '@'; a special character is written as %HH")
        }
        url = Secret("\(scheme)://\(user)\(host)")
        display = "\(scheme)://\(host)"
    }

    /// The proxy for `upstream` from the environment, by the rules of curl and Go: `https_proxy` or `http_proxy` by
    /// the upstream's scheme, otherwise `all_proxy`, lower case first, unless `no_proxy` matches the upstream; never
    /// for an address or name of this machine.
    ///
    /// - Throws: `InvalidSetting` with the variable's name if its value is not a proxy.
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

/// The hosts that bypass the environment's proxy: the value of `no_proxy`.
///
/// Entries are separated by commas or spaces: `*` for all, a name for itself and its subdomains (with or without a
/// leading dot), an address, or a block of addresses such as `10.0.0.0/8`; each optionally with a port.
public struct NoProxyList: Hashable, Sendable {
    private let entries: [Substring]

    /// Reads a list; invalid entries match nothing.
    public init(parsing text: String) {
        entries = text.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" })
    }

    /// Whether `upstream` bypasses the proxy.
    public func contains(_ upstream: UpstreamURL) -> Bool {
        entries.contains { Self.matches($0, upstream) }
    }

    private static func matches(_ entry: Substring, _ upstream: UpstreamURL) -> Bool {
        if entry == "*" { return true }
        var name = entry
        // Both `[2001:db8::1]:443` and `2001:db8::1` are valid entries.
        if entry.hasPrefix("["), let end = entry.firstIndex(of: "]") {
            guard portMatches(entry[entry.index(after: end)...], upstream) else { return false }
            name = entry[entry.index(after: entry.startIndex)..<end]
        } else if entry.filter({ $0 == ":" }).count == 1, let colon = entry.firstIndex(of: ":") {
            guard portMatches(entry[colon...], upstream) else { return false }
            name = entry[..<colon]
        }
        if let address = upstream.address {
            return address.isWithin(name)
        }
        let wanted = (name.hasPrefix(".") ? name.dropFirst() : name).lowercased()
        return !wanted.isEmpty && (upstream.host == wanted || upstream.host.hasSuffix(".\(wanted)"))
    }

    private static func portMatches(_ text: Substring, _ upstream: UpstreamURL) -> Bool {
        text.isEmpty || text.dropFirst() == "\(upstream.port)"
    }
}

extension IPAddress {
    /// Whether this is `text` or inside the block `text`: `10.0.0.0/8`, `fd00::/8`.
    fileprivate func isWithin(_ text: Substring) -> Bool {
        guard let slash = text.firstIndex(of: "/") else { return IPAddress(parsing: text) == self }
        guard let network = IPAddress(parsing: text[..<slash]),
            let length = Int(text[text.index(after: slash)...]), length >= 0
        else { return false }
        switch (self, network) {
        case (.v4(let own), .v4(let other)):
            return length <= 32 && (length == 0 || own >> (32 - length) == other >> (32 - length))
        case (.v6(let high, let low), .v6(let otherHigh, let otherLow)):
            guard length <= 128 else { return false }
            if length <= 64 { return length == 0 || high >> (64 - length) == otherHigh >> (64 - length) }
            return high == otherHigh && low >> (128 - length) == otherLow >> (128 - length)
        default: return false
        }
    }
}
