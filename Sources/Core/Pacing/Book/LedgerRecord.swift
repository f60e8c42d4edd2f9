/// One key's ledger in one scope, apart from its accounts.
struct LedgerRecord {
    let scope: UInt8
    /// Requests that hold a slot and have no response yet, oldest first.
    var flights = Chain()
    var inFlight: Int32 = 0
    /// Requests of which another report will come: those in flight, and those whose ruling or end is awaited.
    var attached: Int32 = 0
    /// The request that tries after a pause; -1 when there is none.
    var probe: Int32 = -1
    /// When it is looked at again for its waiting requests, if that is known.
    var agenda: DeadlineHeap<Int32>.Ticket?
    /// Nothing is sent before: the end of the pause, or of the time its probe is given.
    ///
    /// The distant past when open.
    var closedUntil = MonotonicTime.distantPast
    /// How many probes in a row were refused.
    var refusedProbes: UInt8 = 0
    var pauseReason = PauseReason.rateLimited

    var isPaused: Bool { closedUntil > .distantPast }
}

/// What one ledger has used of one limit.
struct Account {
    /// When the used slots are free again.
    var times = FreeTimes()
    /// Slots whose free time only a report can tell.
    var held: Int32 = 0
    /// Slots taken since the beginning; it wraps.
    var taken: UInt32 = 0

    var used: Int { Int(times.slots) + Int(held) }
}

/// Slots that others use, and that are held for a whole window because the provider has not said when they are free again.
struct UndatedSlots {
    /// When they are free again.
    var end: MonotonicTime
    var slots: Int32
}

/// The ledgers of one request, -1 where a scope does not concern it, and what it takes of each limit.
struct Seats: Equatable {
    var ledgers = SIMD4<Int32>(repeating: -1)
    var weights = SIMD8<UInt16>(repeating: 0)
}

/// A request that holds a slot, or of which another report will come.
struct FlightRecord {
    enum Phase: UInt8 {
        case over
        case inFlight
        case undecided
        /// Its response has been judged, and counts as running until its end is reported.
        case running
    }

    let generation: UInt32
    var seats: Seats
    var phase = Phase.inFlight
    /// Whether it counts against a limit of requests at the same time.
    var isRunning: Bool
    let sentAt: MonotonicTime
    /// For each limit, the slots used after it was sent less those taken until then.
    var baseline = SIMD8<Int32>(repeating: 0)
}

/// A request that waits.
struct WaiterRecord {
    let waiter: Waiter
    let generation: UInt32
    var flow: Int32
    let lane: UInt8
    var weights: SIMD8<UInt16>
    var isWaiting = true
    let since: MonotonicTime
    /// Its place among all that have ever waited.
    let sequence: UInt64
}

/// Waiting requests that need the same ledgers and limits: those behind the first can do nothing before it.
struct FlowRecord {
    let seats: Seats
    /// The ends of each lane's chain of waiters.
    var first = SIMD8<Int32>(repeating: -1)
    var last = SIMD8<Int32>(repeating: -1)
    var waiting: Int32 = 0
    /// The waiter whose turn it is next.
    var head: Int32 = -1
    /// When that one came, less urgent ones later; the smaller goes first, then the smaller `sequence`.
    var rank = MonotonicTime.distantPast
    var sequence: UInt64 = 0
    /// Where it waits: see `LedgerBook.point`.
    var point: Int32 = -1
    /// Its place in the heap of that point.
    var position: Int32 = -1
}

/// Those who wait and need one account, or one ledger not to be paused.
struct Crowd {
    /// A heap of the flows that wait for this and nothing else at present.
    var heap: [Int32] = []
    /// The slots that all who need it wait for, by lane.
    var lanes = SIMD8<Int32>(repeating: 0)
    /// The slots by which each lane may be overtaken so that nobody in it is sent after its patience.
    var slack = SIMD8<Int32>(repeating: .max)
}
