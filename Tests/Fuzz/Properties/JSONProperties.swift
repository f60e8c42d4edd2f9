internal import Core
internal import TestSupport

/// A JSON text.
///
/// The parser agrees with one that shares no code with it, about what is JSON and about every value; what is written again is the
/// same; and any bytes can be written as a string that reads as they were.
enum JSONProperties {
    static func check(_ input: [UInt8]) {
        checkString(input)
        checkCut(input)
        let document = JSONDocument(input)
        let isUTF8 = String(validating: input, as: UTF8.self) != nil
        guard let document else {
            expect(!isUTF8 || exceedsLimits(input) || JSONSchema.parse(input) == nil, "JSON was refused")
            return
        }
        guard isUTF8, !repeatsOuterName(document) else { return }
        let value = value(document, document.root)
        expect(JSONSchema.parse(input) == value, "another parser reads it otherwise")
        var written: [UInt8] = []
        write(document, document.root, into: &written)
        guard let again = JSONDocument(written) else { fatalError("what was written is not JSON") }
        expect(self.value(again, again.root) == value, "what was written says something else")
    }

    /// A text whose end may be missing: what is whole is read as ever, and what is read of a part can be walked through.
    private static func checkCut(_ input: [UInt8]) {
        guard let document = JSONDocument(input, isCut: true) else {
            expect(JSONDocument(input) == nil, "JSON was refused because its end may be missing")
            return
        }
        _ = value(document, document.root)
        guard let whole = JSONDocument(input) else { return }
        var (first, second): ([UInt8], [UInt8]) = ([], [])
        write(document, document.root, into: &first)
        write(whole, whole.root, into: &second)
        expect(first == second, "a whole text is read otherwise because its end may be missing")
    }

    private static func checkString(_ input: [UInt8]) {
        var written: [UInt8] = []
        JSONWriter.string(Text(input), into: &written)
        guard let document = JSONDocument(written), let read = document.string(document.root) else {
            fatalError("a written string is no JSON string")
        }
        expect(read.string == String(decoding: input, as: UTF8.self), "a written string has changed")
        expect(JSONSchema.parse(written) == .string(read.string), "another parser reads the string otherwise")
    }

    /// Whether the text may be too deep or too long for Weir.
    private static func exceedsLimits(_ input: [UInt8]) -> Bool {
        input.count >= JSONDocument.nodeLimit
            || input.filter { $0 == 0x5B || $0 == 0x7B }.count > JSONDocument.depthLimit
    }

    /// The other parser does not take an outermost object with a name twice.
    private static func repeatsOuterName(_ document: JSONDocument) -> Bool {
        var names: Set<String> = []
        var isRepeated = false
        document.forEachMember(of: document.root) { name, _ in
            if !names.insert(document.string(name)?.string ?? "").inserted { isRepeated = true }
        }
        return isRepeated
    }

    private static func value(_ document: JSONDocument, _ node: Int) -> JSONSchema.Value {
        switch document.kind(node) {
        case .object:
            var members: [String: JSONSchema.Value] = [:]
            document.forEachMember(of: node) { name, child in
                members[document.string(name)?.string ?? ""] = value(document, child)
            }
            return .object(members)
        case .array:
            var elements: [JSONSchema.Value] = []
            document.forEachElement(of: node) { elements.append(value(document, $0)) }
            return .array(elements)
        case .string: return .string(document.string(node)?.string ?? "")
        case .number: return .number(Double(document.raw(node).string) ?? .nan)
        case .true: return .boolean(true)
        case .false: return .boolean(false)
        case .null: return .null
        }
    }

    private static func write(_ document: JSONDocument, _ node: Int, into output: inout [UInt8]) {
        switch document.kind(node) {
        case .object:
            var parts: [[UInt8]] = []
            document.forEachMember(of: node) { name, child in
                var part: [UInt8] = []
                JSONWriter.string(document.string(name) ?? Text(""), into: &part)
                part.append(0x3A)
                write(document, child, into: &part)
                parts.append(part)
            }
            output += [0x7B] + parts.joined(separator: [0x2C]) + [0x7D]
        case .array:
            var parts: [[UInt8]] = []
            document.forEachElement(of: node) { child in
                var part: [UInt8] = []
                write(document, child, into: &part)
                parts.append(part)
            }
            output += [0x5B] + parts.joined(separator: [0x2C]) + [0x5D]
        case .string: JSONWriter.string(document.string(node) ?? Text(""), into: &output)
        case .number, .true, .false, .null: output += Array(document.raw(node).bytes)
        }
    }
}
