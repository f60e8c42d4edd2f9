import Wire

@testable import Core

/// What the engine does: it reports events to the machine and performs its actions, in order.
extension ExchangeSimulation {
    func handle(_ exchange: SimulatedExchange, _ event: ExchangeMachine.Event) {
        guard failure == nil else { return }
        // A client may be checked for as long as a stream of events lasts.
        if case .departureChecked = event {} else { exchange.steps += 1 }
        if exchange.isCompleted { return fail("#\(exchange.index): \(event) after the end") }
        if exchange.steps > 2000 { return fail("#\(exchange.index): no end of events") }
        note("#\(exchange.index) \(exchange.machine.stage) ← \(event)")
        let actions = exchange.machine.handle(event, at: moment)
        note("#\(exchange.index) \(exchange.machine.stage) → \(Array(actions))")
        depth += 1
        for action in actions where failure == nil { perform(action, for: exchange) }
        depth -= 1
        switch event {
        // A reply follows at once, or nothing.
        case .requestBroken, .completed: break
        default: if depth == 0 { checkTimer(of: exchange) }
        }
    }

    /// Checks that a timer is armed for the machine's next deadline, or an earlier time.
    private func checkTimer(of exchange: SimulatedExchange) {
        guard failure == nil, !exchange.isCompleted, !exchange.connection.isShutDown,
            !exchange.connection.isReset
        else { return }
        let next = exchange.machine.nextDeadline(hasUnsentBody: exchange.responseBody > 0, at: moment)
        guard next < .distantFuture else { return }
        guard let deadline = exchange.deadline, deadline.at <= max(next, moment) else {
            return fail("#\(exchange.index): no timer is armed while \(exchange.machine.stage)")
        }
    }

    private func perform(_ action: ExchangeAction, for exchange: SimulatedExchange) {
        switch action {
        case .askForSlot: askForSlot(exchange)
        case .askSharedQuota: askSharedQuota(exchange)
        case .leaveQueue: leaveQueue(exchange)
        case .leaveSharedQuota:
            if let waiter = exchange.waiter { waiting[waiter.id] = nil }
            quotaWaiters -= 1
        case .returnSlot, .closeSlot: settleUnanswered(exchange, wasSent: action == .closeSlot)
        case .reportHead: reportHead(exchange)
        case .settleByWhatArrived: settleByWhatArrived(exchange)
        case .endRun: endRun(exchange)
        case .leaveGuards: releaseProbe(exchange)
        case .setAttemptAside: setAttemptAside(exchange)
        case .send: send(exchange)
        case .endAttempt: endAttempt(exchange)
        case .cancelAttempt: cancelAttempt(exchange)
        case .endCollecting: if !relayUnread(exchange) { handle(exchange, .errorBodyTimedOut) }
        case .dropUpload: exchange.requestBody = 0
        case .resumeUpload: touch(exchange)
        case .makeProblem: makeProblem(exchange)
        case .makeReply: makeReply(exchange)
        case .judgeCircuit: releaseProbe(exchange)
        case .offerReply: handle(exchange, .replyMade(retryAt: retryTime(exchange)))
        case .reply: replyWhenPossible(exchange)
        case .replyEarly: replyEarly(exchange)
        case .wakeClient: resume(exchange)
        case .breakConnection: breakConnection(exchange)
        case .schedule: schedule(exchange)
        case .unschedule: exchange.deadline = nil
        case .watchForDeparture: watchForDeparture(exchange)
        case .record:
            exchange.recorded += 1
            if exchange.recorded > 1 { fail("#\(exchange.index) was recorded twice") }
        }
    }

    // MARK: The slot

    private func askForSlot(_ exchange: SimulatedExchange) {
        if isHeldBack(exchange) { return refuse(exchange, .circuitOpen, .refused) }
        let waiter = makeWaiter()
        switch pacer.admit(
            PacingDemand(key: LedgerKey(hash: 7)), waiter: waiter,
            patience: exchange.machine.patienceLeft(at: moment), at: moment)
        {
        case .admitted(let slot):
            exchange.waiter = waiter
            hold(slot, exchange)
            handle(exchange, .admitted(needsBody: true))
        case .queued(let place, _, let wake):
            (exchange.place, exchange.waiter) = (place, waiter)
            waiting[waiter.id] = exchange
            handle(exchange, .queued)
            arm(wake)
        case .refused: refuse(exchange, .throttled, .refused)
        }
    }

