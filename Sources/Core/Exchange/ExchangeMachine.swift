public import Wire

/// The state machine of one exchange as a value: events and times in, actions out.
///
/// It performs nothing itself: the engine reports events with ``handle(_:at:)``, and executes the returned actions in
/// order. Three invariants are checked here, whatever the order of events: each slot is settled exactly once, each
/// exchange is recorded exactly once, and nothing happens after the end.
public struct ExchangeMachine: Sendable {
    /// The stage of the exchange.
    public enum Stage: UInt8, Sendable, Equatable, CaseIterable {
        /// The request is being read and has not asked for a slot: its head, or a body that must be complete first.
        /// Ends with the head or body (to `queued`, `awaitingBody`, `sending`, `replying`), or when the client
        /// disconnects.
        case reading
        /// The request waits in the pacer's queue. Ends with a slot, a refusal, the end of its maximum wait, a drain,
        /// or when the client disconnects.
        case queued
        /// The request holds this instance's slot, and waits for the shared quota. Ends like `queued`.
        case awaitingSharedQuota
        /// The request holds a slot, and its client was just told to send the body (`100 Continue`). Ends with the
        /// first bytes (to `sending`), after a second without any (back to `reading`), or when the client
        /// disconnects.
        case awaitingBody
        /// The request is being sent, or was sent; no final response head has arrived. Ends with the head, or the end
        /// of the attempt.
        case sending
        /// The response may be an error: its body is collected. Ends with the end of the attempt, or changes to
        /// `relaying` if it is too long or too slow to collect.
        case collecting
        /// The response is relayed as it arrives. Ends with the end of the attempt.
        case relaying
        /// The response is decided and complete. Changes to `waitingToRetry` before the client has received any of
        /// it; otherwise ends with the exchange.
        case replying
        /// The attempt has failed, and the request is retried later. Changes to `queued`, `sending`, …, or to
        /// `replying` if there is no other attempt after all.
        case waitingToRetry
        /// Nothing more is done for the client: it has disconnected, its response broke off, or it received its
        /// response before it had sent its request.
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
        /// The whole request.
        case complete
    }

    /// How the body of a request is sent.
    public enum Body: UInt8, Sendable, Equatable {
        /// There is no body.
        case none
        /// It is read completely before the request asks for a slot: a slow client holds none.
        case whole
        /// It is sent while it arrives.
        case streamed
    }

    /// What the client has received of its response.
    public enum Reply: UInt8, Sendable, Equatable {
        case none
        /// libmicrohttpd has accepted it.
        case started
        /// It broke off: the client must see that.
        case broken
    }

    /// What the pacer knows about the request.
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

    /// Whether the client still sends, still reads, or has disconnected.
    public enum Client: UInt8, Sendable, Equatable {
        case open
        /// It has half-closed, and may wait for the response.
        case halfClosed
        case gone
    }

    /// The state of one direction of data.
    public enum Flow: UInt8, Sendable, Equatable {
        /// Bytes move as they arrive.
        case open
        /// The source is paused: the provider because its client is slow, or the client's body because all of it that
        /// has arrived was sent.
        case paused
        /// The client's side receives on its own, whenever it can pass on more.
        case pulled
        /// Data that arrives is dropped.
        case dropped
    }

    /// What is fixed for an exchange once its head is read.
    public struct Terms: Sendable {
        /// How its body is sent.
        public var body = Body.none
        /// Whether the client waits for `100 Continue` with its body.
        public var expectsContinue = false
        /// Whether a rejected request is read to its end before the response is sent, so that the connection can be
        /// kept.
        public var readsRefusedBody = true
        /// Whether the same request can be sent again: its body is kept.
        public var isReplayable = true
        /// Whether several instances share the provider's quota.
        public var sharesQuota = false
        /// Whether the provider limits the number of concurrent requests.
        public var countsConcurrency = false
        /// The maximum wait for slots, over all attempts.
        public var patience = Duration.zero
        /// How long the client may stall.
        public var clientStall = Duration.seconds(60)
        /// The maximum time until the response's head, in nanoseconds.
        public var response = Int64.max
        /// The maximum time between two parts of the response, in nanoseconds.
        public var idle = Int64.max
        /// The maximum time for the body of an error, in nanoseconds.
        public var errorBody = Int64.max
        /// The maximum time for all attempts together, in nanoseconds; `nil` without a limit.
        public var total: Int64?

        /// The terms of a request without a body that may not wait.
        public init() {}
    }

    /// The result of an attempt.
    public enum Outcome: UInt8, Sendable, Equatable {
        /// No usable response.
        case failed
        /// A response whose body was collected, as far as it arrived.
        case collected
        /// A relayed response that is complete.
        case relayed
        /// A response of which the client has received a part, and receives no more.
        case brokeOff
    }

