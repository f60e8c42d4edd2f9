internal import Core
internal import Downstream
internal import Loop
internal import Upstream
internal import Wire

/// One request of a client and its response: executes the decisions of ``ExchangeMachine``, between libmicrohttpd and
/// the provider's connection.
///
/// Confined to its worker's thread, and reused for later requests. See docs/internals/life-of-a-request.md.
final class Exchange: IncomingRequest {
    /// The buffer sizes, in bytes, at which the source is paused and resumed.
    static let highWater = 256 << 10
    static let lowWater = 64 << 10
    /// A body up to this size is read completely before it is sent: it is sent in one piece, and a slow client holds
    /// no slot.
    static let wholeBodyLimit: Int64 = 64 << 10
    /// The memory that a body's buffer keeps for the next exchange; as many exchanges are kept as there were at once.
    private static let keptMemory = 16 << 10

    /// Retained until the worker's end: an unowned reference would be checked at every use.
    let worker: Worker
    var machine = ExchangeMachine()
    var inspection: RequestInspection
    var isTouched = false

    // The request.
    var target: [UInt8] = []
    /// The target as the provider receives it.
    var upstreamTarget: [UInt8] = []
    /// The configuration that was in force when it began, and applies to its end.
    var generation: Generation
    /// The destination of the listener on which it arrived.
    var destination = Destination.mounts
    /// Whether web pages can reach the listener on which it arrived; see ``HostGuard``.
    var isWithinReachOfPages = true
    /// Its provider, once it is routed.
    var provider: ProviderService?
    /// The provider with its first credential, if it has several of them.
    var severalKeys: ProviderService?
    /// The worker's connections to the provider.
    var upstream: ProviderConnections?
    /// Where the provider's part of `target` begins.
    var restOffset = 0
    var requestID: [UInt8] = []
    var method = MethodClass.other
    var isHead = false
    /// Whether the method is idempotent (RFC 9110 9.2.2).
    var isIdempotent = false
    var requestBody = ByteQueue()
    var requestBytes: Int64 = 0
    var requestEndedAt = MonotonicTime(nanoseconds: 0)

    // Pacing.
    var waiter: Waiter?
    var place: Place?
    /// What its body says of its keys and cost; nil if no limit reads it, or before it was read.
    var bodyDemand: BodyDemand?
    var slot: Slot?
    /// Its claim on the shared ledger, until the end is reported.
    var claim: UInt64?
    var headroom: Headroom?
    /// The hash of the quarantined credential for which this request is the probe, until it is sent.
    var probedCredential: UInt64?
    /// How the circuit breaker admitted the attempt, until its result is reported.
    var circuitPass: CircuitBreaker.Admission?
    /// The longest wait that the client and the configuration allow.
    var patience = Duration.zero

    // The provider's side.
    var transfer: (any UpstreamTransfer)?
    var retrying = RetryCourse()
    /// The trace that it belongs to; `nil` without tracing.
    var traceContext: TraceContext?
    /// What is recorded for the trace; `nil` if it is not sampled.
    var trace: TraceRecord?
    var isTruncated = false
    /// Why there is no response from the provider.
    var fault: Fault?

    // The answer.
    var responseFields = FieldBlock()
    /// The fields that belong to the provider's connection, according to the response's head.
    var responseConnection = ConnectionFields()
    var responseBody = ByteQueue()
    var answer = Answer.undecided
    var responseBytes: Int64 = 0
    /// How many interim responses of the provider were for the client.
    var interimAnswers = 0
    /// The provider's request id in its error, once that has been read.
    var errorRequestID: ErrorRequestID?
    /// Whether the body of a relayed error is not the provider's, byte for byte: it has the problem in it, or had Weir's own credential.
    var isRewritten = false
    /// What Weir adds to a provider's error that keeps its body, where errors are merged.
    var mergedError: MergedError?
    var sentStatus = 0
    var problemCode: ProblemCode?
    var problemStatus = 0
    var isPolling = false
    var visits = 0

    // Time.
    var startedAt = MonotonicTime(nanoseconds: 0)
    var sentAt: MonotonicTime?
    var firstByteAt: MonotonicTime?
    var upstreamEndedAt: MonotonicTime?
    /// How many bytes of its response the client had not received at the last check.
    var lastUnreceived: Int?
    var deadline: (ticket: DeadlineHeap<Worker.Deadline>.Ticket, at: MonotonicTime)?
    /// When to check a client whose end is no event.
    var departureCheck: DeadlineHeap<Worker.Deadline>.Ticket?

    /// The provider's id of a request, redacted.
    struct ErrorRequestID {
        /// `nil` if the error does not contain it.
        var id: Text?
    }

    /// What Weir says of a provider's error that keeps its body.
    struct MergedError {
        /// The status that is sent.
        var status: Int
        /// The value of `Retry-After`; `nil` leaves the provider's.
        var retryAfter: Int?
        /// The whole problem, as JSON.
        var problem: [UInt8]
    }

    /// Where requests of a listener go.
    enum Destination {
        /// The provider whose mount is a prefix of the path.
        case mounts
        /// The provider with this index in the configuration.
        case provider(Int)
        /// None: the listener's provider is no longer configured.
        case nowhere
    }

