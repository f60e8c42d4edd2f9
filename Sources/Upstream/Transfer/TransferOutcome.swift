/// How a transfer ended.
public struct TransferOutcome: Sendable {
    /// Why it failed, or `nil` for a complete answer.
    public var fault: TransferFault?
    /// Whether any byte of the request may have reached the provider.
    public var wasSent = false

    /// The outcome of a transfer of which nothing has happened.
    public init() {}

    /// Whether the answer is complete.
    public var isComplete: Bool { fault == nil }
}
