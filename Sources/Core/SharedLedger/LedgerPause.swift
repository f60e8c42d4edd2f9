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
