internal import Wire

/// What a variable of a base URL stands for.
public enum UpstreamVariable: Hashable, Sendable {
    /// This value.
    case value(String)
    /// What the first group of this pattern captures in the credential that Weir holds.
    case credential(match: String)
}

/// A further address of a provider's account, such as one for uploads.
public struct UpstreamHost: Hashable, Sendable {
    /// The last segment of its mount.
    public var name: String
    /// Its base URL, which may have variables.
    public var url: String

    /// An address.
    public init(name: String, url: String) {
        self.name = name
        self.url = url
    }

    /// The most hosts of a provider.
    public static let maximumCount = 8
}

/// A base URL with variables: `https://{dc}.api.mailchimp.com/3.0`.
///
/// A variable is a part of the host's first labels, the whole host, the port, or a part of a path segment. None can change the registered
/// domain of a host that has one.
public struct UpstreamTemplate: Hashable, Sendable {
    /// What a variable stands for.
    public enum Position: Hashable, Sendable {
        /// A part of a label in front of the registered domain.
        case label
        /// The whole host, perhaps with a port: the configuration alone may choose it.
        case host
        /// The port.
        case port
        /// A part of a path segment.
        case path
    }

    private enum Part: Hashable, Sendable {
        case literal(String)
        case variable(String, Position)
    }

    private let parts: [Part]
    /// The template as it was written.
    public let text: String

    /// The longest value of a variable, in bytes.
    public static let longestValue = 253

    /// Whether a text has variables; one without is a ``UpstreamURL``.
    public static func hasVariables(_ text: String) -> Bool { text.contains("{") || text.contains("}") }

    /// Reads a template.
    ///
    /// - Throws: what is wrong with it, and what is allowed.
    public init(parsing text: String) throws(InvalidSetting) {
        self.text = text
        var parts: [Part] = []
        guard let mark = text.firstRange(of: "://") else {
            throw InvalidSetting("must begin with http:// or https://")
        }
        guard !text[..<mark.lowerBound].contains("{") else {
            throw InvalidSetting("must not have a variable in its scheme")
        }
        parts.append(.literal(String(text[..<mark.upperBound])))
        let rest = text[mark.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = try Self.pieces(of: rest[..<slash])
        for (index, piece) in authority.enumerated() {
            guard piece.isName else {
                parts.append(.literal(piece.text))
                continue
            }
            parts.append(.variable(piece.text, try Self.position(index, in: authority)))
        }
        for piece in try Self.pieces(of: rest[slash...]) {
            parts.append(piece.isName ? .variable(piece.text, .path) : .literal(piece.text))
        }
        self.parts = parts
        // With any value it must be a URL.
        _ = try url { name in
            switch position(of: name) {
            case .port: "80"
            case .host: "host.invalid"
            default: "x"
            }
        }
    }

    /// The names of the variables, in order, each once.
    public var names: [String] {
        var names: [String] = []
        for case .variable(let name, _) in parts where !names.contains(name) { names.append(name) }
        return names
    }

    /// Where a variable first stands; `nil` if there is none of that name.
    public func position(of name: String) -> Position? {
        for case .variable(name, let position) in parts { return position }
        return nil
    }

    /// Why a text cannot be the value of a variable, and what can; `nil` if it can.
    public func mistake(in value: String, of name: String) -> String? {
        for case .variable(name, let position) in parts {
            if let mistake = Self.mistake(in: value, at: position) { return mistake }
        }
        return nil
    }

    /// The URL with these values.
    ///
    /// - Parameter value: the value of a variable; one without a value is left empty.
    public func url(_ value: (String) -> String?) throws(InvalidSetting) -> UpstreamURL {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal
            case .variable(let name, _): text += value(name) ?? ""
            }
        }
        return try UpstreamURL(parsing: text)
    }

    private static func mistake(in value: String, at position: Position) -> String? {
        guard (1...longestValue).contains(value.utf8.count) else {
            return "must be 1 to \(longestValue) bytes long"
        }
        let bytes = Array(value.utf8)
        switch position {
        case .label:
            let isLabel =
                bytes.count <= 63 && bytes.first != 0x2D && bytes.last != 0x2D
                && bytes.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x2D }
            return isLabel
                ? nil : "must be a part of a host's name: up to 63 letters, digits and hyphens between them"
        case .host:
            let isHost = bytes.allSatisfy {
                $0.isASCIILetter || $0.isASCIIDigit || [0x2D, 0x2E, 0x3A, 0x5B, 0x5D].contains($0)
            }
            return isHost ? nil : "must be a host, perhaps with a port: letters, digits, hyphens and dots"
        case .port:
            return Int(value).map { (1...65535).contains($0) } == true && bytes.allSatisfy(\.isASCIIDigit)
                ? nil : "must be a port, 1 to 65535"
        case .path:
            let isStep =
                value != "." && value != ".."
                && bytes.allSatisfy {
                    $0.isASCIILetter || $0.isASCIIDigit || [0x2D, 0x2E, 0x5F, 0x7E].contains($0)
                }
            return isStep ? nil : "must be a part of a path: letters, digits and -._~"
        }
    }

    // MARK: Parsing

    private struct Piece {
        var text: String
        var isName: Bool
    }

    private static func pieces(of text: Substring) throws(InvalidSetting) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text
        while let open = rest.firstIndex(of: "{") {
            let name = rest[rest.index(after: open)...].prefix { $0 != "}" }
            guard !rest[..<open].contains("}"), name.endIndex < rest.endIndex, isName(name) else {
                throw InvalidSetting(
                    "must have variables such as {shop}: a lower-case letter, then lower-case letters, digits and _, at most 32 in all"
                )
            }
            if open > rest.startIndex { pieces.append(Piece(text: String(rest[..<open]), isName: false)) }
            pieces.append(Piece(text: String(name), isName: true))
            rest = rest[rest.index(after: name.endIndex)...]
        }
        guard !rest.contains("}") else { throw InvalidSetting("must not have a '}' without its '{'") }
        if !rest.isEmpty { pieces.append(Piece(text: String(rest), isName: false)) }
        return pieces
    }

    /// Whether a text can name a variable.
    public static func isName(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first), text.utf8.count <= 32 else {
            return false
        }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0.isASCIIDigit || $0 == 0x5F }
    }

    private static func position(_ index: Int, in authority: [Piece]) throws(InvalidSetting) -> Position {
        let before = authority[..<index].map { $0.isName ? "x" : $0.text }.joined()
        let behind = authority[(index + 1)...].map { $0.isName ? "{}" : $0.text }.joined()
        if before.hasSuffix(":"), behind.isEmpty { return .port }
        if before.isEmpty, behind.isEmpty || behind.first == ":" { return .host }
        // The registered domain: behind the rest of the last variable's label stand two labels at least.
        let end = authority.lastIndex(where: \.isName).map { authority[($0 + 1)...] } ?? []
        let isPort =
            authority[..<(authority.count - end.count - 1)].last?.text.hasSuffix(":") == true && end.isEmpty
        let tail = isPort ? Array(authority.dropLast()) : authority
        let last = tail.lastIndex(where: \.isName) ?? index
        let host = tail[(last + 1)...].map(\.text).joined().prefix { $0 != ":" }
        let literals = host.split(separator: ".", omittingEmptySubsequences: false).dropFirst()
        guard literals.count >= 2, literals.allSatisfy({ !$0.isEmpty }) else {
            throw InvalidSetting(
                "must not have a variable in the last two labels of a host, unless it is the whole host: it would choose whose host it is"
            )
        }
        return .label
    }
}
