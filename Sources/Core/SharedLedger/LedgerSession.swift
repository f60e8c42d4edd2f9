/// One session with the ledger's server, from the connection attempt to its end.
struct LedgerSession {
    /// The purpose of a call's reply.
    enum Purpose {
        case claim(UInt64)
        case beat(LedgerAccount)
        /// The reply is not needed.
        case report
    }

    struct Pending {
        let call: LedgerCall
        let purpose: Purpose
        let at: MonotonicTime
    }

    /// The name under which the server knows this instance.
    let name: String
    /// When the connection attempt began.
    var startedAt: MonotonicTime?
    /// A time of the server's clock, in microseconds, and when it was received by ours; nil until calls can be made.
    var clock: (server: Int64, at: MonotonicTime)?
    /// Whether slots were requested in it, and whether any request was granted or refused.
    var hasClaims = false
    var hasSettledClaims = false
    /// The calls without a reply, the oldest at `first`: replies arrive in the order of calls.
    private var pending: [Pending] = []
    private var first = 0
    /// When it sent heartbeats whose echo has not arrived yet.
    private var echoes: [MonotonicTime] = []

    init(name: String) { self.name = name }

    var isUp: Bool { clock != nil }

    mutating func expectReply(to call: LedgerCall, for purpose: Purpose, at now: MonotonicTime) {
        if case .beat = purpose, !call.needsText { echoes.append(now) }
        pending.append(Pending(call: call, purpose: purpose, at: now))
    }

    /// The call to which the next reply belongs; nil if there is none.
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

    /// An echo of its heartbeat has arrived, so messages are delivered.
    mutating func hearEcho() { if !echoes.isEmpty { echoes.removeFirst() } }

    /// The server's clock in microseconds; never ahead of it.
    func time(at now: MonotonicTime) -> Int64 {
        clock.map { $0.server + $0.at.nanoseconds(to: now) / 1000 } ?? 0
    }

    /// After which time, on the server's clock in microseconds, a call that is made now must not be executed: its
    /// reply is no longer waited for.
    func latest(at now: MonotonicTime) -> Int64 { time(at: now) + SharedLedger.patience / 1000 + 500_000 }

    /// When the server must have replied; nil if nothing is pending.
    var deadline: MonotonicTime? {
        if !isUp { return startedAt?.later(by: SharedLedger.patience) }
        let oldest = first < pending.count ? pending[first].at : nil
        guard let silent = echoes.first else { return oldest?.later(by: SharedLedger.patience) }
        return min(silent, oldest ?? silent).later(by: SharedLedger.patience)
    }
}