    func makeWaiter() -> Waiter {
        lastWaiter += 1
        return Waiter(worker: 0, id: lastWaiter)
    }

    private func refuse(
        _ exchange: SimulatedExchange, _ code: ProblemCode, _ event: ExchangeMachine.Event
    ) {
        if !exchange.machine.isRetrying { exchange.fault = (code, .none) }
        handle(exchange, event)
    }

    private func isHeldBack(_ exchange: SimulatedExchange) -> Bool {
        guard hasCircuit, !exchange.hasProbe else { return false }
        if probeHolder != nil { return true }
        probeHolder = exchange.index
        exchange.hasProbe = true
        return false
    }

    private func releaseProbe(_ exchange: SimulatedExchange) {
        if exchange.hasProbe { probeHolder = nil }
        exchange.hasProbe = false
    }

    private func hold(_ slot: Slot, _ exchange: SimulatedExchange) {
        if exchange.slotState == .open || exchange.slotState == .undecided {
            fail("#\(exchange.index) has a second slot")
        }
        exchange.slot = slot
        exchange.slotWasUsed = false
        exchange.slotState = .open
    }

    func arm(_ wake: Wake?) {
        guard let wake else { return }
        events.add(.wake(wake), at: max(now, wake.at.nanoseconds))
    }

    func advance(_ wake: Wake) {
        var grants: [Grant] = []
        arm(pacer.advance(wake, at: moment, into: &grants))
        for grant in grants {
            if grantsAreDelayed {
                events.add(.grant(grant), at: now + Int64.random(in: 0...300_000, using: &numbers))
            } else {
                deliver(grant)
            }
        }
    }

    func deliver(_ grant: Grant) {
        guard let exchange = waiting.removeValue(forKey: grant.waiter.id) else {
            return arm(pacer.neverSent(grant.slot, at: moment))
        }
        exchange.place = nil
        guard exchange.machine.stage == .queued else {
            return arm(pacer.neverSent(grant.slot, at: moment))
        }
        hold(grant.slot, exchange)
        if isHeldBack(exchange) { return refuse(exchange, .circuitOpen, .turnRefused) }
        handle(exchange, .turnCame(needsBody: true))
    }

    private func leaveQueue(_ exchange: SimulatedExchange) {
        if let waiter = exchange.waiter { waiting[waiter.id] = nil }
        if let place = exchange.place { arm(pacer.leave(place, at: moment).wake) }
        exchange.place = nil
    }

    private func askSharedQuota(_ exchange: SimulatedExchange) {
        guard let waiter = exchange.waiter else { return fail("#\(exchange.index) asks without a waiter") }
        exchange.claim = waiter.id
        quotaClaims += 1
        quotaWaiters += 1
        waiting[waiter.id] = exchange
        let delay = Int64.random(in: 0...1500, using: &numbers) * 1_000_000 / (numbers.happens(0.8) ? 100 : 1)
        switch Int.random(in: 0..<10, using: &numbers) {
        case 0: break
        case 1: events.add(.quotaRefuses(exchange.index, waiter.id), at: now + delay)
        default: events.add(.quotaGrants(exchange.index, waiter.id), at: now + delay)
        }
    }

    func quotaGrants(_ exchange: SimulatedExchange, _ id: UInt64) {
        guard waiting.removeValue(forKey: id) === exchange, exchange.machine.stage == .awaitingSharedQuota
        else { return }
        if isHeldBack(exchange) { return refuse(exchange, .circuitOpen, .turnRefused) }
        handle(exchange, .sharedQuotaGranted)
    }

    func quotaRefuses(_ exchange: SimulatedExchange, _ id: UInt64) {
        guard waiting[id] === exchange, exchange.machine.stage == .awaitingSharedQuota else { return }
        endClaim(exchange)
        refuse(exchange, .throttled, .sharedQuotaRefused)
    }

    private func endClaim(_ exchange: SimulatedExchange) {
        if exchange.claim != nil { quotaClaims -= 1 }
        exchange.claim = nil
    }

