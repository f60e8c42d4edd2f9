/// A request that this instance lets through, and that asks for slots of the ledger of all.
///
/// Whoever makes one reports its end, once: `.responded` (and `.ended`, where requests at one time are limited), or one of the
/// others.
public struct LedgerClaim: Sendable {
    /// Its name in this process.
    public let id: UInt64
    let waiter: Waiter
    let account: LedgerAccount
    let demand: PacingDemand
    /// When it waits no longer.
    let latest: MonotonicTime

    /// A claim on `account` that `waiter` is told of, if it is granted until `latest`.
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

/// What a `SharedLedger` wants done, in this order.
public enum LedgerEffect: Sendable {
    /// Connect to the server: a session of this name begins. Its beginning, and its end if it fails, are reported.
    case connect(session: String)
    /// Close the connections of this session; nothing that still comes of it is reported.
    case disconnect(session: String)
    /// Call the script; the reply is reported, in the order of the calls.
    case call(LedgerCall)
    /// A request may be sent.
    case grant(Waiter)
    /// A request would have to wait for longer than it may: its claim is over.
    case refuse(Waiter, Refusal)
    /// The pacer must be asked again at that time.
    case arm(Wake, of: Pacer)
    /// Say that the ledger cannot be used, and why.
    case tellOfLoss(reason: String)
    /// Say that it is in use again.
    case tellOfReturn
}

/// One call of the script.
public struct LedgerCall: Sendable {
    /// What the names of all its keys begin with.
    public let key: [UInt8]
    /// What is asked, and what the server must know for it.
    public let words: [String]
    /// Whether the server may have forgotten the script, so that all of its text must be sent.
    public var needsText = false
}

/// What the script has answered.
public enum LedgerReply: Sendable, Hashable {
    /// A number, or several; none if it was something else.
    case numbers([Int64])
    /// A failure: a code in capitals, then words.
    case error(String)
}

/// What became of a claim.
public enum LedgerReport: Sendable {
    /// The first byte of the answer has come.
    case responded
    /// The answer has ended.
    case ended
    /// It was sent, perhaps in part, and there will be no answer.
    case closedWithoutResponse
    /// It was not sent, or waits no longer.
    case neverSent
}

/// That the provider has refused a key: all instances pause it.
public struct LedgerPause: Sendable {
    let account: LedgerAccount
    let key: UInt64
    let usesQuota: Bool
    let left: Duration
    let reason: PauseReason

    /// A pause of `key` that lasts for `left`.
    ///
    /// - Parameter usesQuota: whether the key is that of a quota that is used up.
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

/// The script that keeps the ledger in Redis.
public enum LedgerScript {
    /// Its text, in Lua.
    public static var text: [UInt8] { PackageResources.ledger_lua }
}
