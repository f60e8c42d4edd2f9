@testable import Core

/// Plays a `LedgerScenario` in virtual time.
///
/// There are instances with a pacer, a share and a part in the shared ledger each, as an exchange uses them; a network to a
/// Redis that runs the real script, and one to a provider.
struct LedgerSimulation {
    enum Event {
        case load(instance: Int, process: Int)
        case arrive(client: Int)
        case wake(Wake, instance: Int, process: Int)
        case deliver(Grant, instance: Int, process: Int)
        case ledgerGrant(client: Int)
        case ledgerRefusal(client: Int)
        case timeout(client: Int)
        case depart(client: Int)
        case reach(client: Int)
        case firstByte(client: Int)
        case close(client: Int)
        case timer(instance: Int, process: Int)
        case connected(session: Int)
        case endIsHeard(session: Int, reason: String)
        case endIsSeen(session: Int)
        case call(LedgerCall, session: Int)
        case reply(LedgerReply, session: Int)
        case message([UInt8], session: Int)
        case trouble(Int, begins: Bool)
    }

    struct Client {
        enum State { case coming, inQueue(Place), atLedger, sent, done }
        let instance: Int
        let process: Int
        var state = State.coming
        var slot: Slot?
        var latest: Int64 = 0
        var demand = PacingDemand(key: .none)
    }

    /// An instance, and the process that it is now.
    struct Instance {
        var process = 0
        var isAlive = false
        var pacer: Pacer
        var account: LedgerAccount
        var ledger: SharedLedger
        var isCutOff = false
        /// For when the next timer is set.
        var timerAt = Int64.max
    }

