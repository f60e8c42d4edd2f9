internal import Wire

/// The members of an object that may describe a problem with one field: the name of the field, and what is wrong.
///
/// Names of members are compared without case and separators: `property_path`, `propertyPath` and `PropertyPath` are
/// the same.
struct FieldEntry {
    /// The role of a member.
    enum Role: Int, CaseIterable {
        case name
        /// The location of the field, such as `body`; in some dialects the name of the field.
        case location
        case sentence
        case code
        /// A code or a message, depending on its form.
        case reason
        /// An object with the name in it.
        case source
        /// The parameters of a rule of JSON Schema.
        case parameters
        /// A map from names of rules to messages (class-validator).
        case constraints
        /// Problems of the field's parts.
        case children
        /// A list of messages or of objects.
        case several
        /// Names that share the message.
        case names
        /// The kind of object (GitHub).
        case resource
        /// The type of the value.
        case valueType
        /// A member that only GraphQL errors have.
        case graph
    }

    private struct Member {
        var name: [UInt8]
        var role: Role
        /// Of several members with the same role, the one with the lowest rank counts.
        var rank: Int32
    }

    private static let names: [(role: Role, names: [String])] = [
        (
            .name,
            [
                "field", "fieldname", "param", "parameter", "propertypath", "propertyname", "property",
                "instancepath", "datapath", "pointer", "loc", "attr", "attribute",
                "path", "target", "column", "argument", "key", "name",
            ]
        ),
        (.location, ["location", "in"]),
        (
            .sentence,
            [
                "message", "msg", "detail", "defaultmessage", "errormessage", "description",
                "errordescription", "error", "details",
                "title", "text",
            ]
        ),
        (
            .code,
            [
                "code", "errorcode", "keyword", "type", "rule", "validation", "validator", "constraint",
                "constraintname", "kind",
            ]
        ),
        (.reason, ["reason"]), (.source, ["source", "context"]), (.parameters, ["params"]),
        (.constraints, ["constraints"]),
        (.children, ["children"]),
        (
            .several,
            [
                "fieldviolations", "messages", "errors", "issues", "inner", "causes", "errormessages",
                "message",
                "error", "detail", "details",
            ]
        ),
        (.names, ["fields", "keys", "membernames"]), (.resource, ["resource"]),
        (.valueType, ["origin", "type"]), (.graph, ["locations", "extensions"]),
    ]

    /// By the length of the name.
    private static let members: [[Member]] = {
        var members: [[Member]] = Array(repeating: [], count: 20)
        for (role, names) in names {
            for (rank, name) in names.enumerated() where name.utf8.count < members.count {
                members[name.utf8.count].append(
                    Member(name: Array(name.utf8), role: role, rank: Int32(rank)))
            }
        }
        return members
    }()

    /// By the length of the name: a bit for each first letter of a name of that length.
    private static let firstLetters = members.map { members in
        members.reduce(UInt32(0)) { $0 | 1 << UInt32($1.name[0] & 31) }
    }

    private var nodes = InlineArray<14, Int32>(repeating: -1)
    private var ranks = InlineArray<14, Int32>(repeating: .max)

    /// Reads the members of an object.
    init(_ node: Int, in json: JSONDocument) {
        json.forEachMember(of: node) { key, value in
            let kind = json.kind(value)
            guard kind != .null, let name = json.string(key), name.count < 32 else { return }
            var letters = InlineArray<32, UInt8>(repeating: 0)
            var count = 0
            for byte in name.bytes where byte != 0x5F && byte != 0x2D {
                letters[count] = byte.lowercasedASCII
                count += 1
            }
            guard count < Self.members.count,
                Self.firstLetters[count] &>> UInt32(letters[0] & 31) & 1 != 0
            else { return }
            for member in Self.members[count] {
                var index = 0
                while index < count, member.name[index] == letters[index] { index += 1 }
                if index == count, Self.accepts(kind, as: member.role), !json.isEmptyString(value) {
                    offer(value, as: member.role, rank: member.rank)
                }
            }
        }
    }

    /// The value with this role.
    subscript(role: Role) -> Int? {
        let node = nodes[role.rawValue]
        return node < 0 ? nil : Int(node)
    }

    /// Whether the name is the value of `name`, where others put the class of an exception.
    var isUnderName: Bool { ranks[Role.name.rawValue] == Self.rankOfName }

    /// Whether the name is the value of `loc`, which begins with the part of the request.
    var isUnderLoc: Bool { ranks[Role.name.rawValue] == Self.rankOfLoc }

    /// Whether the name is the value of `path`, where GraphQL puts the path to a result.
    var isUnderPath: Bool { ranks[Role.name.rawValue] == Self.rankOfPath }

    /// Whether the code is the kind of an object.
    var isKind: Bool { ranks[Role.code.rawValue] == Self.rankOfKind }

    /// Whether the name is at a place that only a field's name occupies.
    var namesField: Bool { ranks[Role.name.rawValue] < Self.rankOfPath }

    private static let rankOfPath = rank(of: "path")
    private static let rankOfKind = Int32(
        names.first { $0.role == .code }?.names.firstIndex(of: "kind") ?? -1)
    private static let rankOfName = rank(of: "name")
    private static let rankOfLoc = rank(of: "loc")

    private static func rank(of name: String) -> Int32 {
        Int32(names.first { $0.role == .name }?.names.firstIndex(of: name) ?? -1)
    }

    private mutating func offer(_ node: Int, as role: Role, rank: Int32) {
        guard rank < ranks[role.rawValue] else { return }
        nodes[role.rawValue] = Int32(node)
        ranks[role.rawValue] = rank
    }

    private static func accepts(_ kind: JSONDocument.Kind, as role: Role) -> Bool {
        switch role {
        case .name: kind == .string || kind == .array
        case .code: kind == .string || kind == .number
        case .location, .sentence, .reason, .valueType: kind == .string
        case .source, .parameters, .constraints: kind == .object
        case .graph: kind == .object || kind == .array
        case .children, .several, .names: kind == .array
        case .resource: true
        }
    }
}

/// Some names.
///
/// Most texts that are looked up are not in the set, which their length and first letter show.
struct NameList: Sendable, ExpressibleByArrayLiteral {
    private let names: [Text]
    /// A bit for each name, see ``bit(of:)``.
    private let bits: UInt64

    init(arrayLiteral names: Text...) {
        self.names = names
        bits = names.reduce(0) { $0 | Self.bit(of: $1) }
    }

    /// Whether the text is one of the names.
    func contains(_ text: Text) -> Bool { bits & Self.bit(of: text) != 0 && names.contains(text) }

    /// Whether the text is one of the names, ignoring the case of ASCII letters.
    func containsIgnoringCase(_ text: Text) -> Bool {
        guard bits & Self.bit(of: text) != 0 else { return false }
        return names.contains { text.equalsIgnoringCase($0) }
    }

    /// The bit is the same for texts that differ only in the case of letters.
    private static func bit(of text: Text) -> UInt64 {
        guard !text.isEmpty else { return 1 }
        let first = text.storage[text.range.lowerBound] | 0x20
        return 1 &<< (UInt64(first) &* 7 &+ UInt64(truncatingIfNeeded: text.count))
    }
}
