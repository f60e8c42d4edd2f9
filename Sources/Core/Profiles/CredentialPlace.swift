internal import Wire

/// Where a request carries its credential.
public enum CredentialPlace: Sendable, Hashable {
    /// The password of `Authorization: Basic` (RFC 7617); the user is empty.
    case basicPassword
    /// `Authorization: Bearer` (RFC 6750).
    case bearer
    /// The whole value of a field.
    case header(String)
    /// A query parameter.
    case query(String)

    /// Reads a place as a profile spells it: `basic`, `bearer`, `header NAME`, `query NAME`.
    ///
    /// - Throws: what is allowed.
    public init(parsing text: String) throws(InvalidSetting) {
        let words = text.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("basic", 1): self = .basicPassword
        case ("bearer", 1): self = .bearer
        case ("header", 2) where Array(words[1].utf8).span.isToken:
            guard FieldRules.mayCarryCredential(Array(words[1].utf8).span) else {
                throw InvalidSetting(
                    "is not allowed: the field belongs to the connection or to the message, or is Weir's; allowed are "
                        + "Authorization and a provider's own, such as X-API-Key")
            }
            self = .header(words[1])
        case ("query", 2):
            guard QueryParameterName.isValid(words[1]) else {
                throw InvalidSetting("is not allowed: \(QueryParameterName.rule)")
            }
            self = .query(words[1])
        default: throw InvalidSetting("is not one of: basic, bearer, header NAME, query NAME")
        }
    }
}
