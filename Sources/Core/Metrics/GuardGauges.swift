/// What keeps requests from a provider at the moment of a scrape, its limits aside.
public struct GuardGauges: Sendable {
    /// Credentials that are held back because the provider keeps refusing them.
    public var quarantinedCredentials: Int
    /// Whether requests are sent to a provider that may have failed too often.
    public var circuit: CircuitBreaker.State

    /// The state of one provider.
    public init(quarantinedCredentials: Int = 0, circuit: CircuitBreaker.State = .closed) {
        self.quarantinedCredentials = quarantinedCredentials
        self.circuit = circuit
    }
}
