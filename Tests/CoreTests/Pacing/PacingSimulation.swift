import Locking

@testable import Core

/// Plays a `PacingScenario` in virtual time.
///
/// There are clients, workers with timers and mailboxes, a network, and a provider per key.
struct PacingSimulation {
    private enum Event {
        case arrive(client: Int)
        case load
        case wake(Wake, worker: Int)
        case pump
        case deliver(Grant)
        case depart(client: Int)
        case reach(client: Int)
        case firstByte(client: Int)
        case close(client: Int)
        case end(client: Int)
    }

    struct Client {
        enum State { case coming, waiting(Place), granted, departed, sent, done }
        let key: Int
        let worker: Int
        var state = State.coming
        var slot: Slot?
        var isAccepted = false
        var isMoody = false
        var isAtProvider = false
    }

    let scenario: PacingScenario
    private let end: Int64
    let pacer: Pacer
    private var limiter: SendTimeLimiter?
    private var queue: [Int] = []
    private var queueHead = 0
    private var pumpAt: Int64 = -1
    var providers: [SimulatedProvider]
    var sharedProvider: SimulatedProvider
    /// What each key has at the provider at the same time, and what it has had today.
    var running: [Int]
    var today: [Int]
    var day: Int64 = -1
    var clients: [Client] = []
    private var lastSent: [Int]
    private var events = EventQueue<Event>()
    var numbers: SeededNumbers
    private var result = PacingResult()
    private var acceptedInTime = 0
    private var grants: [Grant] = []
    var now: Int64 = 0

    init(_ scenario: PacingScenario, limiter: SendTimeLimiter? = nil) {
        self.scenario = scenario
        self.limiter = limiter
        end = scenario.seconds * 1_000_000_000
        pacer = Pacer(policy: scenario.policy)
        var numbers = SeededNumbers(seed: scenario.seed)
        providers = (0..<scenario.keys).map { _ in
            SimulatedProvider(
                scenario.provider, requests: scenario.requests, per: scenario.per,
                phase: Int64.random(in: 0..<scenario.per, using: &numbers))
        }
        sharedProvider = SimulatedProvider(
            scenario.provider, requests: max(scenario.sharedRequests, 1), per: scenario.per,
            phase: Int64.random(in: 0..<scenario.per, using: &numbers))
        running = Array(repeating: 0, count: scenario.keys)
        today = Array(repeating: 0, count: scenario.keys)
        pacer.setWallClock(offset: .nanoseconds(scenario.wallOffset))
        self.numbers = numbers
        lastSent = Array(repeating: -1, count: scenario.keys)
    }

    mutating func run() -> PacingResult {
        events.add(.load, at: 0)
        while let (time, event) = events.next() {
            now = time
            handle(event)
        }
        result.throughput = Double(acceptedInTime) / Double(scenario.seconds)
        result.stuck = clients.lazy.filter { if case .done = $0.state { false } else { true } }.count
        if limiter == nil { result.brokenInvariants += pacer.book.withLock { $0.brokenInvariants() } }
        return result
    }

    var moment: MonotonicTime { MonotonicTime(nanoseconds: now) }

    private mutating func handle(_ event: Event) {
        switch event {
        case .load: produceLoad()
        case .arrive(let client): arrive(client)
        case .wake(let wake, let worker): advance(wake, worker: worker)
        case .pump: pump()
        case .deliver(let grant): deliver(grant)
        case .depart(let client): depart(client)
        case .reach(let client):
            reach(client)
        case .firstByte(let client): answer(client)
        case .end(let client): end(client)
        case .close(let client):
            result.lost += 1
            leaveProvider(client)
            finish(client) { pacer, slot, moment in pacer.closedWithoutResponse(slot, at: moment) }
        }
    }

    // MARK: Load

    private mutating func produceLoad() {
        guard now < end else { return }
        let rate = Double(scenario.requests * scenario.keys) / Double(scenario.per)
        switch scenario.load {
        case .saturating:
            for _ in 0..<scenario.requests * 3 * scenario.keys { newClient() }
        case .bursty:
            let size = Int.random(in: 1...scenario.requests * 4, using: &numbers)
            for _ in 0..<size { newClient() }
            let pause = Double(size) / rate * Double.random(in: 0.8...3, using: &numbers)
            events.add(.load, at: now + Int64(pause))
        case .trickle:
            newClient()
            let uniform = Double.random(in: 0.05..<1.95, using: &numbers)
            events.add(.load, at: now + Int64(1.5 / rate * uniform))
        }
    }

    private mutating func newClient() {
        let key = Int.random(in: 0..<scenario.keys, using: &numbers)
        clients.append(Client(key: key, worker: Int.random(in: 0..<scenario.workers, using: &numbers)))
        events.add(.arrive(client: clients.count - 1), at: now)
    }

    private mutating func done(_ client: Int) {
        clients[client].state = .done
        if scenario.load == .saturating, now < end { newClient() }
    }

    // MARK: Turns

