/// Why a text is no JSON, or none that ``JSONDocument`` takes.
public struct JSONMistake: Sendable, Hashable {
    /// How many bytes precede the mistake.
    public var offset: Int
    /// What is wrong, and what is allowed.
    public var message: String

    /// Looks for the mistake that keeps ``JSONDocument/init(_:in:isCut:)`` from taking a text.
    ///
    /// - Returns: `nil` if it takes the text.
    public init?(in bytes: [UInt8]) {
        guard bytes.count < Int32.max else {
            (offset, message) = (0, "the text is larger than 2 GiB")
            return
        }
        var parser = JSONParser(bytes: bytes, range: 0..<bytes.count)
        guard !parser.parse() else { return nil }
        offset = parser.malformedString ?? parser.endOfRead
        message = Self.message(of: parser, in: bytes, at: offset)
    }

    private static func message(of parser: JSONParser, in bytes: [UInt8], at offset: Int) -> String {
        let expected = parser.failedExpecting ?? .value
        if parser.isTooDeep {
            return "nested too deeply; allowed: \(JSONDocument.depthLimit) levels of arrays and objects"
        }
        if parser.nodes.count >= JSONDocument.nodeLimit {
            return "too large; allowed: \(JSONDocument.nodeLimit) values and names"
        }
        guard offset < bytes.count else { return "unexpected end of the text" }
        if parser.malformedString != nil {
            return bytes[offset] == 0x5C
                ? #"invalid escape; allowed: \" \\ \/ \b \f \n \r \t and \uXXXX"#
                : "control character in a string; use an escape such as \\n"
        }
        if bytes[offset] == 0x30, expected == .value || expected == .valueOrEnd {
            return "a number has no leading zeros"
        }
        let isInNumber = offset > 0 && "-+.eE".utf8.contains(bytes[offset - 1])
        let allowed = isInNumber ? "a digit" : text(of: expected)
        return "unexpected \(character(in: bytes, at: offset)); allowed: \(allowed)"
    }

    private static func character(in bytes: [UInt8], at offset: Int) -> String {
        let character = String(decoding: bytes[offset..<min(offset + 4, bytes.count)], as: UTF8.self)
            .unicodeScalars.first
        guard let character, character.value >= 0x20, character.value != 0x7F else {
            return "control character"
        }
        return "'\(character)'"
    }

    private static func text(of expected: JSONParser.Expected) -> String {
        switch expected {
        case .value: return "a value"
        case .valueOrEnd: return "a value or ]"
        case .name: return "a name in double quotes"
        case .nameOrEnd: return "a name in double quotes or }"
        case .colon: return "a colon behind the name"
        case .commaOrEnd: return "a comma, or the end of the array or object"
        case .end: return "nothing behind the value"
        }
    }
}

extension JSONDocument {
    /// Writes a node as it stands in the text, without the blanks between its parts.
    public func writeCompactly(_ node: Int, into output: inout [UInt8]) {
        var isInString = false
        var isEscaped = false
        for byte in raw(node).bytes {
            if isInString {
                isInString = isEscaped || byte != 0x22
                isEscaped = !isEscaped && byte == 0x5C
            } else {
                isInString = byte == 0x22
                switch byte {
                case 0x20, 0x09, 0x0A, 0x0D: continue
                default: break
                }
            }
            output.append(byte)
        }
    }
}
