/// Parses a JSONPath (RFC 9535 2).
struct JSONPathParser {
    /// The deepest nesting of filters, parentheses and functions; an evaluation recurses as deeply.
    static let depthLimit = 32
    /// The greatest magnitude of an index (I-JSON, RFC 7493 2.2).
    private static let integerLimit = 1 << 53 - 1

    let path: [Unicode.Scalar]
    var position = 0
    var depth = 0

    init(_ text: String) { path = Array(text.unicodeScalars) }

    mutating func parse() throws(JSONPathError) -> PathQuery {
        guard take("$") else { throw error("a JSONPath begins with $", at: 0) }
        let segments = try segments()
        guard position == path.count else {
            if let next, Self.isBlank(next) {
                throw error("blanks behind the path are not allowed", at: position)
            }
            throw error(
                "unexpected \(found); allowed: a segment such as .name, [0], ['name'] or ..name", at: position
            )
        }
        return PathQuery(segments: segments)
    }

    // MARK: Segments

    /// All segments that follow; blanks behind the last one are left.
    mutating func segments() throws(JSONPathError) -> [PathSegment] {
        var segments: [PathSegment] = []
        while true {
            let end = position
            skipBlanks()
            guard next == "." || next == "[" else {
                position = end
                return segments
            }
            segments.append(try segment())
        }
    }

    private mutating func segment() throws(JSONPathError) -> PathSegment {
        if next == "[" { return PathSegment(selectors: try bracketedSelectors(), isDescendant: false) }
        position += 1
        let isDescendant = take(".")
        if isDescendant, next == "[" {
            return PathSegment(selectors: try bracketedSelectors(), isDescendant: true)
        }
        if take("*") { return PathSegment(selectors: [.wildcard], isDescendant: isDescendant) }
        guard let next, Self.isNameStart(next) else {
            let other = isDescendant ? ", * or [" : " or *"
            throw error(
                "unexpected \(found) behind \(isDescendant ? ".." : "."); allowed: a name\(other); other names are written ['…']",
                at: position)
        }
        var name = ""
        while let next = self.next, Self.isNameStart(next) || Self.isDigit(next) {
            name.unicodeScalars.append(next)
            position += 1
        }
        return PathSegment(selectors: [.name(Text(name))], isDescendant: isDescendant)
    }

    private mutating func bracketedSelectors() throws(JSONPathError) -> [PathSelector] {
        let start = position
        position += 1
        var selectors: [PathSelector] = []
        while true {
            skipBlanks()
            selectors.append(try selector())
            skipBlanks()
            if take("]") { return selectors }
            guard take(",") else {
                guard next != nil else { throw error("this [ is not closed", at: start) }
                if case .filter? = selectors.last { throw unexpectedInFilter(end: ", or ]") }
                throw error("unexpected \(found); allowed: , or ]", at: position)
            }
        }
    }

    private mutating func selector() throws(JSONPathError) -> PathSelector {
        switch next {
        case "'", "\"": return .name(Text(try string()))
        case "*":
            position += 1
            return .wildcard
        case "?":
            position += 1
            skipBlanks()
            return .filter(try nested { parser throws(JSONPathError) in try parser.filter() })
        case ":": return try slice(from: nil)
        case let scalar? where Self.isDigit(scalar) || scalar == "-":
            let index = try integer()
            let end = position
            skipBlanks()
            if next == ":" { return try slice(from: index) }
            position = end
            return .index(index)
        default:
            throw error(
                "unexpected \(found); allowed: a name in quotes, an index, a slice such as 0:2, * or a filter such as ?@.a == 1",
                at: position)
        }
    }

    /// What follows the start of a slice, from its first colon on.
    private mutating func slice(from start: Int?) throws(JSONPathError) -> PathSelector {
        position += 1
        skipBlanks()
        let end = isAtInteger ? try integer() : nil
        skipBlanks()
        guard take(":") else { return .slice(start: start, end: end, step: 1) }
        skipBlanks()
        return .slice(start: start, end: end, step: isAtInteger ? try integer() : 1)
    }

    private var isAtInteger: Bool { next.map { Self.isDigit($0) || $0 == "-" } ?? false }

