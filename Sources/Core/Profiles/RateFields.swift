/// The names of the fields in which a provider tells the state of its rate limit; none if it does not.
///
/// The names at one place of ``limit``, ``remaining`` and ``reset`` speak of the same window, or are other spellings.
public struct RateFields: Sendable, Hashable {
    /// How many requests a window has.
    public var limit: [Text] = []
    /// How many are left.
    public var remaining: [Text] = []
    /// When the window ends.
    public var reset: [Text] = []
    /// How many are used, and how many a window has: `39/40`.
    public var used: [Text] = []
    /// All of it in one value: `"default";r=50;t=30`, or `limit=100, remaining=50, reset=30`.
    public var state: [Text] = []
    /// What the limits of ``state`` are: `"default";q=100;w=60`.
    public var policy: [Text] = []

    /// No fields.
    public init() {}
}
