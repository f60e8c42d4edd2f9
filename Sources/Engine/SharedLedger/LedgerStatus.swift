internal import Core
internal import Synchronization

/// What is told of the ledger that several instances share.
final class LedgerStatus: Sendable {
    /// Whether the ledger is in use, for all providers.
    let isUp = Atomic(false)
    /// How often it was lost.
    let fallbacks = Atomic<UInt64>(0)
    /// Commands sent to it.
    let commands = Atomic<UInt64>(0)

    var gauges: LedgerGauges {
        LedgerGauges(
            isUp: isUp.load(ordering: .relaxed), fallbacks: fallbacks.load(ordering: .relaxed),
            commands: commands.load(ordering: .relaxed))
    }
}
