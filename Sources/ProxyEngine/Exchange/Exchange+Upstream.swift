internal import HTTPTransfer
internal import HTTPWire
internal import Logging
internal import MicroHTTPD
internal import ProxyCore

/// The provider's side. The delegate's methods may be called from inside a library, and only record.
extension Exchange: TransferDelegate {
    /// Starts the transfer; the slot is held.
    func send() {
        guard let upstream, let provider else { return }
        if retrying.failure != nil { setLastAttemptAside() } else { provider.guards.requestSent() }
        let transfer = upstream.makeTransfer()
        transfer.response.limit = service.configuration.limits.responseHead
        self.transfer = transfer
        makeUpstreamTarget(of: provider)
        let target = upstreamTarget
        head.withMethod { transfer.beginRequest(method: $0, target: target.span) }
        addFields(to: transfer, of: provider)
        transfer.endRequest(body: requestBodySource)
        attempts += 1
        let now = Worker.clock()
        sentAt = now
        if retrying.firstSentAt == nil { retrying.firstSentAt = now }
        setUpstreamDeadline(provider.timeouts.response)
        upstream.start(transfer, for: self)
    }

    private var requestBodySource: RequestBody {
        switch inspection.framing {
        case .none: return .none
        case .chunked: return .streamed(length: nil)
        case .length(let length) where length <= Exchange.wholeBodyLimit:
            return unsafe .whole(UnsafeRawBufferPointer(start: requestBody.address, count: requestBody.count))
        case .length(let length): return .streamed(length: length)
        }
    }

    /// What follows the mount behind the upstream's own path: byte for byte, but for parameters that may carry a credential.
    private func makeUpstreamTarget(of provider: ProviderService) {
        upstreamTarget.removeAll(keepingCapacity: true)
        upstreamTarget += provider.pathPrefix
        let rest = target[restOffset...]
        if upstreamTarget.isEmpty, rest.first != 0x2F { upstreamTarget.append(0x2F) }
        upstreamTarget += rest
        provider.credentials.adjust(target: &upstreamTarget)
    }

    private func addFields(to transfer: any UpstreamTransfer, of provider: ProviderService) {
        let credentials = provider.credentials
        let namesMore = !inspection.connectionFields.isEmpty
        // The provider must see one field of each name that may carry a credential: the one whose ledger is counted.
        var sentPlaces: UInt64 = 0
        head.forEachField { name, value in
            if namesMore, !crosses(name, as: .request, to: provider) { return }
            switch FieldRules.request(name) {
            case .forward, .credential:
                if let place = credentials.fieldIndex(name) {
                    if credentials.injects || sentPlaces & place != 0 { return }
                    sentPlaces |= place
                }
                transfer.addField(name: name, value: value)
            case .preference:
                if let rest = FieldRules.preferenceForProvider(value) {
                    transfer.addField(name: name, value: rest.span)
                }
            case .hops:
                if let hops = inspection.hopsLeft {
                    transfer.addField(name: name, value: Array("\(hops - 1)".utf8).span)
                } else {
                    transfer.addField(name: name, value: value)
                }
            case .drop: break
            }
        }
        if let field = credentials.injectedField {
            transfer.addField(field.name, field.value)
        }
        addDefaults(to: transfer, of: provider)
        transfer.addField(FieldNames.via, worker.service.via)
        announceTrailers(to: transfer)
    }

    /// Whether a field of the request goes to the provider: `Connection` can take anything away but what frames, routes or authorises.
    func crosses(_ name: Span<UInt8>, as form: FieldForm, to provider: ProviderService) -> Bool {
        guard provider.credentials.fieldIndex(name) == nil else {
            return FieldRules.crosses(name, as: form)
        }
        return FieldRules.crosses(name, as: form, connection: inspection.connectionFields)
    }

    private func addDefaults(to transfer: any UpstreamTransfer, of provider: ProviderService) {
        for field in provider.requestDefaults where !hasField(field.name) {
            transfer.addField(field.name, field.value)
        }
    }

