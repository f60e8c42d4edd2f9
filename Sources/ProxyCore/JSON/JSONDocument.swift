/// A JSON text (RFC 8259) as a flat list of nodes over its bytes: nothing is copied until someone asks for a
/// string.
///
/// Parsing is strict, except that duplicate names are allowed (the last wins, as in JavaScript, PHP and
/// Python), and bounded in depth and in nodes. A node is known by its index; the root is 0.
public struct JSONDocument: Sendable {
    /// What a node is.
    public enum Kind: UInt8, Sendable {
        /// An object: its children are names and values by turns.
        case object
        /// An array.
        case array
        /// A string, or the name of a member.
        case string
        /// A number.
        case number
        /// `true`.
        case `true`
        /// `false`.
        case `false`
        /// `null`.
        case null
    }

    struct Node {
        var kind: Kind
        /// Whether the string has a backslash in it.
        var hasEscapes = false
        /// Whether each byte of the string means itself; see ``Text/isPlain``.
        var isPlain = false
        /// The bytes of the value; those between the quotes of a string.
        var start: Int32
        var end: Int32
        /// The node behind this one and all that is in it; while a container is open, the container around
        /// it.
        var next: Int32
    }

    /// The greatest depth of nested containers.
    public static let depthLimit = 64
    /// The greatest number of values and names.
    public static let nodeLimit = 100_000

    let bytes: [UInt8]
    let nodes: [Node]
    /// Whether a string holds bytes outside ASCII, so that it may not be UTF-8.
    let hasForeignBytes: Bool

    /// Parses the JSON text that fills `range` of `bytes`; blanks around it are allowed.
    ///
    /// - Returns: `nil` if it is not JSON, or exceeds a limit.
    public init?(_ bytes: [UInt8], in range: Range<Int>? = nil) {
        let range = range ?? 0..<bytes.count
        guard range.lowerBound >= 0, range.upperBound <= bytes.count, bytes.count < Int32.max else {
            return nil
        }
        var parser = JSONParser(bytes: bytes, range: range)
        guard parser.parse() else { return nil }
        self.bytes = bytes
        nodes = parser.nodes
        hasForeignBytes = parser.hasForeignBytes
    }

    /// The outermost value.
    public var root: Int { 0 }

    /// What the node is.
    public func kind(_ node: Int) -> Kind { nodes[node].kind }

    /// The bytes of the value as they stand in the text, the quotes of a string included.
    public func raw(_ node: Int) -> Text {
        let node = nodes[node]
        let quote = node.kind == .string ? 1 : 0
        return Text(bytes, in: Int(node.start) - quote..<Int(node.end) + quote)
    }

    /// The text of a string without its quotes and escapes; the spelling of a number, `true` or `false`.
    ///
    /// - Returns: `nil` for an object, an array, or `null`.
    public func scalarText(_ node: Int) -> Text? {
        switch nodes[node].kind {
        case .object, .array, .null: return nil
        case .number, .true, .false: return raw(node)
        case .string: return string(node)
        }
    }

    /// The text of a string without its quotes and escapes, or `nil` for anything else.
    ///
    /// An escaped half of a surrogate pair without its other half becomes U+FFFD.
    public func string(_ node: Int) -> Text? {
        nodes[node].kind == .string ? text(nodes[node]) : nil
    }

    func text(_ string: Node) -> Text {
        let range = Int(string.start)..<Int(string.end)
        return string.hasEscapes
            ? Text(JSONEscapes.decode(bytes[range])) : Text(bytes, in: range, isPlain: string.isPlain)
    }

    /// Whether a container has nothing in it.
    func isEmpty(_ container: Int) -> Bool { Int(nodes[container].next) == container + 1 }
}
