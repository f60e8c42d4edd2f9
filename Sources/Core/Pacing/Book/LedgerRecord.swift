/// One key's ledger in one scope, without its accounts.
struct LedgerRecord {
    let scope: UInt8
    /// Requests that hold a slot and have no response yet, oldest first.
    var flights = Chain()
    var inFlight: Int32 = 0
    /// Requests that will be reported again: those in flight, and those whose result or end is awaited.
    var attached: Int32 = 0
    /// The probe after a pause; -1 if there is none.
    var probe: Int32 = -1
    /// When it must be checked again for its waiting requests, if known.
    var agenda: DeadlineHeap<Int32>.Ticket?
    /// Nothing is sent before: the end of the pause, or of the probe's time limit.
    ///
    /// The distant past if it is open.
    var closedUntil = MonotonicTime.distantPast
    /// How many consecutive probes were rejected.
    var refusedProbes: UInt8 = 0
    var pauseReason = PauseReason.rateLimited

    var isPaused: Bool { closedUntil > .distantPast }
}

/// The use of one limit by one ledger.
struct Account {
    /// When the used slots are freed.
    var times = FreeTimes()
    /// Slots whose free time only a report can tell.
    var held: Int32 = 0
    /// Slots taken since the beginning; wraps around.
    var taken: UInt32 = 0
    /// The number of slots that responses report; 0 if they do not.
    var capacity: Int32 = 0

    var used: Int { Int(times.slots) + Int(held) }
}

/// Foreign slots that are held for a whole window because the provider has not said when they are freed.
struct UndatedSlots {
    /// When they are freed.
    var end: MonotonicTime
    var slots: Int32
}

/// The ledgers of one request (-1 for scopes that do not apply to it), and its cost under each limit.
struct Seats: Equatable {
    var ledgers = SIMD4<Int32>(repeating: -1)
    var weights = SIMD8<UInt16>(repeating: 0)
}

/// A request that holds a slot, or that will be reported again.
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
    /// Whether it counts against a limit on concurrent requests.
    var isRunning: Bool
    let sentAt: MonotonicTime
    /// When its response began.
    var heardAt = MonotonicTime.distantPast
    /// For each limit, the slots used after it was sent minus those taken until then.
    var baseline = SIMD8<Int32>(repeating: 0)
}

/// A waiting request.
struct WaiterRecord {
    let waiter: Waiter
    let generation: UInt32
    var flow: Int32
    let lane: UInt8
    var weights: SIMD8<UInt16>
    var isWaiting = true
    let since: MonotonicTime
    /// Its number among all requests that have ever waited.
    let sequence: UInt64
}

/// Waiting requests that need the same ledgers and limits; only the first of them can be sent next.
struct FlowRecord {
    let seats: Seats
    /// The ends of each lane's chain of waiters.
    var first = SIMD8<Int32>(repeating: -1)
    var last = SIMD8<Int32>(repeating: -1)
    var waiting: Int32 = 0
    /// The next waiter.
    var head: Int32 = -1
    /// Its time of arrival, later for less urgent ones; the smaller goes first, then the smaller `sequence`.
    var rank = MonotonicTime.distantPast
    var sequence: UInt64 = 0
    /// What it waits for: see `LedgerBook.point`.
    var point: Int32 = -1
    /// Its index in the heap of that point.
    var position: Int32 = -1
}

/// The requests that wait for one account, or for the end of one ledger's pause.
struct Crowd {
    /// A heap of the flows that currently wait only for this.
    var heap: [Int32] = []
    /// The slots needed by all waiting requests, by lane.
    var lanes = SIMD8<Int32>(repeating: 0)
    /// The slots by which each lane may be overtaken so that no request in it exceeds its maximum wait.
    var slack = SIMD8<Int32>(repeating: .max)
}