    private mutating func arrive(_ client: Int) {
        result.arrived += 1
        guard limiter == nil else {
            queue.append(client)
            return pump()
        }
        let waiter = Waiter(worker: clients[client].worker, id: UInt64(client))
        let key = UInt64(clients[client].key)
        let urgency = scenario.hasLanes ? Int.random(in: 0...7, using: &numbers) : 3
        let demand = PacingDemand(
            keys: SIMD4(key, 1, 0, 0), weights: SIMD8(repeating: 1), usesQuota: false, urgency: urgency)
        switch pacer.admit(
            demand, waiter: waiter, patience: .seconds(1_000_000), at: moment)
        {
        case .admitted(let slot):
            clients[client].slot = slot
            send(client)
        case .queued(let place, _, let wake):
            clients[client].state = .waiting(place)
            arm(wake, worker: waiter.worker)
            if numbers.happens(scenario.departures) {
                let stay = Int64.random(in: 0...2 * scenario.per, using: &numbers)
                events.add(.depart(client: client), at: now + stay)
            }
        case .refused:
            result.turnedAway += 1
            clients[client].state = .done
        }
        inspect()
    }

    mutating func arm(_ wake: Wake?, worker: Int) {
        guard let wake else { return }
        let lateness = scenario.timerLateness
        let late = lateness == 0 ? 0 : Int64.random(in: -lateness / 4...lateness, using: &numbers)
        events.add(.wake(wake, worker: worker), at: max(now, wake.at.nanoseconds + late))
    }

    private mutating func advance(_ wake: Wake, worker: Int) {
        grants.removeAll(keepingCapacity: true)
        arm(pacer.advance(wake, at: moment, into: &grants), worker: worker)
        for grant in grants {
            let delay =
                grant.waiter.worker == worker || scenario.timerLateness == 0
                ? 0 : Int64.random(in: 0...300_000, using: &numbers)
            if let client = Int(exactly: grant.waiter.id) { noteTurn(of: client) }
            events.add(.deliver(grant), at: now + delay)
        }
        inspect()
    }

    private mutating func deliver(_ grant: Grant) {
        guard let client = Int(exactly: grant.waiter.id) else { return }
        clients[client].slot = grant.slot
        if case .departed = clients[client].state {
            finish(client) { pacer, slot, moment in pacer.neverSent(slot, at: moment) }
        } else {
            send(client)
        }
    }

    private mutating func depart(_ client: Int) {
        guard case .waiting(let place) = clients[client].state else { return }
        result.departed += 1
        let departure = pacer.leave(place, at: moment)
        arm(departure.wake, worker: clients[client].worker)
        if departure.wasWaiting {
            done(client)
        } else {
            clients[client].state = .departed
        }
        inspect()
    }

    /// The other limiters: one queue, and a look at the clock.
    private mutating func pump() {
        while queueHead < queue.count,
            let next = limiter?.nextSend(at: now, requests: scenario.requests, per: scenario.per)
        {
            guard next <= now else {
                // One timer is enough: nobody but the queue changes what it waits for.
                if pumpAt <= now { events.add(.pump, at: next) }
                pumpAt = next
                return
            }
            limiter?.sent(at: now, requests: scenario.requests, per: scenario.per)
            queueHead += 1
            send(queue[queueHead - 1])
        }
    }

    // MARK: The network

    private mutating func noteTurn(of client: Int) {
        if !scenario.hasLanes, client < lastSent[clients[client].key] { result.overtaken += 1 }
        lastSent[clients[client].key] = client
    }

    private mutating func send(_ client: Int) {
        if case .coming = clients[client].state { noteTurn(of: client) }
        clients[client].state = .sent
        let reach = now + scenario.oneWay(back: false, using: &numbers)
        if numbers.happens(scenario.losses) {
            // The connection may break before the request has arrived, and it may arrive all the same.
            let close = Int64.random(in: max(now, reach - 900_000_000)...reach + 500_000_000, using: &numbers)
            if numbers.happens(0.7) { events.add(.reach(client: client), at: reach) }
            events.add(.close(client: client), at: close)
        } else {
            events.add(.reach(client: client), at: reach)
            events.add(.firstByte(client: client), at: reach + scenario.oneWay(back: true, using: &numbers))
        }
    }

    private mutating func answer(_ client: Int) {
        if clients[client].isMoody {
            result.moody += 1
        } else if clients[client].isAccepted {
            result.accepted += 1
            if now < end { acceptedInTime += 1 }
        } else {
            result.refused += 1
        }
        let isAccepted = clients[client].isAccepted && !clients[client].isMoody
        if scenario.concurrent > 0 {
            events.add(.end(client: client), at: now + Int64.random(in: 0...400_000_000, using: &numbers))
        }
        let asked: Duration? = clients[client].isMoody && client % 2 == 0 ? .seconds(1) : nil
        finish(client) { pacer, slot, moment in
            let wake = pacer.responded(slot, verdict: isAccepted ? .accepted : .undecided, at: moment).wake
            guard !isAccepted else { return wake }
            return pacer.judge(slot, .rejected(retryAfter: asked, reason: .rateLimited), at: moment) ?? wake
        }
    }

    private mutating func finish(_ client: Int, _ report: (Pacer, Slot, MonotonicTime) -> Wake?) {
        if let slot = clients[client].slot {
            arm(report(pacer, slot, moment), worker: clients[client].worker)
            inspect()
        }
        done(client)
        if limiter != nil { pump() }
    }

    /// Looks for broken promises: always at the beginning, then now and then, for it takes time.
    mutating func inspect() {
        guard limiter == nil else { return }
        let waiting = pacer.book.withLock { $0.waiters.count }
        result.longestQueue = max(result.longestQueue, waiting)
        guard clients.count < 200 || clients.count % 64 == 0 else { return }
        result.brokenInvariants += pacer.book.withLock { $0.brokenInvariants() }
    }
}
