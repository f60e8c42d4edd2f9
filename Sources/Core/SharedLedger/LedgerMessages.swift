/// A request that has its local slot and asks for slots of the shared ledger.
///
/// Its owner reports its end once: `.responded` (and `.ended`, under a limit on concurrent requests), or one of the
/// others.
public struct LedgerClaim: Sendable {
    /// Its name in this process.
    public let id: UInt64
    let waiter: Waiter
    let account: LedgerAccount
    let demand: PacingDemand
    /// The end of its wait.
    let latest: MonotonicTime

    /// A claim on `account`; `waiter` is notified if it is granted before `latest`.
    public init(
        id: UInt64, waiter: Waiter, account: LedgerAccount, demand: PacingDemand, latest: MonotonicTime
    ) {
        self.id = id
        self.waiter = waiter
        self.account = account
        self.demand = demand
        self.latest = latest
    }
}

/// What the connection's owner must do for a `SharedLedger`, in this order.
public enum LedgerEffect: Sendable {
    /// Connect to the server: a session with this name begins. Its beginning, and its failure, are reported.
    case connect(session: String)
    /// Close the connections of this session; its later events are not reported.
    case disconnect(session: String)
    /// Call the script; replies are reported in the order of the calls.
    case call(LedgerCall)
    /// A request may be sent.
    case grant(Waiter)
    /// A request would have to wait longer than it may: its claim is over.
    case refuse(Waiter, Refusal)
    /// The pacer must be called again at that time.
    case arm(Wake, of: Pacer)
    /// Log that the ledger is unavailable, and why.
    case tellOfLoss(reason: String)
    /// Log that it is available again.
    case tellOfReturn
}

/// One call of the script.
public struct LedgerCall: Sendable {
    /// The prefix of all its keys.
    public let key: [UInt8]
    /// The arguments.
    public let words: [String]
    /// Whether the server may not know the script, so that its whole text must be sent.
    public var needsText = false
}

/// The script's reply.
public enum LedgerReply: Sendable, Hashable {
    /// One or more numbers; empty for anything else.
    case numbers([Int64])
    /// A failure: a code in capitals and a message.
    case error(String)
}

/// The result of a claim.
public enum LedgerReport: Sendable {
    /// The first byte of the response has arrived.
    case responded
    /// The response has ended.
    case ended
    /// It was sent, at least in part, and there will be no response.
    case closedWithoutResponse
    /// It was not sent, or no longer waits.
    case neverSent
}

/// The provider has rejected a key: all instances pause it.
public struct LedgerPause: Sendable {
    let account: LedgerAccount
    let key: UInt64
    let usesQuota: Bool
    let left: Duration
    let reason: PauseReason

    /// A pause of `key` that lasts for `left`.
    ///
    /// - Parameter usesQuota: whether the key belongs to a quota that is used up.
    public init(
        account: LedgerAccount, key: UInt64, usesQuota: Bool, left: Duration, reason: PauseReason
    ) {
        self.account = account
        self.key = key
        self.usesQuota = usesQuota
        self.left = left
        self.reason = reason
    }
}

/// The script of the ledger in Redis.
public enum LedgerScript {
    /// Its text, in Lua.
    public static var text: [UInt8] { PackageResources.ledger_lua }
}
