/// The time after which a peer stops waiting and fails.
///
/// Every blocking call of this module takes one, so that no test can hang.
public struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant?

    /// A deadline `duration` from now.
    public static func after(_ duration: Duration) -> Deadline { Deadline(instant: .now + duration) }

    /// Waits as long as the socket is open: for the idle loops of a peer, which end when it is stopped.
    static let never = Deadline(instant: nil)

    /// Whether the deadline has passed.
    public var hasPassed: Bool { instant.map { $0 <= .now } ?? false }

    /// Milliseconds left, rounded up, at most `limit`; 0 after the deadline.
    func millisecondsLeft(atMost limit: Int32) -> Int32 {
        guard let instant else { return limit }
        let left = ContinuousClock.Instant.now.duration(to: instant).components
        guard left.seconds >= 0, left.attoseconds >= 0 else { return 0 }
        guard left.seconds < 3600 else { return limit }
        let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1
        return Int32(min(Int64(limit), milliseconds))
    }
}

extension Duration {
    /// The default time that a peer waits: 30 seconds, far more than any local operation needs.
    public static let patience: Duration = .seconds(30)

    /// The time allowed for things that take less than a second: 10 seconds, because other tests need the processors
    /// too.
    public static let promptly: Duration = .seconds(10)
}
