/// Who failed.
public enum ProblemOrigin: String, CaseIterable, Sendable {
    /// The provider answered with an error.
    case provider
    /// There was no usable answer: the way to the provider, or the provider's end of it.
    case network
    /// Weir refused, or is broken.
    case proxy
    /// The request was malformed.
    case client
}
