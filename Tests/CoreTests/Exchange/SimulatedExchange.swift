import Wire

@testable import Core

/// What a client of the simulation does.
///
/// Sizes are in units: a buffer holds four, and is filled again below two.
struct ClientPlan {
    enum HalfClose: Equatable { case never, withRequest, after(Int64) }

    /// The body's pieces: the delay before each, and its size.
    var pieces: [(delay: Int64, units: Int)] = []
    var isStreamed = false
    var expectsContinue = false
    /// Nothing but the connection's end shows where a reply without a length ends.
    var isHTTP10 = false
    var isHead = false
    var isRepeatSafe = true
    var wantsRawErrors = false
    /// The piece after which the client sends nothing for ever.
    var stallsBefore: Int?
    /// The piece that is not HTTP, and the one with which the body is too long.
    var malformedPiece: Int?
    var longPiece: Int?
    /// Whether it is no request at all: its bytes are not HTTP.
    var isGarbage = false
    /// Whether it is sent once the response before has been read, not right behind the request before.
    var waitsForReply = false
    /// The byte of all that the client sends at which it ends: its side, or the connection.
    var endsAtByte: Int?
    var halfClose = HalfClose.never
    /// When it closes its socket, after its arrival; whether that resets the connection.
    var closesAfter: Int64?
    var resets = false
    /// Whether it runs on the same machine, so that the system knows whether it has its socket.
    var isLocal = true
    /// Nanoseconds between two units that it reads; `nil` if it reads nothing.
    var readDelay: Int64? = 0
    /// The head is refused by the engine: as malformed, or for want of a route.
    var headRefusal: HeadRefusal?

    enum HeadRefusal { case malformed, noRoute }

    var size: Int { pieces.reduce(0) { $0 + $1.units } }
    var body: ExchangeMachine.Body { pieces.isEmpty ? .none : isStreamed ? .streamed : .whole }
    var hasDrainableBody: Bool { !expectsContinue && !isStreamed }
    /// Whether the end of its side comes so late that the client may have left.
    var mayHaveLeft: Bool {
        switch halfClose {
        case .never, .withRequest: false
        case .after(let delay): delay >= 20_000_000
        }
    }
    /// Whether it does nothing that would allow the exchange to end before its reply.
    var isPatient: Bool {
        stallsBefore == nil && malformedPiece == nil && !isGarbage && endsAtByte == nil && closesAfter == nil
            && readDelay != nil
    }
}

/// What the provider does with an attempt.
struct ProviderPlan {
    enum Connection { case opens, fails, hangs }
    enum Response: Equatable {
        case silence, closesBeforeHead
        /// A success; `isCollected`: it is examined first, as an error might be in it.
        case success(isCollected: Bool)
        case eventStream
        case error(ProblemCode)
    }
    enum Ending { case complete, reset, silence }

    var connection = Connection.opens
    var connectDelay: Int64 = 0
    /// How many units of the upload it reads; and how long each takes.
    var readsUpTo = Int.max
    var readDelay: Int64 = 0
    /// Whether it responds before it has read the request.
    var isEarly = false
    var performs = true
    var response = Response.success(isCollected: false)
    var headDelay: Int64 = 0
    var hasInterim = false
    var pieces: [Int64] = []
    var ending = Ending.complete
    var hasLength = true
    var retryAfter: Double?
    /// Whether the client's side receives by itself.
    var isPulled = false
}

/// One transfer to the provider.
struct SimulatedTransfer {
    var number: Int
    var plan: ProviderPlan
    var isRunning = true
    var wasSent = false
    var hasHead = false
    var isComplete = false
    var fault = ProblemCode.connectionLost
    var uploadIsOver = false
    var isUploadPaused = false
    var isDownloadPaused = false
    var takenUnits = 0
    var sentUnits = 0
    /// Units that have arrived, and whether the end follows them.
    var arrived = 0
    var endArrived = false
    var isAwaitingPull = false
}

/// One exchange: the machine, what the engine keeps beside it, and the client's connection.
final class SimulatedExchange {
    enum Answer { case undecided, relay, problem }
    enum Seen { case nothing, whole, broken }

    let index: Int
    let plan: ClientPlan
    /// When its head was complete.
    var arrival: Int64 = 0
    var machine = ExchangeMachine()

