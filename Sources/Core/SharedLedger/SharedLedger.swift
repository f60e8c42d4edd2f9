/// This instance's part in the ledger that several instances share: asks it for slots, tells it of answers, and paces by
/// the instance's own share while it cannot be reached.
///
/// It decides only. Whoever has the connection tells it what happens, with the time, carries out the `effects`, and calls
/// `run` when the `deadline` has come.
///
/// **Nothing is exceeded.** The server gives out what the limit has, less the share of each instance that does not keep to it
/// alone (that has no seat there). An instance asks for its seat while it asks the server for everything; one that loses the
/// server waits until its seat has lapsed and all that others were given before is over (`LedgerAccount.quiet`), and then uses
/// its share. When it comes back, it asks for its seat only when what it sent meanwhile is over.
public struct SharedLedger {
    /// How long, in nanoseconds, the server may take for a reply: one that takes longer is as good as lost.
    public static let patience: Int64 = 1_000_000_000
    /// How often the server is told that this instance is alive, in nanoseconds.
    static let beat: Int64 = 1_000_000_000
    /// How long, in nanoseconds, what the server says may be on its way: then the session is over.
    static let longestSilence = beat + patience
    /// How long, in microseconds, anything can be that the server speaks of: more than two of the longest windows.
    static let waits: ClosedRange<Int64> = 0...1000 * 86_400_000_000
    /// The places of the limits of a request.
    static let places: Range<Int64> = 0..<Int64(PacingDemand.maximumLimits)
    static let firstBackoff: Int64 = 100_000_000
    static let longestBackoff: Int64 = 2_000_000_000
    /// How many sessions in a row may end without an answer to any claim before the server is left alone for longer.
    static let uselessSessionLimit = 3
    /// How long, in nanoseconds, the share is used at least before a server is tried again whose sessions are useless; and how often
    /// that is doubled.
    static let shareTime: Int64 = 15_000_000_000
    static let shareTimeDoublings = 4

    /// One account as it stands.
    struct State {
        let account: LedgerAccount
        /// Whether the server is asked; else the instance's share paces.
        var isShared = false
        /// When the share may be used.
        var quietUntil: MonotonicTime
        /// Requests of the share that have no answer, and until when the others are in a window.
        var outstanding = 0
        var busyUntil = MonotonicTime.distantPast
        /// What the server has to be told when it is back.
        var untold: [[String]] = []
    }

    /// One claim.
    struct Record {
        enum Phase {
            case waiting
            /// It may be sent at this time.
            case promised(MonotonicTime)
            case sent
            /// It does not wait any more, and may still be given a slot.
            case abandoned
        }

        let claim: LedgerClaim
        /// Its place in the order in which claims came.
        let arrival: UInt64
        /// The place of its account.
        let account: Int
        var phase = Phase.waiting
        /// The session in which the server was asked, or gave the slot.
        var session: String?
        /// What it holds of the share.
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
    /// How many sessions in a row ended in which claims were made and none was settled.
    var uselessSessions = 0
    var isToldOf = false
    let startedAt: MonotonicTime
    /// Under which name its seat is taken, in every session.
    let seat: String
    /// A moment of the server's clock, in microseconds, after this process began.
    var since = Int64.max
    let random: () -> UInt64
    private var pendingEffects: [LedgerEffect] = []
    /// Whether the ledger is in use, for all accounts.
    public internal(set) var isInUse = false
    /// How often it was lost, counted for each account.
    public internal(set) var fallbacks: UInt64 = 0

    /// The part of an instance that starts now.
    ///
    /// - Parameter random: random numbers: names of sessions, that no other instance has, and waits.
    public init(startedAt: MonotonicTime, random: @escaping () -> UInt64) {
        self.startedAt = startedAt
        self.random = random
        seat = String(random(), radix: 36)
        _ = events.insert(.connect, at: startedAt)
    }

    /// Keeps these accounts from now on, besides those that it has.
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

    /// The place of an account; nil if it was not added.
    func place(of account: LedgerAccount) -> Int? { places[ObjectIdentifier(account)] }

    /// When it wants to be called at the latest; nil if nothing is to be done.
    public var deadline: MonotonicTime? {
        guard let end = session?.deadline else { return events.earliest }
        return min(end, events.earliest ?? end)
    }

    /// Does what is due.
    public mutating func run(at now: MonotonicTime) {
        if let session, let end = session.deadline, end <= now {
            lose(session.name, reason: "it does not answer in time", at: now)
        }
        while let event = events.popDue(at: now) { act(on: event, at: now) }
    }

    /// What is to be done now, in this order; each is given out once.
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
