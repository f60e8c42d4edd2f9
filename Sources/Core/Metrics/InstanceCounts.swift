/// What an instance counts besides its exchanges.
public struct InstanceCounts: Sendable {
    /// Times that no more clients were taken for a while.
    public var acceptPauses: UInt64
    /// Lines that the log has lost.
    public var logLinesDropped: UInt64

    /// The counts so far.
    public init(acceptPauses: UInt64 = 0, logLinesDropped: UInt64 = 0) {
        self.acceptPauses = acceptPauses
        self.logLinesDropped = logLinesDropped
    }
}