    /// Why a request that was not sent is rejected, if no fault came with the event.
    public enum Refusal: UInt8, Sendable, Equatable {
        /// Its maximum wait ended in the queue.
        case queueTimeout
        /// It waited when the program began to stop.
        case drainBegan
        /// It had no response at the end of the grace period.
        case drainEnded
        /// Its body is too long, or its bytes are not HTTP.
        case broken
    }

    /// How long a slot waits for the first byte of a body.
    public static let bodyPatience = Duration.seconds(1)
    /// How long a client whose response is decided may take for the rest of its request, in nanoseconds, and how long
    /// it may pause in it.
    static let (restNanoseconds, restPauseNanoseconds): (Int64, Int64) = (5_000_000_000, 250_000_000)
    /// How long a provider whose response is blocked may leave the request unread, in nanoseconds.
    static let unreadNanoseconds: Int64 = 1_000_000_000
    /// How long a half-closed client may wait if it may have disconnected, in nanoseconds.
    static let endedClientNanoseconds: Int64 = 1_000_000_000

    // MARK: State

    /// The fixed terms.
    public private(set) var terms = Terms()
    /// The stage.
    public internal(set) var stage = Stage.reading
    /// How much of the request has been read.
    public internal(set) var request = Request.head
    /// What the client has received.
    public internal(set) var reply = Reply.none
    /// What the pacer knows.
    public internal(set) var slot = Slot.none
    /// The state of the client.
    public internal(set) var client = Client.open
    /// The direction of the request's body, to the provider.
    public internal(set) var upload = Flow.open
    /// The direction of the response's body, to the client.
    public internal(set) var download = Flow.open
    /// Why it was rejected, for ``ExchangeAction/makeProblem``; `nil` if the engine holds the fault.
    public internal(set) var refusal: Refusal?
    /// The result of the last attempt, for ``ExchangeAction/makeReply``.
    public internal(set) var outcome = Outcome.failed
    /// The timer that ended the last attempt.
    public internal(set) var timedOut: ExchangeTimer?
    /// The stage in which its client disconnected or was dropped.
    public internal(set) var leftAt: Stage?
    /// Whether a running request is counted by a limit on concurrent requests.
    var isRunning = false
    /// Whether a transfer runs.
    public internal(set) var hasTransfer = false
    /// Whether the last attempt has failed and its response is discarded once the next one is sent.
    private var hasFailed = false
    var isEventStream = false
    /// Whether the client's connection is about to be closed: a response is sent at once, or never.
    var isClosing = false
    var isRecorded = false
    var hasEnded = false

    /// How often the request was sent.
    public internal(set) var attempts = 0
    /// How long it has waited, in nanoseconds: for its slot and for other attempts.
    public internal(set) var waited: Int64 = 0
    private var waitsSince = MonotonicTime(nanoseconds: 0)
    /// The deadline of its wait for a slot or for another attempt.
    public internal(set) var waitsUntil = MonotonicTime.distantFuture
    var firstSentAt: MonotonicTime?
    var headAt = MonotonicTime(nanoseconds: 0)
    /// When bytes last moved on the provider's side.
    public var upstreamActivity = MonotonicTime(nanoseconds: 0)
    /// When bytes last moved on the client's side.
    public var downstreamActivity = MonotonicTime(nanoseconds: 0)
    /// When a response that is decided is sent although the rest of the request has not arrived.
    var restEnd = MonotonicTime.distantFuture
    /// Whether a check of the client is scheduled.
    var isDepartureWatched = false
    /// Whether the system has not known the client's socket.
    var isPeerUnknown = false
    /// When a half-closed client that may have disconnected has waited long enough.
    var waitEnd = MonotonicTime.distantFuture
    /// When a half-closed client has received enough of an event stream; of no other response.
    var streamEnd = MonotonicTime.distantFuture
    /// When a half-closed client is dropped.
    public var givesUpAt: MonotonicTime { min(waitEnd, streamEnd) }

    /// An exchange whose request is being read.
    public init() {}

    /// The head is complete, or never will be: from now on the exchange is counted.
    ///
    /// - Parameter clientStall: how long the client may stall.
    public mutating func begin(clientStall: Duration, at now: MonotonicTime) {
        request = .awaitingBody
        terms.clientStall = clientStall
        downstreamActivity = now
    }

    /// Sets the terms once the head is known to be valid.
    public mutating func accept(_ terms: Terms, at now: MonotonicTime) {
        self.terms = terms
        downstreamActivity = now
    }

    /// Whether the response of the last attempt is sent if there is no other attempt.
    public var isRetrying: Bool { hasFailed }

    /// Whether a part of the request may have reached the provider, so that it may have had an effect.
    public var wasSent: Bool { attempts > 0 }

    // MARK: Events

