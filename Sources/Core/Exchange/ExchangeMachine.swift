/// The course of one exchange as a value: events and times in, actions out.
///
/// It performs nothing itself: the engine reports what happens with ``handle(_:at:)``, and performs the actions that come back, in order.
/// Three things hold whatever the order of events, and are checked here: each slot is settled exactly once, each exchange is recorded
/// exactly once, and nothing happens after the end.
public struct ExchangeMachine: Sendable {
    /// Where the exchange is.
    public enum Stage: UInt8, Sendable, Equatable, CaseIterable {
        /// The request is being read, and no slot is asked for: its head, or a body that has to be complete first.
        /// Leaves by the end of the head or body (to `queued`, `awaitingBody`, `sending`, `replying`) or with the client.
        case reading
        /// The request waits in the pacer's queue.
        /// Leaves by its turn, a refusal, the end of its patience, a drain, or with the client.
        case queued
        /// The request holds this instance's slot, and waits for the quota that several instances share.
        /// Leaves as `queued` does.
        case awaitingSharedQuota
        /// The request holds a slot, and its client was told just now to send the body (`100 Continue`).
        /// Leaves by the first bytes (to `sending`), after a second without any (back to `reading`), or with the client.
        case awaitingBody
        /// The request is on its way to the provider, or sent; no final response head has arrived.
        /// Leaves by the head, or the end of the attempt.
        case sending
        /// The response may be an error: its body is collected.
        /// Leaves by the end of the attempt, or to `relaying` when it is too long or too slow to be collected.
        case collecting
        /// The response is handed on as it arrives.
        /// Leaves by the end of the attempt.
        case relaying
        /// The reply is decided, and all of it is here.
        /// Leaves to `waitingToRetry` before the client has got any of it; else by the end of the exchange.
        case replying
        /// The attempt has failed, and the request is sent again later.
        /// Leaves to `queued`, `sending`, …, or to `replying` when there is no other attempt after all.
        case waitingToRetry
        /// Nothing more is done for the client: it has left, its reply broke off, or it got its reply before it had sent its request.
        case over
    }

    /// How much of the request has been read.
    public enum Request: UInt8, Sendable, Equatable {
        /// The head is not complete.
        case head
        /// The head is complete, and no byte of a body has arrived.
        case awaitingBody
        /// Bytes of the body have arrived.
        case body
        /// All of it.
        case complete
    }

    /// How the body of a request is sent.
    public enum Body: UInt8, Sendable, Equatable {
        /// There is none.
        case none
        /// It is read whole before the request asks for a slot: a slow client holds none.
        case whole
        /// It is sent while it arrives.
        case streamed
    }

    /// What the client has got of its reply.
    public enum Reply: UInt8, Sendable, Equatable {
        case none
        /// libmicrohttpd has accepted it.
        case started
        /// It broke off: the client must see that.
        case broken
    }

    /// What the pacer knows of the request.
    public enum Slot: UInt8, Sendable, Equatable {
        /// It has no slot, or its slot is settled.
        case none
        /// It has a slot, and nothing was sent.
        case held
        /// The request may have been counted by the provider.
        case inUse
        /// A response head has arrived, whose body decides what it means for the limit.
        case undecided
    }

    /// Whether the client still sends, still reads, or has left.
    public enum Client: UInt8, Sendable, Equatable {
        case open
        /// It has ended its sending side, and may wait for the reply.
        case halfClosed
        case gone
    }

    /// A direction in which bytes move, or do not.
    public enum Flow: UInt8, Sendable, Equatable {
        /// Bytes move as they arrive.
        case open
        /// The source is paused: a provider because its client is slow, a client's body because all of it that has arrived was sent.
        case paused
        /// The client's side receives by itself, whenever it can hand on more.
        case pulled
        /// What arrives is dropped.
        case dropped
    }

    /// What is fixed for an exchange once its head is read.
    public struct Terms: Sendable {
        /// How its body is sent.
        public var body = Body.none
        /// Whether the client waits for `100 Continue` with its body.
        public var expectsContinue = false
        /// Whether a refused request is read to its end before the reply is given, so that the connection can be used again.
        public var readsRefusedBody = true
        /// Whether the same request can be sent again: its body is kept.
        public var isReplayable = true
        /// Whether several instances share the provider's quota.
        public var sharesQuota = false
        /// Whether the provider limits how many requests run at a time.
        public var countsConcurrency = false
        /// How long it may wait for its slot, all attempts together.
        public var patience = Duration.zero
        /// How long the client may stand still.
        public var clientStall = Duration.seconds(60)
        /// Nanoseconds until the response's head, at most.
        public var response = Int64.max
        /// Nanoseconds between two pieces of the response, at most.
        public var idle = Int64.max
        /// Nanoseconds for the body of an error, at most.
        public var errorBody = Int64.max
        /// Nanoseconds for all attempts together, at most; `nil` without a limit.
        public var total: Int64?

