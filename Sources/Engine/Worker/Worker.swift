internal import Core
internal import Downstream
internal import Logging
internal import Loop
internal import Upstream
internal import Wire

/// What other threads tell a worker.
enum WorkerMessage: Sendable {
    /// The turn of one of its waiting requests has come.
    case grant(Grant, of: Pacer)
    /// The ledger that several instances share lets the request go that waits under this name.
    case ledgerGrant(UInt64)
    /// That ledger has no slot in time for the request that waits under this name.
    case ledgerRefusal(UInt64, Refusal)
    /// To the worker that has the connection to that ledger.
    case ledger(LedgerMessage)
    /// Ask this pacer again at these times.
    case wake(Wake, of: Pacer)
    /// Serve what begins from now on by another configuration.
    case adopt(ProxyService)
    /// Finish what is in flight until this moment, then end.
    case drain(until: MonotonicTime)
    /// All workers have finished what was in flight.
    case othersHaveFinished
}

/// One thread with its loop: serves connections of its own, and shares nothing with the other workers but the service.
///
/// Confined to its thread once ``run()`` is called.
final class Worker: ReadinessHandler {
    let index: Int
    /// The configuration by which requests are served that begin now.
    var generation: Generation
    /// Those of requests that began earlier.
    var formerGenerations: [Generation] = []
    /// Whether a former generation may be over.
    var mustSweep = false
    let loop: EventLoop
    let mailbox: Mailbox<WorkerMessage>
    /// All workers' mailboxes, by index.
    let mailboxes: [Mailbox<WorkerMessage>]
    let metrics: MetricShard
    private(set) var listeners: [Listener] = []
    /// The upstreams of all generations.
    var upstreams: [ProviderConnections] = []
    /// Where all of them receive.
    let receiveRoom = ReceiveRoom()
    /// The time at which this turn began.
    private(set) var now: MonotonicTime
    var requestIDs: RequestIDGenerator

    private var expectsIdleConnections = false

    // Work of the current turn; see Worker+Turn.swift.
    var daemonsMustRun = true
    /// Whether something has happened on a client's socket of which libmicrohttpd had no time to hear.
    var daemonsHaveNews = false
    /// When it wants to run again, whatever happens.
    var daemonsRunAt: MonotonicTime?
    var listed: [ProviderConnections] = []
    /// The upstreams on whom libcurl works: of many, few.
    var busy: [ProviderConnections] = []
    var touched: [Exchange] = []
    /// Those that are acted on just now.
    var acting: [Exchange] = []
    var deliveredUploads = false
    /// Requests that wait without being suspended.
    var pollers = 0
    /// Whether a whole millisecond has just passed without an event.
    var isIdleTick = false

    var deadlines = DeadlineHeap<Deadline>()
    /// Requests in a queue, by the id under which the pacer knows them.
    var waiting: [UInt64: Exchange] = [:]
    private var lastWaiterID: UInt64 = 0
    /// The connection to the ledger that several instances share: the first worker has it.
    private(set) var ledgerClient: LedgerClient?
    /// The exchange on each client's socket.
    private var exchangesBySocket: [Exchange?] = []
    var idleExchanges: [Exchange] = []
    /// Requests whose head is complete, and which are not over.
    var activeRequests = 0
    var drainsUntil: MonotonicTime?
    /// How far a drain has come.
    var drainStage = DrainStage.none
    /// Whether there was nothing to be told since it drains, and since the last request was over: clients that were taken last may have
    /// sent something before, and others have sent requests behind it.
    var hasLookedAgain = false

    /// The stages of a drain; the end of the grace period leads to the last one at once.
    enum DrainStage {
        case none
        /// What is in flight goes on.
        case finishing
        /// Where probes are served, they are until no worker has anything in flight.
        case awaitingOthers
        /// Nothing is accepted any more.
        case closing
        /// The grace period is over: what had no response has been given one, which is on its way.
        case lastAnswers
        case over
    }

