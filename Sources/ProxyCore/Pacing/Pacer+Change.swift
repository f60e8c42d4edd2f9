import Synchronization

extension Pacer {
    /// Lets through what `policy` allows from now on.
    ///
    /// What was taken stays taken: each slot is free again one window of the *new* policy after its answer. What was
    /// sent longer ago than the longest old window is not known any more, as it is not after a start. Requests in
    /// flight keep their slots, and waiting ones their places; a pause goes on.
    ///
    /// - Returns: timers to arm, for waiting requests whose turn may come sooner.
    public func change(to policy: PacingPolicy, at now: MonotonicTime) -> [Wake] {
        book.withLock { $0.change(to: policy, at: now) }
    }
}
