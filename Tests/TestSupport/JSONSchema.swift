internal import Locking

/// The part of JSON Schema (draft 2020-12) that the project's schemas use; an unknown keyword is reported as
/// an error.
public struct JSONSchema: Sendable {
    /// A value of JSON.
    public indirect enum Value: Equatable, Sendable {
        case object([String: Value])
        case array([Value])
        case string(String)
        case number(Double)
        case boolean(Bool)
        case null
    }

    private static let annotations: Set<String> = [
        "$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples", "format",
    ]

    private let root: Value
    private let patterns = Patterns()

    /// Reads a schema; `nil` if it is not JSON.
    public init?(_ text: String) {
        guard let root = Self.parse(Array(text.utf8)) else { return nil }
        self.root = root
    }

    /// What is wrong with a JSON text, a sentence each; nothing if it is valid.
    public func errors(in bytes: [UInt8]) -> [String] {
        guard let value = Self.parse(bytes) else {
            return ["is not JSON: \(String(decoding: bytes, as: UTF8.self))"]
        }
        var errors: [String] = []
        check(value, root, "#", &errors)
        return errors
    }

    /// The value of a JSON text; `nil` if it is not strict JSON in UTF-8, or its outermost object repeats a
    /// name.
    public static func parse(_ bytes: [UInt8]) -> Value? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var reader = Reader(scalars: Array(text.unicodeScalars))
        guard let value = reader.value(), reader.isAtEnd else { return nil }
        return value
    }

    private func check(_ value: Value, _ schema: Value, _ path: String, _ errors: inout [String]) {
        guard case .object(let keywords) = schema else {
            if schema == .boolean(false) { errors.append("\(path) is not allowed") }
            return
        }
        for (keyword, argument) in keywords where !Self.annotations.contains(keyword) {
            if !holds(keyword, argument, keywords, value, path, &errors) {
                errors.append("\(path): \(keyword) \(argument) does not hold for \(value)")
            }
        }
    }

    private func holds(
        _ keyword: String, _ argument: Value, _ schema: [String: Value], _ value: Value, _ path: String,
        _ errors: inout [String]
    ) -> Bool {
        switch (keyword, argument, value) {
        case ("$ref", .string(let reference), _):
            guard let target = resolve(reference) else { return false }
            check(value, target, path, &errors)
            return true
        case ("type", .string(let type), _): return Self.isType(value, type)
        case ("const", _, _): return value == argument
        case ("enum", .array(let choices), _): return choices.contains(value)
        case ("required", .array(let names), .object(let members)):
            return names.allSatisfy { name in members.keys.contains { .string($0) == name } }
        case ("properties", .object(let schemas), .object(let members)):
            for (name, schema) in schemas {
                if let member = members[name] { check(member, schema, "\(path)/\(name)", &errors) }
            }
            return true
        case ("additionalProperties", _, .object(let members)):
            guard case .object(let known)? = schema["properties"] else { return true }
            for (name, member) in members where known[name] == nil {
                check(member, argument, "\(path)/\(name)", &errors)
            }
            return true
        case ("items", _, .array(let elements)):
            for (index, element) in elements.enumerated() {
                check(element, argument, "\(path)/\(index)", &errors)
            }
            return true
        case ("minItems", .number(let least), .array(let elements)): return Double(elements.count) >= least
        case ("minLength", .number(let least), .string(let text)):
            return Double(text.unicodeScalars.count) >= least
        case ("maxLength", .number(let most), .string(let text)):
            return Double(text.unicodeScalars.count) <= most
        case ("pattern", .string(let pattern), .string(let text)):
            return patterns.isFound(pattern, in: text)
        case ("minimum", .number(let least), .number(let number)): return number >= least
        case ("maximum", .number(let most), .number(let number)): return number <= most
        case ("exclusiveMinimum", .number(let least), .number(let number)): return number > least
        // A keyword says nothing about values of another type.
        case ("required", _, _), ("properties", _, _), ("additionalProperties", _, _), ("items", _, _),
            ("minItems", _, _), ("minLength", _, _), ("maxLength", _, _), ("pattern", _, _),
            ("minimum", _, _),
            ("maximum", _, _), ("exclusiveMinimum", _, _):
            return true
        default: return false
        }
    }

    private func resolve(_ reference: String) -> Value? {
        guard reference.hasPrefix("#") else { return nil }
        var value = root
        for step in reference.dropFirst().split(separator: "/") {
            guard case .object(let members) = value, let next = members[String(step)] else { return nil }
            value = next
        }
        return value
    }

    private static func isType(_ value: Value, _ type: String) -> Bool {
        switch (value, type) {
        case (.object, "object"), (.array, "array"), (.string, "string"), (.number, "number"),
            (.boolean, "boolean"), (.null, "null"):
            return true
        case (.number(let number), "integer"): return number.rounded() == number
        default: return false
        }
    }
}