    func hasField(_ wanted: [UInt8]) -> Bool {
        var isThere = false
        head.forEachField { name, _ in if name.equalsIgnoringCase(wanted.span) { isThere = true } }
        return isThere
    }

    // MARK: TransferDelegate

    func transferDidReceiveHead(_ transfer: any UpstreamTransfer, _ response: ResponseHead) {
        guard let provider else { return }
        // Not the time of the turn: a slot must not be free before the provider has counted the request.
        let now = Worker.clock()
        firstByteAt = now
        probedCredential = nil
        let isWanted = provider.normalizer.wants(
            status: response.status, fields: response.fields, isHead: isHead, length: response.bodyLength,
            limit: service.configuration.limits.errorBody)
        machine.headArrived(isCollected: isWanted)
        if !isWanted { judgeCredential(nil) }
        if let slot {
            self.slot = nil
            report(slot, of: response, isUndecided: isWanted, at: now, to: provider)
        }
        if response.droppedFields > 0 { warnOfDroppedFields(response, of: provider) }
        isEventStream = response.isEventStream
        if isEventStream { limitStream() }
        setUpstreamDeadline(idleTimeout)
        if isWanted { setDeadline(errorBodyEnd) }
        worker.touch(self)
    }

    private func warnOfDroppedFields(_ response: ResponseHead, of provider: ProviderService) {
        service.logger.warning(
            "response fields dropped: more than limits.response_head",
            metadata: [
                "provider": "\(provider.configuration.name)", "dropped": "\(response.droppedFields)",
                "limit": "\(response.limit)",
                "request_id": "\(String(decoding: requestID, as: UTF8.self))",
            ])
    }

    /// Whether the provider's own errors were asked for.
    var wantsRawErrors: Bool { inspection.wantsRawErrors || provider?.configuration.errors == .raw }

    func transfer(_ transfer: any UpstreamTransfer, didReceiveBody bytes: Span<UInt8>) -> BodyDisposition {
        upstreamActivity = worker.now
        if machine.phase == .collecting { return collect(bytes) }
        guard machine.phase == .relaying else { return .refuse }
        if idleTimeout == ProviderService.Timeouts.never { expectClientToTakeMore() }
        responseBody.append(bytes)
        worker.touch(self)
        guard responseBody.count >= Exchange.highWater else { return .taken }
        isReceivePaused = true
        setClientDeadline()
        expectUploadToBeRead()
        return .takenForNow
    }

    /// A client that is being sent the body is what asks for more of it, asleep or not.
    func transferMayBePulled(_ transfer: any UpstreamTransfer) -> PullIntent {
        guard machine.phase == .relaying, isAnswered else { return .none }
        upstreamActivity = worker.now
        if isSuspended {
            worker.touch(self)
            return .now
        }
        isPulling = true
        expectClientToTakeMore()
        return .later
    }

    /// Keeps what is needed to tell the error, and no more: the rest is not even read, unless the response is relayed after all.
    private func collect(_ bytes: Span<UInt8>) -> BodyDisposition {
        let room = service.configuration.limits.errorBody - responseBody.count
        responseBody.append(bytes.extracting(0..<min(room, bytes.count)))
        guard bytes.count > room else { return .taken }
        guard relayUnread() else {
            isTruncated = true
            return .refuse
        }
        responseBody.append(bytes.extracting(room..<bytes.count))
        guard responseBody.count >= Exchange.highWater else { return .taken }
        isReceivePaused = true
        return .takenForNow
    }

    /// The body of an error, or of a success that is examined, has taken too long: what has come of it counts.
    func errorBodyTimedOut() {
        guard relayUnread() else { return upstreamTimedOut(.errorBody) }
        setUpstreamDeadline(idleTimeout)
    }

