@testable import Core

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
    /// A limit that all keys share, besides; 0 for none.
    var sharedRequests = 0
    /// Requests of each key at the same time; 0 for no such limit.
    var concurrent = 0
    /// Requests of each key in a day that ends in the middle of the simulation; 0 for no such limit.
    var daily = 0
    /// By how much the provider's clock is ahead of ours, in nanoseconds.
    var skew: Int64 = 0
    /// The margin of the fast guarantee; nil for the strict one.
    var fastMargin: Int64?
    /// Whether requests are more and less urgent.
    var hasLanes = false
    /// The share of requests that the provider refuses for reasons of its own.
    var moods = 0.0

    /// What is to be added to the simulated time to have the time of day: midnight is in the middle.
    var wallOffset: Int64 { (20_000 * 86_400 - seconds / 2) * 1_000_000_000 }

    var policy: PacingPolicy {
        var windows = [PacingPolicy.Window(requests: requests, per: .nanoseconds(per))]
        if sharedRequests > 0 {
            windows.append(.init(requests: sharedRequests, per: .nanoseconds(per), scope: 1))
        }
        if concurrent > 0 { windows.append(.init(requests: concurrent, counted: .concurrent)) }
        if daily > 0 { windows.append(.init(requests: daily, counted: .day)) }
        return PacingPolicy(
            windows: windows, guarantee: fastMargin.map { .fast(margin: .nanoseconds($0)) } ?? .strict,
            queueCapacity: queueCapacity, keyCapacity: keys + 1)
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
    /// Refused for reasons of the provider's own.
    var moody = 0
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
