internal import Core

/// A pacer and those who want something of it, in a time of their own: whoever has an answer comes again.
struct Crowd {
    /// A request that was sent.
    private struct Sent {
        let key: Int
        let slot: Slot
        let answeredAt: MonotonicTime
    }

    let pacer: Pacer
    private(set) var now = MonotonicTime(nanoseconds: 1_000_000_000)
    /// How many requests of each key were sent.
    private(set) var sent: [Int]
    /// The longest wait of a request of each key, in nanoseconds.
    private(set) var longest: [Int64]
    /// How many requests of each key wait or are under way, all the time.
    private let wanting: [Int]
    /// In the order of their answers, since all take equally long.
    private var underWay: [Sent] = []
    private var answered = 0
    private var since: [UInt64: MonotonicTime] = [:]
    private var wakes: Set<Wake> = []
    private var number: UInt64 = 0
    private var granted: [Grant] = []

    private static let roundTrip: Int64 = 50_000_000

    /// A crowd with so many requests of each key.
    init(windows: [PacingPolicy.Window], wanting: [Int]) {
        self.wanting = wanting
        sent = wanting.map { _ in 0 }
        longest = wanting.map { _ in 0 }
        pacer = Pacer(
            policy: PacingPolicy(
                windows: windows, queueCapacity: 1 << 20, keyCapacity: 4 * (wanting.count + 8)))
        for key in wanting.indices {
            for _ in 0..<wanting[key] { join(key) }
        }
    }

    /// Goes on until so many more have their answer.
    mutating func answer(_ count: Int) {
        let end = answered + count
        while answered < end { step() }
    }

    /// Goes on until then.
    mutating func run(until end: MonotonicTime) {
        while now < end { step() }
    }

    /// The next answer, or the next wake.
    private mutating func step() {
        let wake = wakes.min { $0.at < $1.at }
        if let next = underWay.first, wake.map({ next.answeredAt <= $0.at }) ?? true {
            now = max(now, next.answeredAt)
            underWay.removeFirst()
            answered += 1
            note(pacer.responded(next.slot, verdict: .accepted, at: now).wake)
            join(next.key)
        } else if let wake {
            wakes.remove(wake)
            now = max(now, wake.at)
            granted.removeAll(keepingCapacity: true)
            note(pacer.advance(wake, at: now, into: &granted))
            for grant in granted {
                let key = Int(grant.waiter.id & 0xFFFF)
                if let begun = since.removeValue(forKey: grant.waiter.id) {
                    longest[key] = max(longest[key], begun.nanoseconds(to: now))
                }
                send(key, grant.slot)
            }
        } else {
            fatalError("those who wait are forgotten")
        }
    }

    private mutating func join(_ key: Int) {
        number += 1
        let waiter = Waiter(worker: 0, id: number << 16 | UInt64(key))
        let admission = pacer.admit(
            LedgerBenchmarks.demand(UInt64(key)), waiter: waiter, patience: .seconds(86_400), at: now)
        switch admission {
        case .admitted(let slot): send(key, slot)
        case .queued(_, _, let wake):
            since[waiter.id] = now
            note(wake)
        case .refused(let refusal): fatalError("refused: \(refusal)")
        }
    }

    private mutating func send(_ key: Int, _ slot: Slot) {
        sent[key] += 1
        underWay.append(Sent(key: key, slot: slot, answeredAt: now.later(by: Self.roundTrip)))
    }

    private mutating func note(_ wake: Wake?) {
        if let wake { wakes.insert(wake) }
    }
}
