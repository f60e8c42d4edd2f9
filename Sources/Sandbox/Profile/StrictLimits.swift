internal import Core
internal import Wire

/// The limits of a profile, enforced as strictly as a provider can: each counts requests when they arrive, and a
/// request counts under all of its limits or under none.
struct StrictLimits: Sendable {
    /// One of the concurrent requests of a key.
    struct Slot: Sendable, Hashable {
        fileprivate var limit: Int
        fileprivate var key: UInt64
        fileprivate var count: Int
    }

    /// The state of one limit after a request.
    struct Usage: Sendable {
        /// The limit.
        var limit: RateLimit
        /// How many more requests would be admitted at the same moment.
        var remaining: Int
        /// How long until more are.
        var untilReset: Duration
    }

    /// The result for a request.
    struct Verdict: Sendable {
        /// The index of the limit that refuses the request; `nil` if none does.
        var refusedBy: Int?
        /// How long until a refused request would be admitted.
        var wait = Duration.zero
        /// The limits that count the request, in order.
        var usages: [Usage] = []
        /// What the request occupies until its response is sent.
        var slots: [Slot] = []
        /// Where it counts, and how much, in the order of ``usages``.
        fileprivate var places: [(place: Place, weight: Int)] = []
    }

    fileprivate struct Place: Hashable, Sendable {
        var limit: Int
        var key: UInt64
    }

    /// The maximum number of keys of all limits together; further ones share one count per limit.
    static let keyLimit = 4096
    /// The maximum number of recorded arrivals of all keys together; then requests of all keys share one count per limit.
    static let arrivalLimit = 1 << 19

    let limits: [RateLimit]
    private let plan: PacingPlan
    private let keys: LedgerKeyReader
    private var windows: [Place: UsageWindow] = [:]
    private var arrivals = 0

    /// Limits of which nothing is used.
    init(_ limits: [RateLimit], credentials: CredentialReader) {
        plan = PacingPlan(limits: limits)
        self.limits = Array(limits.prefix(RateLimit.maximumCount))
        keys = LedgerKeyReader(scopes: plan.scopes, credentials: credentials)
    }

    /// Counts a request.
    ///
    /// A refused request does not count, so that a client that retries too early is not locked out forever.
    mutating func admit(_ request: ImitationRequest) -> Verdict {
        let (method, path) = (Array(request.method.utf8), Array(request.path.utf8))
        let target = Array((request.query.isEmpty ? request.path : "\(request.path)?\(request.query)").utf8)
        var weights = plan.weigh(method: method.span, path: path.span).weights
        let marks = plan.marks(method: method.span, path: path.span)
        var scopes = keys.keys(target: target.span) { body in request.fields.forEach(body) }
        for scope in 0..<scopes.scalarCount { scopes[scope] = LedgerKey.mix(scopes[scope], marks[scope]) }
        if plan.readsBody { plan.read(body: request.body, keys: &scopes, weights: &weights) }
        var verdict = Verdict()
        for index in limits.indices where weights[index] > 0 {
            let wanted = Place(limit: index, key: scopes[plan.windows[index].scope])
            let place = prepare(wanted, at: request.arrival)
            verdict.places.append((place, Int(weights[index])))
            let wait = window(place).wait(
                for: Int(weights[index]), of: limits[index], at: request.arrival)
            if let wait, verdict.refusedBy == nil || wait > verdict.wait {
                (verdict.refusedBy, verdict.wait) = (index, wait)
            }
        }
        for (place, weight) in verdict.places {
            if verdict.refusedBy == nil {
                let added = windows[place, default: UsageWindow()].add(
                    weight, of: limits[place.limit], at: request.arrival)
                arrivals += added
                if limits[place.limit].span == .concurrent {
                    verdict.slots.append(Slot(limit: place.limit, key: place.key, count: weight))
                }
            }
            let window = window(place)
            verdict.usages.append(
                Usage(
                    limit: limits[place.limit],
                    remaining: max(0, limits[place.limit].requests - window.used),
                    untilReset: window.untilReset(of: limits[place.limit], at: request.arrival)))
        }
        return verdict
    }

    /// Counts an admitted request as its response says that it costs.
    mutating func correct(_ verdict: inout Verdict, by response: ImitationResponse) {
        guard plan.readsAnswerCosts, verdict.refusedBy == nil else { return }
        let answer = ProviderAnswer(status: response.status, fields: response.fields, body: response.body)
        let costs = [
            plan.costs(of: nil, fields: response.fields), plan.costs(of: answer, fields: response.fields),
        ]
        for (index, (place, weight)) in verdict.places.enumerated() {
            guard let cost = costs.map({ $0[place.limit] }).first(where: { $0 != .max }).map(Int.init),
                windows[place] != nil
            else { continue }
            windows[place]?.change(weight, to: cost)
            verdict.places[index].weight = cost
            verdict.usages[index].remaining = max(0, limits[place.limit].requests - window(place).used)
            for slot in verdict.slots.indices where verdict.slots[slot].limit == place.limit {
                verdict.slots[slot].count = cost
            }
        }
    }

