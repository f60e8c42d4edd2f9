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
