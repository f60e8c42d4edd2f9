/// One key's ledger, apart from its free times.
struct LedgerRecord {
    /// Requests that hold a slot and have no response yet, oldest first.
    var flights = Chain()
    var inFlight: Int32 = 0
    /// Responses whose ruling is awaited.
    var undecided: Int32 = 0
    /// Requests that wait, in the order they came.
    var queue = Chain()
    var waiting: Int32 = 0
    /// The request that tries after a pause; -1 when there is none.
    var probe: Int32 = -1
    /// The wake that some worker holds a timer for; the distant future when there is none.
    var announced = MonotonicTime.distantFuture
    /// Nothing is sent before: the end of the pause, or of the time its probe is given.
    ///
    /// The distant past when open.
    var closedUntil = MonotonicTime.distantPast
    /// How many probes in a row were refused.
    var refusedProbes: UInt8 = 0
    var pauseReason = PauseReason.rateLimited

    var isPaused: Bool { closedUntil > .distantPast }
}

/// A request that holds a slot, or whose response is undecided.
struct FlightRecord {
    enum Phase: UInt8 {
        case over
        case inFlight
        case undecided
    }

    let generation: UInt32
    let ledger: Int32
    var phase = Phase.inFlight
    let sentAt: MonotonicTime
}

/// A request that waits.
struct WaiterRecord {
    let waiter: Waiter
    let generation: UInt32
    let ledger: Int32
    var isWaiting = true
    let since: MonotonicTime
}
