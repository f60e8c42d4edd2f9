internal import Core
internal import Downstream
internal import Loop
internal import Wire

/// Intake: the client's request until it is sent.
extension Exchange {
    /// Inspects the head, and decides where the request goes.
    func takeHead() -> Bool {
        beginHead()
        inspect()
        setRequestID()
        if service.traces != nil { beginTrace() }
        worker.metrics.exchangeStarted(provider: provider?.index)
        if clientHasEndedSending, peer == .closed {
            handle(.clientLeft)
            return false
        }
        if let fault = inspection.fault {
            // The end of this request is ambiguous, so the connection ends with the response.
            return decline(fault, readsRest: false)
        }
        if let refusal = accessRefusal(service.configuration.accessTokens) { return decline(refusal) }
        if inspection.isForServer { return answerOptions() }
        guard let provider else {
            return decline(
                Fault(.routeNotFound, detail: "No provider is configured for this path.", effect: Effect.none)
            )
        }
        if let refusal = credentialRefusal(of: provider) { return decline(refusal) }
        if inspection.hopsLeft == 0 { return answerOptions() }
        if worker.service.isDraining {
            worker.metrics.queueRefused(provider: provider.index, reason: .shuttingDown)
            return decline(Fault(.shuttingDown, effect: Effect.none))
        }
        patience = provider.configuration.maximumWait
        if let preferred = inspection.preferredWait { patience = min(patience, .seconds(preferred)) }
        machine.accept(terms(of: provider), at: worker.now)
        if isSentWhole, inspection.expectsContinue, let fault = refusalBeforeBody() { return decline(fault) }
        handle(.headAccepted)
        return goOn()
    }

    private func beginHead() {
        machine.begin(clientStall: service.configuration.clientTimeouts.stall, at: worker.now)
        worker.activeRequests += 1
        worker.setExchange(self, on: socket)
    }

    /// Determines what is fixed for the exchange from now on.
    private func terms(of provider: ProviderService) -> ExchangeMachine.Terms {
        var terms = ExchangeMachine.Terms()
        switch inspection.framing {
        case .none, .length(0): terms.body = .none
        case .length(let length) where length <= Self.wholeBodyLimit: terms.body = .whole
        case .length, .chunked: terms.body = .streamed
        }
        terms.expectsContinue = inspection.expectsContinue
        terms.readsRefusedBody = inspection.hasDrainableBody
        terms.isReplayable = terms.body != .streamed
        terms.sharesQuota = provider.ledger != nil
        terms.countsConcurrency = provider.countsConcurrency
        terms.patience = patience
        terms.clientStall = service.configuration.clientTimeouts.stall
        terms.response = provider.timeouts.response
        terms.idle = provider.timeouts.idle
        terms.errorBody = provider.timeouts.errorBody
        terms.total = provider.timeouts.total
        return terms
    }