    private mutating func integer() throws(JSONPathError) -> Int {
        let start = position
        let isNegative = take("-")
        let first = position
        var value = 0
        while let next, Self.isDigit(next) {
            value = min(value * 10 + Int(next.value - 0x30), Self.integerLimit + 1)
            position += 1
        }
        guard position > first else { throw error("- needs a digit behind it", at: start) }
        guard path[first] != "0" || position == first + 1 && !isNegative else {
            throw error("an index has no leading zeros and no -0", at: start)
        }
        guard value <= Self.integerLimit else {
            throw error(
                "an index is at most \(Self.integerLimit), or at least -\(Self.integerLimit)", at: start)
        }
        return isNegative ? -value : value
    }

    // MARK: Strings

    /// A string in either kind of quotes.
    mutating func string() throws(JSONPathError) -> String {
        let start = position
        let quote = path[position]
        position += 1
        var text = ""
        while let scalar = next {
            if scalar.value < 0x20 {
                throw error(
                    "a string has no control characters; use an escape such as \\n or \\u000a", at: position)
            }
            position += 1
            if scalar == quote { return text }
            text.unicodeScalars.append(scalar == "\\" ? try escape(in: quote) : scalar)
        }
        throw error("the string is not closed; its end is \(quote)", at: start)
    }

    private mutating func escape(in quote: Unicode.Scalar) throws(JSONPathError) -> Unicode.Scalar {
        let start = position - 1
        guard let scalar = next else {
            throw error("the string is not closed; its end is \(quote)", at: start)
        }
        position += 1
        switch scalar {
        case "b": return "\u{08}"
        case "f": return "\u{0C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "/", "\\", quote: return scalar
        case "u": return try codePoint(from: start)
        case "\0"..."\u{1F}": throw error("unexpected control character behind \\", at: position - 1)
        default:
            throw error(
                "\\\(scalar) is not an escape; allowed: \\b \\f \\n \\r \\t \\/ \\\\ \\uXXXX and \\\(quote)",
                at: start)
        }
    }

    private mutating func codePoint(from start: Int) throws(JSONPathError) -> Unicode.Scalar {
        let first = try codeUnit(from: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first < 0xDC00, next == "\\", position + 1 < path.count, path[position + 1] == "u" {
            position += 2
            let second = try codeUnit(from: start)
            if second & 0xFC00 == 0xDC00,
                let scalar = Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + second & 0x3FF)
            {
                return scalar
            }
        }
        throw error("half of a surrogate pair; the other half is missing", at: start)
    }

    private mutating func codeUnit(from start: Int) throws(JSONPathError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let next, next.isASCII, let digit = JSONEscapes.hexadecimal(UInt8(next.value)) else {
                throw error("\\u needs four hexadecimal digits", at: start)
            }
            value = value << 4 | digit
            position += 1
        }
        return value
    }

    // MARK: Scalars

    var next: Unicode.Scalar? { position < path.count ? path[position] : nil }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    mutating func skipBlanks() {
        while let next, Self.isBlank(next) { position += 1 }
    }

    /// What a message says about the next character.
    var found: String {
        guard let next else { return "end of the path" }
        return next.value < 0x20 || next.value == 0x7F ? "control character" : "'\(next)'"
    }

    /// Parses what lies within a filter, parentheses or a function.
    mutating func nested<Part>(
        _ body: (inout JSONPathParser) throws(JSONPathError) -> Part
    ) throws(JSONPathError) -> Part {
        guard depth < Self.depthLimit else {
            throw error(
                "filters, parentheses and functions are nested too deeply; allowed: \(Self.depthLimit) levels",
                at: position)
        }
        depth += 1
        let part = try body(&self)
        depth -= 1
        return part
    }

    func error(_ message: String, at offset: Int) -> JSONPathError {
        JSONPathError(offset: offset, message: message)
    }

    static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "\t", "\n", "\r": return true
        default: return false
        }
    }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.value &- 0x30 < 10 }

    /// Whether a name without quotes may begin with the character.
    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value | 0x20 &- 0x61 < 26 || scalar == "_" || scalar.value >= 0x80
    }
}
