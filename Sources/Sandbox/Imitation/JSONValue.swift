internal import Core

/// A JSON value that a simulated provider stores or sends; members of objects keep their order.
enum JSONValue: Sendable, Equatable {
    /// A name and its value.
    struct Member: Sendable, Equatable {
        var name: String
        var value: JSONValue
    }

    case null
    case boolean(Bool)
    /// A number in its original spelling.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// Parses a JSON text; `nil` if it is invalid or exceeds the limits of ``JSONDocument``.
    init?(parsing bytes: [UInt8]) {
        guard let document = JSONDocument(bytes) else { return nil }
        self.init(document, document.root)
    }

    /// The document's own limit bounds the nesting.
    private init(_ document: JSONDocument, _ node: Int) {
        switch document.kind(node) {
        case .null: self = .null
        case .true: self = .boolean(true)
        case .false: self = .boolean(false)
        case .number: self = .number(document.scalarText(node)?.string ?? "0")
        case .string: self = .string(document.string(node)?.string ?? "")
        case .array:
            var elements: [JSONValue] = []
            document.forEachElement(of: node) { elements.append(JSONValue(document, $0)) }
            self = .array(elements)
        case .object:
            var members: [Member] = []
            document.forEachMember(of: node) { name, value in
                let name = document.string(name)?.string ?? ""
                members.append(Member(name: name, value: JSONValue(document, value)))
            }
            self = .object(members)
        }
    }

    /// The member of that name, the last one if it is repeated; `null` if there is none.
    subscript(_ name: String) -> JSONValue {
        get {
            guard case .object(let members) = self else { return .null }
            return members.last { $0.name == name }?.value ?? .null
        }
        set {
            guard case .object(var members) = self else { return }
            members.removeAll { $0.name == name }
            members.append(Member(name: name, value: newValue))
            self = .object(members)
        }
    }

    /// The text of a non-empty string.
    var text: String? {
        guard case .string(let text) = self, !text.isEmpty else { return nil }
        return text
    }

    /// The elements of an array.
    var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// Whether this is empty by the rules of PHP and forms: null, an empty text, or no elements.
    var isBlank: Bool { self == .null || self == .string("") || self == .array([]) }

    /// Its approximate size in memory, in bytes.
    var weight: Int {
        switch self {
        case .null, .boolean: 32
        case .number(let text), .string(let text): 32 + text.utf8.count
        case .array(let elements): elements.reduce(32) { $0 + $1.weight }
        case .object(let members): members.reduce(32) { $0 + $1.name.utf8.count + $1.value.weight }
        }
    }

    /// An object of names and values, in that order.
    static func members(_ pairs: [(String, JSONValue)]) -> JSONValue {
        .object(pairs.map { Member(name: $0.0, value: $0.1) })
    }

    /// The value as JSON text.
    var bytes: [UInt8] {
        var output: [UInt8] = []
        write(into: &output)
        return output
    }

    private func write(into output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .boolean(let value): JSONWriter.boolean(value, into: &output)
        case .number(let spelling): output.append(contentsOf: spelling.utf8)
        case .string(let text): JSONWriter.string(text, into: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.write(into: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONWriter.string(member.name, into: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(into: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONValue: ExpressibleByStringInterpolation {
    init(stringLiteral value: String) { self = .string(value) }
}

extension JSONValue: ExpressibleByIntegerLiteral {
    init(integerLiteral value: Int) { self = .integer(value) }

    /// An integer.
    static func integer(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }
}

extension JSONValue: ExpressibleByBooleanLiteral {
    init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension JSONValue: ExpressibleByNilLiteral {
    init(nilLiteral: ()) { self = .null }
}

extension JSONValue: ExpressibleByArrayLiteral {
    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral elements: (String, JSONValue)...) { self = .members(elements) }
}
