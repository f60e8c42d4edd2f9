internal import EventLoop
internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// The client's side, until the request is on its way.
extension Exchange {
    /// Looks at the head, and decides where the request goes.
    func takeHead() -> Bool {
        hasBegun = true
        worker.activeExchanges += 1
        worker.setExchange(self, on: socket)
        inspect()
        setRequestID()
        worker.metrics.exchangeStarted(provider: provider?.index)
        if let fault = inspection.fault {
            // What follows cannot be told from this request: the connection ends with the answer.
            decide(fault)
            return answerNow()
        }
        guard let provider else {
            return decline(
                Fault(.routeNotFound, detail: "No provider is configured for this path.", effect: Effect.none)
            )
        }
        if provider.credentials.injects, isWithinReachOfPages, !namesAllowedHost {
            return decline(misdirected)
        }
        if worker.service.isDraining {
            worker.metrics.queueRefused(provider: provider.index, reason: .shuttingDown)
            return decline(Fault(.shuttingDown, effect: Effect.none))
        }
        patience = provider.configuration.maximumWait
        if let preferred = inspection.preferredWait { patience = min(patience, .seconds(preferred)) }
        if inspection.framing != .none {
            downstreamActivity = worker.now
            setClientDeadline()
        }
        switch inspection.framing {
        case .length(let length)
        where length > 0 && length <= Exchange.wholeBodyLimit && !inspection.expectsContinue: break
        default: admit()
        }
        return goOn()
    }

    /// Lets a client that waits for it send its body once the request is going to be sent (RFC 9110 10.1.1): libmicrohttpd
    /// says `100 Continue` unless the head is held, or answered.
    func goOn() -> Bool {
        guard inspection.expectsContinue, inspection.framing != .none else { return true }
        switch machine.phase {
        case .queued:
            holdHead()
            return true
        case .answering: return isAnswered || answerNow()
        case .over: return false
        default: return true
        }
    }

    /// The client's own id, or a new one.
    func setRequestID() {
        requestID.removeAll(keepingCapacity: true)
        if let given = inspection.requestID {
            requestID += given.bytes
        } else {
            worker.requestIDs.appendNext(
                milliseconds: UInt64(clamping: SystemClock.wallNanoseconds / 1_000_000), to: &requestID)
        }
    }

    private func setMethod(_ name: Span<UInt8>) {
        method = MethodClass(name)
        isHead = method == .head
        isIdempotent = [.get, .head, .options, .put, .delete].contains(method)
    }

    private func inspect() {
        head.forEachField { name, value in inspection.take(name: name, value: value) }
        let (service, target) = (service, target)
        let offset = RequestTarget.pathOffset(in: target.span, &inspection) { authority in
            var isHost = false
            head.forEachField { name, value in
                if name.equalsIgnoringCase("host"), value.equalsIgnoringCase(authority) { isHost = true }
            }
            return isHost
        }
        head.withMethod { method in
            inspection.finish(
                method: method, target: target.span, isHTTP10: head.isHTTP10, fieldBytes: head.fieldBytes,
                fieldCount: head.fieldCount, limits: service.inspectionLimits)
            setMethod(method)
        }
        guard let offset else { return }
        switch destination {
        case .provider(let index): go(to: index, restOffset: offset)
        case .mounts:
            if let route = service.routes.route(target.span.extracting(offset..<target.count)) {
                go(to: route.provider, restOffset: offset + route.restOffset)
            }
        case .nowhere: break
        }
    }

    private func go(to index: Int, restOffset: Int) {
        provider = service.providers[index]
        upstream = generation.upstreams[index]
        self.restOffset = restOffset
    }

    /// Refuses the request: at once if that is the only way, else when its body has been read.
    func decline(_ fault: Fault) -> Bool {
        decide(fault)
        switch inspection.framing {
        case .none: return true
        case .length(let length) where length <= Exchange.drainLimit && !inspection.expectsContinue:
            return true
        default: return answerNow()
        }
    }

    /// Takes `fault` as what the client is told.
    func decide(_ fault: Fault) {
        guard machine.phase != .answering, machine.phase != .over else { return }
        self.fault = fault
        if machine.refuse() == .leaveQueue { leaveQueue() }
        makeProblem(of: fault)
    }

    /// Takes bytes of the body; see ``IncomingRequest/bodyReceived(_:)``.
    func takeBody(_ bytes: Span<UInt8>) -> Int {
        worker.deliveredUploads = true
        downstreamActivity = worker.now
        switch machine.phase {
        case .answering, .backingOff, .over: return dropBody(bytes)
        case .relaying where upstreamHasEnded: return dropBody(bytes)
        case .queued:
            // It waits in the client and the kernel; the connection sleeps until the turn comes.
            return 0
        case .receiving, .sending, .relaying, .collecting: break
        }
        guard requestBytes + Int64(bytes.count) <= service.inspectionLimits.body else {
            refuseLongBody()
            return bytes.count
        }
        let isWhole = machine.phase == .receiving || awaitsBody
        let room = isWhole ? bytes.count : max(0, Exchange.highWater - requestBody.count)
        let taken = min(room, bytes.count)
        requestBody.append(bytes.extracting(0..<taken))
        requestBytes += Int64(taken)
        if isSendPaused, taken > 0 { worker.touch(self) }
        return taken
    }

