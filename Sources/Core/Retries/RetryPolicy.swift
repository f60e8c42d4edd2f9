/// Whether and when a request is retried after a failed attempt.
///
/// The failure itself says whether a retry is safe; see ``AttemptFailure``.
public struct RetryPolicy: Hashable, Sendable {
    /// Why an attempt failed.
    public enum Cause: String, Hashable, Sendable, CaseIterable {
        /// No connection could be established, or it broke.
        case connection
        /// The provider reported that it failed or is unavailable.
        case unavailable
        /// The provider reported too many requests.
        case rateLimited = "rate_limited"
        /// The provider took too long.
        case timeout

        /// The cause for a problem's code; `nil` if another attempt would not help.
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

    /// The maximum number of retries, 0 to 5; 0, the default, means none.
    public var maximum = 0
    /// The failures after which to retry.
    public var causes = Set(Cause.allCases)
    /// The longest wait before the first retry, 1 ms to 1 min; it doubles for each further one.
    public var base = Duration.milliseconds(250)
    /// The longest wait before any retry, 1 ms to 10 min.
    public var cap = Duration.seconds(10)
    /// The maximum number of retries per hundred requests, 1 to 100; see ``RetryBudget``.
    public var budgetPercent = 20

    /// The defaults: no retries.
    public init() {}

    /// How long to wait before the next attempt; `nil` if the failure is final.
    ///
    /// The wait is uniformly random between 0 and the bound ("full jitter"), so that requests that failed together
    /// are not repeated together; it begins after the provider's `Retry-After`.
    ///
    /// - Parameters:
    ///   - failure: the result of the last attempt.
    ///   - retries: how many retries have been made.
    ///   - patience: how much longer the request may wait in total.
    ///   - chance: a uniformly random number.
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

/// Bounds the additional load of retries on a failing provider: a fraction of the requests, and at least a few per
/// second.
///
/// A token bucket: each request adds its fraction of a retry, each second adds ``perSecond``, and each retry removes
/// one. It holds at most ``capacity``.
public struct RetryBudget: Sendable {
    /// The number of retries per second that is always allowed.
    public static let perSecond = 2
    /// The maximum number of saved retries.
    public static let capacity = 20

    // In hundredths of a retry.
    private var content = 100 * RetryBudget.capacity / 4
    private let perRequest: Int
    private var filledAt: MonotonicTime

    /// A budget of `percent` retries per hundred requests, 1 to 100, with a few at the start.
    public init(percent: Int, at now: MonotonicTime) {
        perRequest = percent
        filledAt = now
    }

    /// A request was sent for the first time.
    public mutating func requestSent() { add(perRequest) }

    /// Takes a retry out; false if there is none.
    public mutating func takeRetry(at now: MonotonicTime) -> Bool {
        let step = Int64(10_000_000 / Self.perSecond)
        let steps = min(filledAt.nanoseconds(to: now) / step, Int64(100 * Self.capacity))
        if steps > 0 {
            add(Int(steps))
            filledAt = steps == Int64(100 * Self.capacity) ? now : filledAt.later(by: steps * step)
        }
        guard content >= 100 else { return false }
        content -= 100
        return true
    }

    private mutating func add(_ hundredths: Int) {
        content = min(content + hundredths, 100 * Self.capacity)
    }
}

/// The result of a failed attempt, as far as a retry depends on it.
public struct AttemptFailure: Hashable, Sendable {
    /// What went wrong.
    public var code: ProblemCode
    /// Whether the same request may succeed later and repeating it is safe.
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
