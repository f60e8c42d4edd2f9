/// Whether, and when, a request is sent again after an attempt that failed.
///
/// Whether repeating it is safe is said by the failure itself; see ``AttemptFailure``.
public struct RetryPolicy: Hashable, Sendable {
    /// What an attempt failed of.
    public enum Cause: String, Hashable, Sendable, CaseIterable {
        /// No connection could be made, or it broke.
        case connection
        /// The provider said that it failed, or that it is not there.
        case unavailable
        /// The provider said that there were too many requests.
        case rateLimited = "rate_limited"
        /// The provider took too long.
        case timeout

        /// The cause that a problem's code tells; `nil` for what another attempt would not change.
        public init?(_ code: ProblemCode) {
            switch code {
            case .providerUnreachable, .connectionLost: self = .connection
            case .providerError, .providerUnavailable: self = .unavailable
            case .rateLimited: self = .rateLimited
            case .providerTimeout: self = .timeout
            default: return nil
            }
        }
    }

    /// How often a request is sent again at most, 0 to 5; 0, the default, is never.
    public var maximum = 0
    /// What is tried again.
    public var causes = Set(Cause.allCases)
    /// The longest wait before the first retry, 1 ms to 1 min; it doubles with each further one.
    public var base = Duration.milliseconds(250)
    /// The longest wait before any retry, 1 ms to 10 min.
    public var cap = Duration.seconds(10)
    /// How many retries there may be for a hundred requests, 1 to 100; see ``RetryBudget``.
    public var budgetPercent = 20

    /// The defaults: no retries.
    public init() {}

    /// How long to wait before the request is sent again; `nil` if the failure is the answer.
    ///
    /// The wait is drawn evenly from 0 to the bound ("full jitter"), so that requests that failed together do not come
    /// again together; it begins where the provider's `Retry-After` ends.
    ///
    /// - Parameters:
    ///   - failure: what the last attempt came to.
    ///   - retries: how often the request was sent again already.
    ///   - patience: how long it may wait altogether from now on.
    ///   - chance: any number, all equally likely.
    public func wait(
        after failure: AttemptFailure, retries: Int, patience: Duration, chance: UInt64
    ) -> Duration? {
        guard retries < maximum, failure.isRetryable, let cause = Cause(failure.code), causes.contains(cause)
        else { return nil }
        let earliest = max(0, failure.retryAfter.wholeNanoseconds)
        let room = max(0, patience.wholeNanoseconds) - earliest
        guard room > 0 else { return nil }
        let bound = min(base.wholeNanoseconds << min(retries, 16), cap.wholeNanoseconds, room)
        let drawn = chance.multipliedFullWidth(by: UInt64(max(0, bound)) + 1).high
        return .nanoseconds(earliest + Int64(drawn))
    }
}
