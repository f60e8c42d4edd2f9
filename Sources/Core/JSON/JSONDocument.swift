internal import Wire

/// A JSON text (RFC 8259) as a flat list of nodes over its bytes; nothing is copied until a string is requested.
///
/// Parsing is strict, except that duplicate names are allowed (the last one wins, as in JavaScript, PHP and Python).
/// Depth and number of nodes are bounded. A node is identified by its index; the root is 0.
public struct JSONDocument: Sendable {
    /// The type of a node.
    public enum Kind: UInt8, Sendable {
        /// An object: its children are names and values in turn.
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
        /// Whether the string contains a backslash.
        var hasEscapes = false
        /// Whether no byte of the string needs an escape; see ``Text/isPlain``.
        var isPlain = false
        /// Whether its end is missing, for a string or a container in a truncated text.
        var isCut = false
        /// The bytes of the value; for a string, those between the quotes.
        var start: Int32
        var end: Int32
        /// The index after this node and its descendants; while a container is open, the enclosing container.
        var next: Int32
    }

    /// The maximum depth of nested containers.
    public static let depthLimit = 64
    /// The maximum number of values and names.
    public static let nodeLimit = 100_000

    let bytes: [UInt8]
    let nodes: [Node]
    /// Whether a string contains non-ASCII bytes, which may not be valid UTF-8.
    let hasForeignBytes: Bool
    /// The names of the root's members, see ``NameSet``: most pointers do not match, which their first step shows.
    let rootNames: UInt64

    /// Parses the JSON text in `range` of `bytes`; surrounding whitespace is allowed.
    ///
    /// - Parameter isCut: whether the text may be truncated: then an unfinished object or array contains its complete
    ///   members, see ``isCut(_:)``.
    /// - Returns: `nil` if it is not JSON, exceeds a limit, or contains nothing complete.
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

    /// The type of the node.
    public func kind(_ node: Int) -> Kind { nodes[node].kind }

    /// The bytes of the value as in the text, including the quotes of a string.
    public func raw(_ node: Int) -> Text {
        let node = nodes[node]
        let quote = node.kind == .string ? 1 : 0
        return Text(bytes, in: Int(node.start) - quote..<Int(node.end) + quote)
    }

    /// Whether the end of a string, object or array is missing.
    func isCut(_ node: Int) -> Bool { nodes[node].isCut }

    /// The available part of a truncated string; `nil` for anything else.
    func beginning(_ node: Int) -> Text? {
        nodes[node].kind == .string && nodes[node].isCut ? text(nodes[node]) : nil
    }

    /// The text of a string, decoded; the spelling of a number, `true` or `false`.
    ///
    /// - Returns: `nil` for an object, an array, or `null`.
    public func scalarText(_ node: Int) -> Text? {
        switch nodes[node].kind {
        case .object, .array, .null: return nil
        case .number, .true, .false: return raw(node)
        case .string: return string(node)
        }
    }

    /// The text of a string, decoded; `nil` for anything else, and for a truncated string.
    ///
    /// An escaped surrogate without its other half becomes U+FFFD.
    public func string(_ node: Int) -> Text? {
        nodes[node].kind == .string && !nodes[node].isCut ? text(nodes[node]) : nil
    }

    /// The text of a string as ``string(_:)`` has it, as far as a message may need it: no more than `MessageText.decodingLimit` bytes are
    /// decoded, unless it may be JSON itself.
    func sentence(_ node: Int) -> Text? {
        guard nodes[node].kind == .string, !nodes[node].isCut else { return nil }
        let range = Int(nodes[node].start)..<Int(nodes[node].end)
        guard nodes[node].hasEscapes, range.count > MessageText.decodingLimit else {
            return text(nodes[node])
        }
        let beginning = Text(JSONEscapes.decode(bytes[range], limit: MessageText.decodingLimit))
        let first = beginning.bytes.first { $0 > 0x20 }
        return first == 0x7B || first == 0x5B ? text(nodes[node]) : beginning
    }

    func text(_ string: Node) -> Text {
        let range = Int(string.start)..<Int(string.end)
        return string.hasEscapes
            ? Text(JSONEscapes.decode(bytes[range])) : Text(bytes, in: range, isPlain: string.isPlain)
    }

    /// Whether a container is empty.
    func isEmpty(_ container: Int) -> Bool { Int(nodes[container].next) == container + 1 }

    /// The value of a number without fraction and exponent; `nil` for anything else.
    func integer(_ node: Int) -> Int? {
        guard nodes[node].kind == .number else { return nil }
        return Int(String(decoding: bytes[Int(nodes[node].start)..<Int(nodes[node].end)], as: UTF8.self))
    }

    /// Whether the node is an empty string.
    func isEmptyString(_ node: Int) -> Bool {
        nodes[node].kind == .string && nodes[node].start == nodes[node].end
    }
}

extension JSONDocument {
    /// Calls `body` with the elements of an array in order; does nothing for any other value.
    public func forEachElement(of node: Int, _ body: (Int) -> Void) {
        guard nodes[node].kind == .array else { return }
        let end = Int(nodes[node].next)
        var child = node + 1
        while child < end {
            body(child)
            child = Int(nodes[child].next)
        }
    }

