internal import Core
internal import Downstream
internal import Logging
internal import Upstream
internal import Wire

/// The attempt: the request to the provider and its response. The delegate's methods may be called from inside a
/// library, and only record.
extension Exchange: TransferDelegate {
    /// Starts the transfer; the slot is held.
    func send() {
        guard let upstream, let provider else { return }
        if retrying.count == 0 { provider.guards.requestSent() }
        if trace != nil { traceAttemptBegan() }
        let transfer = upstream.makeTransfer()
        transfer.response.limit = service.configuration.limits.responseHead
        self.transfer = transfer
        makeUpstreamTarget(of: provider)
        let target = upstreamTarget
        head.withMethod { transfer.beginRequest(method: $0, target: target.span) }
        addFields(to: transfer, of: provider)
        transfer.endRequest(body: requestBodySource)
        waiter = nil
        sentAt = Worker.clock()
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

    /// The part of the target after the mount, appended to the upstream's path: byte for byte, except parameters that
    /// may carry a credential.
    private func makeUpstreamTarget(of provider: ProviderService) {
        upstreamTarget.removeAll(keepingCapacity: true)
        upstreamTarget += provider.pathPrefix
        let target = target
        let rest = target[restOffset...]
        if upstreamTarget.isEmpty, rest.first != 0x2F { upstreamTarget.append(0x2F) }
        upstreamTarget += rest
        head.withMethod { method in
            provider.credentials.adjust(
                target: &upstreamTarget, method: method,
                path: target.span.extracting(restOffset..<target.count))
        }
    }

    private func addFields(to transfer: any UpstreamTransfer, of provider: ProviderService) {
        let credentials = provider.credentials
        let namesMore = !inspection.connectionFields.isEmpty
        // The provider must receive one field of each name that may carry a credential: the one whose ledger is
        // counted.
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
        if credentials.injects {
            let target = target
            head.withMethod { method in
                credentials.forEachInjectedField(
                    method: method, path: target.span.extracting(restOffset..<target.count)
                ) { transfer.addField($0.name, $0.value) }
            }
        }
        addDefaults(to: transfer, of: provider)
        if provider.configuration.forwardsTrace { addTrace(to: transfer) }
        transfer.addField(FieldNames.via, worker.service.via)
        announceTrailers(to: transfer)
    }

    /// Whether a request field is forwarded to the provider: `Connection` can remove any field that does not frame,
    /// route or authorise.
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
        // Not the time of the iteration: a slot must not be freed before the provider has counted the request.
        let now = Worker.clock()
        firstByteAt = now
        probedCredential = nil
        let isCollected = provider.normalizer.wants(
            status: response.status, fields: response.fields, isHead: isHead, length: response.bodyLength,
            limit: service.configuration.limits.errorBody)
        if !isCollected { judgeCredential(nil) }
        handle(.headArrived(isCollected: isCollected, isEventStream: response.isEventStream), at: now)
        if response.droppedFields > 0 { warnOfDroppedFields(response, of: provider) }
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

    /// The form in which the provider's errors reach the client: what the request asks for, else what is configured.
    var errorForm: ProviderConfiguration.ErrorForm {
        inspection.errorForm ?? provider?.configuration.errors ?? .problem
    }

    func transfer(_ transfer: any UpstreamTransfer, didReceiveBody bytes: Span<UInt8>) -> BodyDisposition {
        machine.upstreamActivity = worker.now
        if machine.stage == .collecting { return collect(bytes) }
        guard machine.stage == .relaying else { return .refuse }
        let waitBegins = machine.isEndlessStream && responseBody.isEmpty
        responseBody.append(bytes)
        if waitBegins { expectClientToTakeMore() }
        worker.touch(self)
        return holdBackIfFull()
    }

    /// Pauses the provider while the client is slower.
    private func holdBackIfFull() -> BodyDisposition {
        guard responseBody.count >= Exchange.highWater else { return .taken }
        machine.downloadHeldBack(at: worker.now)
        schedule()
        return .takenForNow
    }

    /// Restarts the client's stall timer when new data arrives: the provider may have been silent for a long time
    /// before.
    private func expectClientToTakeMore() {
        machine.downstreamActivity = worker.now
        schedule()
    }

    /// A client that is receiving the body asks for more itself, suspended or not.
    func transferMayBePulled(_ transfer: any UpstreamTransfer) -> PullIntent {
        guard machine.stage == .relaying, isAnswered else { return .none }
        machine.upstreamActivity = worker.now
        if isSuspended {
            worker.touch(self)
            return .now
        }
        machine.downloadPulled()
        if responseBody.isEmpty { expectClientToTakeMore() }
        return .later
    }

    /// Keeps the part that is needed to interpret the error; the rest is not even read, unless the response is
    /// relayed after all.
    private func collect(_ bytes: Span<UInt8>) -> BodyDisposition {
        let room = service.configuration.limits.errorBody - responseBody.count
        responseBody.append(bytes.extracting(0..<min(room, bytes.count)))
        guard bytes.count > room else { return .taken }
        guard relayUnread() else {
            isTruncated = true
            return .refuse
        }
        responseBody.append(bytes.extracting(room..<bytes.count))
        return holdBackIfFull()
    }

    func transfer(_ transfer: any UpstreamTransfer, wantsBodyInto room: UnsafeMutableRawBufferPointer)
        -> UploadStep
    {
        machine.upstreamActivity = worker.now
        let count = unsafe requestBody.read(into: room)
        if count > 0 {
            if requestBody.count <= Exchange.lowWater { worker.touch(self) }
            return .wrote(count)
        }
        if machine.request == .complete, machine.upload != .dropped {
            sendTrailers(to: transfer)
            return .end
        }
        machine.uploadStarved(at: worker.now)
        schedule()
        worker.touch(self)
        return .pause
    }

    func transferDidFinish(_ transfer: any UpstreamTransfer) {
        guard machine.hasTransfer else { return }
        upstreamEndedAt = Worker.clock()
        let outcome = transfer.outcome
        handle(.attemptEnded(isComplete: outcome.isComplete, wasSent: outcome.wasSent))
    }

    // MARK: The end of an attempt

    /// Ends a transfer that took too long: what has arrived of the response is used.
    func endAttempt() {
        guard let transfer else { return }
        upstream?.cancel(transfer)
        transferDidFinish(transfer)
    }

    /// Ends a transfer whose response is no longer needed.
    func cancelAttempt() {
        guard let transfer else { return }
        upstream?.cancel(transfer)
        upstreamEndedAt = Worker.clock()
        if trace != nil { traceAttemptEnded(isCancelled: true) }
        handle(.attemptCancelled(wasSent: transfer.outcome.wasSent))
    }

    /// Makes the response from the result of the attempt.
    func makeReply() {
        guard let transfer else { return }
        switch machine.outcome {
        case .failed:
            let fault = failure(of: transfer)
            self.fault = fault
            makeProblem(of: fault)
        case .collected: normalize()
        case .relayed: answer = .relay
        case .brokeOff: problemCode = failure(of: transfer).code
        }
    }

    /// Why a transfer gave no complete response.
    func failure(of transfer: any UpstreamTransfer) -> Fault {
        UpstreamFailure.fault(
            of: transfer.outcome, timer: machine.timedOut, hasHead: transfer.response.isComplete,
            isStreaming: isAnswered)
    }

    // MARK: After a batch

    /// Acts on what the callbacks recorded; see ``Worker``.
    func actOnBatch() {
        if machine.upload == .paused, !requestBody.isEmpty || machine.request == .complete {
            machine.uploadResumed(at: worker.now)
            schedule()
            resumeTransfer(.sending)
        }
        if machine.download == .paused, responseBody.count <= Exchange.lowWater {
            machine.downloadResumed(at: worker.now)
            schedule()
            resumeTransfer(.receiving)
        }
        if requestBody.count <= Exchange.lowWater { resumeUpload() }
        if machine.stage == .relaying {
            if answer == .undecided { answer = .relay }
            handle(.relayReady)
        }
    }

    /// Resumes a client connection whose body was held back.
    private func resumeUpload() {
        guard machine.request != .complete, isSuspended else { return }
        wakeClient()
    }

    private func resumeTransfer(_ direction: TransferDirection) {
        guard let transfer, transfer.isRunning else { return }
        upstream?.resume(transfer, direction)
    }
}

/// Interim responses of the provider (RFC 9110 15.2): they are relayed at once, by the same field rules as the final
/// one.
extension Exchange {
    /// The maximum number per client; further ones only count against the size limit of a response's head.
    private static let interimLimit = 8

    /// They are not reported to the pacer, since only a final response may free a slot; nor do they extend the
    /// timeout of that response.
    func transferDidReceiveInterim(_ transfer: any UpstreamTransfer) {
        guard machine.stage == .sending, interimAnswers < Self.interimLimit else { return }
        interimAnswers += 1
        responseFields.removeAll()
        appendFields(of: transfer.response, as: .interim)
        sendInterim(status: transfer.response.status, fields: responseFields)
        responseFields.removeAll()
    }
}