        /// Terms of a request without a body that may not wait.
        public init() {}
    }

    /// What an attempt came to.
    public enum Outcome: UInt8, Sendable, Equatable {
        /// No response that can be used.
        case failed
        /// A response whose body was collected, as far as it arrived.
        case collected
        /// A response that is handed on, and is complete.
        case relayed
        /// A response of which the client has got a part, and gets no more.
        case brokeOff
    }

    /// Why a request that was not sent is refused, where no fault came with the event.
    public enum Refusal: UInt8, Sendable, Equatable {
        /// Its patience has ended in the queue.
        case queueTimeout
        /// It waited when the program began to stop.
        case drainBegan
        /// It had no response when the program's time to finish was over.
        case drainEnded
        /// Its body is too long, or its bytes are not HTTP.
        case broken
    }

    /// How long a slot waits for the first byte of a body.
    public static let bodyPatience = Duration.seconds(1)
    /// How long, in nanoseconds, a provider whose response is held back may leave the request unread.
    static let unreadNanoseconds: Int64 = 1_000_000_000
    /// For how long, in nanoseconds, a client that has ended its side may wait if it may have left.
    static let endedClientNanoseconds: Int64 = 1_000_000_000

    // MARK: State

    /// What is fixed.
    public private(set) var terms = Terms()
    /// Where it is.
    public internal(set) var stage = Stage.reading
    /// How much of the request has been read.
    public internal(set) var request = Request.head
    /// What the client has got.
    public internal(set) var reply = Reply.none
    /// What the pacer knows.
    public internal(set) var slot = Slot.none
    /// Whether the client is there.
    public internal(set) var client = Client.open
    /// The request's body, on its way to the provider.
    public internal(set) var upload = Flow.open
    /// The response's body, on its way to the client.
    public internal(set) var download = Flow.open
    /// Why it was refused, for ``ExchangeActions/Action/makeProblem``; `nil` if the engine holds the fault.
    public internal(set) var refusal: Refusal?
    /// What the last attempt came to, for ``ExchangeActions/Action/makeReply``.
    public internal(set) var outcome = Outcome.failed
    /// The timer that ended the last attempt.
    public internal(set) var timedOut: ExchangeTimer?
    /// Where the exchange was when its client left, or was given up.
    public internal(set) var leftAt: Stage?
    /// Whether a running request is counted by a limit on concurrency.
    var isRunning = false
    /// Whether a transfer runs.
    public internal(set) var hasTransfer = false
    /// Whether the last attempt has failed and its reply is set aside once the next one is sent.
    private var hasFailed = false
    var isEventStream = false
    /// Whether the client's connection is about to be closed: a reply is given at once, or never.
    var isClosing = false
    var isRecorded = false
    var hasEnded = false

    /// How often the request was sent.
    public internal(set) var attempts = 0
    /// How long it has waited, in nanoseconds: for its slot, and for other attempts.
    public internal(set) var waited: Int64 = 0
    private var waitsSince = MonotonicTime(nanoseconds: 0)
    /// Until when it waits: for its slot, or for another attempt.
    public internal(set) var waitsUntil = MonotonicTime.distantFuture
    var firstSentAt: MonotonicTime?
    var headAt = MonotonicTime(nanoseconds: 0)
    /// When bytes last moved on the provider's side.
    public var upstreamActivity = MonotonicTime(nanoseconds: 0)
    /// When bytes last moved on the client's side.
    public var downstreamActivity = MonotonicTime(nanoseconds: 0)
    /// When a client that has ended its side, and may have left, has waited for long enough.
    var waitEnd = MonotonicTime.distantFuture
    /// When a client that has ended its side has got enough of a stream of events; of no other response.
    var streamEnd = MonotonicTime.distantFuture
    /// When a client that has ended its side is given up.
    public var givesUpAt: MonotonicTime { min(waitEnd, streamEnd) }

    /// An exchange whose request is being read.
    public init() {}

