extension JSONPath: CustomStringConvertible {
    /// The path in one spelling: names in brackets and single quotes, as in Normalized Paths (RFC 9535 2.7).
    ///
    /// Parsing it gives an equal path.
    public var description: String { query.description }
}

extension PathQuery: CustomStringConvertible {
    var description: String { segments.reduce(isRelative ? "@" : "$") { $0 + $1.description } }
}

extension PathSegment: CustomStringConvertible {
    var description: String {
        (isDescendant ? ".." : "") + "[\(selectors.map(\.description).joined(separator: ", "))]"
    }
}

extension PathSelector: CustomStringConvertible {
    var description: String {
        switch self {
        case .name(let name): return name.pathLiteral
        case .wildcard: return "*"
        case .index(let index): return "\(index)"
        case .slice(let start, let end, let step):
            return "\(start.map(String.init) ?? ""):\(end.map(String.init) ?? ""):\(step)"
        case .filter(let filter): return "?\(filter)"
        }
    }
}

extension PathFilter: CustomStringConvertible {
    var description: String {
        switch self {
        case .any(let filters): return filters.map(\.part).joined(separator: " || ")
        case .all(let filters): return filters.map(\.part).joined(separator: " && ")
        case .not(let filter): return "!\(filter.part)"
        case .exists(let query): return query.description
        case .comparison(let left, let comparison, let right):
            return "\(left) \(comparison.rawValue) \(right)"
        case .pattern(let text, let pattern, let matchesWhole):
            return "\(matchesWhole ? "match" : "search")(\(text), \(pattern))"
        }
    }

    /// As a part of a larger filter: in parentheses, unless it is a test.
    private var part: String {
        switch self {
        case .exists, .pattern: return description
        case .any, .all, .not, .comparison: return "(\(description))"
        }
    }
}

extension PathOperand: CustomStringConvertible {
    var description: String {
        switch self {
        case .string(let text): return text.pathLiteral
        case .number(let text): return text.string
        case .true: return "true"
        case .false: return "false"
        case .null: return "null"
        case .query(let query): return query.description
        case .length(let operand): return "length(\(operand))"
        case .count(let query): return "count(\(query))"
        case .value(let query): return "value(\(query))"
        }
    }
}

extension PathPattern: CustomStringConvertible {
    var description: String {
        switch self {
        case .literal(let text, _): return text.pathLiteral
        case .operand(let operand): return operand.description
        }
    }
}

extension Text {
    /// The text as a string of a path, in single quotes.
    fileprivate var pathLiteral: String {
        var literal = "'"
        for scalar in string.unicodeScalars {
            switch scalar {
            case "'": literal += "\\'"
            case "\\": literal += "\\\\"
            case "\0"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                literal += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: literal.unicodeScalars.append(scalar)
            }
        }
        return literal + "'"
    }
}
