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
}
