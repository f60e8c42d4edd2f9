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
        /// Whether its end is missing: of a string or a container in a text that was cut.
        var isCut = false
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
    /// The names of the root's members, see ``NameSet``: most pointers lead nowhere, and are known to by their first step.
    let rootNames: UInt64

    /// Parses the JSON text that fills `range` of `bytes`; blanks around it are allowed.
    ///
    /// - Parameter isCut: whether the end of an object or array may be missing: then it has what is complete of it, see ``isCut(_:)``.
    /// - Returns: `nil` if it is not JSON, exceeds a limit, or nothing of it is complete.
    public init?(_ bytes: [UInt8], in range: Range<Int>? = nil, isCut: Bool = false) {
        let range = range ?? 0..<bytes.count
        guard range.lowerBound >= 0, range.upperBound <= bytes.count, bytes.count < Int32.max else {
            return nil
        }
        var parser = JSONParser(bytes: bytes, range: range, isCut: isCut)
        guard parser.parse() else { return nil }
        self.bytes = bytes
        nodes = parser.nodes
        hasForeignBytes = parser.hasForeignBytes
        rootNames = Self.rootNames(of: bytes, parser.nodes)
    }

    private static func rootNames(of bytes: [UInt8], _ nodes: [Node]) -> UInt64 {
        guard nodes[0].kind == .object else { return .max }
        var names: UInt64 = 0
        var name = 1
        while name < nodes.count {
            let node = nodes[name]
            names |= node.hasEscapes ? .max : NameSet.bit(bytes[Int(node.start)..<Int(node.end)])
            name = Int(nodes[name + 1].next)
        }
        return names
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

    /// Whether the end of a string, object or array is missing.
    func isCut(_ node: Int) -> Bool { nodes[node].isCut }

    /// What is there of a string whose end is missing; `nil` for anything else.
    func beginning(_ node: Int) -> Text? {
        nodes[node].kind == .string && nodes[node].isCut ? text(nodes[node]) : nil
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

    /// The text of a string without its quotes and escapes, or `nil` for anything else, and for a string whose end is missing.
    ///
    /// An escaped half of a surrogate pair without its other half becomes U+FFFD.
    public func string(_ node: Int) -> Text? {
        nodes[node].kind == .string && !nodes[node].isCut ? text(nodes[node]) : nil
    }

    func text(_ string: Node) -> Text {
        let range = Int(string.start)..<Int(string.end)
        return string.hasEscapes
            ? Text(JSONEscapes.decode(bytes[range])) : Text(bytes, in: range, isPlain: string.isPlain)
    }

    /// Whether a container has nothing in it.
    func isEmpty(_ container: Int) -> Bool { Int(nodes[container].next) == container + 1 }

    /// The value of a number without fraction and exponent; `nil` for anything else.
    func integer(_ node: Int) -> Int? {
        guard nodes[node].kind == .number else { return nil }
        return Int(String(decoding: bytes[Int(nodes[node].start)..<Int(nodes[node].end)], as: UTF8.self))
    }

    /// Whether the node is a string with nothing in it.
    func isEmptyString(_ node: Int) -> Bool {
        nodes[node].kind == .string && nodes[node].start == nodes[node].end
    }
}
