/// One place where an answer may say how long to wait.
public struct WaitSource: Sendable, Hashable {
    /// The place.
    public enum Place: Sendable, Hashable {
        /// A field with seconds (decimals allowed) or an HTTP-date: `Retry-After` (RFC 9110 10.2.3).
        case delay(header: Text)
        /// A field with milliseconds: `Retry-After-Ms`.
        case milliseconds(header: Text)
        /// A field with a time in any dialect: seconds from now, seconds or milliseconds since 1970, an
        /// HTTP-date, what JavaScript prints for a date, or a duration such as `1m30s`.
        case reset(header: Text)
        /// The reset of what the profile's ``RateFields`` say is used up; the latest of several.
        case usedUp
        /// A time in a JSON body, in any dialect.
        case body(JSONPointer)
    }

    /// The place.
    public var place: Place
    /// The statuses on which it counts; elsewhere it is ignored.
    public var statuses: StatusSet

    /// A source.
    public init(_ place: Place, on statuses: StatusSet) {
        self.place = place
        self.statuses = statuses
    }
}