    /// What a deadline is of.
    enum Deadline {
        case exchange(Exchange)
        case wake(Pacer, Wake)
        /// A client that has ended its side may not wait any more.
        case departure(Exchange)
        /// Connections may have been idle for a while.
        case idleMemory
        /// The system may have descriptors again.
        case acceptance(Listener)
    }

    /// After how much of idleness, in nanoseconds, a connection's memory is given back: between once and twice as long.
    private static let idleMemoryNanoseconds: Int64 = 1_000_000_000
    /// The time, in nanoseconds, between two lots of connections whose memory is given back.
    private static let idleMemoryPause: Int64 = 2_000_000

    /// How many unused exchanges are kept.
    private static let idleLimit = 1024

    init(
        index: Int, service: ProxyService, mailboxes: [Mailbox<WorkerMessage>],
        sockets: [(role: Listener.Role, socket: ListenSocket)]
    ) throws {
        self.index = index
        generation = Generation(service: service)
        self.mailboxes = mailboxes
        mailbox = mailboxes[index]
        metrics = service.metrics.shards[index]
        loop = try EventLoop()
        now = MonotonicTime(nanoseconds: SystemClock.monotonicNanoseconds)
        var random = SystemRandomNumberGenerator()
        requestIDs = RequestIDGenerator(seed: random.next())
        generation.open(on: self, after: nil)
        upstreams = generation.upstreams
        try loop.watch(mailbox.descriptor, for: .readable, handler: self)
        listeners = try sockets.map { try Listener(role: $0.role, socket: $0.socket, worker: self) }
        guard index == 0, let address = service.configuration.ledger else { return }
        ledgerClient = LedgerClient(address: address, status: service.instance.ledger, worker: self)
        adoptLedgers(of: service)
    }

    /// Keeps the shared ledgers of this configuration as well.
    func adoptLedgers(of service: ProxyService) {
        ledgerClient?.add(service.providers.compactMap(\.ledger), at: Self.clock())
    }

    /// Tells the worker that has the connection to the shared ledger; that one acts in its own time, too.
    func tellLedger(_ message: LedgerMessage) {
        if let ledgerClient { ledgerClient.receive(message) } else { mailboxes[0].post(.ledger(message)) }
    }

    /// The clock of this machine, read now.
    static func clock() -> MonotonicTime { MonotonicTime(nanoseconds: SystemClock.monotonicNanoseconds) }

    func readClock() { now = Self.clock() }

    var service: ProxyService { generation.service }

    // MARK: Exchanges

    /// An exchange for a request that has just begun.
    func makeExchange(target: Span<UInt8>, to destination: Exchange.Destination) -> Exchange {
        let exchange = idleExchanges.popLast() ?? Exchange(worker: self)
        generation.exchanges += 1
        exchange.prepare(target: target, to: destination)
        return exchange
    }

    /// Sees to it that the memory of connections is given back once they have been idle for a while.
    func expectIdleConnections() {
        if !expectsIdleConnections { lookForIdleConnections(in: Self.idleMemoryNanoseconds) }
    }

    private func lookForIdleConnections(in nanoseconds: Int64) {
        expectsIdleConnections = true
        _ = deadlines.insert(.idleMemory, at: now.later(by: nanoseconds))
    }

    /// Gives back the memory of connections that are idle, or whose request waits.
    func giveBackIdleMemory() {
        expectsIdleConnections = false
        let returns = listeners.map { $0.daemon.giveBackIdleMemory() }
        if returns.contains(.goesOn) {
            lookForIdleConnections(in: Self.idleMemoryPause)
        } else if returns.contains(.later) {
            expectIdleConnections()
        }
    }

    /// Takes an exchange back that is over.
    func recycle(_ exchange: Exchange) {
        expectIdleConnections()
        exchange.generation.exchanges -= 1
        guard exchange.generation === generation else {
            mustSweep = true
            return
        }
        if idleExchanges.count < Self.idleLimit { idleExchanges.append(exchange) }
    }

