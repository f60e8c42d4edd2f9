internal import Wire

/// The path under which a provider is reached, such as `/lemlist`: whole segments, compared byte by byte.
public struct MountPath: Hashable, Sendable, CustomStringConvertible {
    /// The path: `/` alone, or segments without a slash at the end.
    public let path: String

    /// The longest path, in bytes.
    public static let maximumLength = 256

    /// The first segments that belong to Weir's own paths.
    static let adminSegments: Set<Substring> = ["-", "metrics", "livez", "readyz"]

    /// Reads a path.
    ///
    /// - Throws: `InvalidSetting` unless it begins with `/` and has no slash at the end, no empty or dot
    ///   segment, and no other character than those of RFC 3986 3.3; no percent-encoding, for a path has one
    ///   spelling here.
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

    /// Whether requests for Weir's own paths (`/-/…`, `/metrics`, `/livez`, `/readyz`) could be meant.
    public var overlapsAdminPaths: Bool {
        path.dropFirst().split(separator: "/").first.map(Self.adminSegments.contains) ?? false
    }
}

extension UInt8 {
    /// Whether this may stand in a path: `pchar` of RFC 3986 3.3 without percent-encoding, or a slash.
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