    /// The head is complete, or never will be: from now on the exchange is counted.
    ///
    /// - Parameter clientStall: how long the client may stand still.
    public mutating func begin(clientStall: Duration, at now: MonotonicTime) {
        request = .awaitingBody
        terms.clientStall = clientStall
        downstreamActivity = now
    }

    /// Takes what is fixed once the head is known to be good.
    public mutating func accept(_ terms: Terms, at now: MonotonicTime) {
        self.terms = terms
        downstreamActivity = now
    }

    /// Whether the reply that the last attempt led to is given if there is no other attempt.
    public var isRetrying: Bool { hasFailed }

    /// Whether a part of the request may have reached the provider, so that it may have had an effect.
    public var wasSent: Bool { attempts > 0 }

    // MARK: Events

    /// Takes an event, and answers what to do.
    ///
    /// An event that the exchange cannot have in its stage is a mistake of the engine's, and traps.
    public mutating func handle(_ event: Event, at now: MonotonicTime) -> ExchangeActions {
        precondition(!hasEnded, "\(event) after the end")
        switch event {
        case .headAccepted: return headAccepted()
        case .headRefused(let readsRest): return headRefused(readsRest: readsRest)
        case .bodyBegan: return bodyBegan(at: now)
        case .requestEnded: return requestEnded(at: now)
        case .requestBroken: return requestBroken(at: now)
        case .admitted(let needsBody): return admitted(needsBody: needsBody, at: now)
        case .queued: return queued(at: now)
        case .refused:
            precondition(stage == .reading || stage == .waitingToRetry, "refused while \(stage)")
            return refused(at: now)
        case .turnCame(let needsBody): return turnCame(needsBody: needsBody, at: now)
        case .turnRefused: return turnRefused(at: now)
        case .sharedQuotaRefused:
            expect(.awaitingSharedQuota)
            return refused(at: now)
        case .sharedQuotaGranted: return sharedQuotaGranted(at: now)
        case .headArrived(let isCollected, let isEventStream):
            return headArrived(isCollected: isCollected, isEventStream: isEventStream, at: now)
        case .relayChosen: return relayChosen(at: now)
        case .errorBodyTimedOut:
            expect(.collecting)
            return endAttempt(.errorBody)
        case .attemptEnded(let isComplete, let wasSent):
            return attemptEnded(isComplete: isComplete, wasSent: wasSent, at: now)
        case .attemptCancelled(let wasSent): return attemptCancelled(wasSent: wasSent)
        case .replyMade(let retryAt): return replyMade(retryAt: retryAt, at: now)
        case .relayReady:
            expect(.relaying)
            return deliver()
        case .replyStarted: return replyStarted(at: now)
        case .repliedEarly: return repliedEarly()
        case .timePassed(let hasUnsentBody): return timePassed(hasUnsentBody: hasUnsentBody, at: now)
        case .clientEnded(let end): return clientEnded(end, at: now)
        case .clientLeft: return clientLeft(at: now)
        case .drainBegan: return drainBegan(at: now)
        case .drainEnded: return drainEnded(at: now)
        case .completed(let isWhole): return completed(isWhole: isWhole, at: now)
        }
    }

    // MARK: The request

    private mutating func headAccepted() -> ExchangeActions {
        precondition(stage == .reading && request == .awaitingBody, "a head while \(stage)")
        switch terms.body {
        case .none: return [.askForSlot]
        case .whole: return [.schedule]
        case .streamed: return [.schedule, .askForSlot]
        }
    }

    private mutating func headRefused(readsRest: Bool) -> ExchangeActions {
        precondition(stage == .reading && request == .awaitingBody, "a head while \(stage)")
        stage = .replying
        return readsRest ? [.schedule] : [.replyEarly]
    }

    private mutating func bodyBegan(at now: MonotonicTime) -> ExchangeActions {
        precondition(request == .awaitingBody, "a body begins while \(stage)")
        request = .body
        switch stage {
        case .awaitingBody: return send(at: now)
        // Its slot was returned, as the body did not arrive.
        case .reading where terms.body == .streamed: return [.askForSlot]
        default: return []
        }
    }

    private mutating func requestEnded(at now: MonotonicTime) -> ExchangeActions {
        precondition(request == .awaitingBody || request == .body, "a request ends while \(stage)")
        request = .complete
        downstreamActivity = now
        switch stage {
        case .awaitingBody: return send(at: now)
        case .reading: return [.askForSlot]
        default: return upload == .paused ? [.resumeUpload] : []
        }
    }