    private func settleUnanswered(_ exchange: SimulatedExchange, wasSent: Bool) {
        guard let slot = exchange.slot, exchange.slotState == .open else {
            return fail("#\(exchange.index) settles a slot that it does not hold")
        }
        if !wasSent, exchange.slotWasUsed { fail("#\(exchange.index) returns a slot that was used") }
        exchange.slotState = .settled
        arm(wasSent ? pacer.closedWithoutResponse(slot, at: moment) : pacer.neverSent(slot, at: moment))
        endClaim(exchange)
    }

    private func reportHead(_ exchange: SimulatedExchange) {
        guard let slot = exchange.slot, exchange.slotState == .open else {
            return fail("#\(exchange.index) reports a head without a slot")
        }
        let isUndecided = exchange.machine.slot == .undecided
        exchange.slotState = isUndecided ? .undecided : .settled
        exchange.isRunning = policy.countsConcurrency
        arm(pacer.responded(slot, verdict: isUndecided ? .undecided : .accepted, at: moment).wake)
        if !policy.countsConcurrency { endClaim(exchange) }
    }

    private func endRun(_ exchange: SimulatedExchange) {
        guard exchange.isRunning, let slot = exchange.slot else {
            return fail("#\(exchange.index) ends a run that is not counted")
        }
        exchange.isRunning = false
        arm(pacer.ended(slot, at: moment))
        endClaim(exchange)
    }

    private func judge(_ exchange: SimulatedExchange, _ code: ProblemCode?) {
        guard let slot = exchange.slot, exchange.slotState == .undecided else {
            return fail("#\(exchange.index) judges a slot that is not undecided")
        }
        exchange.slotState = .settled
        let retryAfter = exchange.transfer?.plan.retryAfter.map { Duration.seconds($0) }
        let ruling: Ruling =
            code == .rateLimited ? .rejected(retryAfter: retryAfter, reason: .rateLimited) : .accepted
        arm(pacer.judge(slot, ruling, at: moment))
    }

    private func settleByWhatArrived(_ exchange: SimulatedExchange) {
        if let code = meaning(exchange), code == .rateLimited { return judge(exchange, code) }
        guard let slot = exchange.slot, exchange.slotState == .undecided else {
            return fail("#\(exchange.index) settles a response that is not undecided")
        }
        exchange.slotState = .settled
        arm(pacer.closedWithoutResponse(slot, at: moment))
    }

    // MARK: The attempt

    private func send(_ exchange: SimulatedExchange) {
        let name = "#\(exchange.index)"
        if exchange.slotState != .open { fail("\(name) is sent without a slot") }
        if exchange.isAnswered { fail("\(name) is sent after its reply has begun") }
        if exchange.transfer?.isRunning == true { fail("\(name) is sent twice at once") }
        if exchange.transfersBegun > exchange.retriesDecided {
            fail("\(name) is sent again, which nobody decided")
        }
        if !exchange.isRetryAllowed { fail("\(name) is sent again after a response that forbids it") }
        if exchange.terms.body == .whole, exchange.machine.request != .complete {
            fail("\(name) is sent before its body is here")
        }
        if exchange.retryCount == 0 { budget.requestSent() }
        exchange.transfersBegun += 1
        exchange.waiter = nil
        begin(exchange, makeProviderPlan())
    }

    private func setAttemptAside(_ exchange: SimulatedExchange) {
        if let failure = exchange.failure {
            exchange.earlierEffect = exchange.earlierEffect.combined(with: failure.effect)
        }
        exchange.failure = nil
        exchange.retryCount += 1
        exchange.transfer = nil
        exchange.fault = nil
        exchange.answer = .undecided
        exchange.isTruncated = false
        exchange.responseBody = 0
    }

    private func endAttempt(_ exchange: SimulatedExchange) {
        guard let transfer = exchange.transfer else { return }
        if exchange.machine.timedOut == .idle, exchange.machine.reply == .started, transfer.arrived > 0 {
            fail("#\(exchange.index): a provider whose bytes lie unread is ended as idle")
        }
        exchange.transfer?.isRunning = false
        finish(exchange, transfer.number)
    }

