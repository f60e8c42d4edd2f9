/// An I-Regexp (RFC 9485), compiled once; it runs in linear time, as ``TextPattern`` does.
///
/// It is a strict subset of other regular expressions: literals, `.` (anything but a line feed or carriage return), classes, `\p{…}`,
/// groups, alternatives and repetition. `^` and `$` are the start and the end of the text, as in the public tests of JSONPath.
struct IRegexp: Sendable, Hashable {
    private let source: Text
    private let program: PatternProgram

    /// - Returns: `nil` if it is no I-Regexp, or too large.
    init?(_ source: Text) {
        var parser = IRegexpParser(source.string)
        guard let node = parser.parse(), let program = try? PatternProgram(node) else { return nil }
        self.source = source
        self.program = program
    }

    /// Whether the text, or something in it, matches.
    ///
    /// - Parameters:
    ///   - isWhole: whether all of the text must match.
    ///   - steps: how many steps may be taken; reduced by those that were, and negative if they were too few.
    func matches(_ text: Text, whole isWhole: Bool, steps: inout Int) -> Bool {
        program.matches(text.string.unicodeScalars, whole: isWhole, steps: &steps)
    }

    static func == (left: IRegexp, right: IRegexp) -> Bool { left.source == right.source }

    func hash(into hasher: inout Hasher) { hasher.combine(source) }
}

/// Parses an I-Regexp (RFC 9485 3).
private struct IRegexpParser {
    /// The most that a repetition may ask for.
    private static let repetitionLimit = 1000
    /// The deepest nesting of groups.
    private static let depthLimit = 100

    private static let dot: ScalarSet = {
        var set = ScalarSet()
        set.insert(0x0A...0x0A)
        set.insert(0x0D...0x0D)
        set.isNegated = true
        set.compile()
        return set
    }()

    private let pattern: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    init(_ pattern: String) { self.pattern = Array(pattern.unicodeScalars) }

    mutating func parse() -> PatternNode? {
        guard let node = alternatives(), position == pattern.count else { return nil }
        return node
    }

    private mutating func alternatives() -> PatternNode? {
        var branches: [PatternNode] = []
        repeat {
            guard let branch = branch() else { return nil }
            branches.append(branch)
        } while take("|")
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func branch() -> PatternNode? {
        var nodes: [PatternNode] = []
        while let next, next != "|", next != ")" {
            guard let atom = atom(), let piece = quantified(atom) else { return nil }
            nodes.append(piece)
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func quantified(_ atom: PatternNode) -> PatternNode? {
        if take("*") { return .repeated(atom, atLeast: 0, atMost: nil) }
        if take("+") { return .repeated(atom, atLeast: 1, atMost: nil) }
        if take("?") { return .repeated(atom, atLeast: 0, atMost: 1) }
        guard take("{") else { return atom }
        guard let least = number() else { return nil }
        guard take(",") else {
            return take("}") ? .repeated(atom, atLeast: least, atMost: least) : nil
        }
        if take("}") { return .repeated(atom, atLeast: least, atMost: nil) }
        guard let most = number(), take("}"), most >= least else { return nil }
        return .repeated(atom, atLeast: least, atMost: most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let next, next.value &- 0x30 < 10 {
            value = min((value ?? 0) * 10 + Int(next.value - 0x30), Self.repetitionLimit + 1)
            position += 1
        }
        return value.flatMap { $0 <= Self.repetitionLimit ? $0 : nil }
    }

    private mutating func atom() -> PatternNode? {
        guard let scalar = advance() else { return nil }
        switch scalar {
        case "(":
            depth += 1
            guard depth <= Self.depthLimit, let node = alternatives(), take(")") else { return nil }
            depth -= 1
            return node
        case ".": return .one(Self.dot)
        case "[": return characterClass().map(PatternNode.one)
        case "^": return .anchor(.textStart)
        case "$": return .anchor(.textEnd)
        case "\\":
            var set = ScalarSet()
            guard insertEscape(into: &set) else { return nil }
            set.compile()
            return .one(set)
        case ")", "*", "+", "?", "]", "{", "|", "}": return nil
        default:
            var set = ScalarSet(scalar)
            set.compile()
            return .one(set)
        }
    }

    /// Reads what follows a backslash: a character or a category.
    private mutating func insertEscape(into set: inout ScalarSet) -> Bool {
        if next == "p" || next == "P" {
            let isNegated = next == "P"
            position += 1
            guard let category = category() else { return false }
            set.insert(category, isNegated: isNegated)
            return true
        }
        guard let scalar = escapedScalar() else { return false }
        set.insert(scalar.value...scalar.value)
        return true
    }

    private mutating func escapedScalar() -> Unicode.Scalar? {
        guard let scalar = advance() else { return nil }
        switch scalar {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "("..."+", "-", ".", "?", "["..."^", "{"..."}": return scalar
        default: return nil
        }
    }

    /// Reads `{Lu}`, or a letter for several categories, such as `{L}`.
    private mutating func category() -> ScalarSet.Category? {
        guard take("{") else { return nil }
        var name = ""
        while let next, next != "}", name.utf8.count < 3 {
            name.unicodeScalars.append(next)
            position += 1
        }
        return take("}") ? ScalarSet.Category(generalCategory: name) : nil
    }

    private mutating func characterClass() -> ScalarSet? {
        var set = ScalarSet()
        set.isNegated = take("^")
        var isFirst = true
        while let scalar = next {
            if scalar == "]" {
                guard !isFirst else { return nil }
                position += 1
                set.compile()
                return set
            }
            if scalar == "-" {
                // It means itself at either end.
                position += 1
                guard isFirst || next == "]" else { return nil }
                set.insert(0x2D...0x2D)
            } else if scalar == "\\", position + 1 < pattern.count,
                "pP".unicodeScalars.contains(pattern[position + 1])
            {
                position += 1
                guard insertEscape(into: &set) else { return nil }
            } else {
                guard let lower = classMember() else { return nil }
                var upper = lower
                if next == "-", position + 1 < pattern.count, pattern[position + 1] != "]" {
                    position += 1
                    guard let member = classMember(), member.value >= lower.value else { return nil }
                    upper = member
                }
                set.insert(lower.value...upper.value)
            }
            isFirst = false
        }
        return nil
    }

    private mutating func classMember() -> Unicode.Scalar? {
        guard let scalar = advance() else { return nil }
        switch scalar {
        case "\\": return escapedScalar()
        case "-", "[", "]": return nil
        default: return scalar
        }
    }

    private var next: Unicode.Scalar? { position < pattern.count ? pattern[position] : nil }

    private mutating func advance() -> Unicode.Scalar? {
        guard let next else { return nil }
        position += 1
        return next
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }
}
