internal import Core
internal import Downstream
internal import Logging
internal import Upstream
internal import Wire

/// The response to the client: whole or streamed, in turn or early.
extension Exchange {
    /// The number of suspended requests up to which suspending another one costs less than polling it a few times.
    private static let cheapSleepers = 1024
    /// How often a request is polled before it is suspended if there are more.
    private static let visitLimit = 8

    /// Responds within the current call, if the response is ready; see ``IncomingRequest/awaitAnswer()``.
    func waitForAnswer() -> Wait {
        switch machine.stage {
        case .over: return .abandon
        case .replying: return respondNow() ? .answered : .abandon
        case .relaying where answer == .relay: return respondNow() ? .answered : .abandon
        case .sending, .collecting, .relaying:
            if sleepers > Exchange.cheapSleepers, !worker.isIdleTick, visits < Exchange.visitLimit {
                visits += 1
                setPolling(true)
                return .poll
            }
            setPolling(false)
            return .suspend
        case .reading, .queued, .awaitingSharedQuota, .awaitingBody, .waitingToRetry:
            setPolling(false)
            return .suspend
        }
    }

    /// Responds as soon as libmicrohttpd accepts a response: now if the connection is suspended after the whole
    /// request, otherwise when it asks.
    func replyWhenPossible() {
        worker.daemonsAreReady()
        guard isSuspended else { return }
        if !respondNow() { abandonAnswer() }
        resume()
    }

    /// Resumes a suspended client connection: its body is read, its response continues, or it is found closed.
    func wakeClient() {
        worker.daemonsAreReady()
        resume()
    }

    // MARK: Early

    /// Sends a complete response while the client is still sending, and ends the connection with it.
    func replyEarly() -> Bool {
        if answer == .relay {
            guard let transfer, let provider else { return false }
            makeRelayFields(transfer.response, of: provider)
            problemStatus = mergedError?.status ?? transfer.response.status
        }
        return answerAndLeave(makeEarlyReply())
    }

    /// The response as it is sent now; nothing more of the request matters after it.
    func makeEarlyReply() -> ClosingAnswer {
        let closing = ClosingAnswer(
            status: problemStatus, fields: responseFields, body: responseBody.bytes.span, isHead: isHead)
        sentStatus = problemStatus
        responseBytes = isHead ? 0 : Int64(responseBody.count)
        setPolling(false)
        // Further bytes of the client are dropped, and delay nothing.
        if machine.stage == .replying { handle(.repliedEarly) }
        return closing
    }

    // MARK: In turn

    private func respondNow() -> Bool {
        setPolling(false)
        switch answer {
        case .undecided: return false
        case .relay: return relay()
        case .problem, .own:
            sentStatus = problemStatus
            return respondWhole()
        }
    }

    private func respondWhole() -> Bool {
        responseBytes = isHead ? 0 : Int64(responseBody.count)
        let body = unsafe UnsafeRawBufferPointer(start: responseBody.address, count: responseBody.count)
        guard unsafe respond(status: sentStatus, fields: responseFields, body: .memory(body)) else {
            return false
        }
        handle(.replyStarted)
        return true
    }

    /// Relays the provider's response: in one piece if it is complete, otherwise as it arrives.
    private func relay() -> Bool {
        guard let transfer, let provider else { return false }
        let response = transfer.response
        let status = mergedError?.status ?? response.status
        makeRelayFields(response, of: provider)
        let hasNoBody = isHead || status == 304
        sentStatus = status
        if machine.stage == .replying, !hasNoBody, !hasTrailersToGive { return respondWhole() }
        announceTrailers(of: response)
        guard
            respond(
                status: status, fields: responseFields,
                body: .streamed(length: isRewritten ? nil : response.bodyLength))
        else { return false }
        handle(.replyStarted)
        return true
    }

    /// Supplies bytes of a streamed response; see ``IncomingRequest/readBody(into:)``.
    func giveBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead {
        let count = unsafe responseBody.read(into: room)
        if count > 0 {
            responseBytes += Int64(count)
            machine.downstreamActivity = worker.now
            if machine.download == .paused, responseBody.count <= Exchange.lowWater { worker.touch(self) }
            return .wrote(count)
        }
        if let read = unsafe pullBody(into: room) { return read }
        if machine.stage == .over {
            // Without a length and without chunks, a clean end would look like a complete response.
            if endsWithConnection { resetConnection() }
            return .abort
        }
        guard machine.stage == .replying else { return .suspend }
        giveTrailers()
        return .end
    }

    /// Receives the provider's bytes directly into libmicrohttpd's memory: a large body is not copied on its way.
    private func pullBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead? {
        guard machine.stage == .relaying, machine.download != .paused, let transfer, transfer.isRunning else {
            return nil
        }
        switch unsafe transfer.pullBody(into: room) {
        case .bytes(let count):
            responseBytes += Int64(count)
            noteBytesHandedOn()
            return .wrote(count)
        case .nothing: break
        case .paused:
            machine.downloadHeldBack(at: worker.now)
            schedule()
            worker.touch(self)
        }
        pullHasStopped()
        return nil
    }

    /// Bytes of the response have been passed from the provider to the client.
    func noteBytesHandedOn() {
        (machine.upstreamActivity, machine.downstreamActivity) = (worker.now, worker.now)
    }

    /// The client has received everything that has arrived: the provider is waited for.
    func pullHasStopped() {
        guard machine.download == .pulled else { return }
        machine.downloadResumed(at: worker.now)
        schedule()
    }

    /// libmicrohttpd rejected the response: the client sees a closed connection, and the log says why.
    private func abandonAnswer() {
        worker.service.logger.error(
            "an answer was not taken",
            metadata: ["request_id": "\(String(decoding: requestID, as: UTF8.self))"])
        handle(.clientLeft)
    }
}

extension ResponseHead {
    /// Whether the response is an event stream (HTML 9.2), which may be silent.
    var isEventStream: Bool {
        let name = FieldNames.contentType
        return fields.withFirstValue(of: name.span) { value in
            guard value.startsIgnoringCase(with: "text/event-stream") else { return false }
            // The end, or a parameter.
            return value.count == 17 || value[17] == 0x3B || value[17].isBlank
        } ?? false
    }
}
