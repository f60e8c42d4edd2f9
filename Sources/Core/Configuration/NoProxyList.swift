/// The hosts that are reached without the environment's proxy: the value of `no_proxy`.
///
/// Entries stand between commas or blanks: `*` for all, a name for itself and everything below it (a leading dot changes nothing), an
/// address, or a block of addresses such as `10.0.0.0/8`; each with a port behind it if only that is meant.
public struct NoProxyList: Hashable, Sendable {
    private let entries: [Substring]

    /// Reads a list; what is no entry matches nothing.
    public init(parsing text: String) {
        entries = text.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" })
    }

    /// Whether `upstream` is reached without a proxy.
    public func contains(_ upstream: UpstreamURL) -> Bool {
        entries.contains { Self.matches($0, upstream) }
    }

    private static func matches(_ entry: Substring, _ upstream: UpstreamURL) -> Bool {
        if entry == "*" { return true }
        var name = entry
        // `[2001:db8::1]:443` and `2001:db8::1` are both written.
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
    /// Whether this is `text`, or lies in the block that it names: `10.0.0.0/8`, `fd00::/8`.
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