    /// Random numbers that several hold.
    private final class Numbers {
        var numbers: SeededNumbers
        init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }
    }

    let scenario: LedgerScenario
    let redis: VirtualRedis
    let end: Int64
    var instances: [Instance] = []
    var clients: [Client] = []
    var sessions: [LedgerConnection] = []
    var provider: SimulatedProvider
    var numbers: SeededNumbers
    var result = LedgerResult()
    var events = EventQueue<Event>()
    var now: Int64 = 0
    // What is wrong with Redis.
    var isDown = false
    var isPaused = false
    var slowness: Int64 = 0
    var inbox: [(session: Int, call: LedgerCall)] = []
    /// What Redis' clock shows at the beginning, in microseconds.
    var clock: Int64 = 1_760_000_000_000_000

    init(_ scenario: LedgerScenario, redis: VirtualRedis) {
        self.scenario = scenario
        self.redis = redis
        end = scenario.base.seconds * 1_000_000_000
        numbers = SeededNumbers(seed: scenario.base.seed)
        provider = SimulatedProvider(
            scenario.base.provider, requests: scenario.base.requests, per: scenario.base.per,
            phase: Int64.random(in: 0..<scenario.base.per, using: &numbers))
        instances = (0..<scenario.instances).map { _ in makeInstance() }
    }

    private mutating func makeInstance() -> Instance {
        let pacer = Pacer(policy: scenario.base.policy)
        let account = LedgerAccount(
            name: "p.p", pacer: pacer, replicas: scenario.replicas,
            lease: .seconds(scenario.longestAnswer) + pacer.policy.grace,
            wallClockOffset: .microseconds(clock))
        let source = Numbers(seed: numbers.next())
        let ledger = SharedLedger(startedAt: moment) { source.numbers.next() }
        return Instance(pacer: pacer, account: account, ledger: ledger)
    }

    var moment: MonotonicTime { MonotonicTime(nanoseconds: now) }

    mutating func run() throws -> LedgerResult {
        for instance in instances.indices { try start(instance) }
        for (index, trouble) in scenario.troubles.enumerated() {
            events.add(.trouble(index, begins: true), at: trouble.from * 1_000_000)
            events.add(.trouble(index, begins: false), at: trouble.until * 1_000_000)
        }
        // Then everything is over that an instance may have left behind.
        let probe = end + scenario.patience + scenario.longestAnswer * 1_000_000_000 + 5 * scenario.base.per
        for instance in instances.indices {
            newClient(of: instance, at: probe + Int64(instance) * 200_000_000)
        }
        let last = probe + 5_000_000_000
        while let (time, event) = events.next(), time <= last {
            now = time
            try handle(event)
        }
        result.stuck = clients.lazy.filter { if case .done = $0.state { false } else { true } }.count
        result.fallbacks += instances.reduce(0) { $0 + Int($1.ledger.fallbacks) }
        result.calls = redis.calls
        result.leaked = try heldSlots()
        return result
    }

    private func heldSlots() throws -> Int {
        try redis.command(["KEYS", "*:held"]).elements.reduce(0) { sum, key in
            try redis.command(["HVALS", key.text]).elements.reduce(sum) { $0 + (Int($1.text) ?? 0) }
        }
    }

    /// A process begins.
    mutating func start(_ instance: Int) throws {
        let process = instances[instance].process
        if process > 0 { instances[instance] = makeInstance() }
        instances[instance].process = process
        instances[instance].isAlive = true
        instances[instance].ledger.add([instances[instance].account], at: moment)
        try act(instance)
        events.add(.load(instance: instance, process: process), at: now)
    }

    func isCurrent(_ instance: Int, _ process: Int) -> Bool {
        instances[instance].isAlive && instances[instance].process == process
    }

    private mutating func handle(_ event: Event) throws {
        switch event {
        case .load(let instance, let process):
            if isCurrent(instance, process) { produceLoad(instance) }
        case .arrive(let client): try arrive(client)
        case .wake(let wake, let instance, let process):
            if isCurrent(instance, process) { advance(wake, instance) }
        case .deliver(let grant, let instance, let process):
            if isCurrent(instance, process) { try deliver(grant) }
        case .ledgerGrant(let client): sendIfWaiting(client)
        case .ledgerRefusal(let client): try refuse(client)
        case .timeout(let client): try timeOut(client)
        case .depart(let client): try depart(client)
        case .reach(let client): reach(client)
        case .firstByte(let client): try answer(client)
        case .close(let client): try close(client)
        case .timer(let instance, let process):
            guard isCurrent(instance, process) else { return }
            instances[instance].timerAt = .max
            instances[instance].ledger.run(at: moment)
            try act(instance)
        case .connected(let session): try connected(session)
        case .endIsHeard(let session, let reason): try hearEnd(of: session, reason: reason)
        case .endIsSeen(let session): sessions[session].isOpenThere = false
        case .call(let call, let session): try receive(call, session)
        case .reply(let reply, let session): try receive(reply, session)
        case .message(let message, let session): try receive(message, session)
        case .trouble(let index, let begins): try act(on: index, begins: begins)
        }
    }

    // MARK: Load

    private mutating func produceLoad(_ instance: Int) {
        guard now < end else { return }
        let base = scenario.base
        let rate = Double(base.requests) / Double(base.per) / Double(scenario.instances)
        let next: Double
        switch base.load {
        case .saturating:
            for _ in 0..<base.requests { newClient(of: instance, at: now) }
            return
        case .bursty:
            let size = Int.random(in: 1...base.requests, using: &numbers)
            for _ in 0..<size { newClient(of: instance, at: now) }
            next = Double(size) / rate * Double.random(in: 0.8...3, using: &numbers)
        case .trickle:
            newClient(of: instance, at: now)
            next = 1.5 / rate * Double.random(in: 0.05..<1.95, using: &numbers)
        }
        events.add(.load(instance: instance, process: instances[instance].process), at: now + Int64(next))
    }

    mutating func newClient(of instance: Int, at time: Int64) {
        clients.append(Client(instance: instance, process: instances[instance].process))
        events.add(.arrive(client: clients.count - 1), at: time)
    }

    mutating func done(_ client: Int) {
        guard case let state = clients[client].state, !state.isDone else { return }
        clients[client].state = .done
        let instance = clients[client].instance
        guard scenario.base.load == .saturating, now < end, isCurrent(instance, clients[client].process)
        else { return }
        newClient(of: instance, at: now + Int64.random(in: 0...20_000_000, using: &numbers))
    }
}

extension LedgerSimulation.Client.State {
    fileprivate var isDone: Bool { if case .done = self { true } else { false } }
}
