internal import HTTPWire

/// Phrases of sentences about fields, and the field code that each means; the first in the order given wins.
///
/// The phrases are a tree of bytes, entered at the beginning of each word: many phrases cost hardly more
/// than one.
public struct FieldPhrases: Sendable {
    private struct Node {
        /// The phrase that ends here: its place in the order.
        var order = Int.max
        var code = FieldProblemCode.invalid
        /// The children, sorted by nothing: there are few.
        var bytes: [UInt8] = []
        var children: [Int] = []
    }

    private let list: [(phrase: String, code: FieldProblemCode)]
    private var nodes = [Node()]
    /// The children of the root by their byte, 0 for none; 256 entries.
    private var roots = Array(repeating: 0, count: 256)

    /// Phrases in order of precedence; the case of letters does not matter.
    public init(_ list: [(phrase: String, code: FieldProblemCode)]) {
        self.list = list
        for (order, entry) in list.enumerated() {
            var node = 0
            for byte in entry.phrase.utf8 { node = child(of: node, byte.lowercasedASCII) }
            if node > 0, order < nodes[node].order {
                nodes[node].order = order
                nodes[node].code = entry.code
            }
        }
    }

    /// These phrases, then the others.
    public func followed(by others: FieldPhrases) -> FieldPhrases { FieldPhrases(list + others.list) }

    /// What the sentence means; `invalid` if no phrase is in it.
    public func code(of sentence: Text) -> FieldProblemCode {
        let text = sentence.bytes.span
        var best = FieldProblemCode.invalid
        var order = Int.max
        var isInWord = false
        for start in 0..<text.count {
            let first = text[start].lowercasedASCII
            let begins = !isInWord
            isInWord = first.isASCIILetter
            guard begins, roots[Int(first)] > 0 else { continue }
            var node = roots[Int(first)]
            var index = start + 1
            while true {
                if nodes[node].order < order {
                    order = nodes[node].order
                    best = nodes[node].code
                }
                guard index < text.count,
                    let child = nodes[node].bytes.firstIndex(of: text[index].lowercasedASCII)
                else { break }
                node = nodes[node].children[child]
                index += 1
            }
        }
        return best
    }

    private mutating func child(of node: Int, _ byte: UInt8) -> Int {
        if let index = nodes[node].bytes.firstIndex(of: byte) { return nodes[node].children[index] }
        nodes.append(Node())
        nodes[node].bytes.append(byte)
        nodes[node].children.append(nodes.count - 1)
        if node == 0 { roots[Int(byte)] = nodes.count - 1 }
        return nodes.count - 1
    }
}
