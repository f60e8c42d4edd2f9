internal import Glibc

/// Evaluates the condition repeatedly until it holds.
///
/// - Parameters:
///   - what: a description of the condition, for the error.
///   - pause: the time between two evaluations.
/// - Throws: ``PeerError/timedOut(waitingFor:)``, or what the condition throws.
public func eventually(
    _ what: String = "a condition", within patience: Duration = .patience,
    every pause: Duration = .milliseconds(10),
    _ condition: () throws -> Bool
) throws {
    let deadline = Deadline.after(patience)
    while try !condition() {
        guard !deadline.hasPassed else { throw PeerError.timedOut(waitingFor: what) }
        pauseThread(for: pause)
    }
}

/// Lets this thread sleep.
public func pauseThread(for duration: Duration) {
    let parts = duration.components
    let microseconds = parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
    usleep(UInt32(clamping: microseconds))
}