    func finish(_ exchange: SimulatedExchange, _ number: Int) {
        guard let transfer = exchange.transfer, transfer.number == number, exchange.machine.hasTransfer else {
            return
        }
        exchange.transfer?.isRunning = false
        handle(exchange, .attemptEnded(isComplete: transfer.isComplete, wasSent: transfer.wasSent))
    }

    private func cancelAttempt(_ exchange: SimulatedExchange) {
        guard let transfer = exchange.transfer, exchange.machine.hasTransfer else {
            return fail("#\(exchange.index) cancels an attempt that does not run")
        }
        exchange.transfer?.isRunning = false
        handle(exchange, .attemptCancelled(wasSent: transfer.wasSent))
    }

    /// Does what the callbacks have made possible.
    func actOnBatch(_ exchange: SimulatedExchange) {
        exchange.isTouched = false
        guard exchange.hasHead, !exchange.isCompleted else { return }
        if exchange.machine.upload == .paused,
            exchange.requestBody > 0 || exchange.machine.request == .complete
        {
            exchange.machine.uploadResumed(at: moment)
            schedule(exchange)
            resumeTransfer(exchange, isUpload: true)
        }
        if exchange.machine.download == .paused, exchange.responseBody <= Self.lowWater {
            exchange.machine.downloadResumed(at: moment)
            schedule(exchange)
            resumeTransfer(exchange, isUpload: false)
        }
        if exchange.requestBody <= Self.lowWater, exchange.machine.request != .complete { resume(exchange) }
        if exchange.machine.stage == .relaying {
            if exchange.answer == .undecided { exchange.answer = .relay }
            handle(exchange, .relayReady)
        }
    }

    func touch(_ exchange: SimulatedExchange) {
        guard !exchange.isTouched else { return }
        exchange.isTouched = true
        events.add(.batch(exchange.index), at: now + Int64.random(in: 0...50_000, using: &numbers))
    }

    // MARK: The reply

    /// What the response means, as far as it has arrived.
    private func meaning(_ exchange: SimulatedExchange) -> ProblemCode? {
        guard case .error(let code)? = exchange.transfer?.plan.response else { return nil }
        return code
    }

    private func effect(of code: ProblemCode) -> Effect { code == .providerUnavailable ? .unknown : .none }

    func relayUnread(_ exchange: SimulatedExchange) -> Bool {
        let code = meaning(exchange)
        guard code == nil || exchange.plan.wantsRawErrors else { return false }
        judge(exchange, code)
        handle(exchange, .relayChosen)
        touch(exchange)
        return true
    }

    private func makeProblem(_ exchange: SimulatedExchange) {
        let effect = exchange.machine.wasSent ? Effect.unknown : .none
        switch exchange.machine.refusal {
        case .queueTimeout: exchange.fault = (.queueTimeout, effect)
        case .drainBegan, .drainEnded: exchange.fault = (.shuttingDown, effect)
        case .broken: exchange.fault?.effect = effect
        case nil: break
        }
        if exchange.fault == nil { fail("#\(exchange.index) makes a problem of nothing") }
        makeProblem(exchange, of: exchange.fault ?? (.internalError, .unknown))
    }

    private func makeProblem(_ exchange: SimulatedExchange, of fault: (code: ProblemCode, effect: Effect)) {
        let effect = fault.effect.combined(with: exchange.earlierEffect)
        let isRetryable = fault.code.isTransient && (effect == .none || exchange.plan.isRepeatSafe)
        exchange.failure = AttemptFailure(fault.code, isRetryable: isRetryable, effect: effect)
        exchange.fault = fault
        write(exchange, fault.code, effect)
    }

    func write(_ exchange: SimulatedExchange, _ code: ProblemCode, _ effect: Effect) {
        exchange.answer = .problem
        exchange.answerEffect = effect
        exchange.deliveredCode = code
        exchange.responseBody = 1
    }

    private func makeReply(_ exchange: SimulatedExchange) {
        switch exchange.machine.outcome {
        case .failed: makeProblem(exchange, of: transferFault(exchange))
        case .collected: normalize(exchange)
        case .relayed: exchange.answer = .relay
        case .brokeOff: break
        }
    }

