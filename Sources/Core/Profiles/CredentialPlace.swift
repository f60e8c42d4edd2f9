internal import Wire

/// Where a request carries its credential.
public enum CredentialPlace: Sendable, Hashable {
    /// The password of `Authorization: Basic` (RFC 7617); the user name is the profile's, or empty.
    case basicPassword
    /// The user name of `Authorization: Basic`; the password is empty.
    case basicUser
    /// User name and password of `Authorization: Basic`, with the colon between them.
    case basicPair
    /// `Authorization: Bearer` (RFC 6750).
    case bearer
    /// `Authorization` with a scheme of the provider's own, such as `token`.
    case scheme(String)
    /// The value of a field, behind a prefix that is always the same, such as `Token token=`; empty for none.
    case header(String, prefix: String)
    /// A query parameter.
    case query(String)

    /// The whole value of a field.
    public static func header(_ name: String) -> CredentialPlace { .header(name, prefix: "") }

    /// Reads a place as a profile spells it: `basic`, `basic user`, `basic pair`, `bearer`, `scheme NAME`, `header NAME`, `query NAME`.
    ///
    /// - Throws: what is allowed.
    public init(parsing text: String) throws(InvalidSetting) {
        let words = text.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("basic", 1): self = .basicPassword
        case ("basic", 2) where words[1] == "user": self = .basicUser
        case ("basic", 2) where words[1] == "pair": self = .basicPair
        case ("bearer", 1): self = .bearer
        case ("scheme", 2): self = try .scheme(Self.scheme(words[1]))
        case ("header", 2) where Array(words[1].utf8).span.isToken: self = try .header(Self.field(words[1]))
        case ("query", 2):
            guard QueryParameterName.isValid(words[1]) else {
                throw InvalidSetting("is not allowed: \(QueryParameterName.rule)")
            }
            self = .query(words[1])
        default:
            throw InvalidSetting(
                "is not one of: basic, basic user, basic pair, bearer, scheme NAME, header NAME, query NAME")
        }
    }

    /// Reads a field with a prefix in front of the credential.
    ///
    /// - Throws: what is allowed.
    public init(header name: String, prefix: String) throws(InvalidSetting) {
        guard prefix.utf8.count <= 64, prefix.utf8.allSatisfy({ (0x20...0x7E).contains($0) }),
            prefix.utf8.first != 0x20
        else {
            throw InvalidSetting(
                "has a prefix that is not allowed: it is up to 64 printable ASCII characters, the first no blank"
            )
        }
        self = .header(try Self.field(name), prefix: prefix)
    }

    private static func field(_ name: String) throws(InvalidSetting) -> String {
        guard FieldRules.mayCarryCredential(Array(name.utf8).span) else {
            throw InvalidSetting(
                "is not allowed: the field belongs to the connection or to the message, or is Weir's; allowed are "
                    + "Authorization and a provider's own, such as X-API-Key")
        }
        return name
    }

    /// A scheme that is read in the same way wherever it is found: `Basic` has more than one part.
    private static func scheme(_ name: String) throws(InvalidSetting) -> String {
        let bytes = Array(name.utf8)
        guard bytes.span.isToken, !bytes.span.equalsIgnoringCase("basic") else {
            throw InvalidSetting(
                "is not allowed: a scheme is a token (RFC 9110 11.1) such as token or Klaviyo-API-Key; for Basic use basic, "
                    + "basic user or basic pair")
        }
        return name
    }
}
