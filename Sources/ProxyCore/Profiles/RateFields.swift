/// The names of the fields in which a provider tells the state of its rate limit; none if it does not.
public struct RateFields: Sendable, Hashable {
    /// How many requests a window has.
    public var limit: [Text] = []
    /// How many are left.
    public var remaining: [Text] = []
    /// When the window ends.
    public var reset: [Text] = []

    /// No fields.
    public init() {}
}
