internal import Core
internal import Downstream
internal import Logging
internal import Loop
internal import Upstream
internal import Wire

/// Messages from other threads to a worker.
enum WorkerMessage: Sendable {
    /// One of the worker's waiting requests has been granted a slot.
    case grant(Grant, of: Pacer)
    /// The shared ledger has granted a slot to the request that waits under this name.
    case ledgerGrant(UInt64)
    /// The shared ledger has no slot in time for the request that waits under this name.
    case ledgerRefusal(UInt64, Refusal)
    /// For the worker that owns the connection to the shared ledger.
    case ledger(LedgerMessage)
    /// Call this pacer again at these times.
    case wake(Wake, of: Pacer)
    /// Use another configuration for new requests.
    case adopt(ProxyService)
    /// Finish exchanges in flight until this time, then end.
    case drain(until: MonotonicTime)
    /// All workers have finished their exchanges.
    case allWorkersFinished
}

/// One thread with its event loop: it serves its own connections and shares only the service with other workers.
///
/// Confined to its thread once ``run()`` is called; ``loop`` checks that.
final class Worker: ReadinessHandler {
    let index: Int
    /// The configuration for new requests.
    var generation: Generation
    /// The configurations of requests that began earlier.
    var formerGenerations: [Generation] = []
    /// Whether a former generation may have no exchanges left.
    var mustSweep = false
    let loop: EventLoop
    let mailbox: Mailbox<WorkerMessage>
    /// All workers' mailboxes, by index.
    let mailboxes: [Mailbox<WorkerMessage>]
    let metrics: MetricShard
    private(set) var listeners: [Listener] = []
    /// The upstreams of all generations.
    var upstreams: [ProviderConnections] = []
    /// The receive buffer of all upstreams.
    let receiveRoom = ReceiveRoom()
    /// The time at which this iteration began.
    private(set) var now: MonotonicTime
    var requestIDs: RequestIDGenerator
    var traceIDs: TraceIDGenerator
    /// Spans that have not been handed over.
    var spans = TraceBuffer()

    private var expectsIdleConnections = false

    // Work of the current iteration; see Worker+Turn.swift.
    var daemonsMustRun = true
    /// Whether an event of a client's socket has not been passed to libmicrohttpd yet.
    var daemonsHaveNews = false
    /// When libmicrohttpd must run again in any case.
    var daemonsRunAt: MonotonicTime?
    var scheduled: [ProviderConnections] = []
    /// The upstreams on which libcurl is working, which are few.
    var busy: [ProviderConnections] = []
    var touched: [Exchange] = []
    /// The exchanges that are being processed.
    var acting: [Exchange] = []
    var deliveredUploads = false
    /// The number of requests that wait without being suspended.
    var pollers = 0
    /// Whether a whole millisecond has just passed without an event.
    var isIdleTick = false

    var deadlines = DeadlineHeap<Deadline>()
    /// Queued requests, by the id under which the pacer knows them.
    var waiting: [UInt64: Exchange] = [:]
    private var lastWaiterID: UInt64 = 0
    /// The connection to the shared ledger; only the first worker has one.
    private(set) var ledgerClient: LedgerClient?
    /// The exchange on each client's socket.
    private var exchangesBySocket: [Exchange?] = []
    var idleExchanges: [Exchange] = []
    /// The number of requests with a complete head that are not over.
    var activeRequests = 0
    var drainsUntil: MonotonicTime?
    /// The stage of a drain.
    var drainStage = DrainStage.none
    /// Whether an iteration has found nothing to do since the drain began and the last request ended: recently
    /// accepted clients may have sent a request before, and others may have pipelined one.
    var hasLookedAgain = false

    /// The stages of a drain; the end of the grace period leads to the last one at once.
    enum DrainStage {
        case none
        /// Exchanges in flight continue.
        case finishing
        /// A worker that serves probes continues until no worker has exchanges in flight.
        case awaitingOthers
        /// Nothing is accepted any more.
        case closing
        /// The grace period is over: exchanges without a response have received one, which is being sent.
        case lastAnswers
        case over
    }

    /// What a deadline belongs to.
    enum Deadline {
        case exchange(Exchange)
        case wake(Pacer, Wake)
        /// The wait of a half-closed client is over.
        case departure(Exchange)
        /// Connections may have been idle for a while.
        case idleMemory
        /// Spans have waited long enough for others.
        case traces
        /// The system may have file descriptors again.
        case acceptance(Listener)
    }

