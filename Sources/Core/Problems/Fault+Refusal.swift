extension Fault {
    /// A request that the pacer neither sends nor lets wait.
    ///
    /// - Parameter scope: whose requests count together.
    public init(_ refusal: Refusal, scope: LimitScope) {
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
                // What counts requests at the same time has no window to tell.
                $0.span == .concurrent
                    ? nil
                    : QuotaLimit(
                        requests: $0.requests, per: Double($0.per.wholeNanoseconds) / 1e9,
                        remaining: refusal.remaining, by: scope)
            })
    }
}
