internal import Downstream
internal import Core

/// The keys of ledgers that several instances share.
enum LedgerKeys {
    /// The same in every instance, and no way back to the credential.
    static let digest: LedgerDigest = { KeyedDigest.value(of: $0, key: Array("weir ledger".utf8)) }
}