    /// A request whose head was complete is over, or has got its last answer.
    func requestIsOver() {
        activeRequests -= 1
        hasLookedAgain = false
    }

    /// Lets go of everything that holds this worker.
    func letGo() {
        ledgerClient?.close()
        ledgerClient = nil
        loop.unwatch(mailbox.descriptor)
        idleExchanges = []
        exchangesBySocket = []
        listeners = []
        for generation in formerGenerations + [generation] { generation.letGo() }
        formerGenerations = []
        upstreams = []
        listed = []
        busy = []
        touched = []
        waiting = [:]
        deadlines = DeadlineHeap()
    }

    /// Says whose exchange runs on a client's socket, so that its hang-up reaches it.
    func setExchange(_ exchange: Exchange?, on socket: Int32) {
        guard socket >= 0 else { return }
        while exchangesBySocket.count <= Int(socket) { exchangesBySocket.append(nil) }
        exchangesBySocket[Int(socket)] = exchange
    }

    /// The exchange that runs on a client's socket.
    func exchange(on socket: Int32) -> Exchange? {
        Int(socket) < exchangesBySocket.count ? exchangesBySocket[Int(socket)] : nil
    }

    /// The exchanges that run.
    var allExchanges: [Exchange] { exchangesBySocket.compactMap { $0 } }

    // MARK: Descriptors

    func watch(_ descriptor: Int32, for interest: Readiness, handler: any ReadinessHandler) {
        do {
            try loop.watch(descriptor, for: interest, handler: handler)
        } catch {
            // The kernel's limit on watches: what is not watched runs into a timeout, which tells the client.
            service.logger.error("a socket cannot be watched", metadata: ["reason": "\(error)"])
        }
    }

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        // What a message begins has its time from now on, not from the end of the last turn.
        readClock()
        for message in mailbox.takeAll() { receive(message) }
    }

    private func receive(_ message: WorkerMessage) {
        switch message {
        case .grant(let grant, let pacer): deliver(grant, of: pacer)
        case .ledgerGrant(let id): waiting.removeValue(forKey: id)?.sharedQuotaGranted()
        case .ledgerRefusal(let id, let refusal): waiting[id]?.sharedQuotaRefused(refusal)
        case .ledger(let message): ledgerClient?.receive(message)
        case .wake(let wake, let pacer): arm(wake, of: pacer)
        case .adopt(let service): adopt(service)
        case .drain(let end): drain(until: end)
        case .othersHaveFinished: break  // It has woken the loop, which looks.
        }
    }

    // MARK: Pacing

    /// A waiter's name for an exchange that is about to ask the pacer.
    func makeWaiter() -> Waiter {
        lastWaiterID &+= 1
        return Waiter(worker: index, id: lastWaiterID)
    }

    /// Sees to it that the pacer is asked again at that time.
    func arm(_ wake: Wake?, of provider: ProviderService) { arm(wake, of: provider.pacer) }

    private func arm(_ wake: Wake?, of pacer: Pacer) {
        // One that is due waits for the next turn as well: this may be inside a callback, where no transfer can be started.
        if let wake { _ = deadlines.insert(.wake(pacer, wake), at: wake.at) }
    }

    /// Gives out the turns that have come, to this worker's exchanges and to those of others.
    func advance(_ wake: Wake, of pacer: Pacer) {
        var next: Wake? = wake
        while let due = next, due.at <= now {
            var grants: [Grant] = []
            next = pacer.advance(due, at: now, into: &grants)
            for grant in grants {
                if grant.waiter.worker == index {
                    deliver(grant, of: pacer)
                } else {
                    mailboxes[grant.waiter.worker].post(.grant(grant, of: pacer))
                }
            }
        }
        arm(next, of: pacer)
    }

    private func deliver(_ grant: Grant, of pacer: Pacer) {
        if let exchange = waiting.removeValue(forKey: grant.waiter.id) {
            exchange.turnCame(grant.slot)
        } else {
            // It left while the grant was on its way.
            arm(pacer.neverSent(grant.slot, at: now), of: pacer)
        }
    }
}
