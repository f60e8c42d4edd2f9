/// What a response's fields say of the provider's own count.
public struct RateObservation: Sendable, Hashable {
    /// The requests that the provider's window has, if it says so.
    public var limit: Int?
    /// The requests that are left of it.
    public var remaining: Int

    /// An observation; negative numbers count as 0.
    public init(limit: Int?, remaining: Int) {
        self.limit = limit.map { max($0, 0) }
        self.remaining = max(remaining, 0)
    }
}
