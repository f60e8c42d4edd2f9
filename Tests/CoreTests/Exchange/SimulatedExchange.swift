@testable import Core

/// What a client of the simulation does.
///
/// Sizes are in units: a buffer holds four, and is filled again below two.
struct ClientPlan {
    enum HalfClose: Equatable { case never, withRequest, beforeEnd, after(Int64) }

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
        case .beforeEnd: true
        }
    }
    /// Whether it does nothing that would allow the exchange to end before its reply.
    var isPatient: Bool {
        stallsBefore == nil && malformedPiece == nil && halfClose != .beforeEnd && closesAfter == nil
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
    let arrival: Int64
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
    var isTouched = false

    // The client's connection.
    var hasHead = false
    var isSuspended = false
    var isHeadHeld = false
    var continueSent = false
    var bodyEnded = false
    var isAnswered = false
    var isStreamedReply = false
    var replyUnits = 0
    var isLeaving = false
    var leavesAt: Int64 = 0
    var farewellIsSent = false
    var isGone = false
    var isShutDown = false
    var isReset = false
    var isCompleted = false
    var isAbandoned = false
    var droppedUnits = 0
    var hasPendingVisit = false
    var activeAt: Int64 = 0
    /// Units in the client's direction that it has not read, and all that it has read.
    var socketOut = 0
    var isReading = false
    var readUnits = 0
    /// Units and the request's end, unread in the server's socket.
    var inbox = 0
    var isMalformedHere = false
    var isLongHere = false
    var nextPiece = 0
    var requestIsHere = false
    var requestArrivedAt: Int64 = 0
    var hasEnded = false
    var endedAt: Int64 = 0
    var isClosed = false
    var isBroken = false
    var seen = Seen.nothing

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

    init(index: Int, plan: ClientPlan, arrival: Int64) {
        (self.index, self.plan, self.arrival) = (index, plan, arrival)
    }
}