    /// The idle time, in nanoseconds, after which a connection's memory is released; it happens after one to two
    /// times this period.
    private static let idleMemoryNanoseconds: Int64 = 1_000_000_000
    /// The time, in nanoseconds, between two batches of connections whose memory is released.
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
        traceIDs = TraceIDGenerator(seed: random.next())
        generation.open(on: self, after: nil)
        upstreams = generation.upstreams
        try loop.watch(mailbox.descriptor, for: .readable, handler: self)
        listeners = try sockets.map { try Listener(role: $0.role, socket: $0.socket, worker: self) }
        guard index == 0, let address = service.configuration.ledger else { return }
        ledgerClient = LedgerClient(address: address, status: service.instance.ledger, worker: self)
        adoptLedgers(of: service)
    }

    /// Also uses the shared ledgers of this configuration.
    func adoptLedgers(of service: ProxyService) {
        ledgerClient?.add(service.providers.compactMap(\.ledger), at: Self.clock())
    }

    /// Sends a message to the worker that owns the connection to the shared ledger; also if that is this worker.
    func sendToLedger(_ message: LedgerMessage) {
        if let ledgerClient { ledgerClient.receive(message) } else { mailboxes[0].post(.ledger(message)) }
    }

    /// The current time of this machine's clock.
    static func clock() -> MonotonicTime { MonotonicTime(nanoseconds: SystemClock.monotonicNanoseconds) }

    func readClock() { now = Self.clock() }

    var service: ProxyService { generation.service }

    // MARK: Exchanges

    /// An exchange for a request that has just begun.
    func makeExchange(target: Span<UInt8>, to destination: Exchange.Destination) -> Exchange {
        loop.confinement.assertKept()
        let exchange = idleExchanges.popLast() ?? Exchange(worker: self)
        generation.exchanges += 1
        exchange.prepare(target: target, to: destination)
        return exchange
    }

    /// Schedules the release of memory of connections that stay idle.
    func expectIdleConnections() {
        if !expectsIdleConnections { scheduleIdleCheck(in: Self.idleMemoryNanoseconds) }
    }

    private func scheduleIdleCheck(in nanoseconds: Int64) {
        expectsIdleConnections = true
        _ = deadlines.insert(.idleMemory, at: now.later(by: nanoseconds))
    }

    /// Releases the memory of connections that are idle or whose request waits.
    func giveBackIdleMemory() {
        expectsIdleConnections = false
        let returns = listeners.map { $0.daemon.giveBackIdleMemory() }
        if returns.contains(.goesOn) {
            scheduleIdleCheck(in: Self.idleMemoryPause)
        } else if returns.contains(.later) {
            expectIdleConnections()
        }
    }

    /// Takes a finished exchange back for reuse.
    func recycle(_ exchange: Exchange) {
        loop.confinement.assertKept()
        assert(exchange.generation.exchanges > 0, "more exchanges end than have begun")
        expectIdleConnections()
        exchange.generation.exchanges -= 1
        guard exchange.generation === generation else {
            mustSweep = true
            return
        }
        if idleExchanges.count < Self.idleLimit { idleExchanges.append(exchange) }
    }

    /// A request with a complete head is over, or has its final response.
    func requestIsOver() {
        assert(activeRequests > 0, "more requests are over than have begun")
        activeRequests -= 1
        hasLookedAgain = false
    }

    /// Releases everything that retains this worker.
    func releaseAll() {
        ledgerClient?.close()
        ledgerClient = nil
        loop.unwatch(mailbox.descriptor)
        idleExchanges = []
        exchangesBySocket = []
        listeners = []
        for generation in formerGenerations + [generation] { generation.releaseAll() }
        formerGenerations = []
        upstreams = []
        scheduled = []
        busy = []
        touched = []
        waiting = [:]
        deadlines = DeadlineHeap()
    }

    /// Sets the exchange on a client's socket, which receives the socket's hang-up.
    func setExchange(_ exchange: Exchange?, on socket: Int32) {
        guard socket >= 0 else { return }
        loop.confinement.assertKept()
        while exchangesBySocket.count <= Int(socket) { exchangesBySocket.append(nil) }
        exchangesBySocket[Int(socket)] = exchange
    }

    /// The exchange on a client's socket.
    func exchange(on socket: Int32) -> Exchange? {
        Int(socket) < exchangesBySocket.count ? exchangesBySocket[Int(socket)] : nil
    }

    /// The exchanges in flight.
    var allExchanges: [Exchange] { exchangesBySocket.compactMap { $0 } }

    // MARK: Descriptors

    func watch(_ descriptor: Int32, for interest: Readiness, handler: any ReadinessHandler) {
        do {
            try loop.watch(descriptor, for: interest, handler: handler)
        } catch {
            // The kernel's limit on watches is reached: the socket is not watched, so its exchange runs into a
            // timeout, which reports it to the client.
            service.logger.error("a socket cannot be watched", metadata: ["reason": "\(error)"])
        }
    }

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        loop.confinement.check()
        // The time of an exchange that a message begins counts from now, not from the end of the last iteration.
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
        case .allWorkersFinished: break  // It has woken the loop, which looks.
        }
    }

    // MARK: Pacing

    /// A waiter that identifies an exchange for the pacer.
    func makeWaiter() -> Waiter {
        lastWaiterID &+= 1
        return Waiter(worker: index, id: lastWaiterID)
    }

    /// Schedules the next call of the pacer.
    func arm(_ wake: Wake?, of provider: ProviderService) { arm(wake, of: provider.pacer) }

    private func arm(_ wake: Wake?, of pacer: Pacer) {
        // A wake that is already due waits for the next iteration as well: this may be inside a callback, where no
        // transfer can be started.
        if let wake { _ = deadlines.insert(.wake(pacer, wake), at: wake.at) }
    }

    /// Delivers grants to this worker's exchanges and to those of other workers.
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
            // The exchange left the queue while the grant was on its way.
            arm(pacer.neverSent(grant.slot, at: now), of: pacer)
        }
    }
}
