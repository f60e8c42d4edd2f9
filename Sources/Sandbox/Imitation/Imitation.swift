/// A simulated provider: a value without I/O that turns requests into responses.
protocol Imitation: Sendable {
    /// The response to a body that is too large to be read.
    static var tooLarge: ImitationResponse { get }

    /// The response to a request; its path is relative to the mount.
    mutating func answer(_ request: ImitationRequest) -> ImitationResponse

    /// The responses that occupied these slots are sent, or will never be.
    mutating func release(_ slots: [StrictLimits.Slot])
}

extension Imitation {
    mutating func release(_ slots: [StrictLimits.Slot]) {}
}
