internal import Core

/// What was answered to a send with an idempotency key.
struct LettrSend: Sendable {
    /// Stands for the payload: another one has, but for a coincidence, another number.
    var payload: Int
    var answer: ImitationResponse
    var time: MonotonicTime

    /// How long an answer is kept.
    static let lifetime: Duration = .seconds(86_400)

    /// Whether it still counts.
    func isKept(at now: MonotonicTime) -> Bool { now < time + Self.lifetime }
}
