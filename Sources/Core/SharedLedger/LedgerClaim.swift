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