    /// The response to the client.
    enum Answer {
        case undecided
        /// The provider's, relayed.
        case relay
        /// Weir's problem; its body is in `responseBody`.
        case problem
        /// A response of Weir that is not a problem, but handled like one.
        case own
    }

    init(worker: Worker) {
        self.worker = worker
        generation = worker.generation
        inspection = RequestInspection(pseudonym: worker.service.pseudonym)
        super.init()
    }

    /// Begins a new request.
    func prepare(target: Span<UInt8>, to destination: Destination) {
        generation = worker.generation
        machine = ExchangeMachine()
        inspection = RequestInspection(pseudonym: worker.service.pseudonym)
        self.target.removeAll(keepingCapacity: true)
        unsafe target.withUnsafeBufferPointer { unsafe self.target.append(contentsOf: $0) }
        self.destination = destination
        provider = nil
        severalKeys = nil
        upstream = nil
        restOffset = 0
        method = .other
        isHead = false
        isIdempotent = false
        requestBytes = 0
        (waiter, place, slot, headroom) = (nil, nil, nil, nil)
        (claim, probedCredential, circuitPass) = (nil, nil, nil)
        retrying = RetryCourse()
        (traceContext, trace) = (nil, nil)
        isTruncated = false
        fault = nil
        answer = .undecided
        responseBytes = 0
        interimAnswers = 0
        errorRequestID = nil
        isRewritten = false
        mergedError = nil
        sentStatus = 0
        problemCode = nil
        visits = 0
        startedAt = Worker.clock()
        (sentAt, firstByteAt, upstreamEndedAt, lastUnreceived) = (nil, nil, nil, nil)
    }

    // MARK: The machine

    /// Reports an event, and executes the actions that follow.
    func handle(_ event: ExchangeMachine.Event) { handle(event, at: worker.now) }

    /// Reports an event at a time other than the iteration's, and executes the actions that follow.
    func handle(_ event: ExchangeMachine.Event, at now: MonotonicTime) {
        let actions = machine.handle(event, at: now)
        if trace != nil { traceStage(at: now) }
        perform(actions)
    }

    private func perform(_ actions: ExchangeActions) {
        for action in actions {
            switch action {
            case .askForSlot: askForSlot()
            case .askSharedQuota: askSharedQuota()
            case .leaveQueue: leaveQueue()
            case .leaveSharedQuota: leaveSharedQuota()
            case .returnSlot: returnSlot()
            case .closeSlot: closeSlot()
            case .reportHead: reportHead()
            case .settleByWhatArrived: settleByWhatArrived()
            case .endRun: endRun()
            case .leaveGuards: leaveGuards()
            case .setAttemptAside: setAttemptAside()
            case .send: send()
            case .endAttempt: endAttempt()
            case .cancelAttempt: cancelAttempt()
            case .endCollecting: if !relayUnread() { handle(.errorBodyTimedOut) }
            case .dropUpload: requestBody.removeAll()
            case .resumeUpload: worker.touch(self)
            case .makeProblem: makeProblem()
            case .makeReply: makeReply()
            case .judgeCircuit:
                judgeCircuit()
                if trace != nil { traceAttemptEnded() }
            case .offerReply: handle(.replyMade(retryAt: retryTime()))
            case .reply: replyWhenPossible()
            case .replyEarly: _ = replyEarly()
            case .wakeClient: wakeClient()
            case .breakConnection: breakConnection()
            case .schedule: schedule()
            case .unschedule: unschedule()
            case .watchForDeparture: watchForDeparture()
            case .record: record()
            }
        }
    }

    /// The configuration that applies to it.
    var service: ProxyService { generation.service }

    // MARK: IncomingRequest

    /// `client_stall` is a deadline of the machine in each stage in which the client is waited for.
    override var endsStalledClient: Bool { true }

    override func headReceived() -> Bool { takeHead() }

    override func headReleased() -> Bool { goOn() }

    override func bodyReceived(_ bytes: Span<UInt8>) -> Int { takeBody(bytes) }

    override func bodyEnded() { takeEnd() }

    override func awaitAnswer() -> Wait { waitForAnswer() }

    override func connectionsClose() { handle(.drainEnded) }

    override func readBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead {
        unsafe giveBody(into: room)
    }

    // MARK: The end

    override func completed(isWhole: Bool) {
        // A disconnected client may have been queued: that wait ends now.
        handle(.completed(isWhole: isWhole), at: isWhole ? worker.now : Worker.clock())
        machine.end()
        setPolling(false)
        endDepartureChecks()
        worker.setExchange(nil, on: socket)
        if let transfer {
            transfer.discard()
            self.transfer = nil
        }
        bodyDemand = nil
        requestBody.removeAll(keeping: Self.keptMemory)
        responseBody.removeAll(keeping: Self.keptMemory)
        responseFields.removeAll()
        worker.recycle(self)
    }

    /// Changes whether the request counts as one that waits without being suspended.
    func setPolling(_ polls: Bool) {
        guard polls != isPolling else { return }
        isPolling = polls
        worker.pollers += polls ? 1 : -1
    }
}
