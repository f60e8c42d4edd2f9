/// This instance's side of the shared ledger: requests slots, reports responses, and paces by the instance's own
/// share while the server is unavailable.
///
/// It only makes decisions. The connection's owner reports events with their time, executes the `effects`, and calls
/// `run` when the `deadline` is reached.
///
/// **The limit is never exceeded.** The server grants the slots of the limit minus the share of each instance that
/// does not rely on it alone (is not a member). An instance is a member while it asks the server for everything. An
/// instance that loses the server waits until its membership has expired and all earlier grants to others no longer
/// count (`LedgerAccount.quiet`), and then uses its share. When it reconnects, it becomes a member only when its own
/// requests in the meantime no longer count.
public struct SharedLedger {
    /// How long the server may take to reply, in nanoseconds; after that it counts as lost.
    public static let patience: Int64 = 1_000_000_000
    /// The interval of heartbeats, in nanoseconds.
    static let beat: Int64 = 1_000_000_000
    /// How long messages of the server may take, in nanoseconds; after that the session is over.
    static let longestSilence = beat + patience
    /// The longest time, in microseconds, that the server can refer to: more than two of the longest windows.
    static let waits: ClosedRange<Int64> = 0...1000 * 86_400_000_000
    /// The valid indices of a request's limits.
    static let places: Range<Int64> = 0..<Int64(PacingDemand.maximumLimits)
    static let firstBackoff: Int64 = 100_000_000
    static let longestBackoff: Int64 = 2_000_000_000
    /// How many consecutive sessions may end without a settled claim before the server is avoided for longer.
    static let uselessSessionLimit = 3
    /// The minimum time, in nanoseconds, that the share is used before a server with useless sessions is tried again,
    /// and how often it is doubled.
    static let shareTime: Int64 = 15_000_000_000
    static let shareTimeDoublings = 4

    /// The state of one account.
    struct State {
        let account: LedgerAccount
        /// Whether the server is asked; otherwise the instance's share paces.
        var isShared = false
        /// When the share may be used.
        var quietUntil: MonotonicTime
        /// Requests of the share without a response, and the end of the window of the others.
        var outstanding = 0
        var busyUntil = MonotonicTime.distantPast
        /// Reports for the server while it is unavailable.
        var untold: [[String]] = []
    }

    /// The state of one claim.
    struct Record {
        enum Phase {
            case waiting
            /// It may be sent at this time.
            case promised(MonotonicTime)
            case sent
            /// It no longer waits, but may still be granted a slot.
            case abandoned
        }

        let claim: LedgerClaim
        /// Its position in the order of arrival.
        let arrival: UInt64
        /// The index of its account.
        let account: Int
        var phase = Phase.waiting
        /// The session in which the server was asked, or granted the slot.
        var session: String?
        /// Its slots of the share.
        var slot: Slot?
        var place: Place?
        /// Whether the share let it through.
        var isOfShare = false
    }

    enum Event {
        case promise(UInt64)
        case wake(account: Int, Wake)
        case quietIsOver(account: Int)
        case forget(UInt64)
        /// In this session.
        case beat(String)
        case connect
    }

    var accounts: [State] = []
    private var places: [ObjectIdentifier: Int] = [:]
    var records: [UInt64: Record] = [:]
    var arrivals: UInt64 = 0
    var session: LedgerSession?
    var events = DeadlineHeap<Event>()
    var backoff = SharedLedger.firstBackoff
    /// How many consecutive sessions ended with claims of which none was settled.
    var uselessSessions = 0
    var isToldOf = false
    let startedAt: MonotonicTime
    /// The name of its membership, in every session.
    let seat: String
    /// A time of the server's clock, in microseconds, after this process began.
    var since = Int64.max
    let random: () -> UInt64
    private var pendingEffects: [LedgerEffect] = []
    /// Whether the ledger is in use, for all accounts.
    public internal(set) var isInUse = false
    /// How often it was lost, counted per account.
    public internal(set) var fallbacks: UInt64 = 0

    /// The state of an instance that starts now.
    ///
    /// - Parameter random: a source of random numbers for unique session names and for waits.
    public init(startedAt: MonotonicTime, random: @escaping () -> UInt64) {
        self.startedAt = startedAt
        self.random = random
        seat = String(random(), radix: 36)
        _ = events.insert(.connect, at: startedAt)
    }

    /// Also uses these accounts from now on.
    public mutating func add(_ added: [LedgerAccount], at now: MonotonicTime) {
        for account in added where places[ObjectIdentifier(account)] == nil {
            let end = startedAt.later(by: account.quiet * 1000)
            let place = accounts.count
            places[ObjectIdentifier(account)] = place
            accounts.append(State(account: account, quietUntil: end))
            _ = events.insert(.quietIsOver(account: place), at: end)
            arm(account.setPacing(true, at: now), of: place)
            sayAlive(place, at: now)
        }
        updateStatus()
    }

    /// The index of an account; nil if it was not added.
    func place(of account: LedgerAccount) -> Int? { places[ObjectIdentifier(account)] }

    /// When it must be called at the latest; nil if nothing is pending.
    public var deadline: MonotonicTime? {
        guard let end = session?.deadline else { return events.earliest }
        return min(end, events.earliest ?? end)
    }

    /// Does what is due.
    public mutating func run(at now: MonotonicTime) {
        if let session, let end = session.deadline, end <= now {
            lose(session.name, reason: "it did not respond in time", at: now)
        }
        while let event = events.popDue(at: now) { act(on: event, at: now) }
    }

    /// Returns the pending effects, in order, and removes them.
    public mutating func takeEffects() -> [LedgerEffect] {
        let taken = pendingEffects
        pendingEffects = []
        return taken
    }

    mutating func want(_ effect: LedgerEffect) { pendingEffects.append(effect) }

    private mutating func act(on event: Event, at now: MonotonicTime) {
        switch event {
        case .promise(let id): promiseIsDue(id, at: now)
        case .wake(let account, let wake): advance(account, wake, at: now)
        case .quietIsOver(let account): askShare(ofAllWaitingFor: account, at: now)
        case .forget(let id):
            if case .abandoned = records[id]?.phase { records[id] = nil }
        case .beat(let name):
            guard let session, session.isUp, session.name == name else { return }
            for account in accounts.indices { sayAlive(account, at: now) }
            nudge(at: now)
            _ = events.insert(.beat(name), at: now.later(by: Self.beat))
        case .connect: connect()
        }
    }
}
