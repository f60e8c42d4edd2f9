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

/// Bounds what retries add to the load of a provider that fails: a part of the requests, and a few a second at least.
///
/// A bucket: each request adds its part of a retry, each second ``perSecond``, each retry takes one out.
/// It holds ``capacity`` at most.
public struct RetryBudget: Sendable {
    /// Retries that are allowed in a second however few requests there are.
    public static let perSecond = 2
    /// The most retries that are saved up.
    public static let capacity = 20

    // In hundredths of a retry.
    private var content = 100 * RetryBudget.capacity / 4
    private let perRequest: Int
    private var filledAt: MonotonicTime

    /// A budget of `percent` retries for a hundred requests, 1 to 100, with a few at the start.
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
