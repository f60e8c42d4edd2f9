/// What the ledgers and the queue of one provider look like at the moment of a scrape.
public struct PacingGauges: Sendable {
    /// One limit of a provider.
    public struct Limit: Sendable {
        /// Which limit it is; unique among the limits of its provider, from the configuration alone.
        public var policy: String
        /// Requests that it allows in its window.
        public var requests: Int
        /// Its window.
        public var windowNanoseconds: Int64
        /// Free slots; of several keys, the fewest.
        public var remaining: Int
        /// Time until all slots are free; of several keys, the longest.
        public var resetNanoseconds: Int64

        /// One limit.
        public init(
            policy: String, requests: Int, windowNanoseconds: Int64, remaining: Int, resetNanoseconds: Int64
        ) {
            self.policy = policy
            self.requests = requests
            self.windowNanoseconds = windowNanoseconds
            self.remaining = remaining
            self.resetNanoseconds = resetNanoseconds
        }
    }

    /// Requests that wait.
    public var queueDepth: Int
    /// How long the oldest of them has waited, 0 if none does.
    public var oldestNanoseconds: Int64
    /// The limits, in the order of the configuration.
    public var limits: [Limit]

    /// Ledgers that let nobody through, or wait for the answer to the one request that tries again.
    public var pausedLedgers = 0
    /// What part of the provider's count was not ours in its latest answers, 0 to 1.
    public var foreignShare = 0.0
    /// The limit that the provider speaks of while none of ours has it, else 0.
    public var strangeLimit = 0
    /// Requests that were sent while limits are only watched, and would have waited or been refused.
    public var wouldHaveWaited: UInt64 = 0
    /// The same for those that would have been refused.
    public var wouldHaveBeenRefused: UInt64 = 0

    /// The state of one provider.
    public init(queueDepth: Int = 0, oldestNanoseconds: Int64 = 0, limits: [Limit] = []) {
        self.queueDepth = queueDepth
        self.oldestNanoseconds = oldestNanoseconds
        self.limits = limits
    }
}
