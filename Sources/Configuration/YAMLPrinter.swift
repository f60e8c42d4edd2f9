/// Prints a ``DocumentTree`` as YAML that reads back to the same tree.
public enum YAMLPrinter {
    /// How long a line may be before a mapping or list takes several.
    private static let width = 120

    /// The text, which ends with a line break.
    public static func print(_ tree: DocumentTree) -> String {
        var output = ""
        switch tree.content {
        case .mapping(let members) where !members.isEmpty: block(members, indent: 0, into: &output)
        case .list(let elements) where !elements.isEmpty: block(elements, indent: 0, into: &output)
        default: output += flow(tree) + "\n"
        }
        return output
    }

    /// A remark, one line of it per line.
    public static func comment(_ text: String, indent: Int = 0) -> String {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            let clean = String(String.UnicodeScalarView(line.unicodeScalars.filter(isPrintable)))
            return String(repeating: " ", count: indent) + (clean.isEmpty ? "#" : "# \(clean)") + "\n"
        }.joined()
    }

    private static func block(
        _ members: [(name: String, value: DocumentTree)], indent: Int, into output: inout String
    ) {
        for member in members {
            if let comment = member.value.comment { output += Self.comment(comment, indent: indent) }
            output += String(repeating: " ", count: indent) + scalar(member.name, isPlain: false) + ":"
            blockValue(member.value, indent: indent, used: indent + member.name.count + 2, into: &output)
        }
    }

    private static func block(_ elements: [DocumentTree], indent: Int, into output: inout String) {
        for element in elements {
            if let comment = element.comment { output += Self.comment(comment, indent: indent) }
            let start = String(repeating: " ", count: indent) + "-"
            if case .mapping(let members) = element.content, !members.isEmpty,
                !fits(element, used: indent + 2)
            {
                // The first member stands beside the dash.
                var inner = ""
                block(members, indent: indent + 2, into: &inner)
                let head = members[0].value.comment.map { Self.comment($0, indent: indent + 2) } ?? ""
                output += head + start + " " + inner.dropFirst(head.count + indent + 2)
            } else {
                output += start
                blockValue(element, indent: indent, used: indent + 2, into: &output)
            }
        }
    }

    private static func blockValue(
        _ value: DocumentTree, indent: Int, used: Int, into output: inout String
    ) {
        switch value.content {
        case .mapping(let members) where !members.isEmpty && !fits(value, used: used):
            output += "\n"
            block(members, indent: indent + 2, into: &output)
        case .list(let elements)
        where !elements.isEmpty && (elements.contains(where: \.isMapping) || !fits(value, used: used)):
            output += "\n"
            block(elements, indent: indent + 2, into: &output)
        default: output += " " + flow(value) + "\n"
        }
    }

    /// Whether a value fits on the rest of a line, and no remark within it needs a line of its own.
    private static func fits(_ value: DocumentTree, used: Int) -> Bool {
        hasNoRemark(value) && used + flow(value).count <= width
    }

    private static func hasNoRemark(_ value: DocumentTree) -> Bool {
        value.members.allSatisfy { $0.value.comment == nil && hasNoRemark($0.value) }
            && value.elements.allSatisfy { $0.comment == nil && hasNoRemark($0) }
    }

    private static func flow(_ value: DocumentTree) -> String {
        switch value.content {
        case .scalar(let text, let isPlain): return scalar(text, isPlain: isPlain)
        case .list(let elements): return "[\(elements.map(flow).joined(separator: ", "))]"
        case .mapping(let members):
            guard !members.isEmpty else { return "{}" }
            let inner = members.map { "\(scalar($0.name, isPlain: false)): \(flow($0.value))" }
            return "{ \(inner.joined(separator: ", ")) }"
        }
    }

    private static func scalar(_ text: String, isPlain: Bool) -> String {
        if isPlain, ["", "~", "null", "Null", "NULL"].contains(text) { return "null" }
        if isSafe(text), isPlain || !hasMeaning(text) { return text }
        guard text.unicodeScalars.allSatisfy(isPrintable) else { return escaped(text) }
        return "'\(text.replacing("'", with: "''"))'"
    }

    /// Whether a text may stand without quotes, in any context.
    private static func isSafe(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count <= 200 else {
            return false
        }
        func isWord(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "_")
        }
        guard isWord(first) || "/.".utf8.contains(first), last != 0x20 else { return false }
        return text.utf8.allSatisfy { isWord($0) || "/.+-* ".utf8.contains($0) }
    }

    /// Whether YAML reads a plain text as something else than a text: null, a boolean, a number, a date.
    private static func hasMeaning(_ text: String) -> Bool {
        let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan"]
        if words.contains(text.lowercased()) { return true }
        guard let first = text.utf8.first, (0x30...0x39).contains(first) || first == UInt8(ascii: ".") else {
            return false
        }
        return text.utf8.allSatisfy { "0123456789abcdefABCDEFxXoO+-._:TZ ".utf8.contains($0) }
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: false
        default: true
        }
    }

    private static func escaped(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if isPrintable(scalar) {
                    result.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
                }
            }
        }
        return result + "\""
    }
}