    /// Lets a waiting client send its body once the request is going to be sent (RFC 9110 10.1.1): libmicrohttpd
    /// sends `100 Continue` unless the head is held or answered.
    func goOn() -> Bool {
        switch machine.stage {
        case .over: return isAnswered
        case .queued, .awaitingSharedQuota:
            if inspection.expectsContinue, inspection.framing != .none {
                holdHead()
                // Some clients do not wait for long with their body.
                handle(.inputHeld)
            }
            return true
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
                milliseconds: UInt64(clamping: SystemClock.coarseWallMilliseconds), to: &requestID)
        }
    }

    private func setMethod(_ name: Span<UInt8>) {
        method = MethodClass(name)
        isHead = method == .head
        isIdempotent = [.get, .head, .options, .put, .delete].contains(method)
    }

    private func inspect() {
        head.withMethod { inspection.take(method: $0) }
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
        if service.providers[index].credentialFile != nil { useCurrentCredential(of: index) }
        let provider = service.providers[index]
        self.provider = provider
        if !provider.others.isEmpty { severalKeys = provider }
        upstream = generation.upstreams[index]
        self.restOffset = restOffset
    }

    /// Moves to a newer configuration if that has another credential of the provider.
    private func useCurrentCredential(of index: Int) {
        guard generation === worker.generation else { return }
        worker.refreshCredential(of: index)
        let next = worker.generation
        guard next !== generation, index < next.service.providers.count else { return }
        let (old, new) = (
            service.providers[index].configuration, next.service.providers[index].configuration
        )
        // Another reload may have come first: then this exchange finishes as it has begun.
        guard new.name == old.name, new.mount == old.mount else { return }
        generation.exchanges -= 1
        generation = next
        next.exchanges += 1
    }

    /// Answers OPTIONS itself if it concerns Weir, or must not be forwarded (RFC 9110 7.6.2).
    private func answerOptions() -> Bool {
        responseFields.removeAll()
        responseFields.append(FieldNames.allow, FieldNames.forwardedMethods)
        responseFields.append(FieldNames.requestID, requestID)
        responseBody.removeAll()
        problemStatus = 204
        answer = .own
        handle(.headRefused(readsRest: inspection.hasDrainableBody))
        return machine.stage != .over || isAnswered
    }

    /// Fails the request at its head: at once if necessary, otherwise when its body has been read.
    private func decline(_ fault: Fault) -> Bool { decline(fault, readsRest: inspection.hasDrainableBody) }

    private func decline(_ fault: Fault, readsRest: Bool) -> Bool {
        self.fault = fault
        makeProblem(of: fault)
        handle(.headRefused(readsRest: readsRest))
        return machine.stage != .over || isAnswered
    }

    /// Whether the whole body is read before the request is sent.
    var isSentWhole: Bool {
        guard case .length(let length) = inspection.framing else { return false }
        return length > 0 && length <= Exchange.wholeBodyLimit
    }

    /// Why a request whose client waits with its body would be rejected now; reserves nothing, and the request may
    /// still be rejected when its body has arrived.
    private func refusalBeforeBody() -> Fault? {
        // Without the body it is unknown which limits have to be asked.
        guard let provider, !provider.plan.readsBody else { return nil }
        let now = worker.now
        defer { leaveGuards() }
        if let fault = heldBack(from: provider, at: now) { return fault }
        let waiter = worker.makeWaiter()
        switch provider.pacer.admit(demand(on: provider), waiter: waiter, patience: patience, at: now) {
        case .admitted(let slot):
            worker.arm(provider.pacer.neverSent(slot, at: now), of: provider)
            return nil
        case .queued(let place, _, let wake):
            worker.arm(wake, of: provider)
            worker.arm(provider.pacer.leave(place, at: now).wake, of: provider)
            return nil
        case .refused(let refusal):
            count(refusal, by: provider)
            return Fault(
                refusal, scope: provider.scope(of: refusal.window), name: provider.limitName(of: refusal))
        }
    }

    // MARK: The body

    /// Accepts bytes of the body; see ``IncomingRequest/bodyReceived(_:)``.
    func takeBody(_ bytes: Span<UInt8>) -> Int {
        worker.deliveredUploads = true
        machine.downstreamActivity = worker.now
        if machine.request == .awaitingBody { handle(.bodyBegan) }
        switch machine.bodyUse {
        case .drop: return dropBody(bytes)
        case .wait:
            handle(.inputHeld)
            return 0
        case .keep(let isBounded):
            guard requestBytes + Int64(bytes.count) <= service.inspectionLimits.body else {
                refuseLongBody()
                return bytes.count
            }
            let room = isBounded ? max(0, Exchange.highWater - requestBody.count) : bytes.count
            let taken = min(room, bytes.count)
            requestBody.append(bytes.extracting(0..<taken))
            requestBytes += Int64(taken)
            if machine.upload == .paused, taken > 0 { worker.touch(self) }
            if taken < bytes.count { handle(.inputHeld) }
            return taken
        }
    }

    /// Reads on after a response that is already decided; a client that continues for long is cut off.
    private func dropBody(_ bytes: Span<UInt8>) -> Int {
        requestBytes += Int64(bytes.count)
        if requestBytes > RequestInspection.drainLimit + service.inspectionLimits.body { abandon() }
        return bytes.count
    }

    private func refuseLongBody() {
        fault = Fault(
            .requestTooLarge,
            detail: Text("The body has more than \(service.inspectionLimits.body) bytes."))
        handle(.requestBroken)
        _ = replyEarly()
    }

    /// The request is complete.
    func takeEnd() {
        // With TLS, only this clock shows when that was.
        requestEndedAt = isEncrypted ? Worker.clock() : worker.now
        handle(.requestEnded)
        if hasPipelinedInput { handle(.inputHeld) }
    }

    /// Ends a request whose bytes are not HTTP, and makes its response.
    func refuse(_ requestFault: RequestFault) -> ClosingAnswer {
        if machine.request == .head {
            beginHead()
            setRequestID()
            worker.metrics.exchangeStarted(provider: nil)
        }
        fault = Fault(requestFault, limits: worker.service.inspectionLimits)
        // The client may have disconnected in the middle of its request; then no client receives the problem.
        if machine.stage == .over { makeProblem() } else { handle(.requestBroken) }
        return makeEarlyReply()
    }
}
