/// The address of the Redis server in which several instances count their requests.
public struct LedgerAddress: Hashable, Sendable {
    /// The server's location.
    public enum Place: Hashable, Sendable {
        /// A host's name or address (an IPv6 address without brackets), and a port.
        case tcp(host: String, port: UInt16)
        /// The path of a Unix socket.
        case unix(path: String)
    }

    /// The server's location.
    public var place: Place
    /// The user to authenticate as; `nil` for the server's default user.
    public var user: String?
    /// The password; `nil` if none is configured.
    public var password: Secret?
    /// The number of the database.
    public var database = 0
    /// How the server's certificate is checked; `nil` without TLS.
    public var tls: TLSConfiguration?

    /// The largest number of a database.
    static let maximumDatabase = 65535

    /// Reads `redis://[user:password@]host[:port][/database]`, the same with `rediss://` for TLS, or
    /// `redis+unix://[user:password@]/path[?db=database]`.
    ///
    /// - Throws: the reason, without any part of the text, which may contain a password.
    public init(parsing text: String) throws(InvalidSetting) {
        guard text.utf8.count <= 4096, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw InvalidSetting("must be visible ASCII characters, blanks excluded, at most 4096")
        }
        guard let separator = Self.range(of: "://", in: text) else { throw Self.form }
        let scheme = text[..<separator.lowerBound]
        var rest = text[separator.upperBound...]
        switch scheme {
        case "redis", "redis+unix": break
        case "rediss": tls = TLSConfiguration()
        default: throw Self.form
        }
        place = .unix(path: "")
        if let at = rest.lastIndex(of: "@"), scheme != "redis+unix" || !rest.hasPrefix("/") {
            try takeCredentials(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        if scheme == "redis+unix" { try takePath(rest) } else { try takeHost(rest) }
    }

    private static let form = InvalidSetting(
        "must be memory, redis://[user:password@]host[:port][/database], the same with rediss:// for TLS, or "
            + "redis+unix://[user:password@]/path[?db=database]")

    private static func range(of part: String, in text: String) -> Range<String.Index>? {
        text.indices.first { text[$0...].hasPrefix(part) }
            .map { $0..<text.index($0, offsetBy: part.count) }
    }

    private mutating func takeCredentials(_ text: Substring) throws(InvalidSetting) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard text.isUserInfo, parts.count == 2, let user = Self.decoded(parts[0]),
            let password = Self.decoded(parts[1]), !password.isEmpty
        else {
            throw InvalidSetting(
                "must have user:password or :password before '@'; a special character is written as %HH")
        }
        self.user = user.isEmpty ? nil : user
        self.password = Secret(password)
    }

    private mutating func takeHost(_ text: Substring) throws(InvalidSetting) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !parts[1].isEmpty { database = try Self.database(parts[1]) }
        let authority = try Authority(parsing: parts.first ?? "")
        place = .tcp(host: authority.host, port: authority.port ?? 6379)
    }

    private mutating func takePath(_ text: Substring) throws(InvalidSetting) {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first.flatMap(Self.decoded), path.hasPrefix("/"), path.utf8.count <= 107 else {
            throw InvalidSetting(
                "must have the path of a socket, at most 107 bytes: redis+unix:///run/redis.sock")
        }
        place = .unix(path: path)
        guard parts.count == 2 else { return }
        guard parts[1].hasPrefix("db=") else { throw Self.form }
        database = try Self.database(parts[1].dropFirst(3))
    }

    private static func database(_ text: Substring) throws(InvalidSetting) -> Int {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text), number <= maximumDatabase
        else {
            throw InvalidSetting("must have a database from 0 to \(maximumDatabase)")
        }
        return number
    }

    /// The text with its escapes decoded; `nil` if one is incomplete.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), value >= 0x20
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension LedgerAddress: CustomStringConvertible {
    /// The address without user and password.
    public var description: String {
        switch place {
        case .tcp(let host, let port):
            "\(tls == nil ? "redis" : "rediss")://\(host.contains(":") ? "[\(host)]" : host):\(port)/\(database)"
        case .unix(let path): "redis+unix://\(path)?db=\(database)"
        }
    }
}
