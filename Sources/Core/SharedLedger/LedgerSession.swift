/// One session with the ledger's server, from the attempt to connect to its end.
struct LedgerSession {
    /// What the reply to a call is for.
    enum Purpose {
        case claim(UInt64)
        case beat(LedgerAccount)
        /// Nobody waits for it.
        case report
    }

    struct Pending {
        let call: LedgerCall
        let purpose: Purpose
        let at: MonotonicTime
    }

    /// Under which the server knows this instance.
    let name: String
    /// Since when it is being connected.
    var startedAt: MonotonicTime?
    /// A moment of the server's clock, in microseconds, and ours when it was heard of; nil until calls can be made.
    var clock: (server: Int64, at: MonotonicTime)?
    /// Whether slots were asked for in it, and whether any request was given some, or was refused.
    var hasClaims = false
    var hasSettledClaims = false
    /// The calls that have no reply, the oldest at `first`: replies come in the order of calls.
    private var pending: [Pending] = []
    private var first = 0
    /// When it told that it is alive, and has not heard itself.
    private var echoes: [MonotonicTime] = []

    init(name: String) { self.name = name }

    var isUp: Bool { clock != nil }

    mutating func expectReply(to call: LedgerCall, for purpose: Purpose, at now: MonotonicTime) {
        if case .beat = purpose, !call.needsText { echoes.append(now) }
        pending.append(Pending(call: call, purpose: purpose, at: now))
    }

    /// The call that is replied to now; nil if there is none.
    mutating func takeOldest() -> Pending? {
        guard first < pending.count else { return nil }
        let oldest = pending[first]
        first += 1
        if first == pending.count || first > 1024 {
            pending.removeFirst(first)
            first = 0
        }
        return oldest
    }

    /// What it told is heard: messages do arrive.
    mutating func hearEcho() { if !echoes.isEmpty { echoes.removeFirst() } }

    /// The server's clock, in microseconds: what it shows, or a little less.
    func time(at now: MonotonicTime) -> Int64 {
        clock.map { $0.server + $0.at.nanoseconds(to: now) / 1000 } ?? 0
    }

    /// When a call that is made now is not to be acted on any more, in microseconds of the server's clock: nobody waits for
    /// its reply then.
    func latest(at now: MonotonicTime) -> Int64 { time(at: now) + SharedLedger.patience / 1000 + 500_000 }

    /// When the server has to have answered; nil if nothing is to be answered.
    var deadline: MonotonicTime? {
        if !isUp { return startedAt?.later(by: SharedLedger.patience) }
        let oldest = first < pending.count ? pending[first].at : nil
        guard let silent = echoes.first else { return oldest?.later(by: SharedLedger.patience) }
        return min(silent, oldest ?? silent).later(by: SharedLedger.patience)
    }
}
