internal import Wire

/// A provider's base URL, to which the target of a request is appended.
public struct UpstreamURL: Hashable, Sendable {
    /// The two schemes that Weir speaks.
    public enum Scheme: String, Sendable {
        case http, https

        /// The scheme's default port.
        public var defaultPort: UInt16 { self == .http ? 80 : 443 }
    }

    /// The scheme.
    public let scheme: Scheme
    /// The name in lower case, or the address, without brackets.
    public let host: String
    /// The address, if ``host`` is one.
    public let address: IPAddress?
    /// The port: 1 to 65535.
    public let port: UInt16
    /// The prefix of every request's path: empty, or `/` and segments without a slash at the end.
    public let pathPrefix: String

    /// Reads an absolute URL such as `https://api.lemlist.com/api`.
    ///
    /// For an address or `localhost` the scheme may be omitted, which means http. A name needs a scheme, so that no
    /// key is sent unencrypted by mistake.
    ///
    /// - Throws: `InvalidSetting` unless the scheme is http or https, the host is a name, an IPv4 address or an IPv6
    ///   address in brackets, and there is no user, password, query or fragment.
    public init(parsing text: String) throws(InvalidSetting) {
        guard text.utf8.count <= 2048 else { throw InvalidSetting("must be at most 2048 bytes long") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw InvalidSetting("must be printable ASCII without blanks (percent-encode, or write xn--…)")
        }
        var scheme = Scheme.http
        var rest = text[...]
        let mark = text.firstRange(of: "://")
        if let mark {
            guard let known = Scheme(rawValue: text[..<mark.lowerBound].lowercased()) else {
                throw InvalidSetting("must begin with http:// or https://")
            }
            scheme = known
            rest = text[mark.upperBound...]
        }
        guard !text.contains("?"), !text.contains("#") else {
            throw InvalidSetting("must have no query and no fragment")
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        guard !rest[..<slash].contains("@") else {
            throw InvalidSetting("must have no user and password; a key belongs in `credential`")
        }
        self.scheme = scheme
        let authority = try Authority(parsing: rest[..<slash])
        (host, address, port) = (authority.host, authority.address, authority.port ?? scheme.defaultPort)
        pathPrefix = try Self.prefix(rest[slash...])
        if mark == nil, !isPrivateByItself { throw InvalidSetting("must begin with http:// or https://") }
    }

    /// Whether the scheme is https.
    public var isTLS: Bool { scheme == .https }

    /// Whether the URL itself denotes a private address: an address, or `localhost`.
    public var isPrivateByItself: Bool { address != nil || host == "localhost" }

    /// Host and port as in the `Host` field: brackets around IPv6, and no default port.
    public var authority: String {
        var text = host
        if case .v6? = address { text = "[\(host)]" }
        return port == scheme.defaultPort ? text : "\(text):\(port)"
    }

    /// Scheme and ``authority``, such as `https://api.lemlist.com`.
    public var origin: String { "\(scheme.rawValue)://\(authority)" }

    private static func prefix(_ text: Substring) throws(InvalidSetting) -> String {
        let path = text.hasSuffix("/") ? text.dropLast() : text
        guard !path.isEmpty else { return "" }
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard !segment.isEmpty, segment != ".", segment != ".." else {
                throw InvalidSetting("must have a path without '//', '.' and '..' segments")
            }
            let bytes = Array(segment.utf8)
            for (index, byte) in bytes.enumerated() where !byte.isPathCharacter {
                guard byte == UInt8(ascii: "%"), index + 2 < bytes.count, bytes[index + 1].isHexadecimal,
                    bytes[index + 2].isHexadecimal
                else { throw InvalidSetting("must have a path of RFC 3986 characters, %XX for all others") }
            }
        }
        return String(path)
    }
}

extension UpstreamURL: CustomStringConvertible {
    /// The URL, without a slash at the end.
    public var description: String { origin + pathPrefix }
}

extension UInt8 {
    var isHexadecimal: Bool { isASCIIDigit || (0x61...0x66).contains(lowercasedASCII) }
}
