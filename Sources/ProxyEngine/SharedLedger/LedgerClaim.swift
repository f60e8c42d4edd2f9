internal import ProxyCore

/// A request that this instance lets through, and that asks for slots of the ledger of all.
///
/// Whoever makes one reports its end, once: `.responded` (and `.ended`, where requests at one time are limited), or one of the
/// others.
struct LedgerClaim: Sendable {
    /// Its name in this process.
    let id: UInt64
    let waiter: Waiter
    let account: LedgerAccount
    let demand: PacingDemand
    /// When it waits no longer.
    let latest: MonotonicTime
}

/// What became of a claim.
enum LedgerReport: Sendable {
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
struct LedgerPause: Sendable {
    let account: LedgerAccount
    let key: UInt64
    /// Whether the key is that of a quota that is used up.
    let usesQuota: Bool
    let left: Duration
    let reason: PauseReason
}

/// What workers tell the one that has the connection to the ledger.
enum LedgerMessage: Sendable {
    case claim(LedgerClaim)
    case pause(LedgerPause)
    case report(LedgerReport, of: UInt64)
    /// The address of the ledger's host; nil if its name leads nowhere.
    case address(String?)
}
