/// A failure that is not described by a provider's response: Weir's own, the network's or the client's.
public struct Fault: Error, Sendable {
    /// What failed.
    public var code: ProblemCode
    /// The status to send; the code's own by default.
    public var status: Int
    /// What happened; the code's own text by default.
    public var detail: Text?
    /// Whether the side effect was performed.
    public var effect: Effect
    /// The error type for `Proxy-Status`.
    public var proxyError: ProxyErrorType
    /// Seconds to wait, never too few.
    public var retryAfter: Double?
    /// The limit that would have been exceeded.
    public var limit: QuotaLimit?
    /// Whether the cause is transient; the code's own value by default.
    public var isTransient: Bool

    /// A failure; omitted parameters have the code's defaults.
    public init(
        _ code: ProblemCode, detail: Text? = nil, effect: Effect? = nil, proxyError: ProxyErrorType? = nil,
        retryAfter: Double? = nil, limit: QuotaLimit? = nil, isTransient: Bool? = nil
    ) {
        self.code = code
        status = code.status
        self.detail = detail
        self.effect = effect ?? code.effect
        self.proxyError = proxyError ?? ProxyErrorType(code)
        self.retryAfter = retryAfter
        self.limit = limit
        self.isTransient = isTransient ?? code.isTransient
    }
}

extension Fault {
    /// The fault of a request that the pacer rejects.
    ///
    /// - Parameters:
    ///   - scope: which requests count together.
    ///   - name: the name of the limit.
    public init(_ refusal: Refusal, scope: LimitScope, name: String? = nil) {
        let seconds = Double(refusal.retryAfter.wholeNanoseconds) / 1e9
        let detail: Text =
            switch refusal.reason {
            case .wouldWaitTooLong: "The request would have to wait longer for its turn than it may."
            case .queueFull: "As many requests wait for their turn as may."
            case .paused: "The provider has asked for a pause that is longer than the request may wait."
            case .tooManyKeys: "More credentials are in use at the same time than can be paced."
            }
        self.init(
            .throttled, detail: detail, effect: Effect.none,
            proxyError: refusal.reason == .queueFull ? .connectionLimitReached : nil, retryAfter: seconds,
            limit: refusal.window.flatMap {
                // A limit on concurrent requests has no window to report.
                $0.span == .concurrent
                    ? nil
                    : QuotaLimit(
                        requests: $0.requests, per: Double($0.per.wholeNanoseconds) / 1e9,
                        remaining: refusal.remaining, by: scope, name: name)
            })
    }
}
