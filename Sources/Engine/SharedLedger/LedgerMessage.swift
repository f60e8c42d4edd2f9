internal import Core

/// What workers tell the one that has the connection to the ledger.
enum LedgerMessage: Sendable {
    case claim(LedgerClaim)
    case pause(LedgerPause)
    case report(LedgerReport, of: UInt64)
    /// The addresses of the ledger's host; none if its name leads nowhere.
    case addresses([String])
}
