/// How the ledger is that several instances share.
public struct LedgerGauges: Hashable, Sendable {
    /// Whether it is in use.
    public var isUp: Bool
    /// How often it was lost.
    public var fallbacks: UInt64
    /// Commands sent to it.
    public var commands: UInt64

    /// A reading.
    public init(isUp: Bool, fallbacks: UInt64, commands: UInt64) {
        self.isUp = isUp
        self.fallbacks = fallbacks
        self.commands = commands
    }
}
