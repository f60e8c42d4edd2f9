internal import Wire

/// Finds the provider with the longest mount that is a prefix of a path.
///
/// A trie of bytes in one array: a lookup allocates nothing and reads each byte of the path at most once.
public struct RouteTable: Sendable {
    /// The destination of a path.
    public struct Route: Hashable, Sendable {
        /// The provider's index, as given to the table.
        public var provider: Int
        /// Where the rest of the path for the provider begins; the rest is empty or begins with `/` or `?`.
        public var restOffset: Int
    }

    private struct Node {
        var byte: UInt8
        /// The provider whose mount ends here, or -1.
        var provider: Int32 = -1
        /// The first child node, or -1.
        var child: Int32 = -1
        /// The next sibling node, or -1.
        var sibling: Int32 = -1
    }

    private var nodes = [Node(byte: 0)]

    /// A table of these mounts, each with its provider's index.
    ///
    /// - Precondition: the mounts are unique.
    public init(_ mounts: [(mount: MountPath, provider: Int)]) {
        for (mount, provider) in mounts {
            var node = 0
            // `/` matches everything, so it is the empty prefix, and the rest is the whole path.
            for byte in mount.path == "/" ? "".utf8 : mount.path.utf8 {
                node = child(of: node, for: byte) ?? addChild(to: node, for: byte)
            }
            precondition(nodes[node].provider < 0, "the mount \(mount) stands in the table twice")
            nodes[node].provider = Int32(provider)
        }
    }

    /// The provider for a path, with or without its query; `nil` if no mount matches.
    ///
    /// Bytes are compared exactly: `/lemlist` matches `/lemlist`, `/lemlist/x` and `/lemlist?x=1`, but not
    /// `/lemlistx`, `/Lemlist` or `/%6Cemlist`.
    public func route(_ path: Span<UInt8>) -> Route? {
        guard path.count > 0, path[0] == UInt8(ascii: "/") else { return nil }
        var best: Route?
        var node = 0
        for offset in 0..<path.count {
            let byte = path[offset]
            if nodes[node].provider >= 0, byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") {
                best = Route(provider: Int(nodes[node].provider), restOffset: offset)
            }
            guard let next = child(of: node, for: byte) else { return best }
            node = next
        }
        return nodes[node].provider >= 0
            ? Route(provider: Int(nodes[node].provider), restOffset: path.count) : best
    }

    private func child(of node: Int, for byte: UInt8) -> Int? {
        var candidate = nodes[node].child
        while candidate >= 0 {
            if nodes[Int(candidate)].byte == byte { return Int(candidate) }
            candidate = nodes[Int(candidate)].sibling
        }
        return nil
    }

    private mutating func addChild(to node: Int, for byte: UInt8) -> Int {
        let index = nodes.count
        nodes.append(Node(byte: byte, sibling: nodes[node].child))
        nodes[node].child = Int32(index)
        return index
    }
}

/// The path under which a provider is reached, such as `/lemlist`: whole segments, compared byte by byte.
public struct MountPath: Hashable, Sendable, CustomStringConvertible {
    /// The path: `/` alone, or segments without a slash at the end.
    public let path: String

    /// The longest path, in bytes.
    public static let maximumLength = 256

    /// The first path segments that are reserved for Weir.
    static let adminSegments: Set<Substring> = ["-", "metrics", "livez", "readyz"]

    /// Reads a path.
    ///
    /// - Throws: `InvalidSetting` unless it begins with `/`, has no slash at the end, no empty or dot segment, and
    ///   only characters of RFC 3986 3.3; percent-encoding is not allowed, so that a path has only one spelling.
    public init(parsing text: String) throws(InvalidSetting) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw InvalidSetting("must begin with '/'") }
        guard text.utf8.count <= Self.maximumLength else {
            throw InvalidSetting("must be at most \(Self.maximumLength) bytes long")
        }
        if text != "/" {
            guard !text.hasSuffix("/") else { throw InvalidSetting("must not end with '/'") }
            guard text.utf8.allSatisfy({ $0.isPathCharacter }) else {
                throw InvalidSetting("must be letters, digits and -._~!$&'()*+,;=:@ between slashes")
            }
            for segment in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
                guard !segment.isEmpty else { throw InvalidSetting("must not contain '//'") }
                guard segment != ".", segment != ".." else {
                    throw InvalidSetting("must not contain a '.' or '..' segment")
                }
            }
        }
        path = text
    }

    /// The path as the user wrote it.
    public var description: String { path }

    /// Whether the mount could match Weir's own paths (`/-/…`, `/metrics`, `/livez`, `/readyz`).
    public var overlapsAdminPaths: Bool {
        path.dropFirst().split(separator: "/").first.map(Self.adminSegments.contains) ?? false
    }
}

extension UInt8 {
    /// Whether this may appear in a path: `pchar` of RFC 3986 3.3 without percent-encoding, or a slash.
    var isPathCharacter: Bool {
        if isASCIILetter || isASCIIDigit { return true }
        switch self {
        case UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"),
            UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("),
            UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"),
            UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "@"):
            return true
        default: return false
        }
    }
}
