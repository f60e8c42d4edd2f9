/// Who waits: opaque to the pacer, and handed back when the turn has come.
public struct Waiter: Hashable, Sendable {
    /// The worker that must be told.
    public var worker: Int
    /// The worker's own name for the request.
    public var id: UInt64

    /// A request of `worker` that it knows as `id`.
    public init(worker: Int, id: UInt64) {
        self.worker = worker
        self.id = id
    }
}

/// A place in a ledger's queue, with which its holder can leave.
public struct Place: Hashable, Sendable {
    let index: Int32
    let generation: UInt32
}

/// The right to send one request, to be reported back exactly once.
///
/// The reports are `responded` (and `judge` after an undecided one), `closedWithoutResponse` and `neverSent`.
public struct Slot: Hashable, Sendable {
    let index: Int32
    let generation: UInt32
}

/// A waiting request whose turn has come.
public struct Grant: Hashable, Sendable {
    /// Who waited.
    ///
    /// When it has left in the meantime, the slot goes back with `neverSent`.
    public let waiter: Waiter
    /// Its right to send.
    public let slot: Slot
}

/// A moment at which `advance` must be called with this value; whoever receives it arms a timer.
///
/// A timer that fires late loses speed, never a promise; one that fires early is answered with another wake.
/// When the moment has come already, `advance` is called at once.
public struct Wake: Hashable, Sendable {
    /// When.
    public let at: MonotonicTime
}

/// The answer to a request that wants to be sent.
public enum Admission: Hashable, Sendable {
    /// It may be sent now.
    case admitted(Slot)
    /// It waits; a `Grant` follows, from whichever worker calls `advance` at that time.
    ///
    /// `expected` is the wait from now on: exact where the free times are known, else an estimate. More
    /// urgent requests overtake only as long as nobody's patience suffers.
    case queued(Place, expected: Duration, wake: Wake?)
    /// It is neither sent nor does it wait.
    case refused(Refusal)
}

/// Why a request may neither be sent nor wait, and when it may come again.
public struct Refusal: Hashable, Sendable {
    /// The causes of a refusal.
    public enum Reason: Hashable, Sendable, CaseIterable {
        /// Its turn would come after its patience has ended.
        case wouldWaitTooLong
        /// As many requests wait as may.
        case queueFull
        /// The provider refused the key, and the pause outlasts the patience.
        case paused
        /// All ledgers are in use: a key that is not among them must come later.
        case tooManyKeys
    }

    /// The cause.
    public let reason: Reason
    /// When its turn would come, from now: not too early as far as the ledger knows.
    ///
    /// At least one millisecond.
    public let retryAfter: Duration
    /// The limit that makes it wait; nil when there is none.
    public let window: PacingPolicy.Window?
    /// The place of that limit in the policy.
    public let limit: Int
    /// The requests that could be sent under that limit now.
    public let remaining: Int

    /// What is left of that limit, and for how long it must do: until the turn would come.
    ///
    /// Nothing during a pause, and nothing of what those in a full queue wait for.
    public var headroom: Headroom? {
        window.map {
            Headroom(
                window: $0, remaining: reason == .wouldWaitTooLong ? remaining : 0, resetIn: retryAfter,
                limit: limit)
        }
    }
}
