internal import HTTPWire

/// A provider's base URL: what the target of a request is appended to.
public struct UpstreamURL: Hashable, Sendable {
    /// The two schemes that Weir speaks.
    public enum Scheme: String, Sendable {
        case http, https

        /// The port of a URL that names none.
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
    /// The path before every request's own: empty, or `/` and segments without a slash at the end.
    public let pathPrefix: String

    /// Reads an absolute URL such as `https://api.lemlist.com/api`.
    ///
    /// An address, or `localhost`, needs no scheme and is reached by http; a name does, so that no key goes out unencrypted by mistake.
    ///
    /// - Throws: `InvalidSetting` unless the scheme is http or https, the host a name, an IPv4 address or an
    ///   IPv6 address in brackets, and there is no user, password, query or fragment.
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
        (host, address, port) = try Self.authority(rest[..<slash], scheme: scheme)
        pathPrefix = try Self.prefix(rest[slash...])
        if mark == nil, !isPrivateByItself { throw InvalidSetting("must begin with http:// or https://") }
    }

    /// Whether TLS protects it.
    public var isTLS: Bool { scheme == .https }

    /// Whether the URL itself says that a private address is meant: an address, or `localhost`.
    public var isPrivateByItself: Bool { address != nil || host == "localhost" }

    /// Host and port as the `Host` field has them: brackets around IPv6, no port that is the scheme's own.
    public var authority: String {
        var text = host
        if case .v6? = address { text = "[\(host)]" }
        return port == scheme.defaultPort ? text : "\(text):\(port)"
    }

    /// Scheme and ``authority``, such as `https://api.lemlist.com`.
    public var origin: String { "\(scheme.rawValue)://\(authority)" }

    private static func authority(
        _ text: Substring, scheme: Scheme
    ) throws(InvalidSetting) -> (String, IPAddress?, UInt16) {
        var host = text
        var port = scheme.defaultPort
        let end = text.lastIndex(of: "]") ?? text.startIndex
        if let colon = text[end...].firstIndex(of: ":") {
            guard let number = UInt16.port(parsing: text[text.index(after: colon)...]), number > 0 else {
                throw InvalidSetting("must have a port from 1 to 65535, or none")
            }
            port = number
            host = text[..<colon]
        }
        if host.hasPrefix("[") || host.hasSuffix("]") {
            guard host.hasPrefix("["), host.hasSuffix("]"), host.count > 2,
                case .v6(let high, let low)? = IPAddress(parsing: host.dropFirst().dropLast())
            else { throw InvalidSetting("must have an IPv6 address between the brackets") }
            let address = IPAddress.v6(high: high, low: low)
            return (address.description, address, port)
        }
        if let address = IPAddress(parsing: host) { return (address.description, address, port) }
        try checkName(host)
        return (host.lowercased(), nil, port)
    }

    private static func checkName(_ name: Substring) throws(InvalidSetting) {
        guard !name.isEmpty else { throw InvalidSetting("must have a host") }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let valid =
            name.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy {
                        $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x2D || $0 == 0x5F
                    }
            }
        guard valid else {
            throw InvalidSetting("must have a host name of letters, digits, '-' and '_' between dots")
        }
        // `127.1` and `0x7f.0.0.1` are addresses to a resolver: the name would lead somewhere private.
        guard let last = labels.last?.lowercased(), !last.hasPrefix("0x"),
            !last.utf8.allSatisfy(\.isASCIIDigit)
        else {
            throw InvalidSetting("must have a host name, or an IPv4 address of four numbers")
        }
    }

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
    fileprivate var isHexadecimal: Bool { isASCIIDigit || (0x61...0x66).contains(lowercasedASCII) }
}
