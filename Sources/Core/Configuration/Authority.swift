internal import Wire

/// A host and an optional port, as in a URL's authority (RFC 3986 3.2.2, 3.2.3).
struct Authority {
    /// The name in lower case, or the address as it is spelled canonically, without brackets.
    let host: String
    /// The address, if ``host`` is one.
    let address: IPAddress?
    /// 1 to 65535; `nil` if there is none.
    let port: UInt16?

    /// Reads `api.example`, `192.0.2.1:80` or `[2001:db8::1]:443`.
    ///
    /// - Throws: `InvalidSetting` unless the host is a name, an IPv4 address or an IPv6 address in brackets.
    init(parsing text: Substring) throws(InvalidSetting) {
        var host = text
        var port: UInt16?
        let end = text.lastIndex(of: "]") ?? text.startIndex
        if let colon = text[end...].firstIndex(of: ":") {
            guard let number = UInt16.port(parsing: text[text.index(after: colon)...]), number > 0 else {
                throw InvalidSetting("must have a port from 1 to 65535, or none")
            }
            port = number
            host = text[..<colon]
        }
        self.port = port
        if host.hasPrefix("[") || host.hasSuffix("]") {
            guard host.hasPrefix("["), host.hasSuffix("]"), host.count > 2,
                case .v6(let high, let low)? = IPAddress(parsing: host.dropFirst().dropLast())
            else { throw InvalidSetting("must have an IPv6 address between the brackets") }
            address = .v6(high: high, low: low)
        } else {
            address = IPAddress(parsing: host)
            if address == nil { try Self.checkName(host) }
        }
        self.host = address?.description ?? host.lowercased()
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
        // Resolvers accept `127.1` and `0x7f.0.0.1` as addresses, so such a name could lead to a private address.
        guard let last = labels.last?.lowercased(), !last.hasPrefix("0x"),
            !last.utf8.allSatisfy(\.isASCIIDigit)
        else {
            throw InvalidSetting("must have a host name, or an IPv4 address of four numbers")
        }
    }
}

extension StringProtocol {
    /// Whether this can stand before the `@` of a URL: what ends its authority, or no URL may have, is escaped (RFC 3986 3.2.1).
    ///
    /// Else a part of a password could be taken for the host or the path, and be shown with them.
    var isUserInfo: Bool {
        hasCompleteEscapes
            && utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#[]@\"<>\\^`{|}".utf8.contains($0) }
    }

    /// Whether two hexadecimal digits follow each `%`.
    var hasCompleteEscapes: Bool {
        var rest = Array(utf8)[...]
        while let mark = rest.firstIndex(of: UInt8(ascii: "%")) {
            rest = rest[mark...].dropFirst()
            guard rest.count >= 2, rest.prefix(2).allSatisfy(\.isHexadecimal) else { return false }
        }
        return true
    }
}

/// A pattern for the names that a request's `Host` may have.
public enum HostPattern: Hashable, Sendable {
    /// Any name.
    case any
    /// This name, in lower case.
    case name([UInt8])
    /// All names below a domain: their common suffix in lower case, including the leading dot.
    case below([UInt8])

    /// Reads `api.internal`, `*.internal` or `*`.
    ///
    /// - Throws: `InvalidSetting` for anything else. Addresses are always allowed and are not names.
    public init(parsing text: String) throws(InvalidSetting) {
        if text == "*" {
            self = .any
            return
        }
        let isBelow = text.hasPrefix("*.")
        let name = Array((isBelow ? String(text.dropFirst(2)) : text).lowercased().utf8)
        let isName = name.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "-._".utf8.contains($0) }
        let areLabels = name.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.first != 0x2D && label.last != 0x2D
        }
        guard isName, areLabels, name.count <= 253 else {
            throw InvalidSetting(
                "must be a name without a port (api.internal), *.NAME for those below it, or *")
        }
        self = isBelow ? .below([0x2E] + name) : .name(name)
    }

    /// Whether `host`, a name without a port, matches.
    func matches(_ host: Span<UInt8>) -> Bool {
        switch self {
        case .any: return true
        case .name(let name): return host.equalsIgnoringCase(name.span)
        case .below(let end):
            guard host.count > end.count else { return false }
            return host.extracting((host.count - end.count)..<host.count).equalsIgnoringCase(end.span)
        }
    }
}

extension HostPattern: CustomStringConvertible {
    /// The pattern as the configuration spells it.
    public var description: String {
        switch self {
        case .any: "*"
        case .name(let name): String(decoding: name, as: UTF8.self)
        case .below(let end): "*" + String(decoding: end, as: UTF8.self)
        }
    }
}
