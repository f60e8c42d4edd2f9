internal import EventLoop
internal import HTTPTransfer
internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// One request of a client and its answer: performs what ``ExchangeStateMachine`` decides, between libmicrohttpd and libcurl.
///
/// Confined to its worker's thread, and used again for later requests. See Sources/README.md, "Life of a request".
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
    var machine = ExchangeStateMachine()
    var inspection: RequestInspection
    var isTouched = false

    // The request.
    /// Whether its head is complete: a client that has sent less holds nothing up.
    var hasBegun = false
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
    var upstream: Upstream?
    /// Where in `target` begins what goes to the provider.
    var restOffset = 0
    var requestID: [UInt8] = []
    var method = MethodClass.other
    var isHead = false
    /// Whether repeating the method does no more than doing it once (RFC 9110 9.2.2).
    var isIdempotent = false
    var requestBody = ByteQueue()
    var requestBytes: Int64 = 0
    var requestIsComplete = false
    var requestEndedAt = MonotonicTime(nanoseconds: 0)
    /// Whether bytes of its body have come.
    var bodyHasBegun = false
    /// Whether it has a slot and is not sent: its client was told to go on only now.
    var awaitsBody = false

    // Pacing.
    var waiter: Waiter?
    var place: Place?
    var slot: Slot?
    /// What it asked of the ledger that several instances share, until its end is reported.
    var claim: UInt64?
    /// Whether it waits for that ledger.
    var awaitsLedger = false
    /// The slot of an answer whose body has to say whether it is a rejection.
    var undecidedSlot: Slot?
    /// The slot of an answer that counts as running until it has ended.
    var runningSlot: Slot?
    var headroom: Headroom?
    /// The credential, by its hash, that this request is to try while others that carry it are held back; until it is sent.
    var probedCredential: UInt64?
    /// How the circuit let the attempt through, until it is told what came of it.
    var circuitPass: CircuitBreaker.Admission?
    var patience = Duration.zero
    /// When it began to wait; a client's slow body is not time in the queue.
    var queuedAt = MonotonicTime(nanoseconds: 0)

    // The provider's side.
    var transfer: (any UpstreamTransfer)?
    var attempts = 0
    var retrying = RetryCourse()
    var isTruncated = false
    var isReceivePaused = false
    /// Whether the client's side receives the body itself, whenever it can hand on more.
    var isPulling = false
    var isSendPaused = false
    /// Whether the rest of the request is read and dropped; see ``dropUnreadUpload()``.
    var isUploadDropped = false
    /// Whether the transfer is over, well or not.
    var upstreamHasEnded = false
    /// Why there is no answer of the provider's; see ``ExchangeStateMachine/Action/answerFault``.
    var fault: Fault?
    var timedOut: ExchangeTimer?
    /// Whether the provider's answer is a stream of events.
    var isEventStream = false

    // The answer.
    var responseFields = FieldBlock()
    /// The fields that belong to the provider's connection by its response's head.
    var responseConnection = ConnectionFields()
    var responseBody = ByteQueue()
    var answer = Answer.undecided
    var responseBytes: Int64 = 0
    /// How many interim answers of the provider were meant for the client.
    var interimAnswers = 0
    /// What the provider calls the request, as far as the body of an error had to say it.
    var errorRequestID: Text?
    /// Whether the body of a relayed error is not the provider's, byte for byte: Weir's own credential was in it.
    var isRewritten = false
    var isBrokenOff = false
    /// Whether it has been counted and logged: it was answered before the request had come whole.
    var isRecorded = false
    var sentStatus = 0
    var problemCode: ProblemCode?
    var problemStatus = 0
    var isPolling = false
    var visits = 0

    // Time.
    var startedAt = MonotonicTime(nanoseconds: 0)
    var queuedNanoseconds: Int64 = 0
    var sentAt: MonotonicTime?
    var firstByteAt: MonotonicTime?
    var upstreamEndedAt: MonotonicTime?
    /// When bytes last moved on the provider's side, and on the client's.
    var upstreamActivity = MonotonicTime(nanoseconds: 0)
    var downstreamActivity = MonotonicTime(nanoseconds: 0)
    var deadline: (ticket: DeadlineHeap<Worker.Deadline>.Ticket, at: MonotonicTime)?
    var hungUpAt: ClientAbortStage?
    /// When a client that has ended its side and still waits is looked at, and when it has waited for long enough.
    var departureCheck: DeadlineHeap<Worker.Deadline>.Ticket?
    var givesUpAt = MonotonicTime.distantFuture

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
        machine = ExchangeStateMachine()
        inspection = RequestInspection(pseudonym: worker.service.pseudonym)
        self.target.removeAll(keepingCapacity: true)
        unsafe target.withUnsafeBufferPointer { unsafe self.target.append(contentsOf: $0) }
        self.destination = destination
        provider = nil
        upstream = nil
        restOffset = 0
        hasBegun = false
        method = .other
        isHead = false
        isIdempotent = false
        requestBytes = 0
        requestIsComplete = false
        (bodyHasBegun, awaitsBody) = (false, false)
        (waiter, place, slot, undecidedSlot, runningSlot, headroom) = (nil, nil, nil, nil, nil, nil)
        (claim, probedCredential, circuitPass) = (nil, nil, nil)
        attempts = 0
        retrying = RetryCourse()
        isTruncated = false
        isReceivePaused = false
        isPulling = false
        isSendPaused = false
        isUploadDropped = false
        upstreamHasEnded = false
        fault = nil
        timedOut = nil
        answer = .undecided
        responseBytes = 0
        interimAnswers = 0
        errorRequestID = nil
        isRewritten = false
        isBrokenOff = false
        isRecorded = false
        sentStatus = 0
        problemCode = nil
        visits = 0
        startedAt = Worker.clock()
        queuedNanoseconds = 0
        (sentAt, firstByteAt, upstreamEndedAt) = (nil, nil, nil)
        hungUpAt = nil
        givesUpAt = .distantFuture
    }

    /// The configuration that it goes by.
    var service: ProxyService { generation.service }

    // MARK: IncomingRequest

    override func headReceived() -> Bool { takeHead() }

    override func headReleased() -> Bool { goOn() }

    override func bodyReceived(_ bytes: Span<UInt8>) -> Int { takeBody(bytes) }

    override func bodyEnded() { takeEnd() }

    override func awaitAnswer() -> Wait { waitForAnswer() }

    override func connectionsClose() { answerBeforeShutdown() }

    override func readBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead {
        unsafe giveBody(into: room)
    }

    // MARK: The end

    override func completed(isWhole: Bool) {
        if !isWhole, machine.phase != .over { hangUp() }
        returnUnusedSlot()
        leaveGuards()
        // A provider may answer before it has read the whole request: nobody needs the rest then.
        cancelTransfer()
        setPolling(false)
        clearDeadline()
        endDepartureChecks()
        worker.setExchange(nil, on: socket)
        if !isRecorded, hasBegun { record() }
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
