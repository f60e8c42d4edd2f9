internal import Wire

/// The shape of a body: its members and their types, without values.
struct BodyShape {
    /// The limits beyond which bodies are not distinguished.
    private static let depthLimit = 6
    private static let memberLimit = 64

    private let body: ProviderBody

    init(_ body: ProviderBody) { self.body = body }

    /// A hash that is equal for bodies of the same shape, whatever the order of their members; the seed is specific
    /// to this process.
    var hash: UInt64 {
        guard let json = body.json else { return Self.hash(body.kind) }
        return Self.hash(of: json.root, in: json, depth: 0)
    }

    /// The shape as text: `{code:number,errors:[{field:string}]}`, at most `limit` bytes.
    func text(limit: Int) -> [UInt8] {
        guard let json = body.json else { return Array(body.kind.rawValue.utf8) }
        var text: [UInt8] = []
        Self.describe(json.root, in: json, depth: 0, limit: limit, into: &text)
        return Array(text.prefix(limit))
    }

    private static func hash(_ value: some Hashable) -> UInt64 { UInt64(bitPattern: Int64(value.hashValue)) }

    private static func hash(of node: Int, in json: JSONDocument, depth: Int) -> UInt64 {
        var sum = hash(kindName(of: node, in: json))
        guard depth < depthLimit else { return sum }
        var count = 0
        switch json.kind(node) {
        case .object:
            json.forEachMember(of: node) { name, value in
                guard count < memberLimit, let name = json.string(name) else { return }
                count += 1
                var hasher = Hasher()
                hasher.combine(withoutNumbers(name))
                hasher.combine(hash(of: value, in: json, depth: depth + 1))
                sum &+= UInt64(bitPattern: Int64(hasher.finalize()))
            }
        case .array:
            var seen: [UInt64] = []
            json.forEachElement(of: node) { element in
                guard count < memberLimit else { return }
                count += 1
                let shape = hash(of: element, in: json, depth: depth + 1)
                guard !seen.contains(shape) else { return }
                seen.append(shape)
                sum &+= shape &* 31
            }
        default: break
        }
        return sum
    }

    private static func describe(
        _ node: Int, in json: JSONDocument, depth: Int, limit: Int, into text: inout [UInt8]
    ) {
        guard text.count < limit, depth < depthLimit else { return }
        switch json.kind(node) {
        case .object:
            text.append(0x7B)
            json.forEachMember(of: node) { name, value in
                guard text.count < limit, let name = json.string(name) else { return }
                if text.last != 0x7B { text.append(0x2C) }
                text += withoutNumbers(name)
                text.append(0x3A)
                describe(value, in: json, depth: depth + 1, limit: limit, into: &text)
            }
            text.append(0x7D)
        case .array:
            text.append(0x5B)
            if let first = json.element(0, of: node) {
                describe(first, in: json, depth: depth + 1, limit: limit, into: &text)
            }
            text.append(0x5D)
        default: text += kindName(of: node, in: json).utf8
        }
    }

    private static func kindName(of node: Int, in json: JSONDocument) -> String {
        switch json.kind(node) {
        case .object: "object"
        case .array: "array"
        case .string: "string"
        case .number: "number"
        case .true, .false: "boolean"
        case .null: "null"
        }
    }

    /// A name with all its digits replaced: names that contain ids do not make different shapes.
    private static func withoutNumbers(_ name: Text) -> [UInt8] {
        var result: [UInt8] = []
        for byte in name.bytes.prefix(64) {
            if byte.isASCIIDigit, result.last == 0x30 { continue }
            result.append(byte.isASCIIDigit ? 0x30 : byte)
        }
        return result
    }
}
