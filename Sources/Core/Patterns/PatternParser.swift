/// Parses a regular expression.
struct PatternParser {
    /// The most that a repetition may ask for.
    private static let repetitionLimit = 1000
    /// The deepest nesting of groups.
    private static let depthLimit = 100

    private struct Options {
        var ignoresCase = false
        var dotMatchesLineEnds = false
        var anchorsMatchLines = false
    }

    private let pattern: [Unicode.Scalar]
    private var position = 0
    private var options = Options()
    private var depth = 0
    /// Whether the group that captures has begun: only the first does.
    private var hasCapture = false

    init(_ pattern: String) { self.pattern = Array(pattern.unicodeScalars) }

    mutating func parse() throws(PatternError) -> PatternNode {
        let node = try alternatives()
        guard position == pattern.count else { throw error("there is no group to close", at: position) }
        return node
    }

    // MARK: Structure

    private mutating func alternatives() throws(PatternError) -> PatternNode {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let next, next != "|", next != ")" {
            let atom = try atom()
            nodes.append(try quantified(atom))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func quantified(_ node: PatternNode) throws(PatternError) -> PatternNode {
        var node = node
        var isQuantified = false
        while let (least, most) = try quantifier() {
            if isQuantified { throw error("a repetition is repeated", at: position - 1) }
            isQuantified = true
            let isLazy = take("?")
            node = .repeated(node, atLeast: least, atMost: most, isLazy: isLazy)
            if isLazy { continue }
            if next == "+" { throw error("a possessive repetition is not supported", at: position) }
        }
        return node
    }

    private mutating func quantifier() throws(PatternError) -> (least: Int, most: Int?)? {
        switch next {
        case "*":
            position += 1
            return (0, nil)
        case "+":
            position += 1
            return (1, nil)
        case "?":
            position += 1
            return (0, 1)
        case "{": return try bounds()
        default: return nil
        }
    }

    /// `{3}`, `{2,}`, `{2,5}`; a brace behind which no such thing stands is a character.
    ///
    /// What is nearly one, such as `{,5}` or `{2, 5}`, is read differently by every engine.
    private mutating func bounds() throws(PatternError) -> (least: Int, most: Int?)? {
        let start = position
        position += 1
        let least = number()
        let hasComma = take(",")
        let most = hasComma ? number() : least
        guard take("}"), least != nil else {
            position = start
            guard !isNearlyBounds else {
                throw error(
                    "a repetition is {3}, {2,}, {0,5} or {2,5}; a brace that means itself has a backslash",
                    at: start)
            }
            return nil
        }
        guard max(least ?? 0, most ?? 0) <= Self.repetitionLimit else {
            throw error("a repetition has at most \(Self.repetitionLimit) rounds", at: start)
        }
        if let most, most < least ?? 0 {
            throw error("the bounds of the repetition are exchanged", at: start)
        }
        return (least ?? 0, most)
    }

    /// Whether nothing but digits, commas, signs and blanks is between the brace here and its end.
    private var isNearlyBounds: Bool {
        var index = position + 1
        while index < pattern.count,
            Self.digit(pattern[index]) != nil || ", +-".unicodeScalars.contains(pattern[index])
        {
            index += 1
        }
        return index > position + 1 && index < pattern.count && pattern[index] == "}"
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let next, let digit = Self.digit(next) {
            value = min((value ?? 0) * 10 + digit, Self.repetitionLimit + 1)
            position += 1
        }
        return value
    }

    // MARK: Atoms

    private mutating func atom() throws(PatternError) -> PatternNode {
        let start = position
        guard let scalar = advance() else { return .empty }
        switch scalar {
        case "(": return try group(from: start)
        case "[": return .one(try characterClass(from: start))
        case ".": return .one(options.dotMatchesLineEnds ? .all : .dot)
        case "^": return .anchor(options.anchorsMatchLines ? .lineStart : .textStart)
        case "$": return .anchor(options.anchorsMatchLines ? .lineEnd : .textEnd)
        case "*", "+", "?": throw error("there is nothing to repeat", at: start)
        case "{":
            position = start
            guard try bounds() == nil else { throw error("there is nothing to repeat", at: start) }
            position = start + 1
            return literal(scalar)
        case "\\": return try escape(from: start)
        default: return literal(scalar)
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> PatternNode { .one(finished(ScalarSet(scalar))) }

    private func finished(_ set: ScalarSet) -> ScalarSet {
        var set = set
        if options.ignoresCase { set.ignoreCase() }
        set.compile()
        return set
    }

    private mutating func group(from start: Int) throws(PatternError) -> PatternNode {
        let outer = options
        var captures = true
        if take("?") {
            captures = false
            if take(":") {
                // The group only groups.
            } else if isAhead("P<") || (isAhead("<") && !isAhead("<=") && !isAhead("<!")) {
                _ = take("P")
                try groupName(from: start)
                captures = true
            } else if isAhead("=") || isAhead("!") || isAhead("<=") || isAhead("<!") {
                throw error("lookaround is not supported", at: start)
            } else if isAhead(">") {
                throw error("an atomic group is not supported", at: start)
            } else if try readOptions(from: start) {
                // They hold to the end of the group around them.
                return .empty
            }
        }
        depth += 1
        guard depth <= Self.depthLimit else { throw error("groups are nested too deeply", at: start) }
        let isCapture = captures && !hasCapture
        if isCapture { hasCapture = true }
        let node = try alternatives()
        guard take(")") else { throw error("the group is not closed", at: start) }
        depth -= 1
        options = outer
        return isCapture ? .captured(node) : node
    }

    private mutating func groupName(from start: Int) throws(PatternError) {
        _ = take("<")
        let first = position
        while let next, next != ">" {
            guard
                next == "_" || (next.isASCII && next.properties.isAlphabetic)
                    || (position > first && Self.digit(next) != nil)
            else { break }
            position += 1
        }
        guard position > first, take(">") else {
            throw error("the group needs a name, such as (?<name>…)", at: start)
        }
    }

    /// `i`, `-i`, `im-s`: true if the parenthesis ends behind them, false if a group begins.
    private mutating func readOptions(from start: Int) throws(PatternError) -> Bool {
        var isOn = true
        while let option = advance() {
            switch option {
            case "i": options.ignoresCase = isOn
            case "s": options.dotMatchesLineEnds = isOn
            case "m": options.anchorsMatchLines = isOn
            case "-": isOn = false
            case ")": return true
            case ":": return false
            default: throw error("(?\(option) is not supported; the options are i, m and s", at: start)
            }
        }
        throw error("the group is not closed", at: start)
    }

    private mutating func escape(from start: Int) throws(PatternError) -> PatternNode {
        guard let next else { throw error("a backslash needs a character behind it", at: start) }
        if let set = category(next) {
            position += 1
            return .one(finished(set))
        }
        switch next {
        case "b", "B", "A", "z", "Z":
            position += 1
            let anchors: [Unicode.Scalar: PatternAnchor] = [
                "b": .wordEdge, "B": .noWordEdge, "A": .textStart, "z": .textEnd, "Z": .textEnd,
            ]
            return .anchor(anchors[next] ?? .textEnd)
        case "1"..."9", "k": throw error("a back reference is not supported", at: start)
        default: return literal(try escapedScalar(from: start))
        }
    }

    /// The class of `\d`, `\w`, `\s` and their opposites.
    private func category(_ letter: Unicode.Scalar) -> ScalarSet? {
        var set = ScalarSet()
        switch letter {
        case "d", "D": set.insert(.digit, isNegated: letter == "D")
        case "w", "W": set.insert(.word, isNegated: letter == "W")
        case "s", "S": set.insert(.space, isNegated: letter == "S")
        default: return nil
        }
        return set
    }

    /// The character that an escape stands for, whose backslash is read.
    private mutating func escapedScalar(from start: Int) throws(PatternError) -> Unicode.Scalar {
        guard let scalar = advance() else {
            throw error("a backslash needs a character behind it", at: start)
        }
        switch scalar {
        case "t": return "\t"
        case "n": return "\n"
        case "r": return "\r"
        case "f": return "\u{0C}"
        case "v": return "\u{0B}"
        case "e": return "\u{1B}"
        case "0": return "\0"
        case "x": return try hexadecimal(digits: 2, from: start)
        case "u": return try hexadecimal(digits: 4, from: start)
        default:
            if scalar.isASCII, scalar.properties.isAlphabetic || Self.digit(scalar) != nil {
                throw error("\\\(scalar) is not supported", at: start)
            }
            return scalar
        }
    }

    /// So many digits, or any number of them in braces.
    private mutating func hexadecimal(digits: Int, from start: Int) throws(PatternError) -> Unicode.Scalar {
        let isBraced = take("{")
        var value: UInt32 = 0
        var count = 0
        while isBraced || count < digits, let next, let digit = Self.hexadecimalDigit(next), count < 8 {
            value = value << 4 | digit
            count += 1
            position += 1
        }
        guard isBraced ? count > 0 && take("}") : count == digits, let scalar = Unicode.Scalar(value) else {
            throw error("the number of a character is malformed", at: start)
        }
        return scalar
    }

    // MARK: Classes

    private mutating func characterClass(from start: Int) throws(PatternError) -> ScalarSet {
        var set = ScalarSet()
        set.isNegated = take("^")
        var isFirst = true
        while let scalar = advance() {
            if scalar == "]", !isFirst { return finished(set) }
            isFirst = false
            if scalar == "[" { throw error("[ in a class needs a backslash", at: position - 1) }
            if ["&", "-", "~"].contains(scalar), next == scalar {
                throw error("\(scalar)\(scalar) in a class is not supported", at: position - 1)
            }
            if scalar == "\\", let next, let category = category(next) {
                position += 1
                for test in category.categories { set.insert(test.category, isNegated: test.isNegated) }
                continue
            }
            let lower = try classMember(scalar)
            guard next == "-", position + 1 < pattern.count, pattern[position + 1] != "]" else {
                set.insert(lower.value...lower.value)
                continue
            }
            let place = position - 1
            position += 1
            guard let end = advance() else { break }
            let upper = try classMember(end)
            guard lower.value <= upper.value else {
                throw error("the bounds of the range are exchanged", at: place)
            }
            set.insert(lower.value...upper.value)
        }
        throw error("the class is not closed", at: start)
    }

    private mutating func classMember(_ scalar: Unicode.Scalar) throws(PatternError) -> Unicode.Scalar {
        guard scalar == "\\" else { return scalar }
        if take("b") { return "\u{08}" }
        if let next, category(next) != nil {
            throw error("a range needs characters at its ends", at: position - 1)
        }
        return try escapedScalar(from: position - 1)
    }

    // MARK: Scalars

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

    private func isAhead(_ text: String) -> Bool { pattern[position...].starts(with: text.unicodeScalars) }

    private static func digit(_ scalar: Unicode.Scalar) -> Int? {
        scalar.value &- 0x30 < 10 ? Int(scalar.value - 0x30) : nil
    }

    private static func hexadecimalDigit(_ scalar: Unicode.Scalar) -> UInt32? {
        scalar.isASCII ? JSONEscapes.hexadecimal(UInt8(scalar.value)) : nil
    }

    private func error(_ reason: String, at index: Int) -> PatternError {
        PatternError(reason: reason, position: index + 1)
    }
}
