@testable import Core

/// One simulated situation of several instances that share a ledger.
struct LedgerScenario {
    /// What goes wrong with Redis, with the way there, or with an instance.
    enum Fault {
        /// Nothing gets through between an instance and Redis; both keep their connections until they notice.
        case partition(instance: Int)
        /// The connections of an instance are reset, now and then.
        case cuts(instance: Int)
        /// What Redis publishes does not reach an instance, and nobody is told.
        case deaf(instance: Int)
        /// There is no Redis; the next one knows what this one did, or nothing.
        case down(forgets: Bool)
        /// Redis takes calls and does not carry them out before it goes on.
        case paused
        /// Each call takes up to so many milliseconds more each way.
        case slow(milliseconds: Int64)
        /// Redis forgets its scripts, now and then.
        case scriptsForgotten
        /// Redis forgets everything, and stays.
        case forgets
        /// An instance is killed; another one starts in its place at the end.
        case killed(instance: Int)
        /// Redis' clock is set back by a second.
        case clockSetBack
    }

    /// When a fault begins and ends, in milliseconds.
    struct Trouble {
        let fault: Fault
        let from: Int64
        let until: Int64
    }

    /// The limit, the provider, the load, the network towards the provider.
    var base: PacingScenario
    var instances = 2
    /// The most instances that there ever are.
    var replicas = 2
    var troubles: [Trouble] = []
    /// How long a request may wait, in nanoseconds.
    var patience: Int64 = 20_000_000_000
    /// How long the answer to a request may take, in seconds: what the lease is made of.
    var longestAnswer: Int64 = 4
    /// How long one way to Redis takes at most, in nanoseconds.
    var wayToRedis: Int64 = 500_000

    init(
        provider: SimulatedProvider.Kind = .slidingWindow, load: PacingScenario.Load = .saturating,
        instances: Int = 2, seed: UInt64 = 1, seconds: Int64 = 30
    ) {
        base = PacingScenario(
            requests: 10, per: 1_000_000_000, provider: provider, load: load,
            latency: .constant(forward: 20, back: 20), seed: seed, seconds: seconds)
        self.instances = instances
        replicas = instances
    }

    /// Several troubles at the same time, in the first two thirds.
    mutating func addTroubles(_ count: Int) {
        var numbers = SeededNumbers(seed: base.seed ^ 0xBAD)
        var killed: Set<Int> = []
        for _ in 0..<count {
            let instance = Int.random(in: 0..<instances, using: &numbers)
            let fault: Fault =
                switch Int.random(in: 0..<10, using: &numbers) {
                case 0, 1: .partition(instance: instance)
                case 2: .cuts(instance: instance)
                case 3: .deaf(instance: instance)
                case 4: .down(forgets: Bool.random(using: &numbers))
                case 5: .paused
                case 6: .slow(milliseconds: Int64.random(in: 50...1500, using: &numbers))
                case 7: .scriptsForgotten
                case 8: .forgets
                default: killed.insert(instance).inserted ? .killed(instance: instance) : .paused
                }
            let from = Int64.random(in: 1000...base.seconds * 500, using: &numbers)
            // Some are over before anybody notices, some last longer than anything is waited for.
            let length = Int64.random(
                in: 100...(Bool.random(using: &numbers) ? 2500 : base.seconds * 333), using: &numbers)
            troubles.append(Trouble(fault: fault, from: from, until: min(from + length, base.seconds * 667)))
        }
    }

    /// When the last trouble is over, in nanoseconds.
    var troubleUntil: Int64 { (troubles.map(\.until).max() ?? 0) * 1_000_000 }
}

/// What happened in a simulation.
struct LedgerResult {
    var accepted = 0
    var refused = 0
    /// When requests arrived at the provider that it took.
    var arrivals: [Int64] = []
    /// Refused by ourselves at once, waited too long, gone with their client, without an answer, gone with their instance.
    var turnedAway = 0
    var timedOut = 0
    var departed = 0
    var lost = 0
    var died = 0
    /// Requests that were neither sent nor left, when nothing was left to happen.
    var stuck = 0
    var fallbacks = 0
    var calls = 0
    /// Slots that are held in the end, by nobody.
    var leaked = 0

    /// Requests taken per second in a span of time, in nanoseconds.
    func rate(from start: Int64, until end: Int64) -> Double {
        Double(arrivals.lazy.filter { $0 >= start && $0 < end }.count) / (Double(end - start) / 1e9)
    }
}