    private mutating func requestBroken(at now: MonotonicTime) -> ExchangeActions {
        guard stage != .over, reply == .none else { return [] }
        var actions = giveUp(at: now)
        stage = .replying
        refusal = .broken
        actions.append(.makeProblem)
        return actions
    }

    // MARK: The slot

    private mutating func admitted(needsBody: Bool, at now: MonotonicTime) -> ExchangeActions {
        precondition(stage == .reading || stage == .waitingToRetry, "admitted while \(stage)")
        takeSlot()
        if needsBody, isMissingBody { return returnToReading(at: now) }
        if terms.sharesQuota {
            waitsSince = now
            waitsUntil = now + patienceLeft(at: now)
            return askSharedQuota(at: now)
        }
        return sendOrAwaitBody(at: now)
    }

    private mutating func queued(at now: MonotonicTime) -> ExchangeActions {
        precondition(stage == .reading || stage == .waitingToRetry, "queued while \(stage)")
        stage = .queued
        waitsSince = now
        waitsUntil = now + patienceLeft(at: now)
        return [.schedule]
    }

    /// The request is not sent: its reply was made, or is the one that the last attempt led to.
    mutating func refused(at now: MonotonicTime) -> ExchangeActions {
        precondition(stage == .waitingToRetry || !hasTransfer && reply == .none, "refused while \(stage)")
        let isAtHead = stage == .reading && request == .awaitingBody
        var actions = giveUp(at: now)
        stage = .replying
        actions.append(.unschedule)
        if !hasFailed { actions.append(.makeProblem) }
        if isAtHead, terms.readsRefusedBody {
            downstreamActivity = now
            actions.append(.schedule)
        } else {
            deliver(into: &actions)
        }
        return actions
    }

    private mutating func turnCame(needsBody: Bool, at now: MonotonicTime) -> ExchangeActions {
        expect(.queued)
        takeSlot()
        if needsBody, isMissingBody {
            countWait(at: now)
            return returnToReading(at: now)
        }
        if terms.sharesQuota { return askSharedQuota(at: now) }
        countWait(at: now)
        return sendOrAwaitBody(at: now)
    }

    private mutating func turnRefused(at now: MonotonicTime) -> ExchangeActions {
        precondition(stage == .queued || stage == .awaitingSharedQuota, "a turn is refused while \(stage)")
        if stage == .queued { takeSlot() }
        return refused(at: now)
    }

    private mutating func askSharedQuota(at now: MonotonicTime) -> ExchangeActions {
        stage = .awaitingSharedQuota
        // A request that does not want to wait for its turn waits for the answer all the same.
        waitsUntil = max(waitsUntil, now.later(by: SharedLedger.patience))
        return [.unschedule, .schedule, .askSharedQuota]
    }

    private mutating func sharedQuotaGranted(at now: MonotonicTime) -> ExchangeActions {
        expect(.awaitingSharedQuota)
        countWait(at: now)
        var actions: ExchangeActions = [.leaveSharedQuota]
        actions.append(contentsOf: sendOrAwaitBody(at: now))
        return actions
    }

    /// Whether nothing has arrived of a body that a client sends without being told to.
    private var isMissingBody: Bool {
        terms.body == .streamed && request == .awaitingBody && !terms.expectsContinue
    }

    /// Returns what the request holds: it asks anew when its body begins.
    mutating func returnToReading(at now: MonotonicTime) -> ExchangeActions {
        stage = .reading
        downstreamActivity = now
        var actions = ExchangeActions()
        settle(wasSent: false, &actions)
        actions.append(.leaveGuards)
        actions.append(.unschedule)
        actions.append(.schedule)
        actions.append(.wakeClient)
        return actions
    }

    private mutating func takeSlot() {
        precondition(slot == .none, "a second slot")
        slot = .held
    }

    private mutating func sendOrAwaitBody(at now: MonotonicTime) -> ExchangeActions {
        guard terms.expectsContinue, terms.body != .none, request == .awaitingBody else {
            return send(at: now)
        }
        stage = .awaitingBody
        downstreamActivity = now
        return [.unschedule, .schedule, .wakeClient]
    }

