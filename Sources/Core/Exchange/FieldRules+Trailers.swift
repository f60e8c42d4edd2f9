internal import Wire

/// Which trailers cross the proxy (RFC 9110 6.5.1): none that could change, where it is taken for a field of the head, how the
/// message is framed, routed, authenticated, cached or read.
extension FieldRules {
    /// Most bytes of the names and values of a message's trailers, in either direction; those of one with more are dropped.
    public static let trailerLimit = 4096

    /// Whether the trailer `name` goes on, in either direction.
    static func forwardsTrailer(_ name: Span<UInt8>) -> Bool {
        guard RequestField(name) == .other, forwardsResponse(name), !name.startsIgnoringCase(with: "if-"),
            !name.startsIgnoringCase(with: "ratelimit"), !name.startsIgnoringCase(with: "access-control-")
        else { return false }
        for other in headOnly where name.equalsIgnoringCase(other.span) { return false }
        return true
    }

    /// The value of `Trailer` without the names of those that do not go on; `nil` if none is left.
    public static func trailerNames(
        _ value: Span<UInt8>, as form: FieldForm, connection: ConnectionFields
    ) -> [UInt8]? {
        var rest: [UInt8] = []
        ListElements.forEach(in: value) { name in
            guard name.isToken, crosses(name, as: form, connection: connection) else { return }
            if !rest.isEmpty { rest += [0x2C, 0x20] }
            rest.append(name)
        }
        return rest.isEmpty ? nil : rest
    }

    private static let headOnly = [
        "age", "allow", "cache-control", "content-disposition", "content-encoding", "content-language",
        "content-location", "content-range", "content-security-policy", "cookie", "date", "expires",
        "idempotency-key", "location", "max-forwards", "pragma", "preference-applied", "range", "retry-after",
        "set-cookie", "strict-transport-security", "vary", "warning", "www-authenticate", "x-error-code",
    ].map { Array($0.utf8) }
}
