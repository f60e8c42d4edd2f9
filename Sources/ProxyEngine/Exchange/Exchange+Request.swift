internal import EventLoop
internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// The client's side, until the request is on its way.
extension Exchange {
    /// Looks at the head, and decides where the request goes.
    func takeHead() -> Bool {
        hasBegun = true
        worker.activeRequests += 1
        worker.setExchange(self, on: socket)
        inspect()
        setRequestID()
        worker.metrics.exchangeStarted(provider: provider?.index)
        if clientHasEndedSending, peer == .closed {
            hangUp()
            return false
        }
        if let fault = inspection.fault {
            // What follows cannot be told from this request: the connection ends with the answer.
            decide(fault)
            return answerEarly()
        }
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
        if inspection.framing != .none {
            downstreamActivity = worker.now
            setClientDeadline()
        }
        return admitOrReadBody() && goOn()
    }

    /// Lets a client that waits for it send its body once the request is going to be sent (RFC 9110 10.1.1): libmicrohttpd
    /// says `100 Continue` unless the head is held, or answered.
    func goOn() -> Bool {
        guard inspection.expectsContinue, inspection.framing != .none else { return true }
        switch machine.phase {
        case .queued:
            holdHead()
            return true
        case .answering: return answerEarly()
        case .over: return isAnswered
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
        provider = service.providers[index]
        upstream = generation.upstreams[index]
        self.restOffset = restOffset
    }

    /// Answers OPTIONS itself: it is about Weir, or is not to reach the provider (RFC 9110 7.6.2).
    private func answerOptions() -> Bool {
        _ = machine.refuse()
        responseFields.removeAll()
        responseFields.append(FieldNames.allow, FieldNames.forwardedMethods)
        responseFields.append(FieldNames.requestID, requestID)
        responseBody.removeAll()
        problemStatus = 204
        answer = .own
        return inspection.hasDrainableBody || answerEarly()
    }

    /// Refuses the request: at once if that is the only way, else when its body has been read.
    func decline(_ fault: Fault) -> Bool {
        decide(fault)
        return inspection.hasDrainableBody || answerEarly()
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
        if !bodyHasBegun { bodyBegins() }
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
        if isUploadDropped {
            requestBytes += Int64(bytes.count)
            return bytes.count
        }
        let room = machine.phase == .receiving ? bytes.count : max(0, Exchange.highWater - requestBody.count)
        let taken = min(room, bytes.count)
        requestBody.append(bytes.extracting(0..<taken))
        requestBytes += Int64(taken)
        if isSendPaused, taken > 0 { worker.touch(self) }
        return taken
    }

    /// Reads on behind an answer that is decided already; a client that goes on for long is cut off.
    private func dropBody(_ bytes: Span<UInt8>) -> Int {
        requestBytes += Int64(bytes.count)
        if requestBytes > RequestInspection.drainLimit + service.inspectionLimits.body { abandon() }
        return bytes.count
    }

    private func refuseLongBody() {
        cancelTransfer()
        leaveUndecided()
        upstreamHasEnded = true
        _ = machine.upstreamEnded(isComplete: false, isAnswered: false)
        let fault = Fault(
            .requestTooLarge,
            detail: Text("The body has more than \(service.inspectionLimits.body) bytes."),
            effect: attempts > 0 ? .unknown : Effect.none)
        self.fault = fault
        makeProblem(of: fault)
        _ = answerEarly()
    }

    /// The request is complete.
    func takeEnd() {
        requestIsComplete = true
        // With TLS, only this clock shows when that was.
        requestEndedAt = isEncrypted ? Worker.clock() : worker.now
        if awaitsBody { bodyBegins() }
        if machine.phase == .receiving { admit() }
        if isSendPaused { worker.touch(self) }
    }
}
