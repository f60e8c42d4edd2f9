internal import Wire

/// Takes the nodes that a query selects, one after the other.
struct NodeSink {
    /// How many nodes are wanted; the query stops there.
    let stopsAt: Int
    /// How many nodes are kept, all of them but the first.
    let limit: Int
    private(set) var count = 0
    private(set) var first: Int?
    private(set) var nodes: [Int] = []
    /// Whether there were more nodes than could be kept.
    private(set) var isOverfull = false

    init(stopsAt: Int, collectsAtMost limit: Int = 0) {
        self.stopsAt = stopsAt
        self.limit = limit
    }

    /// - Returns: whether more nodes are wanted.
    mutating func take(_ node: Int) -> Bool {
        if first == nil { first = node }
        count += 1
        if limit > 0 {
            guard nodes.count < limit else {
                isOverfull = true
                return false
            }
            nodes.append(node)
        }
        return count < stopsAt
    }
}

/// One evaluation of a path.
///
/// A segment passes each node that it selects to the segments behind it at once. The order is that of RFC 9535, no list is needed in
/// between, and since each segment leads at least one level deeper, the recursion ends with the depth of the document.
struct PathEvaluation {
    let document: JSONDocument
    /// The steps that are left; negative if there were too few.
    private(set) var remaining: Int
    /// The pattern that was compiled last, of those that are no literals.
    private var lastPattern: (source: Text, pattern: IRegexp?)?

    init(_ document: JSONDocument, steps: Int) {
        self.document = document
        remaining = steps
    }

    /// Whether the evaluation was stopped: what it says then means nothing.
    var isExhausted: Bool { remaining < 0 }

    /// Counts steps; `false` if there are none left.
    @discardableResult mutating func charge(_ steps: Int = 1) -> Bool {
        remaining -= steps
        return remaining >= 0
    }

    /// Counts the steps of looking at a text.
    @discardableResult mutating func charge(bytes: Int) -> Bool { charge(1 + bytes >> 4) }

    /// Passes the nodes that a query selects to `sink`.
    mutating func run(_ query: PathQuery, from node: Int, into sink: inout NodeSink) {
        _ = follow(query.segments, 0, from: query.isRelative ? node : document.root, into: &sink)
    }

    /// Applies the segments from `index` on.
    ///
    /// - Returns: whether to go on.
    private mutating func follow(
        _ segments: [PathSegment], _ index: Int, from node: Int, into sink: inout NodeSink
    ) -> Bool {
        guard index < segments.count else { return sink.take(node) }
        let kind = document.nodes[node].kind
        guard kind == .object || kind == .array else { return true }
        guard segments[index].isDescendant else { return select(segments, index, in: node, into: &sink) }
        // Nodes are listed in the order in which a descendant segment visits them, and only containers have children: names, which
        // are strings, need not be told from values.
        let end = Int(document.nodes[node].next)
        for descendant in node..<end {
            guard charge() else { return false }
            let kind = document.nodes[descendant].kind
            guard kind == .object || kind == .array else { continue }
            guard select(segments, index, in: descendant, into: &sink) else { return false }
        }
        return true
    }

    /// Applies the selectors of a segment to one container.
    private mutating func select(
        _ segments: [PathSegment], _ index: Int, in container: Int, into sink: inout NodeSink
    ) -> Bool {
        for selector in segments[index].selectors {
            switch selector {
            case .name(let name):
                guard let child = member(name, of: container) else { break }
                guard follow(segments, index + 1, from: child, into: &sink) else { return false }
            case .index(let wanted):
                guard let child = element(wanted, of: container) else { break }
                guard follow(segments, index + 1, from: child, into: &sink) else { return false }
            case .wildcard:
                var child = firstChild(of: container)
                while let node = child {
                    guard charge(), follow(segments, index + 1, from: node, into: &sink) else { return false }
                    child = nextChild(behind: node, in: container)
                }
            case .filter(let filter):
                var child = firstChild(of: container)
                while let node = child {
                    guard charge() else { return false }
                    let isSelected = holds(filter, for: node)
                    guard !isExhausted else { return false }
                    if isSelected, !follow(segments, index + 1, from: node, into: &sink) { return false }
                    child = nextChild(behind: node, in: container)
                }
            case .slice(let start, let end, let step):
                let isOver = !forEachElement(of: container, from: start, to: end, by: step) {
                    evaluation, node in
                    evaluation.follow(segments, index + 1, from: node, into: &sink)
                }
                if isOver { return false }
            }
            guard !isExhausted else { return false }
        }
        return true
    }

