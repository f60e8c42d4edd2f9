/// A JSONPath (RFC 9535), parsed once.
///
/// An evaluation needs no more stack than a document's depth allows, and it is bounded: after ``stepLimit`` steps, or with more than
/// ``resultLimit`` nodes, it stops and yields nothing. A step is a visited node, an evaluated part of a filter, or about 16 bytes of a
/// compared text.
///
/// Where RFC 9535 leaves the choice:
///
/// - The members of an object are visited in the order of the text. Of several members with one name, a name selects the last (as
///   ``JSONDocument/member(_:of:)`` does); wildcards, filters, descendants, `length` and `count` see all of them; a comparison of objects
///   knows only the last.
/// - Numbers are compared by their exact decimal values, so that neighbouring big integers differ and `1e2` equals `100.0`.
/// - A value whose end is missing (see ``JSONDocument/isCut(_:)``) equals nothing, matches nothing, and has no length; an index from
///   its end selects nothing.
public struct JSONPath: Sendable, Hashable {
    /// The most steps of one evaluation.
    public static let stepLimit = 1_000_000
    /// The most nodes of one result, repeated ones included.
    public static let resultLimit = 100_000

    /// What an evaluation found.
    public struct Result: Sendable, Hashable {
        /// The nodes in the order of RFC 9535; none if a limit was exceeded.
        public var nodes: [Int]
        /// How many steps the evaluation took, at most ``JSONPath/stepLimit``.
        public var steps: Int
        /// Whether neither limit was exceeded.
        public var isComplete: Bool
    }

    let query: PathQuery
    /// The bit of the first name in ``JSONDocument/rootNames``; `nil` if the path does not begin with a name.
    private let rootBit: UInt64?

    /// Parses a path.
    ///
    /// - Throws: what is wrong with it, where, and what is allowed there.
    public init(parsing text: String) throws(JSONPathError) {
        var parser = JSONPathParser(text)
        query = try parser.parse()
        rootBit = query.segments.first?.singleName.map { NameSet.bit($0.bytes) }
    }

    /// Whether the path selects at most one node of any document: it has only names and indexes.
    public var isSingular: Bool { query.isSingular }

    /// The nodes that the path selects, in the order of RFC 9535; none if a limit was exceeded.
    public func nodes(in document: JSONDocument) -> [Int] { evaluate(in: document).nodes }

    /// Whether the path selects nothing, because the root has no member with its first name.
    private func isMissed(by document: JSONDocument) -> Bool {
        rootBit.map { $0 & document.rootNames == 0 } ?? false
    }

    /// The first node that the path selects; `nil` if there is none, or a limit was exceeded before it was found.
    public func firstNode(in document: JSONDocument) -> Int? {
        guard !isMissed(by: document) else { return nil }
        var evaluation = PathEvaluation(document, steps: Self.stepLimit)
        var sink = NodeSink(stopsAt: 1)
        evaluation.run(query, from: document.root, into: &sink)
        return evaluation.isExhausted ? nil : sink.first
    }

    /// The nodes that the path selects if `node` is taken for the root, in the order of RFC 9535; none if a limit was exceeded.
    ///
    /// A `$` within a filter is still the root of the document.
    func nodes(in document: JSONDocument, from node: Int) -> [Int] {
        guard node != document.root else { return nodes(in: document) }
        var query = query
        query.isRelative = true
        var evaluation = PathEvaluation(document, steps: Self.stepLimit)
        var sink = NodeSink(stopsAt: .max, collectsAtMost: Self.resultLimit)
        evaluation.run(query, from: node, into: &sink)
        return evaluation.isExhausted || sink.isOverfull ? [] : sink.nodes
    }

    /// The nodes that the path selects, and what it took to find them.
    public func evaluate(in document: JSONDocument) -> Result {
        evaluate(in: document, within: Self.stepLimit)
    }

    /// The nodes that the path selects, if no more than `limit` steps find them.
    func evaluate(in document: JSONDocument, within limit: Int) -> Result {
        guard !isMissed(by: document) else { return Result(nodes: [], steps: 0, isComplete: true) }
        var evaluation = PathEvaluation(document, steps: limit)
        var sink = NodeSink(stopsAt: .max, collectsAtMost: Self.resultLimit)
        evaluation.run(query, from: document.root, into: &sink)
        let isComplete = !evaluation.isExhausted && !sink.isOverfull
        return Result(
            nodes: isComplete ? sink.nodes : [], steps: limit - max(evaluation.remaining, 0),
            isComplete: isComplete)
    }
}

/// What is wrong with a JSONPath.
public struct JSONPathError: Error, Hashable, Sendable, CustomStringConvertible {
    /// How many characters (Unicode scalars) of the path precede the mistake.
    public var offset: Int
    /// What is wrong, and what is allowed.
    public var message: String

    /// The message with the place, counted from 1.
    public var description: String { "\(message) (character \(offset + 1))" }
}

// MARK: Parts

/// A query of a path, or within a filter.
struct PathQuery: Sendable, Hashable {
    var segments: [PathSegment] = []
    /// Whether it begins at the current node, `@`, and not at the root.
    var isRelative = false
    /// Whether it selects at most one node.
    var isSingular: Bool { segments.allSatisfy(\.isSingular) }
}

/// One step of a query: a child segment, or a descendant segment.
struct PathSegment: Sendable, Hashable {
    var selectors: [PathSelector]
    /// Whether the selectors apply to the node and to all that is in it.
    var isDescendant: Bool

    var isSingular: Bool {
        guard !isDescendant, selectors.count == 1 else { return false }
        switch selectors[0] {
        case .name, .index: return true
        case .wildcard, .slice, .filter: return false
        }
    }

    /// The name, if the segment is nothing but one.
    var singleName: Text? {
        guard !isDescendant, selectors.count == 1, case .name(let name) = selectors[0] else { return nil }
        return name
    }
}

/// What selects children of a node.
enum PathSelector: Sendable, Hashable {
    case name(Text)
    case wildcard
    /// An element, counted from 0, or from the end if negative.
    case index(Int)
    case slice(start: Int?, end: Int?, step: Int)
    case filter(PathFilter)
}

/// A condition on a node.
indirect enum PathFilter: Sendable, Hashable {
    case any([PathFilter])
    case all([PathFilter])
    case not(PathFilter)
    /// Whether a query selects something.
    case exists(PathQuery)
    case comparison(PathOperand, PathComparison, PathOperand)
    /// `match` and `search`.
    case pattern(text: PathOperand, pattern: PathPattern, matchesWhole: Bool)
}

/// `==` and its like.
enum PathComparison: String, Sendable, CaseIterable {
    // The longer ones first: that is the order in which a parser looks for them.
    case equal = "=="
    case notEqual = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case less = "<"
    case greater = ">"
}

/// What yields a value, or nothing.
indirect enum PathOperand: Sendable, Hashable {
    case string(Text)
    /// A number as it is spelled in the path.
    case number(Text)
    case `true`
    case `false`
    case null
    /// A singular query.
    case query(PathQuery)
    case length(PathOperand)
    case count(PathQuery)
    case value(PathQuery)
}

/// The second argument of `match` and `search`.
enum PathPattern: Sendable, Hashable {
    /// A string of the path; it has no program, and matches nothing, if it is no I-Regexp.
    case literal(Text, IRegexp?)
    /// A value that is known when the path is evaluated.
    case operand(PathOperand)
}
