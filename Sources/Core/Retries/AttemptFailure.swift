/// What an attempt that failed came to, as far as another one depends on it.
public struct AttemptFailure: Hashable, Sendable {
    /// What went wrong.
    public var code: ProblemCode
    /// Whether the same request may succeed later, and repeating it is safe.
    public var isRetryable: Bool
    /// How long the provider asks to wait; zero if it does not.
    public var retryAfter: Duration
    /// Whether its side effect was performed.
    public var effect: Effect

    /// A failure; `retryAfter` is in seconds.
    public init(
        _ code: ProblemCode, isRetryable: Bool, retryAfter: Double? = nil, effect: Effect = .none
    ) {
        self.code = code
        self.effect = effect
        self.isRetryable = isRetryable
        self.retryAfter = .seconds(min(max(retryAfter ?? 0, 0), 1e9))
    }
}
