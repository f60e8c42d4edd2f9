import Locking
import TestSupport

/// A provider that allows so many requests in any span of time, counted as they arrive, and refuses the rest with 429.
///
/// The strictest there is: a sliding window, and one ledger for all keys unless `byKey`.
final class StrictProvider: Sendable {
    private final class Ledger: Sendable {
        struct State {
            var recent: [ContinuousClock.Instant] = []
            var arrivals: [ContinuousClock.Instant] = []
            var refusals = 0
        }

        let state = Lock(State())

        /// Counts an arrival, and says whether it is allowed.
        func admits(_ requests: Int, per window: Duration) -> Bool {
            state.withLock { state in
                let now = ContinuousClock.now
                state.recent.removeAll { $0 + window <= now }
                guard state.recent.count < requests else {
                    state.refusals += 1
                    return false
                }
                state.recent.append(now)
                state.arrivals.append(now)
                return true
            }
        }
    }

    /// Its server.
    let upstream: ScriptedUpstream
    private let ledger: Ledger

    /// Answers after `delay`, which a round trip takes.
    init(_ requests: Int, per window: Duration, answeringAfter delay: Duration = .milliseconds(5)) throws {
        let ledger = Ledger()
        self.ledger = ledger
        upstream = try ScriptedUpstream { exchange in
            guard ledger.admits(requests, per: window) else {
                return try exchange.respond(.status(429, fields: [("Retry-After", "1")], body: "too many"))
            }
            pauseThread(for: delay)
            try exchange.respond(.ok())
        }
    }

    /// How many requests were refused.
    var refusals: Int { ledger.state.withLock { $0.refusals } }
    /// When the requests arrived that were allowed.
    var arrivals: [ContinuousClock.Instant] { ledger.state.withLock { $0.arrivals.sorted() } }
}
