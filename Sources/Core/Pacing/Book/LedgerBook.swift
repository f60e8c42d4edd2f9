/// All ledgers of one provider: the value protected by a `Pacer`'s lock.
///
/// Records refer to each other by index. Lists are chains of indices, so that every step is O(1) at any position;
/// where different flows meet, a heap orders them.
struct LedgerBook {
    private(set) var policy: PacingPolicy
    var rules: [WindowRule]
    /// The scopes of all former policies: requests sent under them may still have ledgers there.
    private(set) var scopes: Int
    /// The number of accounts per ledger.
    private(set) var stride: Int
    /// Whether a slot is held from sending to the response; otherwise its free time is known when it is sent.
    private(set) var isStrict: Bool
    private(set) var margin: Int64
    /// Whether keys are paced by what responses say.
    private(set) var learns: Bool
    private(set) var grace: Int64
    private(set) var aging: Int64
    /// The difference between nanoseconds since 1970 and our monotonic time.
    private(set) var wallOffset: Int64 = 0
    /// How often the policy has changed.
    var revision: UInt32 = 0
    /// For earlier policies, by revision: which of their limits corresponds to each current limit.
    var translations: [UInt32: [Int?]] = [:]

    var index = KeyIndex()
    var ledgers = Slab<LedgerRecord>()
    /// For each ledger, one per limit of its scope.
    var accounts = Chunked<Account>()
    /// For each ledger, what was learned; empty if nothing is.
    var learned = Chunked<LearnedLedger>()
    /// For each ledger, one for its pauses and one per account; -1 if no request waits there.
    var crowdsByPoint = Chunked<Int32>()
    /// All ledgers, the most recently used at the end.
    var recency = Chain()
    var recencyOrder = Chains()

    var flights = Slab<FlightRecord>()
    /// For each scope.
    var flightOrder: [Chains]
    var inFlight = 0

    var waiters = Slab<WaiterRecord>()
    var laneOrder = Chains()
    /// All waiting requests, in order of arrival.
    var arrivals = Chain()
    var arrivalOrder = Chains()
    var flows = Slab<FlowRecord>()
    var flowIndex = KeyIndex()
    var crowds = Slab<Crowd>()
    /// Ledgers whose waiting requests may be sent at a known time.
    var agenda = DeadlineHeap<Int32>()
    /// The wake for which some worker has a timer; the distant future if there is none.
    var announced = MonotonicTime.distantFuture

    var paused = 0
    /// A smoothed response time in nanoseconds, for estimates.
    var responseTime: Int64 = 0
    /// The results of observation: see `PacerSnapshot`.
    var wouldHaveWaited: UInt64 = 0
    var wouldHaveBeenRefused: UInt64 = 0
    var foreignShare = 0.0
    var reportedLimit: Int?
    /// Per account: foreign usage without a known end; empty unless other clients use a key.
    var undated: [Int: [UndatedSlots]] = [:]
    private var lastGeneration: UInt32 = 0
    private var lastSequence: UInt64 = 0

    init(policy: PacingPolicy) {
        self.policy = policy
        scopes = policy.scopes
        learns = policy.learns && policy.windows.isEmpty
        aging = max(policy.aging.wholeNanoseconds, 0)
        let grace = max(policy.grace.wholeNanoseconds, 0)
        self.grace = grace
        switch policy.guarantee {
        case .strict:
            isStrict = true
            margin = 0
        case .fast(let margin):
            isStrict = false
            self.margin = max(margin.wholeNanoseconds, 0)
        }
        var places = [Int](repeating: 0, count: scopes)
        rules = []
        for window in policy.windows {
            rules.append(
                WindowRule(window, grace: grace, place: places[window.scope], isStrict: isStrict))
            places[window.scope] += 1
        }
        stride = places.max() ?? 0
        flightOrder = Array(repeating: Chains(), count: scopes)
    }

    /// Counts by `policy` from now on; used slots stay as they were recorded.
    ///
    /// - Precondition: the accounts are not accessed before they match the new rules.
    mutating func install(_ policy: PacingPolicy) {
        let fresh = LedgerBook(policy: policy)
        undated = [:]
        let clock = providerClock
        (self.policy, rules, stride) = (policy, fresh.rules, fresh.stride)
        (isStrict, margin, grace, aging) = (fresh.isStrict, fresh.margin, fresh.grace, fresh.aging)
        scopes = max(scopes, fresh.scopes)
        learns = fresh.learns
        learned = Chunked()
        while learns, learned.count < ledgers.bound { learned.append(LearnedLedger()) }
        while flightOrder.count < scopes { flightOrder.append(Chains()) }
        setWallClock(offset: wallOffset)
        providerClock = clock
    }

