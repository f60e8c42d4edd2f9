/// All ledgers of one provider: the value behind a `Pacer`'s lock.
///
/// Records refer to each other by index. Lists are chains of indexes, so that every step is O(1) wherever it
/// happens in them. Request cost, lanes and more windows change this type, not its callers.
struct LedgerBook {
    private(set) var policy: PacingPolicy
    private(set) var rules: [WindowRule]
    /// Whether a slot is held from sending to the response; else its free time is known when it is sent.
    private(set) var isStrict: Bool
    private(set) var margin: Int64
    private(set) var grace: Int64

    var index = KeyIndex()
    var ledgers = Slab<LedgerRecord>()
    /// For each ledger, one for each rule.
    var freeTimes = Chunked<FreeTimes>()
    /// All ledgers, the one used last at the end.
    var recency = Chain()
    var recencyOrder = Chains()

    var flights = Slab<FlightRecord>()
    var flightOrder = Chains()
    var inFlight = 0

    var waiters = Slab<WaiterRecord>()
    var queueOrder = Chains()
    /// All waiting requests, in the order they came.
    var arrivals = Chain()
    var arrivalOrder = Chains()

    var paused = 0
    /// A smoothed time from sending to the first byte, in nanoseconds: what the wait for unknown slots is
    /// judged by.
    var responseTime: Int64 = 0
    private var lastGeneration: UInt32 = 0

    init(policy: PacingPolicy) {
        self.policy = policy
        let grace = max(policy.grace.wholeNanoseconds, 0)
        self.grace = grace
        rules = policy.windows.map { WindowRule($0, grace: grace) }
        switch policy.guarantee {
        case .strict:
            isStrict = true
            margin = 0
        case .fast(let margin):
            isStrict = false
            self.margin = max(margin.wholeNanoseconds, 0)
        }
    }

    /// Counts by `policy` from now on; what is taken stays as it was written.
    ///
    /// - Precondition: nobody looks at the free times before they are those of the new rules.
    mutating func install(_ policy: PacingPolicy) {
        let fresh = LedgerBook(policy: policy)
        (self.policy, rules) = (policy, fresh.rules)
        (isStrict, margin, grace) = (fresh.isStrict, fresh.margin, fresh.grace)
    }

    mutating func nextGeneration() -> UInt32 {
        lastGeneration &+= 1
        return lastGeneration
    }

    /// Forgets the slots of `ledger` that are free at `now`.
    mutating func settle(_ ledger: Int32, at now: MonotonicTime) {
        let base = Int(ledger) * rules.count
        for rule in rules.indices { freeTimes[base + rule].removeFree(at: now) }
    }

    /// The requests that `ledger` could send under `rule` as of the last `settle`.
    func remaining(_ ledger: Int32, rule: Int) -> Int {
        let used = Int(freeTimes[Int(ledger) * rules.count + rule].slots)
        return max(rules[rule].capacity - used - heldInFlight(ledger), 0)
    }

    /// The slots of `ledger` whose free time is not known yet.
    func heldInFlight(_ ledger: Int32) -> Int { isStrict ? Int(ledgers[ledger].inFlight) : 0 }

    /// When `ledger` can send its next request, as of the last `settle`; nil while only a report can tell.
    func opening(of ledger: Int32, at now: MonotonicTime) -> MonotonicTime? {
        var opening = max(now, ledgers[ledger].closedUntil)
        let held = heldInFlight(ledger)
        let base = Int(ledger) * rules.count
        for rule in rules.indices
        where rules[rule].capacity - Int(freeTimes[base + rule].slots) - held <= 0 {
            guard let first = freeTimes[base + rule].first else { return nil }
            opening = max(opening, first)
        }
        return opening
    }

    /// The wake that must be armed now for the waiting requests of `ledger`: nil if an announced one is early
    /// enough.
    mutating func announce(_ ledger: Int32, at now: MonotonicTime) -> Wake? {
        guard ledgers[ledger].waiting > 0 else { return nil }
        settle(ledger, at: now)
        guard let opening = opening(of: ledger, at: now), opening < ledgers[ledger].announced else {
            return nil
        }
        ledgers[ledger].announced = opening
        return Wake(key: index.key(of: ledger), at: opening)
    }
}
