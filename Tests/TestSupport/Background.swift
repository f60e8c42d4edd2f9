internal import Locking

/// Work on a separate thread, so that blocking it blocks nothing else.
public final class Background<Value: Sendable>: Sendable {
    private let outcome: Outcome

    private final class Outcome: Sendable {
        let result = Lock<Result<Value, any Error>?>(nil)
    }

    /// Starts a thread that runs `work`.
    public init(_ work: @escaping @Sendable () throws -> Value) {
        let outcome = Outcome()
        self.outcome = outcome
        System.startThread {
            let result = Result { try work() }
            outcome.result.withLock { $0 = result }
        }
    }

    /// Whether the work has ended.
    public var isDone: Bool { outcome.result.withLock { $0 != nil } }

    /// Waits for the result or error of the work.
    ///
    /// - Throws: the error of the work, or ``PeerError/timedOut(waitingFor:)``.
    @discardableResult
    public func join(within patience: Duration = .patience) throws -> Value {
        try eventually("a background thread to end", within: patience) { isDone }
        guard let result = outcome.result.withLock({ $0 }) else { throw PeerError.alreadyClosed }
        return try result.get()
    }
}
