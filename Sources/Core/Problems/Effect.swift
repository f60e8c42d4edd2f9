/// Whether the request's side effect was performed.
public enum Effect: String, CaseIterable, Sendable {
    /// Never sent, or refused before it ran.
    case none
    /// Sent, and no answer that settles it.
    case unknown
    /// Performed, though the answer is an error.
    case applied

    /// What is known of several attempts together: one that may have been performed is not undone by another that was not.
    public func combined(with other: Effect) -> Effect {
        if self == .applied || other == .applied { return .applied }
        return self == .unknown || other == .unknown ? .unknown : .none
    }
}
