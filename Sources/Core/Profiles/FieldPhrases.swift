internal import Wire

/// Phrases in messages about fields, and the field code that each means; the first in the given order wins.
///
/// The phrases form a trie of bytes, entered at the beginning of each word: many phrases cost little more than one.
/// An object, because it has many parts and is used for each response with fields.
public final class FieldPhrases: Sendable {
    private struct Node {
        /// The byte that leads here from the parent.
        var byte: UInt8 = 0
        /// The code of the phrase that ends here, and the phrase's position in the order.
        var code = FieldProblemCode.invalid
        var order = Int32.max
        /// Other nodes, 0 for none: the first child, and the next sibling.
        var child: Int32 = 0
        var sibling: Int32 = 0
        /// A bit for the byte of each child, see ``bit(_:)``.
        var childBits: UInt32 = 0
    }

    /// The role of a byte at the beginning of a word.
    private struct Entrance {
        var isLetter = false
        /// The node of the phrases that begin with the byte (case-insensitive); 0 for none.
        var node: Int32 = 0
        /// A bit for each byte that may follow, see ``bit(_:)``; all bits if a phrase ends here.
        var nextBits: UInt32 = 0
    }

    private let list: [(phrase: String, code: FieldProblemCode)]
    private let nodes: [Node]
    /// By byte: 256.
    private let entrances: [Entrance]
    /// Whether a phrase may also begin within a word.
    private let startsAnywhere: Bool

    /// Phrases in order of precedence, case-insensitive.
    public convenience init(_ list: [(phrase: String, code: FieldProblemCode)]) {
        self.init(list, startsAnywhere: false)
    }

    init(_ list: [(phrase: String, code: FieldProblemCode)], startsAnywhere: Bool) {
        self.list = list
        self.startsAnywhere = startsAnywhere
        var nodes = [Node()]
        for (order, entry) in list.enumerated() {
            var node = 0
            for byte in entry.phrase.utf8 { node = Self.child(of: node, byte.lowercasedASCII, in: &nodes) }
            if node > 0, order < nodes[node].order {
                nodes[node].order = Int32(order)
                nodes[node].code = entry.code
            }
        }
        entrances = (UInt8.min...UInt8.max).map { byte in
            let node = Self.find(byte.lowercasedASCII, under: 0, in: nodes.span)
            return Entrance(
                isLetter: byte.isASCIILetter, node: Int32(node),
                nextBits: nodes[node].order == .max ? nodes[node].childBits : .max)
        }
        self.nodes = nodes
    }

    /// These phrases, followed by the others.
    public func followed(by others: FieldPhrases) -> FieldPhrases { FieldPhrases(list + others.list) }

    /// The code that the message means; `invalid` if it contains no phrase.
    ///
    /// A phrase that is part of an identifier, or is quoted, is a name or a value and does not count.
    ///
    /// - Parameter field: the name of the field that the message is about; phrases in it do not count.
    public func code(of sentence: Text, field: Text? = nil) -> FieldProblemCode {
        let text = sentence.storage.span.extracting(sentence.range)
        let (entrances, nodes) = (entrances, nodes)
        var best = Node()
        var isInWord = false
        var mention = field.map { FieldMention($0, in: text) }
        for start in 0..<text.count {
            let entrance = entrances[Int(text[start])]
            let begins = startsAnywhere || !isInWord
            isInWord = entrance.isLetter
            guard begins, entrance.node > 0 else { continue }
            // Most words begin like a phrase by their first letter only.
            if start + 1 < text.count, entrance.nextBits & Self.bit(text[start + 1]) == 0 { continue }
            var node = Int(entrance.node)
            var index = start + 1
            while node > 0 {
                if nodes[node].order < best.order, startsAnywhere || !Self.isName(text, start..<index),
                    mention?.contains(start, in: text) != true
                {
                    best = nodes[node]
                }
                guard index < text.count else { break }
                node = Self.find(text[index].lowercasedASCII, under: node, in: nodes.span)
                index += 1
            }
        }
        return best.code
    }

    /// Whether the phrase is part of an identifier, such as `required_by`, or the whole text between two quotation
    /// marks.
    private static func isName(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        let before = range.lowerBound > 0 ? text[range.lowerBound - 1] : 0x20
        let after = range.upperBound < text.count ? text[range.upperBound] : 0x20
        if before == 0x5F || after == 0x5F { return true }
        switch before {
        case 0x22, 0x27, 0x60: return after == before
        default: return false
        }
    }

    /// The same bit for both cases of a letter; other bytes share it.
    @inline(__always)
    private static func bit(_ byte: UInt8) -> UInt32 { 1 &<< UInt32(byte & 31) }

    /// The child for a byte, or 0.
    @inline(__always)
    private static func find(_ byte: UInt8, under node: Int, in nodes: borrowing Span<Node>) -> Int {
        guard nodes[node].childBits & bit(byte) != 0 else { return 0 }
        var child = Int(nodes[node].child)
        while child > 0, nodes[child].byte != byte { child = Int(nodes[child].sibling) }
        return child
    }

    private static func child(of node: Int, _ byte: UInt8, in nodes: inout [Node]) -> Int {
        let found = find(byte, under: node, in: nodes.span)
        guard found == 0 else { return found }
        nodes.append(Node(byte: byte, sibling: nodes[node].child))
        nodes[node].child = Int32(nodes.count - 1)
        nodes[node].childBits |= bit(byte)
        return nodes.count - 1
    }
}
