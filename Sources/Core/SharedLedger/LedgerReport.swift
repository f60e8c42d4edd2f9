/// What became of a claim.
public enum LedgerReport: Sendable {
    /// The first byte of the answer has come.
    case responded
    /// The answer has ended.
    case ended
    /// It was sent, perhaps in part, and there will be no answer.
    case closedWithoutResponse
    /// It was not sent, or waits no longer.
    case neverSent
}
