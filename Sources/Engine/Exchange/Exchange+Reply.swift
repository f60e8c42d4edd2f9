internal import Core
internal import Downstream
internal import Logging
internal import Upstream
internal import Wire

/// The reply: what the client gets, whole or as it arrives, in turn or early.
extension Exchange {
    /// How many requests may sleep so that another one's sleep costs less than a few visits.
    private static let cheapSleepers = 1024
    /// How often a request is asked again before it is suspended where that is not so.
    private static let visitLimit = 8

    /// Answers in the call that is running, if the time has come; see ``IncomingRequest/awaitAnswer()``.
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

    /// Gives the reply as soon as libmicrohttpd accepts one: now if the connection sleeps behind the whole request, else when it asks.
    func replyWhenPossible() {
        worker.daemonsAreReady()
        guard isSuspended else { return }
        if !respondNow() { abandonAnswer() }
        resume()
    }

    /// Wakes a client's connection that sleeps: its body is read, or its reply goes on, or it is found closed.
    func wakeClient() {
        worker.daemonsAreReady()
        resume()
    }

    // MARK: Early

    /// Gives a reply that is complete while the client still sends, and ends the connection with it.
    func replyEarly() -> Bool {
        if answer == .relay {
            guard let transfer, let provider else { return false }
            makeRelayFields(transfer.response, of: provider)
            problemStatus = transfer.response.status
        }
        return answerAndLeave(makeEarlyReply())
    }

    /// The reply as it is sent now; after it, nothing more of the request counts.
    func makeEarlyReply() -> ClosingAnswer {
        let closing = ClosingAnswer(
            status: problemStatus, fields: responseFields, body: responseBody.bytes.span, isHead: isHead)
        sentStatus = problemStatus
        responseBytes = isHead ? 0 : Int64(responseBody.count)
        setPolling(false)
        // What the client may still send is dropped, and holds nothing up.
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

    /// Hands the provider's answer on: in one piece if it is complete, else as it comes.
    private func relay() -> Bool {
        guard let transfer, let provider else { return false }
        let response = transfer.response
        let status = response.status
        makeRelayFields(response, of: provider)
        let hasNoBody = isHead || status == 304
        sentStatus = status
        if machine.stage == .replying, !hasNoBody, !hasTrailersToGive { return respondWhole() }
        announceTrailers(of: response)
        guard
            respond(
                status: status, fields: responseFields,
                body: .streamed(length: response.bodyLength))
        else { return false }
        handle(.replyStarted)
        return true
    }

    /// Gives bytes of a streamed answer; see ``IncomingRequest/readBody(into:)``.
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
            // Without a length and without chunks, a clean end would look like the whole answer.
            if endsWithConnection { resetConnection() }
            return .abort
        }
        guard machine.stage == .replying else { return .suspend }
        giveTrailers()
        return .end
    }

    /// Receives the provider's bytes where libmicrohttpd wants them: nothing of a large body is copied on its way.
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

    /// Bytes of the response have just gone from the provider to the client.
    func noteBytesHandedOn() {
        (machine.upstreamActivity, machine.downstreamActivity) = (worker.now, worker.now)
    }

    /// The client's side has received all that there is: the provider is waited for.
    func pullHasStopped() {
        guard machine.download == .pulled else { return }
        machine.downloadResumed(at: worker.now)
        schedule()
    }

    /// libmicrohttpd refused the answer: the client sees a closed connection, and the log says why.
    private func abandonAnswer() {
        worker.service.logger.error(
            "an answer was not taken",
            metadata: ["request_id": "\(String(decoding: requestID, as: UTF8.self))"])
        handle(.clientLeft)
    }
}

extension ResponseHead {
    /// Whether the answer is a stream of events (HTML 9.2): its silence means nothing.
    var isEventStream: Bool {
        let name = FieldNames.contentType
        return fields.withFirstValue(of: name.span) { value in
            guard value.startsIgnoringCase(with: "text/event-stream") else { return false }
            // Nothing, or a parameter.
            return value.count == 17 || value[17] == 0x3B || value[17].isBlank
        } ?? false
    }
}