    /// How long the request may still wait, for its slot or for another attempt.
    public func patienceLeft(at now: MonotonicTime) -> Duration {
        var left = terms.patience - .nanoseconds(waited)
        if let total = terms.total, let firstSentAt {
            left = min(left, now.duration(to: firstSentAt.later(by: total)))
        }
        return max(left, .zero)
    }

    mutating func countWait(at now: MonotonicTime) {
        waited += max(0, waitsSince.nanoseconds(to: now))
        waitsSince = now
    }

    /// Settles the slot of a request that was not sent, or was.
    mutating func settle(wasSent: Bool, _ actions: inout ExchangeActions) {
        switch slot {
        case .none: return
        case .held: actions.append(.returnSlot)
        case .inUse:
            if !wasSent { attempts -= 1 }
            actions.append(wasSent ? .closeSlot : .returnSlot)
        case .undecided: actions.append(.settleByWhatArrived)
        }
        slot = .none
    }

    private mutating func endRun(_ actions: inout ExchangeActions) {
        if isRunning { actions.append(.endRun) }
        isRunning = false
    }

    /// Ends what was begun for the client: the wait, or the attempt.
    mutating func giveUp(at now: MonotonicTime) -> ExchangeActions {
        var actions = ExchangeActions()
        switch stage {
        case .queued:
            countWait(at: now)
            actions.append(.leaveQueue)
            // Its turn may have come just now.
            settle(wasSent: false, &actions)
        case .awaitingSharedQuota:
            countWait(at: now)
            actions.append(.leaveSharedQuota)
            settle(wasSent: false, &actions)
        case .awaitingBody: settle(wasSent: false, &actions)
        case .waitingToRetry: countWait(at: now)
        case .sending, .collecting, .relaying: actions.append(.cancelAttempt)
        case .reading, .replying, .over: break
        }
        return actions
    }

    // MARK: The attempt

    private mutating func send(at now: MonotonicTime) -> ExchangeActions {
        precondition(slot == .held && !hasTransfer, "sent while \(stage)")
        var actions = ExchangeActions()
        if hasFailed { actions.append(.setAttemptAside) }
        stage = .sending
        slot = .inUse
        (upload, download) = (.open, .open)
        (hasFailed, hasTransfer, timedOut) = (false, true, nil)
        attempts += 1
        upstreamActivity = now
        if firstSentAt == nil { firstSentAt = now }
        actions.append(.unschedule)
        actions.append(.send)
        actions.append(.schedule)
        // A body that is streamed has been waiting in the client.
        if request != .complete, terms.body != .none { actions.append(.wakeClient) }
        return actions
    }

    private mutating func headArrived(
        isCollected: Bool, isEventStream: Bool, at now: MonotonicTime
    ) -> ExchangeActions {
        expect(.sending)
        stage = isCollected ? .collecting : .relaying
        slot = isCollected ? .undecided : .none
        isRunning = terms.countsConcurrency
        self.isEventStream = isEventStream
        (headAt, upstreamActivity) = (now, now)
        guard isEventStream, client == .halfClosed else { return [.reportHead, .schedule] }
        // It may have no end: a client that has ended its side gets no more than its beginning.
        streamEnd = now.later(by: Self.endedClientNanoseconds)
        return [.reportHead, .schedule, .watchForDeparture]
    }

    private mutating func relayChosen(at now: MonotonicTime) -> ExchangeActions {
        expect(.collecting)
        stage = .relaying
        slot = .none
        return isClosing ? failForDrain(at: now) : [.schedule]
    }

    private mutating func attemptEnded(
        isComplete: Bool, wasSent: Bool, at now: MonotonicTime
    ) -> ExchangeActions {
        precondition(hasTransfer, "an attempt ended while \(stage)")
        hasTransfer = false
        streamEnd = .distantFuture
        let isComplete = isComplete && timedOut == nil
        switch stage {
        case .collecting:
            outcome = .collected
            // What has arrived of the body is judged with the reply.
            slot = .none
        case .relaying: outcome = isComplete ? .relayed : reply == .started ? .brokeOff : .failed
        default: outcome = .failed
        }
        var actions = ExchangeActions()
        settle(wasSent: wasSent, &actions)
        actions.append(.unschedule)
        actions.append(.makeReply)
        endRun(&actions)
        actions.append(.judgeCircuit)
        guard reply == .started else {
            stage = .replying
            actions.append(.offerReply)
            return actions
        }
        stage = isComplete ? .replying : .over
        if !isComplete { reply = .broken }
        // What is left of the response waits for the client, also before a break is seen.
        downstreamActivity = now
        actions.append(.schedule)
        actions.append(.wakeClient)
        return actions
    }

