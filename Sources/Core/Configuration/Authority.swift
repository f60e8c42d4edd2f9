internal import Wire

/// A host, and perhaps a port, as a URL has them between its user and its path (RFC 3986 3.2.2, 3.2.3).
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
        // `127.1` and `0x7f.0.0.1` are addresses to a resolver: the name would lead somewhere private.
        guard let last = labels.last?.lowercased(), !last.hasPrefix("0x"),
            !last.utf8.allSatisfy(\.isASCIIDigit)
        else {
            throw InvalidSetting("must have a host name, or an IPv4 address of four numbers")
        }
    }
}

extension StringProtocol {
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