    // MARK: Children

    private func firstChild(of container: Int) -> Int? {
        let node = document.nodes[container]
        guard Int(node.next) > container + 1 else { return nil }
        return node.kind == .object ? container + 2 : container + 1
    }

    private func nextChild(behind child: Int, in container: Int) -> Int? {
        let next = Int(document.nodes[child].next)
        guard next < Int(document.nodes[container].next) else { return nil }
        return document.nodes[container].kind == .object ? next + 1 : next
    }

    /// The value of a member; the last of several.
    private mutating func member(_ wanted: Text, of node: Int) -> Int? {
        guard document.nodes[node].kind == .object else { return nil }
        let end = Int(document.nodes[node].next)
        var found: Int?
        var name = node + 1
        while name < end {
            let length = Int(document.nodes[name].end - document.nodes[name].start)
            let isEscaped = document.nodes[name].hasEscapes
            guard charge(isEscaped || length == wanted.count ? 1 + length >> 4 : 1) else { return nil }
            if document.isName(document.nodes[name], wanted) { found = name + 1 }
            name = Int(document.nodes[name + 1].next)
        }
        return found
    }

    /// An element, counted from the end if `wanted` is negative.
    private mutating func element(_ wanted: Int, of node: Int) -> Int? {
        var index = wanted
        if index < 0 {
            guard let count = childCount(of: node), document.nodes[node].kind == .array else { return nil }
            index += count
        }
        guard index >= 0, document.nodes[node].kind == .array else { return nil }
        var child = firstChild(of: node)
        while let element = child {
            guard charge() else { return nil }
            if index == 0 { return element }
            index -= 1
            child = nextChild(behind: element, in: node)
        }
        return nil
    }

    /// How many elements or members a container has; `nil` if its end is missing, and for anything else.
    mutating func childCount(of node: Int) -> Int? {
        let container = document.nodes[node]
        guard container.kind == .object || container.kind == .array, !container.isCut else { return nil }
        var count = 0
        var child = firstChild(of: node)
        while let element = child {
            guard charge() else { return nil }
            count += 1
            child = nextChild(behind: element, in: node)
        }
        return count
    }

    /// The elements of a slice (RFC 9535 2.3.4.2.2), until `body` returns `false`.
    ///
    /// - Returns: whether to go on.
    private mutating func forEachElement(
        of node: Int, from start: Int?, to end: Int?, by step: Int,
        _ body: (inout PathEvaluation, Int) -> Bool
    ) -> Bool {
        guard document.nodes[node].kind == .array, step != 0 else { return true }
        let isCut = document.nodes[node].isCut
        if step > 0, start ?? 0 >= 0, end == nil || (end ?? 0) >= 0 {
            return forEachElement(of: node, from: start ?? 0, before: end ?? .max, by: step, body)
        }
        // Without the end of the array, nobody knows where a place is that is counted from there.
        guard !isCut, let count = childCount(of: node) else { return !isExhausted }
        if step > 0 {
            let first = bounded(start ?? 0, count, 0...count)
            let last = bounded(end ?? count, count, 0...count)
            return forEachElement(of: node, from: first, before: last, by: step, body)
        }
        let first = bounded(start ?? count - 1, count, -1...count - 1)
        let last = end.map { bounded($0, count, -1...count - 1) } ?? -1
        guard first > last else { return true }
        var elements: [Int32] = []
        var child = firstChild(of: node)
        while let element = child, elements.count <= first {
            guard charge() else { return false }
            elements.append(Int32(element))
            child = nextChild(behind: element, in: node)
        }
        for index in Swift.stride(from: first, to: last, by: step) {
            guard charge(), body(&self, Int(elements[index])) else { return false }
        }
        return true
    }

