/// All ledgers of one provider: the value behind a `Pacer`'s lock.
///
/// Records refer to each other by index. Lists are chains of indexes, so that every step is O(1) wherever it
/// happens in them; where different flows meet, a heap orders them.
struct LedgerBook {
    private(set) var policy: PacingPolicy
    var rules: [WindowRule]
    /// The scopes of all policies there were: what was sent under an old one may still have ledgers there.
    private(set) var scopes: Int
    /// The accounts that each ledger has room for.
    private(set) var stride: Int
    /// Whether a slot is held from sending to the response; else its free time is known when it is sent.
    private(set) var isStrict: Bool
    private(set) var margin: Int64
    private(set) var grace: Int64
    private(set) var aging: Int64
    /// What is added to our monotonic time to have the nanoseconds since 1970.
    private(set) var wallOffset: Int64 = 0
    /// How often the policy has changed.
    var revision: UInt32 = 0
    /// For earlier policies, by revision: which of their limits each of today's limits is.
    var translations: [UInt32: [Int?]] = [:]

    var index = KeyIndex()
    var ledgers = Slab<LedgerRecord>()
    /// For each ledger, one for each limit of its scope.
    var accounts = Chunked<Account>()
    /// For each ledger, one for its pauses and one for each account; -1 where nobody waits.
    var crowdsByPoint = Chunked<Int32>()
    /// All ledgers, the one used last at the end.
    var recency = Chain()
    var recencyOrder = Chains()

    var flights = Slab<FlightRecord>()
    /// For each scope.
    var flightOrder: [Chains]
    var inFlight = 0

    var waiters = Slab<WaiterRecord>()
    var laneOrder = Chains()
    /// All waiting requests, in the order they came.
    var arrivals = Chain()
    var arrivalOrder = Chains()
    var flows = Slab<FlowRecord>()
    var flowIndex = KeyIndex()
    var crowds = Slab<Crowd>()
    /// Ledgers whose waiting requests may be sent at a known time.
    var agenda = DeadlineHeap<Int32>()
    /// The wake that some worker holds a timer for; the distant future when there is none.
    var announced = MonotonicTime.distantFuture

    var paused = 0
    /// A smoothed time from sending to the first byte, in nanoseconds: what the wait for unknown slots is
    /// judged by.
    var responseTime: Int64 = 0
    /// What observation has seen: see `PacerSnapshot`.
    var wouldHaveWaited: UInt64 = 0
    var wouldHaveBeenRefused: UInt64 = 0
    var foreignShare = 0.0
    var reportedLimit: Int?
    /// By account: what others use, as far as no answer has named its end; empty unless others use a key.
    var undated: [Int: [UndatedSlots]] = [:]
    private var lastGeneration: UInt32 = 0
    private var lastSequence: UInt64 = 0

    init(policy: PacingPolicy) {
        self.policy = policy
        scopes = policy.scopes
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

    /// Counts by `policy` from now on; what is taken stays as it was written.
    ///
    /// - Precondition: nobody looks at the accounts before they are those of the new rules.
    mutating func install(_ policy: PacingPolicy) {
        let fresh = LedgerBook(policy: policy)
        undated = [:]
        (self.policy, rules, stride) = (policy, fresh.rules, fresh.stride)
        (isStrict, margin, grace, aging) = (fresh.isStrict, fresh.margin, fresh.grace, fresh.aging)
        scopes = max(scopes, fresh.scopes)
        while flightOrder.count < scopes { flightOrder.append(Chains()) }
        setWallClock(offset: wallOffset)
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

    /// The account of `seats` for a limit that counts the request.
    @inline(__always)
    func account(_ seats: Seats, rule: Int) -> Int {
        Int(seats.ledgers[rules[rule].scope]) * stride + rules[rule].place
    }

    /// Forgets the slots of an account that are free at `now`, and returns how many can be taken.
    @inline(__always)
    mutating func settle(_ account: Int, rule: Int, at now: MonotonicTime) -> Int {
        accounts[account].times.removeFree(at: now)
        return rules[rule].capacity - accounts[account].used
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
        if free >= need { return now }
        return accounts[account].times.time(ofSlot: need - free - 1)
    }

    // MARK: Points

    /// Where requests wait: for the end of a ledger's pause (`place` -1), or for slots of one of its accounts.
    @inline(__always)
    func point(_ ledger: Int32, place: Int) -> Int32 { ledger * Int32(stride + 1) + Int32(place + 1) }

    /// The ledger of a point.
    func ledger(ofPoint point: Int32) -> Int32 { point / Int32(stride + 1) }

    /// What keeps a request from being sent now.
    struct Blocker {
        /// When it ends by itself; the distant future if only a report can tell, or if others come first.
        var time: MonotonicTime
        var point: Int32
    }

    /// What keeps a request longest from being sent at `now`; nil if nothing does.
    ///
    /// `flow` is the one that the request is the first of; -1 for one that has just come, which overtakes
    /// nobody.
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
            if ledgers[ledger].closedUntil > now {
                take(ledgers[ledger].closedUntil, point)
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

    /// Whether somebody waits at `point` whose turn comes before that of `flow`.
    private func isCrowded(_ point: Int32, before flow: Int32) -> Bool {
        let crowd = crowdsByPoint[Int(point)]
        guard crowd >= 0, let top = crowds[crowd].heap.first, top != flow else { return false }
        return flow < 0 || precedes(top, flow)
    }
}
