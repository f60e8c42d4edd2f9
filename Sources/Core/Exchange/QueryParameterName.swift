internal import Wire

/// The names that a query parameter may have in a configuration: what separates, ends or escapes one is refused, since Weir would send or
/// compare another name than the user wrote.
public enum QueryParameterName {
    /// What is allowed, for a mistake.
    public static let rule = "the name of a query parameter has letters, digits and - . _ ~ [ ] $ : @ only"

    private static let allowed = ASCIISet(alphanumericsAnd: "-._~[]$:@")
    private static let unescaped = ASCIISet(alphanumericsAnd: "-._~$:@")

    /// Whether a parameter may be called `name`.
    public static func isValid(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { allowed.contains($0) }
    }

    /// The name as it is written in a URI.
    static func encoded(_ name: String) -> [UInt8] {
        var bytes: [UInt8] = []
        PercentEncoding.encode(Array(name.utf8).span, keeping: unescaped, into: &bytes)
        return bytes
    }
}