    private mutating func attemptCancelled(wasSent: Bool) -> ExchangeActions {
        precondition(
            hasTransfer && (stage == .over || stage == .replying), "an attempt was cancelled while \(stage)")
        hasTransfer = false
        var actions = ExchangeActions()
        settle(wasSent: wasSent, &actions)
        endRun(&actions)
        return actions
    }

    mutating func endAttempt(_ timer: ExchangeTimer) -> ExchangeActions {
        timedOut = timer
        return [.endAttempt]
    }

    // MARK: Flow

    /// All that has arrived of the request's body was sent: the provider waits for the client.
    public mutating func uploadStarved(at now: MonotonicTime) {
        guard upload == .open else { return }
        upload = .paused
        downstreamActivity = now
    }

    /// More of the request's body can be sent.
    ///
    /// The provider was not slow while the client was waited for: its time begins now, and needs a timer.
    public mutating func uploadResumed(at now: MonotonicTime) {
        guard upload == .paused else { return }
        upload = .open
        upstreamActivity = now
    }

    /// The client is slower than the provider, which is held back.
    public mutating func downloadHeldBack(at now: MonotonicTime) {
        download = .paused
        downstreamActivity = now
    }

    /// The client's side receives the response by itself.
    public mutating func downloadPulled() { download = .pulled }

    /// The provider is waited for.
    public mutating func downloadResumed(at now: MonotonicTime) {
        download = .open
        upstreamActivity = now
    }

    /// What is to be done with bytes of the request's body.
    public enum BodyUse: Sendable, Equatable {
        /// They are sent, or kept until they are; `isBounded`: only as many as there is room for.
        case keep(isBounded: Bool)
        /// They wait in the client and in the kernel.
        case wait
        /// They are read and dropped.
        case drop
    }

    /// What is to be done with bytes of the request's body now.
    public var bodyUse: BodyUse {
        switch stage {
        case .replying, .waitingToRetry, .over: .drop
        case .queued, .awaitingSharedQuota: .wait
        case .reading: .keep(isBounded: terms.body != .whole)
        case .awaitingBody, .sending, .collecting, .relaying:
            upload == .dropped ? .drop : .keep(isBounded: true)
        }
    }

    // MARK: The reply

    /// Whether the request may be sent again instead of giving the reply that was just made.
    public var mayRetry: Bool {
        stage == .replying && reply == .none && request == .complete && terms.isReplayable
    }

    private mutating func replyMade(retryAt: MonotonicTime?, at now: MonotonicTime) -> ExchangeActions {
        expect(.replying)
        guard let retryAt else { return deliver() }
        precondition(mayRetry, "sent again while \(stage)")
        stage = .waitingToRetry
        hasFailed = true
        (waitsSince, waitsUntil) = (now, retryAt)
        return [.schedule]
    }

    /// Whether a reply can be given: all of it is here, or it is relayed.
    public var hasReply: Bool { stage == .replying || stage == .relaying }

    private func deliver() -> ExchangeActions {
        var actions = ExchangeActions()
        deliver(into: &actions)
        return actions
    }

    private func deliver(into actions: inout ExchangeActions) {
        if reply != .none {
            actions.append(.wakeClient)
        } else if request == .complete, !isClosing {
            actions.append(.reply)
        } else {
            // libmicrohttpd accepts no reply before the request has been read.
            actions.append(stage == .replying ? .replyEarly : .wakeClient)
        }
    }

    private mutating func replyStarted(at now: MonotonicTime) -> ExchangeActions {
        precondition(hasReply && reply == .none && request == .complete, "a reply while \(stage)")
        reply = .started
        downstreamActivity = now
        return [.schedule]
    }

    private mutating func repliedEarly() -> ExchangeActions {
        precondition(stage == .replying && reply == .none, "an early reply while \(stage)")
        stage = .over
        return record(after: [.leaveGuards, .unschedule])
    }

    mutating func record(after actions: ExchangeActions) -> ExchangeActions {
        guard !isRecorded else { return actions }
        isRecorded = true
        var actions = actions
        actions.append(.record)
        return actions
    }
}

extension ExchangeMachine {
    fileprivate func expect(_ wanted: Stage, _ function: StaticString = #function) {
        precondition(stage == wanted, "\(function) while \(stage)")
    }
}
