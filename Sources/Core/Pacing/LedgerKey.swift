/// Whose requests share a ledger: a keyed hash, never the credential itself.
///
/// The caller computes it with a secret seed, so that nobody can choose credentials that collide.
public struct LedgerKey: Hashable, Sendable {
    /// The keyed hash.
    public var hash: UInt64

    /// The ledger of everything that hashes to `hash`.
    public init(hash: UInt64) { self.hash = hash }

    /// The ledger of all requests that carry no key.
    public static let none = LedgerKey(hash: 0)

    /// The one ledger of a provider whose limit does not depend on a key.
    public static let shared = LedgerKey(hash: 1)
}