    // What the engine keeps.
    var terms = ExchangeMachine.Terms()
    var retries = RetryPolicy()
    var waiter: Waiter?
    var place: Place?
    var slot: Slot?
    var claim: UInt64?
    var hasProbe = false
    var transfer: SimulatedTransfer?
    var failure: AttemptFailure?
    var earlierEffect = Effect.none
    var retryCount = 0
    var isTruncated = false
    var fault: (code: ProblemCode, effect: Effect)?
    var answer = Answer.undecided
    var answerEffect = Effect.none
    var requestBody = 0
    var responseBody = 0
    var requestEndedAt: Int64 = 0
    var deadline: (token: Int, at: MonotonicTime)?
    var departureToken: Int?
    /// Units that its client had not read at the last look.
    var lastUnreceived: Int?
    var isTouched = false

    // The request and its reply, on the client's connection.
    unowned let connection: SimulatedConnection
    var hasHead = false
    var isCompleted = false
    var isAbandoned = false
    var continueSent = false
    var isStreamedReply = false
    var replyUnits = 0
    var receivedUnits = 0
    var droppedUnits = 0
    /// Units of the reply that were written, and that the client has read.
    var writtenUnits = 0
    var readUnits = 0
    var closingIsSent = false
    /// Whether a reset has destroyed a part of the reply that the client had not read.
    var isLost = false
    var seen = Seen.nothing

    /// Whether the library reads or answers it.
    var isCurrent: Bool { connection.current === self }
    var isSuspended: Bool { isCurrent && connection.machine.isRequestAsleep }
    var isAnswered: Bool { isCurrent && connection.machine.isAnswered }
    var hasEnded: Bool { connection.hasEnded }
    var isClosed: Bool { connection.isClosed }

    // What is counted.
    enum SlotState { case none, open, undecided, settled }
    var slotState = SlotState.none
    /// Whether the request may have been counted by the provider.
    var slotWasUsed = false
    var isRunning = false
    var transfersBegun = 0
    var sentAttempts = 0
    var performed = 0
    var retriesDecided = 0
    var isRetryAllowed = true
    var recorded = 0
    var steps = 0
    var deliveredEffect: Effect?
    var deliveredCode: ProblemCode?

    init(index: Int, plan: ClientPlan, connection: SimulatedConnection) {
        (self.index, self.plan, self.connection) = (index, plan, connection)
    }
}

/// A client's connection: the machine, what is around it, and the network between.
final class SimulatedConnection {
    /// What a client sends at once.
    struct Segment {
        enum Condition { case none, continued, replied }

        var exchange: Int
        var delay: Int64
        var bytes: [UInt8]
        var condition = Condition.none
        var isStalled = false
    }

    static let limits = RequestScanner.Limits(
        target: 100, fieldBytes: 200, fieldCount: 10, head: 1000, fieldOverhead: 64, body: 1000)

    let index: Int
    var machine: ClientMachine
    var exchanges: [SimulatedExchange] = []

    // The client.
    var segments: [Segment] = []
    var nextSegment = 0
    var sentBytes = 0
    var hasEnded = false
    var endedAt: Int64 = 0
    var isClosed = false
    /// Whether its end waits behind bytes for which the server's socket has no room.
    var hidesEnd = false
    var isReading = false

    // The network.
    /// Bytes that the server has not read, and whether the end follows them.
    var inbound: [UInt8] = []
    var lastBytesAt: Int64 = 0
    /// Units that the client has not read; of which exchange each is.
    var outbox: [Int] = []
    /// Whether the client has reset the connection, or the server has.
    var isBroken = false
    var isReset = false
    /// Whether the server has ended the socket in both directions.
    var isShutDown = false
    var isServerClosed = false
    var lingersUntil: Int64?
    /// Flights of the handshake that the client still has to send, and that have arrived.
    var handshakeFlights = 0
    var arrivedFlights = 0

    // What is around the machine.
    var held: [UInt8] = []
    var closingUnits = 0
    var hasNews = false
    var headToken: Int?
    var awaitsAnswers = false
    var refusalIsRequested = false
    var reportsEnd = false
    var hasInterruptedHandshake = false

    // The library.
    var current: SimulatedExchange?
    var nextExchange = 0
    var buffer: [UInt8] = []
    var isLibraryAsleep = false
    var readsStale = false
    var mayRead = true
    var mustClose = false
    var hasPendingVisit = false
    /// Whether it may be idle for as long as the exchange allows.
    var mayStall = false
    var activeAt: Int64 = 0
    var wasAborted = false

    init(index: Int, isEncrypted: Bool) {
        self.index = index
        machine = ClientMachine(limits: Self.limits, isEncrypted: isEncrypted)
    }
}