    /// As `UpstreamFailure` decides it.
    private func transferFault(_ exchange: SimulatedExchange) -> (code: ProblemCode, effect: Effect) {
        guard let transfer = exchange.transfer else { return (.internalError, .unknown) }
        let stage: ExchangeStage =
            transfer.hasHead
            ? exchange.isAnswered ? .streaming : .relaying : transfer.wasSent ? .sent : .connecting
        if let timer = exchange.machine.timedOut, let fault = Fault(timer, in: stage) {
            return (fault.code, fault.effect)
        }
        return (transfer.fault, transfer.wasSent ? .unknown : .none)
    }

    private func isCollectedWhole(_ exchange: SimulatedExchange) -> Bool {
        !exchange.isTruncated && exchange.machine.timedOut == nil && exchange.transfer?.isComplete != false
    }

    private func normalize(_ exchange: SimulatedExchange) {
        let code = meaning(exchange)
        judge(exchange, code)
        guard let code else {
            if isCollectedWhole(exchange) {
                exchange.answer = .relay
            } else {
                makeProblem(exchange, of: transferFault(exchange))
            }
            return
        }
        let effect = effect(of: code)
        exchange.failure = AttemptFailure(
            code,
            isRetryable: code.isTransient && (effect == .none || exchange.plan.isRepeatSafe),
            retryAfter: exchange.transfer?.plan.retryAfter, effect: effect)
        if exchange.plan.wantsRawErrors, isCollectedWhole(exchange) {
            exchange.answer = .relay
            return
        }
        write(exchange, code, effect.combined(with: exchange.earlierEffect))
    }

    private func retryTime(_ exchange: SimulatedExchange) -> MonotonicTime? {
        // Only a failure forbids or allows; a response that is handed on forbids.
        exchange.isRetryAllowed = false
        guard exchange.machine.mayRetry, let failure = exchange.failure, exchange.retries.maximum > 0,
            !isDraining
        else { return nil }
        let wait = exchange.retries.wait(
            after: failure, retries: exchange.retryCount,
            patience: exchange.machine.patienceLeft(at: moment), chance: numbers.next())
        guard let wait, budget.takeRetry(at: moment) else { return nil }
        exchange.isRetryAllowed = failure.isRetryable
        exchange.retriesDecided += 1
        return moment + wait
    }

    private func replyWhenPossible(_ exchange: SimulatedExchange) {
        guard exchange.isSuspended else { return scheduleVisit(exchange.connection) }
        if !respondNow(exchange) { handle(exchange, .clientLeft) }
        resume(exchange)
    }

    func replyEarly(_ exchange: SimulatedExchange) {
        if exchange.answer == .undecided { fail("#\(exchange.index) replies early, and has no reply") }
        if exchange.isAnswered { fail("#\(exchange.index) replies twice") }
        noteDelivery(exchange)
        handle(exchange, .repliedEarly)
        answerAndLeave(exchange)
    }

    func noteDelivery(_ exchange: SimulatedExchange) {
        let name = "#\(exchange.index)"
        guard exchange.answer == .problem else {
            if exchange.transfer?.hasHead != true { fail("\(name) hands on a response that has no head") }
            exchange.deliveredCode = nil
            return
        }
        exchange.deliveredEffect = exchange.answerEffect
        if exchange.answerEffect != .none, exchange.sentAttempts == 0 {
            fail("\(name) was never sent, and its problem claims an effect")
        }
    }

    func respondNow(_ exchange: SimulatedExchange) -> Bool {
        let isWhole: Bool
        switch exchange.answer {
        case .undecided: return false
        case .problem: isWhole = true
        case .relay: isWhole = exchange.machine.stage == .replying && !exchange.plan.isHead
        }
        guard respond(exchange, isStreamed: !isWhole) else { return false }
        noteDelivery(exchange)
        handle(exchange, .replyStarted)
        return true
    }

    // MARK: Time

    func schedule(_ exchange: SimulatedExchange) {
        let time = exchange.machine.nextDeadline(hasUnsentBody: exchange.responseBody > 0, at: moment)
        guard time < .distantFuture else { return }
        if let deadline = exchange.deadline, time >= deadline.at { return }
        lastToken += 1
        exchange.deadline = (lastToken, time)
        events.add(.deadline(exchange.index, lastToken), at: max(now, time.nanoseconds))
    }

