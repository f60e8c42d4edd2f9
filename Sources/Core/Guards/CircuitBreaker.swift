/// Protects a failing provider: if too many of its recent responses were failures, no requests are sent for a while;
/// then one request at a time probes, and a success closes the circuit.
///
/// Responses are counted in a ring of ``buckets`` that together cover the window. So the memory is fixed, and the
/// window is accurate to a tenth of its length.
public struct CircuitBreaker: Sendable {
    /// When the circuit opens, and for how long.
    public struct Policy: Hashable, Sendable {
        /// The percentage of failures at which it opens, 1 to 100.
        public var failurePercent = 50
        /// How long a response counts, 1 s to 1 h.
        public var window = Duration.seconds(30)
        /// The circuit stays closed with fewer responses in the window; 1 to 1000000.
        public var minimum = 20
        /// How long the circuit stays open, 100 ms to 1 h.
        public var openFor = Duration.seconds(15)

        /// The defaults.
        public init() {}
    }

    /// The state of the circuit; the raw value is that of the metric.
    public enum State: Int, Hashable, Sendable {
        /// All requests are sent.
        case closed
        /// One request at a time is sent, as a probe.
        case halfOpen
        /// No request is sent.
        case open
    }

    /// Whether a request may be sent.
    public enum Admission: Hashable, Sendable {
        /// It may; its result must be recorded.
        case admitted
        /// It may, as a probe: its result must be recorded, or the probe returned with
        /// ``CircuitBreaker/returnProbe()``.
        case probe
        /// It may not; try again after this time.
        case refused(retryAfter: Duration)
    }

    /// How many parts the window has.
    public static let buckets = 10
    /// The retry delay while another request probes.
    public static let probePause = Duration.seconds(1)

    private struct Bucket {
        /// The number of the bucket's time slot since the clock's beginning.
        var number = Int64.min
        var answers = 0
        var failures = 0
    }

    private let policy: Policy
    private let bucketNanoseconds: Int64
    private var ring = Array(repeating: Bucket(), count: CircuitBreaker.buckets)
    /// The end of the open state; `nil` while the circuit is closed.
    private var opensUntil: MonotonicTime?
    private var isProbing = false

    /// A closed circuit.
    public init(_ policy: Policy) {
        self.policy = policy
        bucketNanoseconds = max(1, policy.window.wholeNanoseconds / Int64(Self.buckets))
    }

    /// Whether a response, or its absence, indicates that the provider is down.
    ///
    /// - Parameter code: the resulting problem code; `nil` if the response is not an error.
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

    /// Returns a probe without a usable result: the next request is a probe.
    public mutating func returnProbe() { isProbing = false }

    /// Records the result of a request.
    ///
    /// - Parameter isProbe: whether it was a probe. Results of other requests, which were sent earlier, do not count
    ///   while the circuit is not closed.
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
