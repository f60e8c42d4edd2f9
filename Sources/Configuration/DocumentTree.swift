/// A YAML or JSON document as plain data, with the position of each value.
public struct DocumentTree: Sendable {
    /// What a value is.
    public enum Content: Sendable {
        /// A text, number, boolean or null; `isPlain` if it has no quotes.
        case scalar(String, isPlain: Bool)
        /// A list.
        case list([DocumentTree])
        /// A mapping, in the order of the file.
        case mapping([(name: String, value: DocumentTree)])
    }

    /// The value.
    public var content: Content
    /// Its line, from 1; 0 for a value that no file contains.
    public var line = 0
    /// Its column, from 1; 0 with the line.
    public var column = 0
    /// A remark that ``YAMLPrinter`` prints above the value.
    public var comment: String?

    /// How deeply values may be nested.
    public static let depthLimit = 100
    /// How many values a document may have, those that aliases repeat included.
    public static let valueLimit = 2_000_000

    /// A value that no file contains.
    public init(_ content: Content, comment: String? = nil) {
        self.content = content
        self.comment = comment
    }

    /// A text that keeps its meaning when it looks like a number.
    public static func text(_ text: String) -> DocumentTree { DocumentTree(.scalar(text, isPlain: false)) }

    /// A number, or a word such as `yes`.
    public static func plain(_ text: String) -> DocumentTree { DocumentTree(.scalar(text, isPlain: true)) }

    /// Reads a document of YAML or JSON.
    ///
    /// - Throws: one mistake with its position: what is no YAML, is empty, too deep or too large.
    public init(parsing text: String, file: String) throws(ConfigurationMistakes) {
        let reading = YAMLReading(file: file, surroundings: .none)
        let root = reading.parse(Self.isJSON(text) ? Self.joiningSurrogates(text) : text)
        try reading.throwMistakes()
        guard let root else {
            throw ConfigurationMistakes(all: [
                ConfigurationMistake(file: file, line: 1, column: 1, key: "", reason: "is empty")
            ])
        }
        var count = 0
        do throws(ConfigurationMistake) {
            self = try Self.convert(root.node, depth: 0, count: &count, file: file)
        } catch {
            throw ConfigurationMistakes(all: [error])
        }
    }

    private static func convert(
        _ node: YAMLNode, depth: Int, count: inout Int, file: String
    ) throws(ConfigurationMistake) -> DocumentTree {
        let (line, column) = (node.line, node.column)
        count += 1
        guard depth <= depthLimit, count <= valueLimit else {
            let reason =
                depth > depthLimit
                ? "is nested more deeply than \(depthLimit) levels"
                : "has more than \(valueLimit) values, those that aliases repeat included"
            throw ConfigurationMistake(file: file, line: line, column: column, key: "", reason: reason)
        }
        var tree = DocumentTree(.list([]))
        switch node.content {
        case .scalar(let text, let isPlain): tree.content = .scalar(text, isPlain: isPlain)
        case .sequence(let sequence):
            var elements: [DocumentTree] = []
            elements.reserveCapacity(sequence.count)
            for element in sequence {
                elements.append(try convert(element, depth: depth + 1, count: &count, file: file))
            }
            tree.content = .list(elements)
        case .mapping(let mapping):
            var members: [(name: String, value: DocumentTree)] = []
            members.reserveCapacity(mapping.count)
            for (name, value) in mapping {
                let value = try convert(value, depth: depth + 1, count: &count, file: file)
                members.append((name.text ?? "", value))
            }
            tree.content = .mapping(members)
        }
        (tree.line, tree.column) = (line, column)
        return tree
    }

    private static func isJSON(_ text: String) -> Bool {
        text.utf8.first { $0 > 0x20 && $0 != 0xEF && $0 != 0xBB && $0 != 0xBF } == UInt8(ascii: "{")
    }

    /// JSON writes a character beyond U+FFFF as two escapes (RFC 8259 7), which are none in YAML.
    private static func joiningSurrogates(_ text: String) -> String {
        let bytes = Array(text.utf8)
        func escape(at index: Int) -> UInt32? {
            guard index + 6 <= bytes.count, bytes[index] == 0x5C, bytes[index + 1] == UInt8(ascii: "u")
            else { return nil }
            return UInt32(String(decoding: bytes[(index + 2)..<(index + 6)], as: UTF8.self), radix: 16)
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == 0x5C else {
                result.append(bytes[index])
                index += 1
                continue
            }
            if let high = escape(at: index), (0xD800...0xDBFF).contains(high),
                let low = escape(at: index + 6),
                (0xDC00...0xDFFF).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            {
                result += Array(String(Character(scalar)).utf8)
                index += 12
            } else if let half = escape(at: index), (0xD800...0xDFFF).contains(half) {
                result += Array("\u{FFFD}".utf8)
                index += 6
            } else {
                result += bytes[index..<min(index + 2, bytes.count)]
                index += 2
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension DocumentTree {
    /// The members of a mapping; none for anything else.
    public var members: [(name: String, value: DocumentTree)] {
        if case .mapping(let members) = content { members } else { [] }
    }

    /// The elements of a list; none for anything else.
    public var elements: [DocumentTree] {
        if case .list(let elements) = content { elements } else { [] }
    }

    /// The elements of a list, or this value alone.
    public var oneOrMany: [DocumentTree] {
        if case .list(let elements) = content { elements } else { [self] }
    }

    /// The text of a scalar that is not null.
    public var string: String? {
        guard case .scalar(let text, let isPlain) = content else { return nil }
        return isPlain && ["", "~", "null", "Null", "NULL"].contains(text) ? nil : text
    }

    /// Whether this is a mapping.
    public var isMapping: Bool {
        if case .mapping = content { true } else { false }
    }

    /// The value of a key; setting `nil` removes it.
    public subscript(_ name: String) -> DocumentTree? {
        get { members.first { $0.name == name }?.value }
        set {
            var members = members
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((name, value))
            case (nil, nil): break
            }
            content = .mapping(members)
        }
    }

    /// The tree as JSON: plain whole numbers are numbers, everything else is a string.
    ///
    /// - Parameter string: writes a JSON string.
    public func writeJSON(into output: inout [UInt8], string: (String, inout [UInt8]) -> Void) {
        switch content {
        case .scalar(let text, let isPlain):
            if isPlain, let number = Int(text), "\(number)" == text {
                output += Array(text.utf8)
            } else if isPlain, self.string == nil {
                output += Array("null".utf8)
            } else {
                string(text, &output)
            }
        case .list(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.writeJSON(into: &output, string: string)
            }
            output.append(UInt8(ascii: "]"))
        case .mapping(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                string(member.name, &output)
                output.append(UInt8(ascii: ":"))
                member.value.writeJSON(into: &output, string: string)
            }
            output.append(UInt8(ascii: "}"))
        }
    }
}
