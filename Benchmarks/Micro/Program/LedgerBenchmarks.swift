internal import Core

/// What a decision of the pacer costs, with more and more keys, and with more and more that wait.
enum LedgerBenchmarks {
    /// lemlist's limit.
    static let window = PacingPolicy.Window(requests: 20, per: .seconds(2))

    static func run(_ measure: Measure) {
        measure.heading("ledger")
        for keys in [1, 1000, 1_000_000] { measureKeys(measure, keys) }
        for waiting in [1, 10_000] {
            measureOthers(measure, waiting: waiting)
            measureJoining(measure, waiting: waiting)
        }
        for waiting in [100, 10_000] { measureTurns(measure, waiting: waiting, keys: 1) }
        measureTurns(measure, waiting: 10_000, keys: 10_000)
    }

    /// Admission and the report of the answer, each time of another key.
    private static func measureKeys(_ measure: Measure, _ keys: Int) {
        let pacer = Pacer(policy: PacingPolicy(windows: [window], keyCapacity: keys + 1))
        // As fast as each key's limit allows, and a little slower.
        let step = 110_000_000 / Int64(keys)
        var now = MonotonicTime(nanoseconds: 0)
        var number: UInt64 = 0
        func decide() {
            number &+= 1
            now = now.later(by: step)
            guard
                case .admitted(let slot) = pacer.admit(
                    PacingDemand(key: LedgerKey(hash: scattered(number % UInt64(keys)))),
                    waiter: Waiter(worker: 0, id: number), patience: .zero,
                    at: now)
            else { fatalError("a request has to wait") }
            keep(pacer.responded(slot, verdict: .accepted, at: now))
        }
        for _ in 0..<(2 * keys) { decide() }
        measure("decision and report, \(keys) \(keys == 1 ? "key" : "keys")", decide)
    }

    /// A decision for one key while requests wait for another.
    private static func measureOthers(_ measure: Measure, waiting: Int) {
        let crowd = full(waiting: waiting)
        let pacer = crowd.pacer
        var now = crowd.now
        measure("decision and report for a key while \(waiting) wait for another") {
            now = now.later(by: 110_000_000)
            guard
                case .admitted(let slot) = pacer.admit(
                    PacingDemand(key: LedgerKey(hash: 99)), waiter: Waiter(worker: 0, id: 0), patience: .zero,
                    at: now)
            else { fatalError("a request has to wait") }
            keep(pacer.responded(slot, verdict: .accepted, at: now))
        }
    }

    /// To join a queue and to leave it.
    private static func measureJoining(_ measure: Measure, waiting: Int) {
        let crowd = full(waiting: waiting)
        let pacer = crowd.pacer
        let now = crowd.now
        measure("to join the queue and leave it, \(waiting) waiting") {
            guard
                case .queued(let place, _, _) = pacer.admit(
                    demand(0), waiter: Waiter(worker: 0, id: 0), patience: .seconds(3600), at: now)
            else { fatalError("a request does not wait") }
            keep(pacer.leave(place, at: now))
        }
    }

    /// A turn: a grant, its report, and somebody who joins the queue in its place; what the crowd notes is part of it.
    private static func measureTurns(_ measure: Measure, waiting: Int, keys: Int) {
        var windows = [window]
        // Each key has a limit of its own beside that of all.
        if keys > 1 { windows.append(PacingPolicy.Window(requests: 5, per: .seconds(2), scope: 1)) }
        var crowd =
            keys == 1
            ? full(waiting: waiting)
            : Crowd(windows: windows, wanting: [Int](repeating: waiting / keys, count: keys))
        let name = keys > 1 ? ", each of another key" : ""
        measure("turn: grant, report, next one joins; \(waiting) waiting\(name)", each: 20) {
            crowd.answer(20)
        }
    }

    /// Twenty are under way, and so many wait.
    static func full(waiting: Int) -> Crowd { Crowd(windows: [window], wanting: [waiting + window.requests]) }

    /// A request of this key, for the limit of all and for that of its key.
    static func demand(_ key: UInt64) -> PacingDemand {
        PacingDemand(
            keys: SIMD4(LedgerKey.shared.hash, scattered(key), 0, 0),
            weights: SIMD8(repeating: 1), usesQuota: true)
    }

    /// Keys are hashes.
    static func scattered(_ key: UInt64) -> UInt64 { (key &+ 2) &* 0x9E37_79B9_7F4A_7C15 }
}
