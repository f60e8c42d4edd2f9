public import Logging

extension JSONMembers {
    /// The key under which a logger takes them for members of the line itself.
    static let key = "members"
    /// How deep arrays and dictionaries may lie in each other.
    private static let depthLimit = 8

    /// These members for a logger: ``JSONLogHandler`` writes them into the line, in their order, before other
    /// metadata.
    public var metadata: Logger.Metadata { [Self.key: .stringConvertible(self)] }

    /// Adds all metadata, sorted by key so that lines of a kind look alike.
    mutating func append(_ metadata: Logger.Metadata) {
        if let value = metadata[Self.key], case .stringConvertible(let convertible) = value,
            let members = convertible as? JSONMembers
        {
            append(contentsOf: members)
            if metadata.count == 1 { return }
        }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            if key == Self.key, case .stringConvertible(let convertible) = value, convertible is JSONMembers {
                continue
            }
            // The names of every line are taken.
            let isTaken = ["time", "level", "message"].contains(key)
            appendMember(isTaken ? key + "_" : key) { $0.append(value, depth: 0) }
        }
    }

    private mutating func append(_ value: Logger.MetadataValue, depth: Int) {
        if depth == Self.depthLimit || isFull {
            appendLiteral("null")
            isTruncated = true
            return
        }
        switch value {
        case .string(let text): appendText(text)
        case .stringConvertible(let convertible): append(convertible: convertible)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(value, depth: depth + 1)
                if isFull { break }
            }
            bytes.append(UInt8(ascii: "]"))
        case .dictionary(let metadata):
            bytes.append(UInt8(ascii: "{"))
            for (index, (key, value)) in metadata.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                appendText(key)
                bytes.append(UInt8(ascii: ":"))
                append(value, depth: depth + 1)
                if isFull { break }
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Numbers and truth values as what they are, the rest by its description.
    private mutating func append(convertible: any CustomStringConvertible & Sendable) {
        switch convertible {
        case let number as Int: appendNumber(Int64(number))
        case let value as Bool: appendLiteral(value ? "true" : "false")
        case let number as Double: appendNumber(number)
        case let number as Int64: appendNumber(number)
        case let number as UInt64: appendNumber(number)
        case let members as JSONMembers: appendLiteral(members.description)
        case let number as any FixedWidthInteger: appendLiteral("\(number)")
        case let number as Float: appendNumber(Double(number))
        default: appendText(convertible.description)
        }
    }
}