    private mutating func forEachElement(
        of node: Int, from start: Int, before end: Int, by step: Int,
        _ body: (inout PathEvaluation, Int) -> Bool
    ) -> Bool {
        var index = 0
        var wanted = start
        var child = firstChild(of: node)
        while let element = child, index < end {
            guard charge() else { return false }
            if index == wanted {
                guard body(&self, element) else { return false }
                // A step is at most 2^53, an index at most as large as the document: the sum cannot overflow.
                wanted += step
            }
            index += 1
            child = nextChild(behind: element, in: node)
        }
        return true
    }

    /// The place that a bound of a slice means in an array of `count` elements.
    private func bounded(_ bound: Int, _ count: Int, _ range: ClosedRange<Int>) -> Int {
        let place = bound >= 0 ? bound : count + bound
        return min(max(place, range.lowerBound), range.upperBound)
    }

    // MARK: Filters

    /// Whether a condition holds; no matter what, if the evaluation is exhausted.
    private mutating func holds(_ filter: PathFilter, for node: Int) -> Bool {
        guard charge() else { return false }
        switch filter {
        case .any(let filters):
            for filter in filters where holds(filter, for: node) { return true }
            return false
        case .all(let filters):
            for filter in filters where !holds(filter, for: node) { return false }
            return true
        case .not(let filter): return !holds(filter, for: node)
        case .exists(let query):
            var sink = NodeSink(stopsAt: 1)
            run(query, from: node, into: &sink)
            return sink.count > 0
        case .comparison(let left, let comparison, let right):
            return compares(value(left, for: node), comparison, value(right, for: node))
        case .pattern(let text, let pattern, let matchesWhole):
            guard let text = string(value(text, for: node)) else { return false }
            let compiled: IRegexp?
            switch pattern {
            case .literal(_, let pattern): compiled = pattern
            case .operand(let operand):
                guard let source = string(value(operand, for: node)) else { return false }
                compiled = self.pattern(source)
            }
            guard let compiled, charge(bytes: text.count) else { return false }
            return compiled.matches(text, whole: matchesWhole, steps: &remaining)
        }
    }

    private mutating func pattern(_ source: Text) -> IRegexp? {
        charge(bytes: source.count)
        if let lastPattern, lastPattern.source == source { return lastPattern.pattern }
        // Compiling asks for each character which of the first 128 it accepts.
        guard charge(source.count * 32) else { return nil }
        let pattern = IRegexp(source)
        lastPattern = (source, pattern)
        return pattern
    }

    private mutating func value(_ operand: PathOperand, for node: Int) -> PathValue {
        charge()
        switch operand {
        case .string(let text): return .string(text)
        case .number(let text): return .number(text)
        case .true: return .boolean(true)
        case .false: return .boolean(false)
        case .null: return .null
        case .query(let query):
            var sink = NodeSink(stopsAt: 1)
            run(query, from: node, into: &sink)
            return sink.first.map(PathValue.init(node:)) ?? .nothing
        case .value(let query):
            var sink = NodeSink(stopsAt: 2)
            run(query, from: node, into: &sink)
            return sink.count == 1 ? sink.first.map(PathValue.init(node:)) ?? .nothing : .nothing
        case .count(let query):
            var sink = NodeSink(stopsAt: .max)
            run(query, from: node, into: &sink)
            return .integer(sink.count)
        case .length(let operand):
            let value = value(operand, for: node)
            if let text = string(value) {
                charge(bytes: text.count)
                return .integer(text.bytes.count { $0 & 0xC0 != 0x80 })
            }
            guard case .node(let container) = value else { return .nothing }
            return childCount(of: container).map(PathValue.integer) ?? .nothing
        }
    }

    /// The text of a string; `nil` for any other value.
    mutating func string(_ value: PathValue) -> Text? {
        switch value {
        case .string(let text): return text
        case .node(let node):
            let string = document.nodes[node]
            guard string.kind == .string else { return nil }
            // An escaped string is decoded each time.
            if string.hasEscapes, !charge(bytes: Int(string.end - string.start)) { return nil }
            return document.string(node)
        default: return nil
        }
    }
}