    func deadlineHasCome(_ exchange: SimulatedExchange, _ token: Int) {
        guard exchange.deadline?.token == token else { return }
        exchange.deadline = nil
        let unreceived = exchange.connection.outbox.count
        if exchange.machine.reply != .none {
            if unreceived != exchange.lastUnreceived { exchange.machine.downstreamActivity = moment }
            exchange.lastUnreceived = unreceived
        }
        handle(
            exchange,
            .timePassed(
                hasUnsentBody: exchange.responseBody > 0,
                hasUnreceived: exchange.machine.reply != .none && unreceived > 0))
    }

    private func watchForDeparture(_ exchange: SimulatedExchange) {
        lastToken += 1
        exchange.departureToken = lastToken
        events.add(
            .departure(exchange.index, lastToken),
            at: max(now, min(now + Self.second / 2, exchange.machine.givesUpAt.nanoseconds)))
    }

    func checkDeparture(_ exchange: SimulatedExchange, _ token: Int) {
        guard exchange.departureToken == token, !exchange.isCompleted else { return }
        exchange.departureToken = nil
        let isHidden = exchange.machine.client != .open || !exchange.connection.inbound.isEmpty
        handle(exchange, .departureChecked(peer: isHidden ? peer(of: exchange) : nil))
    }

    func reload() {
        settings = makeSettings()
        note("reload")
    }

    private var running: [SimulatedExchange] { exchanges.filter { $0.hasHead && !$0.isCompleted } }

    func drainBegins() {
        checkDurations()
        isDraining = true
        note("the drain begins")
        for exchange in running where !exchange.isCompleted {
            handle(exchange, .drainBegan)
            if [.queued, .awaitingSharedQuota, .waitingToRetry].contains(exchange.machine.stage) {
                fail("#\(exchange.index) waits though the drain has begun")
            }
        }
    }

    func drainEnds() {
        note("the drain ends")
        for exchange in running where !exchange.isCompleted {
            handle(exchange, .drainEnded)
            if !exchange.isAnswered, exchange.machine.stage != .over {
                fail("#\(exchange.index) has no reply though the drain has ended")
            }
        }
        drainEndedAt = now
        for connection in connections where connection.machine.isOpen {
            handle(connection, .servingEnds(at: Int(now / 1_000_000), unreceived: connection.outbox.count))
        }
    }

    /// Whether nothing has happened on a connection since the drain ended, and its client has not read the last reply.
    private func isKeptWithUnreadReply(_ connection: SimulatedConnection) -> Bool {
        connection.machine.stage == .serving && connection.machine.isIdle && !connection.outbox.isEmpty
            && connection.activeAt <= drainEndedAt && !connection.isBroken && !connection.isClosed
            && !connection.isReset && !connection.isShutDown
    }

    func abortAll() {
        note("the program ends")
        isStopping = true
        let open = connections.filter(\.machine.isOpen)
        for connection in open where isKeptWithUnreadReply(connection) {
            fail("connection \(connection.index) is closed while its last reply is on its way")
        }
        for connection in open {
            connection.wasAborted = true
            handle(connection, .daemonStops)
        }
        for exchange in running where !exchange.isCompleted {
            if exchange.machine.reply != .none, endsWithConnection(exchange) { reset(exchange.connection) }
            handle(exchange, .clientLeft)
        }
        for connection in open { visit(connection) }
        for connection in open where connection.machine.isOpen {
            // > 0.9.75 aborts the process then.
            if connection.isLibraryAsleep {
                fail(
                    "the library is stopped while connection \(connection.index) sleeps: \(connection.machine)"
                )
            }
            close(connection)
        }
    }

    // MARK: The end

    func breakConnection(_ exchange: SimulatedExchange) {
        let connection = exchange.connection
        if exchange.machine.reply != .none, endsWithConnection(exchange) {
            reset(connection)
        } else {
            shutDown(connection)
        }
    }

    func endsWithConnection(_ exchange: SimulatedExchange) -> Bool {
        guard exchange.plan.isHTTP10, let transfer = exchange.transfer else { return false }
        return !transfer.plan.hasLength
    }
}