    /// Calls `body` with the members of an object in order, including repeated ones; does nothing for any other
    /// value.
    public func forEachMember(of node: Int, _ body: (_ name: Int, _ value: Int) -> Void) {
        guard nodes[node].kind == .object else { return }
        let end = Int(nodes[node].next)
        var name = node + 1
        while name < end {
            body(name, name + 1)
            name = Int(nodes[name + 1].next)
        }
    }

    /// The value of an object's member; the last one if the name is repeated.
    public func member(_ wanted: Text, of node: Int) -> Int? {
        let nodes = nodes.span
        guard nodes[node].kind == .object else { return nil }
        let end = Int(nodes[node].next)
        var found: Int?
        var name = node + 1
        while name < end {
            if isName(nodes[name], wanted) { found = name + 1 }
            name = Int(nodes[name + 1].next)
        }
        return found
    }

    /// The names of an object's members, see ``NameSet``; empty for any other value.
    func names(of node: Int) -> UInt64 {
        var names: UInt64 = 0
        forEachMember(of: node) { name, _ in
            let name = nodes[name]
            names |= name.hasEscapes ? .max : NameSet.bit(bytes[Int(name.start)..<Int(name.end)])
        }
        return names
    }

    /// The element of an array, from 0.
    public func element(_ wanted: Int, of node: Int) -> Int? {
        guard nodes[node].kind == .array else { return nil }
        let end = Int(nodes[node].next)
        var child = node + 1
        for _ in 0..<wanted {
            guard child < end else { return nil }
            child = Int(nodes[child].next)
        }
        return child < end ? child : nil
    }

    /// The value that a JSON Pointer refers to.
    public func value(at pointer: JSONPointer) -> Int? {
        guard pointer.rootBit & rootNames != 0 || pointer.steps.isEmpty else { return nil }
        return value(at: pointer, from: root)
    }

    /// The value that a JSON Pointer leads to from a node.
    func value(at pointer: JSONPointer, from start: Int) -> Int? {
        let steps = pointer.steps.span
        var node = start
        for index in 0..<steps.count {
            switch nodes[node].kind {
            case .object:
                guard let value = member(steps[index].name, of: node) else { return nil }
                node = value
            case .array:
                guard let place = steps[index].index, let value = element(place, of: node) else {
                    return nil
                }
                node = value
            default: return nil
            }
        }
        return node
    }

    func isName(_ node: Node, _ wanted: Text) -> Bool {
        if node.hasEscapes {
            // An escape of six bytes spells one or more: of a longer name nothing need be decoded.
            let length = Int(node.end - node.start)
            return length > wanted.count && length <= 6 * wanted.count && text(node) == wanted
        }
        guard Int(node.end - node.start) == wanted.count else { return false }
        let name = bytes.span.extracting(Int(node.start)..<Int(node.end))
        return name.equals(wanted.storage.span.extracting(wanted.range))
    }
}

/// A JSON Pointer (RFC 6901), split in advance so that evaluating it takes only comparisons.
public struct JSONPointer: Sendable, Hashable {
    struct Step: Sendable, Hashable {
        var name: Text
        /// The step as an array index.
        var index: Int?
    }

    let steps: [Step]
    /// The bit of the first step in ``JSONDocument/rootNames``; all bits for the whole document.
    let rootBit: UInt64

    /// A pointer to the whole document.
    public static let root = JSONPointer(steps: [])

    private init(steps: [Step]) {
        self.steps = steps
        rootBit = steps.first.map { NameSet.bit($0.name.bytes) } ?? .max
    }

    /// The pointer to the containing value, and the value's name in it; `nil` for the whole document.
    var split: (parent: JSONPointer, name: Text)? {
        steps.last.map { (JSONPointer(steps: Array(steps.dropLast())), $0.name) }
    }

    /// Parses the string form: empty, or steps that begin with `/`, in which `~1` is a slash and `~0` a tilde.
    public init?(_ text: String) {
        guard !text.isEmpty else {
            self = .root
            return
        }
        guard text.hasPrefix("/") else { return nil }
        var steps: [Step] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            var name: [UInt8] = []
            var isEscaped = false
            for byte in part.utf8 {
                switch (isEscaped, byte) {
                case (false, 0x7E): isEscaped = true
                case (false, _): name.append(byte)
                case (true, 0x30): name.append(0x7E)
                case (true, 0x31): name.append(0x2F)
                case (true, _): return nil
                }
                if byte != 0x7E { isEscaped = false }
            }
            guard !isEscaped else { return nil }
            let isIndex = part == "0" || (part.first != "0" && part.utf8.allSatisfy { $0 &- 0x30 < 10 })
            steps.append(Step(name: Text(name), index: isIndex ? Int(part) : nil))
        }
        self.init(steps: steps)
    }
}

/// A set of names in 64 bits that may give false positives.
enum NameSet {
    /// The bit for a name.
    static func bit(_ name: ArraySlice<UInt8>) -> UInt64 {
        let first = UInt64(name.first ?? 0) &* 5
        let last = UInt64(name.last ?? 0) &* 11
        return 1 << ((first &+ last &+ UInt64(name.count)) & 63)
    }
}