    /// Handles an event, and returns the next actions.
    ///
    /// An event that is impossible in the current stage is a defect in the engine, and traps.
    public mutating func handle(_ event: Event, at now: MonotonicTime) -> ExchangeActions {
        precondition(!hasEnded, "\(event) after the end")
        switch event {
        case .headAccepted: return headAccepted()
        case .headRefused(let readsRest): return headRefused(readsRest: readsRest, at: now)
        case .bodyBegan: return bodyBegan(at: now)
        case .requestEnded: return requestEnded(at: now)
        case .requestBroken: return requestBroken(at: now)
        case .inputHeld: return inputHeld()
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
        case .timePassed(let hasUnsentBody, let hasUnreceived):
            return timePassed(hasUnsentBody: hasUnsentBody, hasUnreceived: hasUnreceived, at: now)
        case .clientEnded(let end): return clientEnded(end, at: now)
        case .departureChecked(let peer): return departureChecked(peer, at: now)
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

    private mutating func headRefused(readsRest: Bool, at now: MonotonicTime) -> ExchangeActions {
        precondition(stage == .reading && request == .awaitingBody, "a head while \(stage)")
        stage = .replying
        awaitRest(at: now)
        return readsRest ? [.schedule] : [.replyEarly]
    }

    /// The response is decided: the rest of the request is waited for only briefly.
    private mutating func awaitRest(at now: MonotonicTime) {
        downstreamActivity = now
        restEnd = now.later(by: Self.restNanoseconds)
    }

    private mutating func bodyBegan(at now: MonotonicTime) -> ExchangeActions {
        precondition(request == .awaitingBody, "a body begins while \(stage)")
        request = .body
        switch stage {
        case .awaitingBody: return send(at: now)
        // Its slot was returned because the body did not arrive.
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

    /// The request is not sent: its response was made, or is that of the last attempt.
    mutating func refused(at now: MonotonicTime) -> ExchangeActions {
        precondition(stage == .waitingToRetry || !hasTransfer && reply == .none, "refused while \(stage)")
        let isAtHead = stage == .reading && request == .awaitingBody
        var actions = giveUp(at: now)
        stage = .replying
        actions.append(.unschedule)
        if !hasFailed { actions.append(.makeProblem) }
        if isAtHead, terms.readsRefusedBody {
            awaitRest(at: now)
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
        // A request that does not want to wait for its slot still waits for the reply of the shared quota.
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

    /// Whether no byte has arrived of a body that a client sends without being told to.
    private var isMissingBody: Bool {
        terms.body == .streamed && request == .awaitingBody && !terms.expectsContinue
    }

    /// Returns what the request holds: it asks again when its body begins.
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

    /// How much longer the request may wait for its slot or for another attempt.
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

    /// Settles the slot of a request, sent or not.
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

    /// Ends what is in progress for the client: the wait or the attempt.
    mutating func giveUp(at now: MonotonicTime) -> ExchangeActions {
        var actions = ExchangeActions()
        switch stage {
        case .queued:
            countWait(at: now)
            actions.append(.leaveQueue)
            // Its grant may have arrived just now.
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
        // It may have no end: a half-closed client gets only its beginning.
        streamEnd = now.later(by: Self.endedClientNanoseconds)
        isDepartureWatched = true
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
            // The received part of the body is judged together with the response.
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
        // The rest of the response waits for the client, even before a break is visible.
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

    /// The received part of the request's body was sent completely: the provider waits for the client.
    public mutating func uploadStarved(at now: MonotonicTime) {
        guard upload == .open else { return }
        upload = .paused
        downstreamActivity = now
    }

    /// More of the request's body can be sent.
    ///
    /// The provider was not slow while the client was waited for: its time limit begins now, and needs a timer.
    public mutating func uploadResumed(at now: MonotonicTime) {
        guard upload == .paused else { return }
        upload = .open
        upstreamActivity = now
    }

    /// The client is slower than the provider, which is paused.
    public mutating func downloadHeldBack(at now: MonotonicTime) {
        download = .paused
        downstreamActivity = now
    }

    /// The client's side receives the response on its own.
    public mutating func downloadPulled() { download = .pulled }

    /// The provider is waited for.
    public mutating func downloadResumed(at now: MonotonicTime) {
        download = .open
        upstreamActivity = now
    }

    /// The client's end may wait behind bytes for which the system has no room: then no event reports it.
    private mutating func inputHeld() -> ExchangeActions {
        guard stage != .over, client == .open, !isDepartureWatched, !isPeerUnknown else { return [] }
        return watchForDeparture()
    }

    mutating func watchForDeparture() -> ExchangeActions {
        isDepartureWatched = true
        return [.watchForDeparture]
    }

    /// How to handle bytes of the request's body.
    public enum BodyUse: Sendable, Equatable {
        /// They are sent, or kept until they are; `isBounded`: only as many as fit into the buffer.
        case keep(isBounded: Bool)
        /// They stay in the client and in the kernel.
        case wait
        /// They are read and dropped.
        case drop
    }

    /// How to handle bytes of the request's body now.
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

    /// Whether the request may be retried instead of sending the response that was just made.
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

    /// Whether a response can be sent: it is complete, or relayed.
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
            // libmicrohttpd accepts no response before the request has been read.
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