    /// Reads on behind an answer that is decided already; a client that goes on for long is cut off.
    private func dropBody(_ bytes: Span<UInt8>) -> Int {
        requestBytes += Int64(bytes.count)
        if requestBytes > Exchange.drainLimit + service.inspectionLimits.body { abandon() }
        return bytes.count
    }

    private func refuseLongBody() {
        cancelTransfer()
        judge(nil)
        upstreamHasEnded = true
        let sent = sentAt != nil
        _ = machine.upstreamEnded(isComplete: false, isAnswered: false)
        let fault = Fault(
            .requestTooLarge,
            detail: Text("The body has more than \(service.inspectionLimits.body) bytes."),
            effect: sent ? .unknown : Effect.none)
        self.fault = fault
        makeProblem(of: fault)
        _ = answerEarly()
    }

    /// The request is complete.
    func takeEnd() {
        requestIsComplete = true
        requestEndedAt = worker.now
        if awaitsBody { sendAwaited() }
        if machine.phase == .receiving { admit() }
        if isSendPaused { worker.touch(self) }
    }

    // MARK: Pacing

    /// Asks the pacer, and sends, waits or refuses.
    func admit() {
        guard let provider else { return }
        if let fault = heldBack(from: provider) { return refuseAdmission(fault) }
        let waiter = worker.makeWaiter()
        let demand = demand(on: provider)
        switch provider.pacer.admit(demand, waiter: waiter, patience: remainingPatience, at: worker.now) {
        case .admitted(let slot):
            self.slot = slot
            if let account = provider.ledger {
                machine.enqueue()
                queuedAt = worker.now
                askLedger(account, of: provider, as: waiter)
                return
            }
            _ = machine.admit()
            sendOrAwaitBody()
        case .queued(let place, _, let wake):
            self.place = place
            self.waiter = waiter
            machine.enqueue()
            worker.waiting[waiter.id] = self
            queuedAt = worker.now
            setDeadline(queuedAt + remainingPatience)
            worker.arm(wake, of: provider)
        case .refused(let refusal):
            if retrying.failure != nil { return endRetries() }
            worker.metrics.queueRefused(
                provider: provider.index,
                reason: QueueRefusalReason(
                    refusal.reason, isPreference: patience < provider.configuration.maximumWait))
            _ = decline(Fault(refusal, scope: provider.scope(of: refusal.window)))
        }
    }

    /// Whose the request is, and what it weighs.
    func demand(on provider: ProviderService) -> PacingDemand {
        let (target, head) = (target, head)
        let keys = provider.keys.keys(target: target.span) { head.forEachField($0) }
        let (weights, usesQuota) = head.withMethod {
            provider.plan.weigh(method: $0, path: target.span.extracting(restOffset..<target.count))
        }
        var demand = PacingDemand(
            keys: keys, weights: weights, usesQuota: usesQuota, urgency: inspection.urgency)
        demand.revision = provider.revision
        return demand
    }

    /// Its turn has come.
    func turnHasCome(_ slot: Slot) {
        guard let provider else { return }
        place = nil
        if let account = provider.ledger, let waiter, machine.phase == .queued {
            self.slot = slot
            return askLedger(account, of: provider, as: waiter)
        }
        waiter = nil
        guard machine.grant() == .send else {
            worker.arm(provider.pacer.neverSent(slot, at: worker.now), of: provider)
            return
        }
        self.slot = slot
        queuedNanoseconds += queuedAt.nanoseconds(to: worker.now)
        clearDeadline()
        sendOrAwaitBody()
        // A body that is streamed has been waiting in the client.
        resumeIfUploading()
    }

    /// Sends the request; a small body for which the client was not yet told to go on is read before.
    func sendOrAwaitBody() {
        if case .length(let length) = inspection.framing, length > 0, length <= Exchange.wholeBodyLimit,
            !requestIsComplete
        {
            awaitsBody = true
            downstreamActivity = worker.now
            setClientDeadline()
        } else {
            send()
        }
    }

    private func sendAwaited() {
        awaitsBody = false
        clearDeadline()
        if machine.phase == .sending { send() }
    }

    func queueTimedOut() {
        worker.waiting[waiter?.id ?? 0] = nil
        queuedNanoseconds += queuedAt.nanoseconds(to: worker.now)
        if retrying.failure != nil { return endRetries() }
        decide(Fault(.queueTimeout, effect: Effect.none))
        answerWhenPossible()
    }

    /// Weir ends: what waits is told so.
    func refuseForShutdown() {
        queuedNanoseconds += queuedAt.nanoseconds(to: worker.now)
        if retrying.failure != nil { return endRetries() }
        if let provider { worker.metrics.queueRefused(provider: provider.index, reason: .shuttingDown) }
        decide(Fault(.shuttingDown, effect: Effect.none))
        answerWhenPossible()
    }

    /// Gives up the place in the queue; if its turn has come meanwhile, the worker gives the slot back.
    func leaveQueue() {
        if let waiter { worker.waiting[waiter.id] = nil }
        if let place, let provider {
            worker.arm(provider.pacer.leave(place, at: worker.now).wake, of: provider)
        }
        if let slot, let provider {
            // It has waited for the ledger.
            self.slot = nil
            worker.arm(provider.pacer.neverSent(slot, at: worker.now), of: provider)
        }
        reportToLedger(.neverSent)
        place = nil
        waiter = nil
    }

    /// Wakes a connection whose body was held back.
    func resumeIfUploading() {
        guard !requestIsComplete, isSuspended else { return }
        resume()
        worker.daemonsAreReady()
    }
}
