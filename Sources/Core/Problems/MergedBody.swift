internal import Wire

/// Adds a problem to a provider's JSON object, as the member `problem`; all other bytes stay as they are.
///
/// The member is inserted into the bytes: numbers, escapes, blanks and the order of members remain the provider's. Members of the
/// provider's that are called `problem` themselves are left out, however they are spelled: a reader must never take one for Weir's.
public enum MergedBody {
    /// The name of the member that has the problem.
    public static let memberName: Text = "problem"

    /// The body with the problem as the last member of its object.
    ///
    /// - Parameters:
    ///   - problem: the problem, as a JSON object.
    ///   - body: a whole body without content codings; a byte order mark and blanks around the object are kept.
    /// - Returns: `nil` if the body is no JSON object in UTF-8 (RFC 8259 8.1), or exceeds a limit of ``JSONDocument``.
    public static func merging(_ problem: [UInt8], into body: [UInt8]) -> [UInt8]? {
        let start = body.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        guard let json = JSONDocument(body, in: start..<body.count), json.kind(json.root) == .object,
            !json.hasForeignBytes || UTF8Repair.isValid(body[...])
        else { return nil }
        var merged: [UInt8] = []
        merged.reserveCapacity(body.count + problem.count + 12)
        // Behind the opening brace, and then behind the value of each member.
        var end = json.raw(json.root).range.lowerBound + 1
        merged += body[..<end]
        var hasMembers = false
        json.forEachMember(of: json.root) { name, value in
            let member = body[end..<json.raw(value).range.upperBound]
            end = member.endIndex
            guard json.string(name) != memberName else { return }
            // The comma belonged to a member that was left out.
            let isSeparated = hasMembers || member.first { !isBlank($0) } != 0x2C
            merged += isSeparated ? member : member.drop(while: isBlank).dropFirst()
            hasMembers = true
        }
        if hasMembers { merged.append(0x2C) }
        JSONWriter.string(memberName, into: &merged)
        merged.append(0x3A)
        merged += problem
        merged += body[end...]
        return merged
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
