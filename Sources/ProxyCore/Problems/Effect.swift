/// Whether the request's side effect was performed.
public enum Effect: String, CaseIterable, Sendable {
    /// Never sent, or refused before it ran.
    case none
    /// Sent, and no answer that settles it.
    case unknown
    /// Performed, though the answer is an error.
    case applied
}
