/// Gives a provider that fails time to recover: when too many of its latest answers were failures, nothing is sent to it for a
/// while; then one request at a time tries, and its success ends it.
///
/// Answers are counted in a ring of ``buckets`` that together cover the window, so that the memory is fixed, and what is
/// older than the window is forgotten to within a tenth of it.
public struct CircuitBreaker: Sendable {
    /// When the circuit opens, and for how long.
    public struct Policy: Hashable, Sendable {
        /// How many of a hundred answers are failures when it opens, 1 to 100.
        public var failurePercent = 50
        /// How long an answer counts, 1 s to 1 h.
        public var window = Duration.seconds(30)
        /// With fewer answers in the window it stays closed; 1 to 1000000.
        public var minimum = 20
        /// How long nothing is sent, 100 ms to 1 h.
        public var openFor = Duration.seconds(15)

        /// The defaults.
        public init() {}
    }

    /// Whether requests are sent; the raw value is that of the metric.
    public enum State: Int, Hashable, Sendable {
        /// All are.
        case closed
        /// One at a time is, to try.
        case halfOpen
        /// None is.
        case open
    }

    /// Whether a request may be sent.
    public enum Admission: Hashable, Sendable {
        /// It may; what it comes to is to be recorded.
        case admitted
        /// It may, and tries for all others: it must be recorded, or given back with ``CircuitBreaker/returnProbe()``.
        case probe
        /// It is worth trying again after this time.
        case refused(retryAfter: Duration)
    }

    /// How many parts the window has.
    public static let buckets = 10
    /// When to come again while another request tries.
    public static let probePause = Duration.seconds(1)

    private struct Bucket {
        /// Which of all parts of time it counts.
        var number = Int64.min
        var answers = 0
        var failures = 0
    }

    private let policy: Policy
    private let bucketNanoseconds: Int64
    private var ring = Array(repeating: Bucket(), count: CircuitBreaker.buckets)
    /// Until when nothing is sent; `nil` while the circuit is closed.
    private var opensUntil: MonotonicTime?
    private var isProbing = false

    /// A closed circuit.
    public init(_ policy: Policy) {
        self.policy = policy
        bucketNanoseconds = max(1, policy.window.wholeNanoseconds / Int64(Self.buckets))
    }

    /// Whether an answer, or the lack of one, speaks of a provider that is down.
    ///
    /// - Parameter code: what it became; `nil` if it is no error.
    public static func isFailure(_ code: ProblemCode?) -> Bool {
        guard let code else { return false }
        return code.origin == .network || code == .providerError || code == .providerUnavailable
    }

    /// Whether requests are sent now.
    public func state(at now: MonotonicTime) -> State {
        guard let opensUntil else { return .closed }
        return now < opensUntil ? .open : .halfOpen
    }

    /// Whether a request may be sent now.
    public mutating func admit(at now: MonotonicTime) -> Admission {
        guard let opensUntil else { return .admitted }
        if now < opensUntil { return .refused(retryAfter: now.duration(to: opensUntil)) }
        if isProbing { return .refused(retryAfter: Self.probePause) }
        isProbing = true
        return .probe
    }

    /// Takes back a probe that came to nothing that would tell: the next request is one.
    public mutating func returnProbe() { isProbing = false }

    /// Takes what a request came to.
    ///
    /// - Parameter isProbe: whether it was a probe. What others come to that were sent before does not count while the
    ///   circuit is not closed.
    public mutating func record(isFailure: Bool, isProbe: Bool, at now: MonotonicTime) {
        if isProbe {
            isProbing = false
            guard opensUntil != nil else { return }
            if isFailure { open(at: now) } else { close() }
        } else if opensUntil == nil {
            count(isFailure: isFailure, at: now)
            if isFailure, mustOpen(at: now) { open(at: now) }
        }
    }

    private mutating func open(at now: MonotonicTime) { opensUntil = now + policy.openFor }

    private mutating func close() {
        opensUntil = nil
        ring = Array(repeating: Bucket(), count: Self.buckets)
    }

    private mutating func count(isFailure: Bool, at now: MonotonicTime) {
        let number = now.nanoseconds / bucketNanoseconds
        let index = Int(((number % Int64(Self.buckets)) + Int64(Self.buckets)) % Int64(Self.buckets))
        if ring[index].number != number { ring[index] = Bucket(number: number) }
        ring[index].answers += 1
        if isFailure { ring[index].failures += 1 }
    }

    private func mustOpen(at now: MonotonicTime) -> Bool {
        let oldest = now.nanoseconds / bucketNanoseconds - Int64(Self.buckets) + 1
        var (answers, failures) = (0, 0)
        for bucket in ring where bucket.number >= oldest {
            answers += bucket.answers
            failures += bucket.failures
        }
        return answers >= policy.minimum && failures * 100 >= answers * policy.failurePercent
    }
}
