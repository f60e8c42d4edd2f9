/// Which requests a provider performs only once when they carry the same key.
public struct Idempotency: Sendable, Hashable {
    /// The field that carries the key.
    public var header: String
    /// The requests for which the provider honours it.
    public var requests: [RequestPattern]

    /// An idempotency rule.
    public init(header: String, requests: [RequestPattern]) {
        self.header = header
        self.requests = requests
    }
}
