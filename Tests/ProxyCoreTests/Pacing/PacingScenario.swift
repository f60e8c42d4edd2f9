@testable import ProxyCore

/// One simulated situation: a limit, a provider, a load, a network, and what goes wrong.
struct PacingScenario {
    enum Load: CaseIterable {
        /// There are always more requests than may be sent.
        case saturating
        /// Now and then many at once, and nothing in between.
        case bursty
        /// Single requests at random moments, about two thirds of what is allowed.
        case trickle
    }

    enum Latency {
        /// The same each way, every time, in milliseconds.
        case constant(forward: Int64, back: Int64)
        /// 20 to 300 ms each way, and one in a hundred up to 1.5 s.
        case spiky
        /// Quick towards the provider and slow back, or the reverse; with the same spikes.
        case asymmetric(slowBack: Bool)
    }

    var requests = 20
    var per: Int64 = 2_000_000_000
    var provider = SimulatedProvider.Kind.slidingWindow
    var load = Load.saturating
    var latency = Latency.spiky
    var seed: UInt64 = 1
    /// How long requests come, in seconds; then all that are there finish.
    var seconds: Int64 = 120
    var workers = 1
    var keys = 1
    /// The share of requests whose client goes away at some moment.
    var departures = 0.0
    /// The share of requests whose connection breaks without a response.
    var losses = 0.0
    /// How late timers fire at most, in nanoseconds.
    var timerLateness: Int64 = 0
    var queueCapacity = 1000

    var policy: PacingPolicy {
        PacingPolicy(
            windows: [.init(requests: requests, per: .nanoseconds(per))], queueCapacity: queueCapacity,
            keyCapacity: keys)
    }

    func oneWay(back: Bool, using numbers: inout SeededNumbers) -> Int64 {
        let millisecond: Int64 = 1_000_000
        if case .constant(let forward, let backward) = latency {
            return (back ? backward : forward) * millisecond
        }
        if numbers.happens(0.01) {
            return Int64.random(in: 300 * millisecond...1500 * millisecond, using: &numbers)
        }
        var range = 20 * millisecond...300 * millisecond
        if case .asymmetric(let slowBack) = latency {
            range =
                slowBack == back ? 200 * millisecond...300 * millisecond : 20 * millisecond...40 * millisecond
        }
        return Int64.random(in: range, using: &numbers)
    }
}

/// What happened in a simulation.
struct PacingResult {
    var arrived = 0
    var accepted = 0
    var refused = 0
    /// Refused by ourselves, because the queue was full.
    var turnedAway = 0
    var departed = 0
    var lost = 0
    /// Requests that were sent after one of the same key that came later.
    var overtaken = 0
    /// Requests that were neither sent nor left, when nothing was left to happen.
    var stuck = 0
    var longestQueue = 0
    /// States in which nothing would ever have woken a waiting request, and other broken promises.
    var brokenInvariants: [String] = []
    /// Accepted per second while requests came.
    var throughput = 0.0
    var refusedShare: Double {
        accepted + refused == 0 ? 0 : Double(refused) / Double(accepted + refused)
    }
}
