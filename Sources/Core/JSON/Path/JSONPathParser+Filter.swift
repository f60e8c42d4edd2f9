/// Filters (RFC 9535 2.3.5), with the types of functions checked (2.4.3).
extension JSONPathParser {
    private static let functions = "count, length, match, search and value"

    /// What begins an expression, before it is known whether it is compared.
    private enum Operand {
        /// A query, which may be a test of its own.
        case query(PathQuery)
        /// A literal, or a function that yields a value.
        case value(PathOperand, isLiteral: Bool)
        /// A function that is true or false.
        case test(PathFilter)
    }

    mutating func filter() throws(JSONPathError) -> PathFilter {
        var branches = [try conjunction()]
        while takeOperator("||") { branches.append(try conjunction()) }
        return branches.count == 1 ? branches[0] : .any(branches)
    }

    private mutating func conjunction() throws(JSONPathError) -> PathFilter {
        var parts = [try basicExpression()]
        while takeOperator("&&") { parts.append(try basicExpression()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    /// Takes `&&` or `||`, and the blanks on both sides; takes nothing if it is not there.
    private mutating func takeOperator(_ text: String) -> Bool {
        let start = position
        skipBlanks()
        guard isAhead(text) else {
            position = start
            return false
        }
        position += 2
        skipBlanks()
        return true
    }

    private mutating func basicExpression() throws(JSONPathError) -> PathFilter {
        let start = position
        if take("!") {
            skipBlanks()
            if next == "(" { return .not(try parenthesised()) }
            let inner = position
            let operand = try operand()
            guard comparisonAhead == nil else {
                throw error("! applies to a test; a comparison behind it needs parentheses", at: start)
            }
            return .not(try test(operand, from: inner))
        }
        if next == "(" {
            let filter = try parenthesised()
            guard comparisonAhead == nil else {
                throw error("an expression in parentheses cannot be compared", at: start)
            }
            return filter
        }
        let left = try operand()
        guard let comparison = comparisonAhead else { return try test(left, from: start) }
        let leftValue = try comparable(left, from: start)
        skipBlanks()
        position += comparison.rawValue.utf8.count
        skipBlanks()
        let right = position
        let rightValue = try comparable(try operand(), from: right)
        guard comparisonAhead == nil else {
            skipBlanks()
            throw error(
                "a comparison cannot be compared; allowed: &&, || or the end of the filter", at: position)
        }
        return .comparison(leftValue, comparison, rightValue)
    }

    private mutating func parenthesised() throws(JSONPathError) -> PathFilter {
        let start = position
        position += 1
        return try nested { parser throws(JSONPathError) in
            parser.skipBlanks()
            let filter = try parser.filter()
            parser.skipBlanks()
            guard parser.take(")") else {
                guard parser.next != nil else { throw parser.error("this ( is not closed", at: start) }
                throw parser.unexpectedInFilter(end: "or )")
            }
            return filter
        }
    }

    /// The comparison that follows, blanks aside.
    private var comparisonAhead: PathComparison? {
        var parser = self
        parser.skipBlanks()
        return PathComparison.allCases.first { parser.isAhead($0.rawValue) }
    }

    /// The mistake that something follows a complete condition.
    func unexpectedInFilter(end: String) -> JSONPathError {
        if next == "=" { return error("= is no operator; equality is ==", at: position) }
        return error(
            "unexpected \(found); allowed: a comparison (== != < <= > >=), &&, ||, \(end)", at: position)
    }

    func isAhead(_ text: String) -> Bool { path[position...].starts(with: text.unicodeScalars) }

    private func test(_ operand: Operand, from start: Int) throws(JSONPathError) -> PathFilter {
        switch operand {
        case .query(let query): return .exists(query)
        case .test(let filter): return filter
        case .value(_, let isLiteral):
            throw error(
                "\(isLiteral ? "a literal" : "the value of a function") is no test; compare it with == != < <= > or >=",
                at: start)
        }
    }

    private func comparable(_ operand: Operand, from start: Int) throws(JSONPathError) -> PathOperand {
        switch operand {
        case .query(let query): return try singular(query, from: start)
        case .value(let value, _): return value
        case .test: throw error("match and search are tests, their result cannot be compared", at: start)
        }
    }

    private func singular(_ query: PathQuery, from start: Int) throws(JSONPathError) -> PathOperand {
        guard query.isSingular else {
            throw error(
                "the query may select several nodes; a value needs one with names and indexes only, or value(…)",
                at: start)
        }
        return .query(query)
    }

    // MARK: Operands

    private mutating func operand() throws(JSONPathError) -> Operand {
        let start = position
        switch next {
        case "$", "@": return .query(try query())
        case "'", "\"": return .value(.string(Text(try string())), isLiteral: true)
        case "-": return .value(try number(), isLiteral: true)
        case let scalar? where Self.isDigit(scalar): return .value(try number(), isLiteral: true)
        case let scalar? where Self.isLowercase(scalar):
            while let next, Self.isLowercase(next) || Self.isDigit(next) || next == "_" { position += 1 }
            var word = ""
            word.unicodeScalars.append(contentsOf: path[start..<position])
            if next == "(" { return try function(word, from: start) }
            switch word {
            case "true": return .value(.true, isLiteral: true)
            case "false": return .value(.false, isLiteral: true)
            case "null": return .value(.null, isLiteral: true)
            case "count", "length", "match", "search", "value":
                throw error("\(word) needs its arguments in parentheses directly behind it", at: start)
            default:
                throw error("unknown word '\(word)'; allowed: true, false, null or a function", at: start)
            }
        default:
            throw error(
                "unexpected \(found); allowed: a query that begins with @ or $, a literal, a function, ! or (",
                at: start)
        }
    }

    private mutating func query() throws(JSONPathError) -> PathQuery {
        let isRelative = next == "@"
        position += 1
        return PathQuery(segments: try segments(), isRelative: isRelative)
    }

    private mutating func number() throws(JSONPathError) -> PathOperand {
        let start = position
        _ = take("-")
        let first = position
        guard takeDigits() else { throw error("- needs a digit behind it", at: start) }
        guard path[first] != "0" || position == first + 1 else {
            throw error("a number has no leading zeros", at: start)
        }
        if take("."), !takeDigits() { throw error("the number needs a digit behind its point", at: start) }
        if next == "e" || next == "E" {
            position += 1
            if !take("-") { _ = take("+") }
            guard takeDigits() else { throw error("the number needs a digit in its exponent", at: start) }
        }
        return .number(Text(path[start..<position].map { UInt8(truncatingIfNeeded: $0.value) }))
    }

    private mutating func takeDigits() -> Bool {
        let start = position
        while let next, Self.isDigit(next) { position += 1 }
        return position > start
    }

    private static func isLowercase(_ scalar: Unicode.Scalar) -> Bool { scalar.value &- 0x61 < 26 }

    // MARK: Functions

    /// Parses the arguments of a function, from its parenthesis on.
    private mutating func function(_ name: String, from start: Int) throws(JSONPathError) -> Operand {
        guard ["count", "length", "match", "search", "value"].contains(name) else {
            throw error("unknown function '\(name)'; allowed: \(Self.functions)", at: start)
        }
        position += 1
        skipBlanks()
        return try nested { parser throws(JSONPathError) in
            let operand = try parser.call(name, from: start)
            guard parser.take(")") else {
                throw parser.error(
                    "unexpected \(parser.found); \(Self.arguments(of: name))", at: parser.position)
            }
            return operand
        }
    }

    private static func arguments(of name: String) -> String {
        switch name {
        case "length": return "length takes one argument, a value"
        case "match", "search": return "\(name) takes two arguments, a value and a pattern"
        default: return "\(name) takes one argument, a query"
        }
    }

    private mutating func call(_ name: String, from start: Int) throws(JSONPathError) -> Operand {
        switch name {
        case "length": return .value(.length(try valueArgument(of: name)), isLiteral: false)
        case "count": return .value(.count(try queryArgument(of: name)), isLiteral: false)
        case "value": return .value(.value(try queryArgument(of: name)), isLiteral: false)
        default:
            let text = try valueArgument(of: name)
            guard take(",") else {
                throw error("unexpected \(found); \(Self.arguments(of: name))", at: position)
            }
            skipBlanks()
            let operand = try valueArgument(of: name)
            let pattern: PathPattern
            if case .string(let literal) = operand {
                pattern = .literal(literal, IRegexp(literal))
            } else {
                pattern = .operand(operand)
            }
            return .test(.pattern(text: text, pattern: pattern, matchesWhole: name == "match"))
        }
    }

    /// An argument that is a literal, a singular query, or a function that yields a value.
    private mutating func valueArgument(of name: String) throws(JSONPathError) -> PathOperand {
        let start = position
        guard isAtOperand else {
            throw error("unexpected \(found); \(Self.arguments(of: name))", at: start)
        }
        let operand = try operand()
        try endArgument(of: name, from: start)
        switch operand {
        case .query(let query): return try singular(query, from: start)
        case .value(let value, _): return value
        case .test: throw error("match and search yield no value; \(Self.arguments(of: name))", at: start)
        }
    }

    private mutating func queryArgument(of name: String) throws(JSONPathError) -> PathQuery {
        let start = position
        guard next == "@" || next == "$" else {
            throw error("unexpected \(found); \(Self.arguments(of: name))", at: start)
        }
        let query = try query()
        try endArgument(of: name, from: start)
        return query
    }

    /// Skips the blanks behind an argument, which must be no part of a condition.
    private mutating func endArgument(of name: String, from start: Int) throws(JSONPathError) {
        let isCondition = comparisonAhead != nil
        skipBlanks()
        guard !isCondition, !isAhead("&&"), !isAhead("||") else {
            throw error("the argument is a condition; \(Self.arguments(of: name))", at: start)
        }
    }

    /// Whether a query, a literal or a function begins here.
    private var isAtOperand: Bool {
        guard let next else { return false }
        return "$@'\"-".unicodeScalars.contains(next) || Self.isDigit(next) || Self.isLowercase(next)
    }
}