    /// What is known of the provider's clock.
    private var providerClock: ProviderClock? {
        get { rules.lazy.compactMap(\.providerClock).first }
        set { for rule in rules.indices { rules[rule].providerClock = newValue } }
    }

    /// Reads the `Date` of a response, in seconds since 1970.
    mutating func readProviderClock(_ date: Int64, sent: MonotonicTime, heard: MonotonicTime) {
        guard let reading = ProviderClock(date: date, sent: sent, heard: heard) else { return }
        var clock = providerClock ?? reading
        clock.take(reading)
        providerClock = clock
    }

    mutating func setWallClock(offset: Int64) {
        wallOffset = offset
        for rule in rules.indices { rules[rule].wallOffset = offset }
    }

    mutating func nextGeneration() -> UInt32 {
        lastGeneration &+= 1
        return lastGeneration
    }

    mutating func nextSequence() -> UInt64 {
        lastSequence &+= 1
        return lastSequence
    }

    // MARK: Accounts

    /// The account of `seats` for a limit that applies to the request.
    @inline(__always)
    func account(_ seats: Seats, rule: Int) -> Int {
        Int(seats.ledgers[rules[rule].scope]) * stride + rules[rule].place
    }

    /// Removes the slots of an account that are free at `now`, and returns how many can be taken.
    @inline(__always)
    mutating func settle(_ account: Int, rule: Int, at now: MonotonicTime) -> Int {
        accounts[account].times.removeFree(at: now)
        return capacity(account, rule) - accounts[account].used
    }

    /// The requests that `ledger` could send under a limit of its scope at `now`.
    mutating func remaining(_ ledger: Int32, rule: Int, at now: MonotonicTime) -> Int {
        max(settle(Int(ledger) * stride + rules[rule].place, rule: rule, at: now), 0)
    }

    /// When `need` slots of an account can be taken at once; nil while only a report can tell.
    mutating func opening(
        _ account: Int, rule: Int, need: Int, at now: MonotonicTime
    ) -> MonotonicTime? {
        let free = settle(account, rule: rule, at: now)
        // A request that costs more than a limit is learned to be is sent when the whole limit is free.
        let need = min(need, capacity(account, rule))
        if free >= need { return now }
        return accounts[account].times.time(ofSlot: need - free - 1)
    }

    /// The number of slots of an account.
    @inline(__always)
    func capacity(_ account: Int, _ rule: Int) -> Int {
        let learned = accounts[account].capacity
        return learned > 0 ? Int(learned) : rules[rule].capacity
    }

    // MARK: Points

    /// What requests wait for: the end of a ledger's pause (`place` -1), or slots of one of its accounts.
    @inline(__always)
    func point(_ ledger: Int32, place: Int) -> Int32 { ledger * Int32(stride + 1) + Int32(place + 1) }

    /// The ledger of a point.
    func ledger(ofPoint point: Int32) -> Int32 { point / Int32(stride + 1) }

    /// What prevents a request from being sent now.
    struct Blocker {
        /// When it ends on its own; the distant future if only a report can tell, or if others go first.
        var time: MonotonicTime
        var point: Int32
    }

    /// What delays a request longest at `now`; nil if nothing does.
    ///
    /// `flow` is the one whose first request it is; -1 for a new request, which overtakes none.
    mutating func blocker(of seats: Seats, flow: Int32, at now: MonotonicTime) -> Blocker? {
        var worst: Blocker?
        func take(_ time: MonotonicTime, _ point: Int32) {
            if let worst, worst.time >= time { return }
            worst = Blocker(time: time, point: point)
        }
        let someWait = arrivals.first >= 0
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 {
            let ledger = seats.ledgers[scope]
            let point = point(ledger, place: -1)
            let opening = opens(ledger)
            if opening > now {
                take(opening, point)
            } else if someWait, isCrowded(point, before: flow) {
                take(.distantFuture, point)
            }
        }
        for rule in rules.indices where seats.weights[rule] > 0 {
            let account = account(seats, rule: rule)
            let opening = opening(account, rule: rule, need: Int(seats.weights[rule]), at: now)
            let point = point(seats.ledgers[rules[rule].scope], place: rules[rule].place)
            if opening != now {
                take(opening ?? .distantFuture, point)
            } else if someWait, isCrowded(point, before: flow) {
                take(.distantFuture, point)
            }
        }
        return worst
    }

    /// Whether a request at `point` goes before that of `flow`.
    private func isCrowded(_ point: Int32, before flow: Int32) -> Bool {
        let crowd = crowdsByPoint[Int(point)]
        guard crowd >= 0, let top = crowds[crowd].heap.first, top != flow else { return false }
        return flow < 0 || precedes(top, flow)
    }
}
