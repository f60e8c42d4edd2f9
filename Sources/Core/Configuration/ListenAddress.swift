/// An address on which Weir accepts connections.
public enum ListenAddress: Hashable, Sendable {
    /// A TCP port of an address; with port 0 the system chooses one.
    case tcp(IPAddress, port: UInt16)
    /// A Unix domain socket at an absolute path of at most 107 bytes; its file has these permissions.
    case unix(path: String, mode: FileMode = .ownerOnly)

    /// Reads `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` (127.0.0.1) or `unix:/run/w.sock`.
    ///
    /// - Throws: `InvalidSetting` for anything else: names are not resolved, and a missing port is an error.
    public init(parsing text: String) throws(InvalidSetting) {
        let forms = "must be an address and a port (127.0.0.1:8080, [::1]:8080, 0.0.0.0:8080) or unix:/PATH"
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 107,
                !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }),
                !["", ".", ".."].contains(path.split(separator: "/", omittingEmptySubsequences: false).last)
            else {
                throw InvalidSetting(
                    "must be unix: and the absolute path of a file, at most 107 bytes, without control characters"
                )
            }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":") else { throw InvalidSetting(forms) }
        let host = text[..<colon]
        guard let port = UInt16.port(parsing: text[text.index(after: colon)...]) else {
            throw InvalidSetting("must end with a port from 0 to 65535")
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard case .v6(let high, let low)? = IPAddress(parsing: host.dropFirst().dropLast()) else {
                throw InvalidSetting("must have an IPv6 address between the brackets")
            }
            self = .tcp(.v6(high: high, low: low), port: port)
        } else if host == "localhost" {
            self = .tcp(.v4(0x7F00_0001), port: port)
        } else if case .v4(let number)? = IPAddress(parsing: host) {
            self = .tcp(.v4(number), port: port)
        } else {
            throw InvalidSetting(forms)
        }
    }

    /// Whether one socket could receive connections meant for the other, so that both cannot be open.
    public func conflicts(with other: ListenAddress) -> Bool {
        switch (self, other) {
        case (.unix(let path, _), .unix(let otherPath, _)): return path == otherPath
        case (.tcp(let address, let port), .tcp(let otherAddress, let otherPort)):
            guard port == otherPort, port != 0 else { return false }
            return address == otherAddress || address.isUnspecified || otherAddress.isUnspecified
        default: return false
        }
    }
}

extension ListenAddress: CustomStringConvertible {
    /// The address as the configuration spells it.
    public var description: String {
        switch self {
        case .tcp(.v4(let number), let port): "\(IPAddress.v4(number)):\(port)"
        case .tcp(let address, let port): "[\(address)]:\(port)"
        case .unix(let path, _): "unix:\(path)"
        }
    }
}

extension UInt16 {
    /// A port in decimal digits and nothing else.
    static func port(parsing text: Substring) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return UInt16(text)
    }
}

/// The certificate that Weir presents to clients over TLS.
public struct ListenerTLS: Hashable, Sendable {
    /// The certificate followed by its chain, as PEM; the file may also contain the key.
    public var certificate: Secret
    /// The key of the certificate, as PEM.
    public var key: Secret
    /// The oldest TLS version that clients may use.
    public var minimumVersion: TLSConfiguration.Version
    /// The authorities whose certificates clients must present, as PEM; `nil` if clients need none.
    public var clientAuthorities: Secret?

    /// TLS with this certificate.
    public init(
        certificate: Secret, key: Secret, minimumVersion: TLSConfiguration.Version = .tls12,
        clientAuthorities: Secret? = nil
    ) {
        self.clientAuthorities = clientAuthorities
        self.certificate = certificate
        self.key = key
        self.minimumVersion = minimumVersion
    }
}

/// The permissions of a file in `chmod` notation.
public struct FileMode: Hashable, Sendable {
    /// The nine bits: 0 to 0o777.
    public let bits: UInt16

    /// `0600`: only the user that Weir runs as, and root.
    public static let ownerOnly = FileMode(bits: 0o600)

    private init(bits: UInt16) { self.bits = bits }

    /// Reads an octal number with its leading zero, such as `0660` (or `0o660`, as YAML 1.2 spells it).
    ///
    /// - Throws: `InvalidSetting` for a number without the leading zero, which other programs read as decimal, and
    ///   for anything above `0777`.
    public init(parsing text: String) throws(InvalidSetting) {
        let digits = text.hasPrefix("0o") ? text.dropFirst(2) : text.dropFirst()
        guard text.hasPrefix("0"), digits.utf8.count == 3,
            digits.utf8.allSatisfy({ (0x30...0x37).contains($0) }),
            let bits = UInt16(digits, radix: 8)
        else {
            throw InvalidSetting("must be octal with a leading zero, from 0000 to 0777, such as 0660")
        }
        self.bits = bits
    }
}

extension FileMode: CustomStringConvertible {
    /// Four octal digits.
    public var description: String {
        let digits = String(bits, radix: 8)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
