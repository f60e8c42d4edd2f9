/// What keeps requests from a provider at the moment of a scrape, its limits aside.
public struct GuardGauges: Sendable {
    /// Credentials that are held back because the provider keeps refusing them.
    public var quarantinedCredentials: Int

    /// The state of one provider.
    public init(quarantinedCredentials: Int = 0) {
        self.quarantinedCredentials = quarantinedCredentials
    }
}
