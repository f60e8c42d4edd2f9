/// Identifies a waiting request: opaque to the pacer, and returned with its grant.
public struct Waiter: Hashable, Sendable {
    /// The worker to notify.
    public var worker: Int
    /// The worker's own name for the request.
    public var id: UInt64

    /// A request of `worker` that it knows as `id`.
    public init(worker: Int, id: UInt64) {
        self.worker = worker
        self.id = id
    }
}

/// A place in a ledger's queue, with which its holder can leave the queue.
public struct Place: Hashable, Sendable {
    let index: Int32
    let generation: UInt32
}

/// The right to send one request; must be settled exactly once.
///
/// It is settled by `responded` (and `judge` after an undecided response), `closedWithoutResponse` or `neverSent`.
public struct Slot: Hashable, Sendable {
    let index: Int32
    let generation: UInt32
}

/// A slot for a request that was waiting.
public struct Grant: Hashable, Sendable {
    /// The request.
    ///
    /// If it has left the queue in the meantime, the slot must be returned with `neverSent`.
    public let waiter: Waiter
    /// The right to send it.
    public let slot: Slot
}

/// A time at which `advance` must be called with this value; its receiver arms a timer.
///
/// A timer that fires late costs throughput, never correctness; one that fires early gets another wake. If the time
/// has passed already, `advance` is called at once.
public struct Wake: Hashable, Sendable {
    /// The time.
    public let at: MonotonicTime
}

/// The result for a request that wants to be sent.
public enum Admission: Hashable, Sendable {
    /// It may be sent now.
    case admitted(Slot)
    /// It waits; a `Grant` follows from the worker that calls `advance` at that time.
    ///
    /// `expected` is the wait from now on: exact if the free times are known, otherwise an estimate. More urgent
    /// requests overtake only if no other request then exceeds its maximum wait.
    case queued(Place, expected: Duration, wake: Wake?)
    /// It is rejected.
    case refused(Refusal)
}

/// Why a request may neither be sent nor wait, and when it may be sent again.
public struct Refusal: Hashable, Sendable {
    /// The reasons for a refusal.
    public enum Reason: Hashable, Sendable, CaseIterable {
        /// It would get its slot after its maximum wait.
        case wouldWaitTooLong
        /// The queue is full.
        case queueFull
        /// The provider rejected the key, and the pause lasts longer than the maximum wait.
        case paused
        /// All ledgers are in use, so a request with a new key must come later.
        case tooManyKeys
    }

    /// The reason.
    public let reason: Reason
    /// When it would get its slot, from now; never too early as far as the ledger knows.
    ///
    /// At least one millisecond.
    public let retryAfter: Duration
    /// The limit that makes it wait; nil if there is none.
    public let window: PacingPolicy.Window?
    /// The index of that limit in the policy.
    public let limit: Int
    /// The requests that could be sent under that limit now.
    public let remaining: Int

    /// What is left of that limit, and until when: the time at which the request would get its slot.
    ///
    /// Nothing during a pause, and nothing of what the requests in a full queue wait for.
    public var headroom: Headroom? {
        window.map {
            Headroom(
                window: $0, remaining: reason == .wouldWaitTooLong ? remaining : 0, resetIn: retryAfter,
                limit: limit)
        }
    }
}
