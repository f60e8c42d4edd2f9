public import Synchronization

/// The limits of one provider or group, as all instances count them together.
///
/// It does not change: other limits need a restart of every instance.
public final class LedgerAccount: Sendable {
    /// One of the limits, in the script's format.
    struct Limit: Sendable {
        let name: String
        let scope: Int
        let slots: Int
        let span: PacingPolicy.Window.Span
        /// In microseconds, like all times of the script.
        let per: Int64
        let resolution: Int64
        /// The share of one instance; 0 if there are more instances than slots.
        let share: Int

        /// Whether it is too long to wait until it is over.
        var isLong: Bool { per > LedgerAccount.longestQuiet }
    }

    /// How long an instance counts as alive, and as a user of this ledger, after its last heartbeat.
    static let lapse: Int64 = 3_000_000
    /// The longest window, in microseconds, that is waited for if it is not known what other instances have sent.
    static let longestQuiet: Int64 = 60_000_000

    /// The prefix of the keys: one hash tag, so that they are in one slot of a cluster.
    let prefix: [UInt8]
    let limits: [Limit]
    private let windows: [PacingPolicy.Window]
    let replicas: Int
    /// How long after an instance's last heartbeat one of its requests may be counted by the provider.
    let lease: Int64
    /// How long a request may be in flight when its connection is lost.
    let grace: Int64
    /// The local pacer, which is asked before the ledger and knows of pauses.
    public let pacer: Pacer
    /// Counts everything that this instance sends, and paces it while the ledger is unavailable.
    let share: Pacer
    /// How many requests of this instance wait for the ledger.
    public let waiting = Atomic(0)
    private let policy: PacingPolicy

    /// The limits of `pacer`, counted together by this many instances under an agreed name.
    ///
    /// - Parameters:
    ///   - lease: how long after an instance's last heartbeat one of its requests may be counted by the provider.
    ///   - wallClockOffset: the difference between the time since 1970 and the monotonic clock.
    public init(
        name: String, pacer: Pacer, replicas: Int, lease: Duration, wallClockOffset: Duration
    ) {
        self.pacer = pacer
        let policy = pacer.policy
        prefix = Array("weir:{\(name)}".utf8)
        self.replicas = replicas
        self.lease = lease.wholeNanoseconds / 1000
        grace = policy.grace.wholeNanoseconds / 1000
        windows = policy.windows
        limits = policy.windows.enumerated().map { Limit($1, place: $0, replicas: replicas) }
        var own = policy
        own.quotaScope = nil
        own.windows = policy.windows.map { $0.share(of: replicas) }
        own.isObserved = true
        self.policy = own
        share = Pacer(policy: own)
        share.setWallClock(offset: wallClockOffset)
    }

    /// Whether the end of a response matters.
    var countsConcurrency: Bool { limits.contains { $0.span == .concurrent } }

    /// How long nothing may be sent after the ledger was lost: by then the server knows that this instance uses its
    /// share, and the slots that it gave to others before are free again.
    var quiet: Int64 { Self.lapse + settling }

    /// The longest window that is waited for.
    var longest: Int64 { limits.lazy.filter { !$0.isLong }.map(\.per).max() ?? 0 }

    /// How long no slot may be used of a ledger that has lost its data, until earlier grants no longer count.
    ///
    /// A grant may be up to a window in the future, be received late, be in flight to the provider, and counts for a
    /// window.
    var settling: Int64 { 2 * longest + SharedLedger.longestSilence / 1000 + grace + 500_000 }

    /// Switches between pacing by the share and only counting.
    func setPacing(_ paces: Bool, at now: MonotonicTime) -> Wake? {
        var policy = policy
        policy.isObserved = !paces
        return share.change(to: policy, at: now)
    }

    /// Whether this instance's share is large enough for a request.
    func canShare(_ demand: PacingDemand) -> Bool {
        limits.enumerated().allSatisfy { Int(demand.weights[$0]) <= $1.share }
    }

    /// The refusal of a request that would have to wait for this many microseconds, for one of its limits.
    func refusal(of demand: PacingDemand, after wait: Int64, place: Int) -> Refusal {
        let counting = limits.indices.filter { demand.weights[$0] > 0 }
        let limit = counting.indices.contains(place) ? counting[place] : nil
        return Refusal(
            reason: .wouldWaitTooLong, retryAfter: .microseconds(max(wait, 1000)),
            window: limit.map { windows[$0] }, limit: limit ?? 0, remaining: 0)
    }

    /// How many microseconds later than the most urgent request a request of this urgency counts as having arrived.
    func delay(of urgency: Int) -> Int64 {
        Int64(min(max(urgency, 0), 7)) * (policy.aging.wholeNanoseconds / 1000)
    }

    /// The name of the ledger of a limit that applies to a request.
    func name(of limit: Limit, for demand: PacingDemand) -> String {
        "\(limit.name):\(String(demand.keys[limit.scope], radix: 16))"
    }

    /// How long the data of a limit is kept, in seconds.
    func lifetime(of limit: Limit) -> Int64 { (3 * limit.per + lease) / 1_000_000 + 3600 }
}

extension LedgerAccount.Limit {
    init(_ window: PacingPolicy.Window, place: Int, replicas: Int) {
        let kind =
            switch window.span {
            // A limit that is kept in every window of this length is kept in those that follow the clock.
            case .rolling, .aligned: "\(Self.microseconds(window))us"
            case .day: "day"
            case .month: "month"
            case .concurrent: "concurrent"
            }
        name = "\(place)-\(kind)"
        (scope, slots, span) = (window.scope, window.requests, window.span)
        per = Self.microseconds(window)
        // As in memory: large windows are counted in parts.
        resolution = window.requests <= 256 ? 1 : max(per / 128, 1)
        share = window.requests / replicas
    }

    /// The length of the longest window.
    private static func microseconds(_ window: PacingPolicy.Window) -> Int64 {
        let length = window.per.wholeNanoseconds / 1000
        guard case .aligned(let alignment) = window.span else { return length }
        return length + Int64(alignment.slack) * 1_000_000
    }

    /// When the slots of a request are freed that ends now, or whose window begins in this many microseconds.
    func delay(after start: Int64) -> String {
        switch span {
        case .rolling, .aligned: "\(start + per)"
        case .day: "d\(start)"
        case .month: "m\(start)"
        case .concurrent: "\(start)"
        }
    }
}

extension PacingPolicy.Window {
    /// The share of one instance, at least one request; an instance that may not send even one is not asked.
    fileprivate func share(of replicas: Int) -> PacingPolicy.Window {
        let requests = max(requests / replicas, 1)
        return switch span {
        case .rolling: PacingPolicy.Window(requests: requests, per: per, scope: scope)
        case .aligned(let alignment):
            PacingPolicy.Window(requests: requests, per: per, aligned: alignment, scope: scope)
        case .day, .month, .concurrent:
            PacingPolicy.Window(requests: requests, counted: span, scope: scope)
        }
    }
}
