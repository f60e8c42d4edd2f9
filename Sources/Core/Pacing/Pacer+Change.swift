import Locking

extension Pacer {
    /// Lets through what `policy` allows from now on.
    ///
    /// What was taken stays taken: each slot is free again one window of the *new* policy after its answer. A limit
    /// that was not there begins with what the longest other one of its scope remembers; what was sent longer ago is
    /// not known any more, as it is not after a start. Requests in flight keep their slots, and waiting ones their
    /// places; a pause goes on.
    ///
    /// - Parameter origins: for each limit, the place of that one of the old limits which counted the same requests;
    ///   `nil` for those of the same scope and kind, in their order.
    /// - Returns: the timer to arm, if a request that waits may have its turn sooner.
    public func change(to policy: PacingPolicy, origins: [Int?]? = nil, at now: MonotonicTime) -> Wake? {
        book.withLock { $0.change(to: policy, origins: origins, at: now) }
    }

    /// Which policy this is: a demand says under which one it was weighed (``PacingDemand/revision``).
    public var revision: UInt32 { book.withLock { $0.revision } }
}
