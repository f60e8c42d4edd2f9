/// A failure that no provider's answer tells: Weir's own, the network's, or the client's.
public struct Fault: Error, Sendable {
    /// What failed.
    public var code: ProblemCode
    /// The status to send; the code's own unless there is a reason.
    public var status: Int
    /// What happened this time; the code's own sentence if nothing is known.
    public var detail: Text?
    /// Whether the side effect was performed.
    public var effect: Effect
    /// The error type for `Proxy-Status`.
    public var proxyError: ProxyErrorType
    /// Seconds to wait, never too few.
    public var retryAfter: Double?
    /// The limit that would have been exceeded.
    public var limit: QuotaLimit?
    /// Whether the cause passes by itself; as the code says unless there is a reason.
    public var isTransient: Bool

    /// A failure; what is left out is the code's default.
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