    /// The responses that occupied these slots are sent.
    mutating func release(_ slots: [Slot]) {
        for slot in slots {
            let place = Place(limit: slot.limit, key: slot.key)
            windows[place]?.used -= slot.count
            if let window = windows[place], window.used <= 0 { windows[place] = nil }
        }
    }

    private func window(_ place: Place) -> UsageWindow { windows[place] ?? UsageWindow() }

    /// Forgets what no longer counts, and returns the place where a request counts.
    private mutating func prepare(_ wanted: Place, at now: Moment) -> Place {
        expire(wanted, at: now)
        let isFull = { (limits: StrictLimits) in
            limits.arrivals >= Self.arrivalLimit
                || limits.windows[wanted] == nil && limits.windows.count >= Self.keyLimit
        }
        guard isFull(self) else { return wanted }
        for place in windows.keys { expire(place, at: now) }
        guard isFull(self) else { return wanted }
        let shared = Place(limit: wanted.limit, key: 0)
        expire(shared, at: now)
        return shared
    }

    private mutating func expire(_ place: Place, at now: Moment) {
        guard let removed = windows[place]?.expire(limits[place.limit], at: now) else { return }
        arrivals -= removed
        if let window = windows[place], window.used <= 0 { windows[place] = nil }
    }
}

/// What one key has used of one limit.
private struct UsageWindow: Sendable {
    /// The arrivals within a rolling window from `first` on, oldest first, and how much each counts.
    private var arrivals: [(time: MonotonicTime, weight: Int)] = []
    private var first = 0
    /// The number of the day, month or aligned window that is counted.
    private var period: Int64 = 0
    /// How much is used.
    var used = 0

    init() {}

    /// Forgets what no longer counts; returns how many arrivals that were.
    mutating func expire(_ limit: RateLimit, at now: Moment) -> Int {
        switch limit.span {
        case .concurrent: return 0
        case .day, .month, .aligned:
            if period != Self.period(limit, at: now).number { used = 0 }
            return 0
        case .rolling:
            let before = first
            while first < arrivals.count, arrivals[first].time + limit.per <= now.monotonic {
                used -= arrivals[first].weight
                first += 1
            }
            let removed = first - before
            if first > 64, first * 2 > arrivals.count {
                arrivals.removeFirst(first)
                first = 0
            }
            return removed
        }
    }

    /// How long until a request is admitted; `nil` if it is at once.
    func wait(for weight: Int, of limit: RateLimit, at now: Moment) -> Duration? {
        guard used + weight > limit.requests else { return nil }
        guard limit.span == .rolling else { return untilReset(of: limit, at: now) }
        var used = used
        for index in first..<arrivals.count {
            used -= arrivals[index].weight
            if used + weight <= limit.requests {
                return now.monotonic.duration(to: arrivals[index].time + limit.per)
            }
        }
        return limit.per
    }

    /// Counts a request; returns how many arrivals were recorded.
    mutating func add(_ weight: Int, of limit: RateLimit, at now: Moment) -> Int {
        used += weight
        period = Self.period(limit, at: now).number
        guard limit.span == .rolling else { return 0 }
        arrivals.append((now.monotonic, weight))
        return 1
    }

    /// The request that was counted last counts differently.
    mutating func change(_ weight: Int, to cost: Int) {
        used += cost - weight
        if first < arrivals.count { arrivals[arrivals.count - 1].weight = cost }
    }

    /// How long until something is free again.
    func untilReset(of limit: RateLimit, at now: Moment) -> Duration {
        switch limit.span {
        case .concurrent: .seconds(1)
        case .day, .month, .aligned: Self.period(limit, at: now).untilEnd
        case .rolling:
            first < arrivals.count
                ? now.monotonic.duration(to: arrivals[first].time + limit.per) : limit.per
        }
    }

    /// The day, month or aligned window of a moment, and how long it lasts.
    private static func period(_ limit: RateLimit, at now: Moment) -> (number: Int64, untilEnd: Duration) {
        if case .aligned(let alignment) = limit.span {
            // Where clocks change twice a year, the one that is further ahead.
            let time = now.wall + Int64(alignment.offset) * 1000
            let length = max(1, limit.per.wholeNanoseconds / 1_000_000)
            return (time / length, .milliseconds(length - time % length))
        }
        let day = now.wall / 86_400_000
        let restOfDay = Duration.milliseconds(86_400_000 - now.wall % 86_400_000)
        guard limit.span == .month else { return (day, restOfDay) }
        let date = CivilTime(milliseconds: now.wall)
        var days: Int64 = 0
        // The next first of a month is at most 31 days away.
        while CivilTime(milliseconds: (day + days + 1) * 86_400_000).month == date.month { days += 1 }
        return (Int64(date.year * 12 + date.month), restOfDay + .seconds(days * 86_400))
    }
}
