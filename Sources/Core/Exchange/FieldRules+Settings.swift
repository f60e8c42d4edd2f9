internal import Wire

/// Which request fields a profile may have Weir send.
extension FieldRules {
    /// Whether a credential may be in the field `name`: in none that belongs to the connection, frames, routes or describes the message, or
    /// means something to Weir.
    public static func mayCarryCredential(_ name: Span<UInt8>) -> Bool {
        let dashed = dashed(name)
        let name = dashed.span
        return switch RequestField(name) {
        case .authorization: true
        case .other: !describesBody(name) && !name.startsIgnoringCase(with: "if-")
        default: false
        }
    }

    /// Why the field `name` cannot be a default of requests, and what is allowed; `nil` if it can.
    public static func reasonAgainstDefault(_ name: Span<UInt8>) -> String? {
        let dashed = dashed(name)
        let name = dashed.span
        switch RequestField(name) {
        case .accept, .contentType, .prefer, .requestID: return nil
        case .authorization:
            return
                "carries a credential; a key of Weir's own is the provider's `credential` in the configuration"
        case .other where name.equalsIgnoringCase("cookie"):
            return
                "carries a credential; a key of Weir's own is the provider's `credential` in the configuration"
        case .other where !name.equalsIgnoringCase("content-range"): return nil
        default:
            return
                "belongs to the connection or to the message, or is Weir's, and cannot be a default; allowed are fields such as "
                + "Accept, User-Agent or a provider's own"
        }
    }

    /// The name as servers read it that make no difference between `_` and `-`.
    private static func dashed(_ name: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<name.count { bytes.append(name[index] == 0x5F ? 0x2D : name[index]) }
        return bytes
    }

    /// Whether two fields are called the same, or differ only where one has `_` and the other `-`: many servers make one of the two (RFC
    /// 3875 4.1.18).
    public static func isTwin(_ name: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard name.count == other.count else { return false }
        for index in 0..<name.count {
            let (first, second) = (name[index].lowercasedASCII, other[index].lowercasedASCII)
            guard first == second || (first == 0x5F || first == 0x2D) && (second == 0x5F || second == 0x2D)
            else {
                return false
            }
        }
        return true
    }
}
