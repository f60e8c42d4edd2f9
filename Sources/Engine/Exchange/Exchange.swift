internal import Core
internal import Downstream
internal import Loop
internal import Upstream
internal import Wire

/// One request of a client and its reply: performs what ``ExchangeMachine`` decides, between libmicrohttpd and the provider's connection.
///
/// Confined to its worker's thread, and used again for later requests. See docs/internals/life-of-a-request.md.
final class Exchange: IncomingRequest {
    /// Bytes in a buffer at which its source is told to pause, and at which it goes on.
    static let highWater = 256 << 10
    static let lowWater = 64 << 10
    /// A body up to this size is read whole before it is sent: it goes out in one piece, and a slow client holds no slot.
    static let wholeBodyLimit: Int64 = 64 << 10
    /// Memory that a body's buffer keeps for the next exchange: as many wait for one as there were at once.
    private static let keptMemory = 16 << 10

    /// Retained, and let go by the worker's end: an unowned reference would be checked at every use.
    let worker: Worker
    var machine = ExchangeMachine()
    var inspection: RequestInspection
    var isTouched = false

    // The request.
    var target: [UInt8] = []
    /// The target as the provider gets it.
    var upstreamTarget: [UInt8] = []
    /// The configuration that was in force when it began, and by which it ends.
    var generation: Generation
    /// Where the listener that it came to leads.
    var destination = Destination.mounts
    /// Whether web pages could reach the listener that it came to; see ``HostGuard``.
    var isWithinReachOfPages = true
    /// The provider that it goes to, once it is routed.
    var provider: ProviderService?
    /// The worker's way there.
    var upstream: ProviderConnections?
    /// Where in `target` begins what goes to the provider.
    var restOffset = 0
    var requestID: [UInt8] = []
    var method = MethodClass.other
    var isHead = false
    /// Whether repeating the method does no more than doing it once (RFC 9110 9.2.2).
    var isIdempotent = false
    var requestBody = ByteQueue()
    var requestBytes: Int64 = 0
    var requestEndedAt = MonotonicTime(nanoseconds: 0)

    // Pacing.
    var waiter: Waiter?
    var place: Place?
    var slot: Slot?
    /// What it asked of the ledger that several instances share, until its end is reported.
    var claim: UInt64?
    var headroom: Headroom?
    /// The credential, by its hash, that this request is to try while others that carry it are held back; until it is sent.
    var probedCredential: UInt64?
    /// How the circuit let the attempt through, until it is told what came of it.
    var circuitPass: CircuitBreaker.Admission?
    /// The longest wait that the client and the configuration allow.
    var patience = Duration.zero

    // The provider's side.
    var transfer: (any UpstreamTransfer)?
    var retrying = RetryCourse()
    var isTruncated = false
    /// Why there is no response of the provider's.
    var fault: Fault?

    // The answer.
    var responseFields = FieldBlock()
    /// The fields that belong to the provider's connection by its response's head.
    var responseConnection = ConnectionFields()
    var responseBody = ByteQueue()
    var answer = Answer.undecided
    var responseBytes: Int64 = 0
    /// How many interim answers of the provider were meant for the client.
    var interimAnswers = 0
    /// What the provider's error calls the request, once it has been read.
    var errorRequestID: ErrorRequestID?
    /// Whether the body of a relayed error is not the provider's, byte for byte: Weir's own credential was in it.
    var isRewritten = false
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
    /// How many bytes of its reply the client had not received when that was looked at last.
    var lastUnreceived: Int?
    var deadline: (ticket: DeadlineHeap<Worker.Deadline>.Ticket, at: MonotonicTime)?
    /// When a client that has ended its side and still waits is looked at.
    var departureCheck: DeadlineHeap<Worker.Deadline>.Ticket?

    /// The provider's id of a request, secrets taken out.
    struct ErrorRequestID {
        /// `nil` if the error does not say it.
        var id: Text?
    }

    /// Where requests of a listener go.
    enum Destination {
        /// To the provider whose mount their path begins with.
        case mounts
        /// To the provider with this place in the configuration.
        case provider(Int)
        /// Nowhere: the listener's provider is not configured any more.
        case nowhere
    }

    /// What goes to the client.
    enum Answer {
        case undecided
        /// The provider's, as it is.
        case relay
        /// Weir's problem, whose body is in `responseBody`.
        case problem
        /// Weir's, and no problem: like one in all else.
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
        upstream = nil
        restOffset = 0
        method = .other
        isHead = false
        isIdempotent = false
        requestBytes = 0
        (waiter, place, slot, headroom) = (nil, nil, nil, nil)
        (claim, probedCredential, circuitPass) = (nil, nil, nil)
        retrying = RetryCourse()
        isTruncated = false
        fault = nil
        answer = .undecided
        responseBytes = 0
        interimAnswers = 0
        errorRequestID = nil
        isRewritten = false
        sentStatus = 0
        problemCode = nil
        visits = 0
        startedAt = Worker.clock()
        (sentAt, firstByteAt, upstreamEndedAt, lastUnreceived) = (nil, nil, nil, nil)
    }

    // MARK: The machine

    /// Reports what has happened, and performs what follows.
    func handle(_ event: ExchangeMachine.Event) { handle(event, at: worker.now) }

    /// Reports what has happened at a time that is not the turn's, and performs what follows.
    func handle(_ event: ExchangeMachine.Event, at now: MonotonicTime) {
        perform(machine.handle(event, at: now))
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
            case .judgeCircuit: judgeCircuit()
            case .offerReply: handle(.replyMade(retryAt: retryTime()))
            case .reply: replyWhenPossible()
            case .replyEarly: _ = replyEarly()
            case .wakeClient: wakeClient()
            case .breakConnection: breakConnection()
            case .schedule: schedule()
            case .unschedule: unschedule()
            case .watchForDeparture: expectDeparture()
            case .record: record()
            }
        }
    }

    /// The configuration that it goes by.
    var service: ProxyService { generation.service }

    // MARK: IncomingRequest

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
        // A client that left may have left a queue: that wait ends now.
        handle(.completed(isWhole: isWhole), at: isWhole ? worker.now : Worker.clock())
        machine.end()
        setPolling(false)
        endDepartureChecks()
        worker.setExchange(nil, on: socket)
        if let transfer {
            transfer.discard()
            self.transfer = nil
        }
        requestBody.removeAll(keeping: Self.keptMemory)
        responseBody.removeAll(keeping: Self.keptMemory)
        responseFields.removeAll()
        worker.recycle(self)
    }

    /// Counts the request as one that waits without being suspended, or no more.
    func setPolling(_ polls: Bool) {
        guard polls != isPolling else { return }
        isPolling = polls
        worker.pollers += polls ? 1 : -1
    }
}