    func transfer(_ transfer: any UpstreamTransfer, wantsBodyInto room: UnsafeMutableRawBufferPointer)
        -> UploadStep
    {
        upstreamActivity = worker.now
        let count = unsafe requestBody.read(into: room)
        if count > 0 {
            if requestBody.count <= Exchange.lowWater { worker.touch(self) }
            return .wrote(count)
        }
        if requestIsComplete, !isUploadDropped {
            sendTrailers(to: transfer)
            return .end
        }
        isSendPaused = true
        setClientDeadline()
        worker.touch(self)
        return .pause
    }

    func transferDidFinish(_ transfer: any UpstreamTransfer) {
        end(of: transfer)
    }

    private func end(of transfer: any UpstreamTransfer) {
        decideAnswer(atEndOf: transfer)
        if backOff() { return }
        answerWhenPossible()
    }

    /// The transfer is over, or was ended: settles the slot and decides the answer.
    private func decideAnswer(atEndOf transfer: any UpstreamTransfer) {
        upstreamHasEnded = true
        upstreamEndedAt = Worker.clock()
        clearDeadline()
        let outcome = transfer.outcome
        settleSlot(wasSent: outcome.wasSent)
        let isComplete = outcome.isComplete && timedOut == nil
        switch machine.upstreamEnded(isComplete: isComplete, isAnswered: isAnswered) {
        case .answerFault:
            let fault = failure(of: transfer)
            self.fault = fault
            makeProblem(of: fault)
        case .normalize: normalize()
        case .completeRelay: answer = .relay
        case .breakOff:
            isBrokenOff = true
            problemCode = failure(of: transfer).code
        default: break
        }
        endRun()
        judgeCircuit()
    }

    /// No more of an error's body is waited for: what has arrived of it is the answer, unless it is relayed.
    func endErrorBody() {
        guard machine.phase == .collecting, !relayUnread(), let transfer else { return }
        timedOut = .errorBody
        cancelTransfer()
        decideAnswer(atEndOf: transfer)
    }

    /// Why a transfer gave no complete response.
    func failure(of transfer: any UpstreamTransfer) -> Fault {
        UpstreamFailure.fault(
            of: transfer.outcome, timer: timedOut, hasHead: transfer.response.isComplete,
            isStreaming: isAnswered)
    }

    /// Reports a slot whose request got no answer.
    func settleSlot(wasSent: Bool) {
        guard let provider, let slot else { return }
        self.slot = nil
        let now = Worker.clock()
        let wake =
            wasSent
            ? provider.pacer.closedWithoutResponse(slot, at: now) : provider.pacer.neverSent(slot, at: now)
        reportToLedger(wasSent ? .closedWithoutResponse : .neverSent)
        if wasSent { probedCredential = nil } else { attempts -= 1 }
        worker.arm(wake, of: provider)
    }

    /// Ends the transfer; nobody is told.
    func cancelTransfer() {
        guard let transfer, transfer.isRunning else { return }
        upstream?.cancel(transfer)
        upstreamEndedAt = Worker.clock()
        settleSlot(wasSent: transfer.outcome.wasSent)
        endRun()
    }

    /// Something took too long.
    func upstreamTimedOut(_ timer: ExchangeTimer) {
        guard let transfer, transfer.isRunning else { return }
        timedOut = timer
        cancelTransfer()
        end(of: transfer)
    }

    // MARK: After a batch

    /// Does what the callbacks have made possible; see ``Worker``.
    func actOnBatch() {
        if isSendPaused, !isUploadDropped, !requestBody.isEmpty || requestIsComplete {
            isSendPaused = false
            resumeTransfer(.sending)
        }
        if isReceivePaused, responseBody.count <= Exchange.lowWater {
            isReceivePaused = false
            resumeTransfer(.receiving)
        }
        if requestBody.count <= Exchange.lowWater { resumeIfUploading() }
        if machine.phase == .relaying {
            if answer == .undecided { answer = .relay }
            answerWhenPossible()
        }
    }

    private func resumeTransfer(_ direction: TransferDirection) {
        guard let transfer, transfer.isRunning else { return }
        upstream?.resume(transfer, direction)
    }
}