/// The regular expressions of a schema, each compiled once.
private final class Patterns: Sendable {
    private let compiled = Lock<[String: Regex<AnyRegexOutput>]>([:])

    func isFound(_ pattern: String, in text: String) -> Bool {
        compiled.withLock { compiled in
            if compiled[pattern] == nil { compiled[pattern] = try? Regex(pattern) }
            return compiled[pattern].map { text.contains($0) } ?? false
        }
    }
}

/// A reader of strict JSON that shares no code with the project's own.
private struct Reader {
    let scalars: [Unicode.Scalar]
    var position = 0
    private var depth = 0

    init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    var isAtEnd: Bool { position == scalars.count }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func value() -> JSONSchema.Value? {
        skipBlanks()
        defer { skipBlanks() }
        switch next {
        case "{": return object()
        case "[": return array()
        case "\"": return string().map(JSONSchema.Value.string)
        case "t": return word("true", .boolean(true))
        case "f": return word("false", .boolean(false))
        case "n": return word("null", .null)
        default: return number()
        }
    }

    private mutating func skipBlanks() {
        while let scalar = next, " \t\n\r".unicodeScalars.contains(scalar) { position += 1 }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func word(_ word: String, _ value: JSONSchema.Value) -> JSONSchema.Value? {
        for scalar in word.unicodeScalars where !take(scalar) { return nil }
        return value
    }

    private mutating func object() -> JSONSchema.Value? {
        var members: [String: JSONSchema.Value] = [:]
        position += 1
        depth += 1
        defer { depth -= 1 }
        skipBlanks()
        if take("}") { return .object(members) }
        repeat {
            skipBlanks()
            guard next == "\"", let name = string() else { return nil }
            skipBlanks()
            guard take(":"), let value = value() else { return nil }
            let isRepeated = members.updateValue(value, forKey: name) != nil
            if isRepeated, depth == 1 { return nil }
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array() -> JSONSchema.Value? {
        var elements: [JSONSchema.Value] = []
        position += 1
        depth += 1
        defer { depth -= 1 }
        skipBlanks()
        if take("]") { return .array(elements) }
        repeat {
            guard let value = value() else { return nil }
            elements.append(value)
        } while take(",")
        return take("]") ? .array(elements) : nil
    }

    private mutating func string() -> String? {
        var text = String.UnicodeScalarView()
        position += 1
        while let scalar = next {
            position += 1
            switch scalar {
            case "\"": return String(text)
            case "\\":
                guard let escaped = escape() else { return nil }
                text.append(escaped)
            case _ where scalar.value < 0x20: return nil
            default: text.append(scalar)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let scalar = next else { return nil }
        position += 1
        switch scalar {
        case "\"", "\\", "/": return scalar
        case "b": return "\u{8}"
        case "f": return "\u{c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            guard let unit = hexadecimal() else { return nil }
            guard unit & 0xFC00 == 0xD800 else { return Unicode.Scalar(unit) ?? "\u{FFFD}" }
            let start = position
            if take("\\"), take("u"), let low = hexadecimal(), low & 0xFC00 == 0xDC00 {
                return Unicode.Scalar(0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF)
            }
            position = start
            return "\u{FFFD}"
        default: return nil
        }
    }

    private mutating func hexadecimal() -> UInt32? {
        guard position + 4 <= scalars.count else { return nil }
        defer { position += 4 }
        let digits = scalars[position..<position + 4]
        guard digits.allSatisfy(\.properties.isASCIIHexDigit) else { return nil }
        return UInt32(String(String.UnicodeScalarView(digits)), radix: 16)
    }

    private mutating func number() -> JSONSchema.Value? {
        let start = position
        while let scalar = next, "+-.eE0123456789".unicodeScalars.contains(scalar) { position += 1 }
        let text = String(String.UnicodeScalarView(scalars[start..<position]))
        var rest = Substring(text)
        if rest.first == "-" { rest.removeFirst() }
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, digits == "0" || digits.first != "0" else { return nil }
        rest = rest[digits.endIndex...]
        if rest.first == "." {
            rest.removeFirst()
            let fraction = rest.prefix { $0.isASCII && $0.isNumber }
            guard !fraction.isEmpty else { return nil }
            rest = rest[fraction.endIndex...]
        }
        if rest.first == "e" || rest.first == "E" {
            rest.removeFirst()
            if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
            guard let last = rest.last, last.isNumber else { return nil }
        }
        guard rest.allSatisfy(\.isNumber) else { return nil }
        return Double(text).map(JSONSchema.Value.number)
    }
}
