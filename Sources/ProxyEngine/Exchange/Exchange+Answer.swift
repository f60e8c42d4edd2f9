internal import HTTPTransfer
internal import HTTPWire
internal import Logging
internal import MicroHTTPD
internal import ProxyCore

/// The client's side, once there is something to answer.
extension Exchange {
    /// How many requests may sleep so that another one's sleep costs less than a few visits.
    private static let cheapSleepers = 1024
    /// How often a request is asked again before it is suspended where that is not so.
    private static let visitLimit = 8

    /// Answers in the call that is running, if the time has come; see ``IncomingRequest/awaitAnswer()``.
    func waitForAnswer() -> Wait {
        switch machine.phase {
        case .over: return .abandon
        case .answering: return respondNow() ? .answered : .abandon
        case .relaying where answer == .relay: return respondNow() ? .answered : .abandon
        case .sending, .collecting, .relaying:
            if sleepers > Exchange.cheapSleepers, !worker.isIdleTick, visits < Exchange.visitLimit {
                visits += 1
                setPolling(true)
                return .poll
            }
            setPolling(false)
            return .suspend
        case .receiving, .queued, .backingOff:
            setPolling(false)
            return .suspend
        }
    }

    /// Answers as soon as libmicrohttpd takes an answer: now if the connection sleeps behind the whole request, else when it asks.
    func answerWhenPossible() {
        worker.daemonsAreReady()
        if !requestIsComplete, answerEarly() { return }
        guard isSuspended else { return }
        if requestIsComplete, !isAnswered, hasAnswer, !respondNow() { abandonAnswer() }
        resume()
    }

    private var hasAnswer: Bool {
        switch machine.phase {
        case .answering: return true
        case .relaying: return answer == .relay
        default: return false
        }
    }

    private func respondNow() -> Bool {
        setPolling(false)
        downstreamActivity = worker.now
        switch answer {
        case .undecided: return false
        case .relay: return relay()
        case .problem, .own:
            sentStatus = problemStatus
            responseBytes = isHead ? 0 : Int64(responseBody.count)
            return unsafe respond(
                status: problemStatus, fields: responseFields,
                body: .memory(UnsafeRawBufferPointer(start: responseBody.address, count: responseBody.count)))
        }
    }

    /// Hands the provider's answer on: in one piece if it is complete, else as it comes.
    private func relay() -> Bool {
        guard let transfer, let provider else { return false }
        let response = transfer.response
        let status = response.status
        makeRelayFields(response, of: provider)
        let hasNoBody = isHead || status == 304
        let isWhole = upstreamHasEnded && !hasNoBody && !hasTrailersToGive
        if !isWhole { announceTrailers(of: response) }
        sentStatus = status
        if isWhole {
            responseBytes = Int64(responseBody.count)
            return unsafe respond(
                status: status, fields: responseFields,
                body: .memory(UnsafeRawBufferPointer(start: responseBody.address, count: responseBody.count)))
        }
        setDeadline(worker.now.later(by: idleTimeout))
        return respond(
            status: status, fields: responseFields,
            body: .streamed(length: response.bodyLength))
    }

    /// Gives bytes of a streamed answer; see ``IncomingRequest/readBody(into:)``.
    func giveBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead {
        let count = unsafe responseBody.read(into: room)
        if count > 0 {
            responseBytes += Int64(count)
            downstreamActivity = worker.now
            if isReceivePaused, responseBody.count <= Exchange.lowWater { worker.touch(self) }
            return .wrote(count)
        }
        if let read = unsafe pullBody(into: room) { return read }
        if machine.phase == .over {
            // Without a length and without chunks, a clean end would look like the whole answer.
            if endsWithConnection { resetConnection() }
            return .abort
        }
        guard upstreamHasEnded else { return .suspend }
        giveTrailers()
        return .end
    }

    /// Receives the provider's bytes where libmicrohttpd wants them: nothing of a large body is copied on its way.
    private func pullBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead? {
        guard machine.phase == .relaying, !isReceivePaused, let transfer, transfer.isRunning else {
            return nil
        }
        switch unsafe transfer.pullBody(into: room) {
        case .bytes(let count):
            responseBytes += Int64(count)
            (upstreamActivity, downstreamActivity) = (worker.now, worker.now)
            return .wrote(count)
        case .nothing: break
        case .paused:
            isReceivePaused = true
            worker.touch(self)
        }
        pullHasStopped()
        return nil
    }

    /// The client's side has received all that there is: the provider is waited for.
    func pullHasStopped() {
        guard isPulling else { return }
        isPulling = false
        setUpstreamDeadline(idleTimeout)
    }

    /// libmicrohttpd refused the answer: the client sees a closed connection, and the log says why.
    private func abandonAnswer() {
        worker.service.logger.error(
            "an answer was not taken",
            metadata: ["request_id": "\(String(decoding: requestID, as: UTF8.self))"])
        hangUp()
    }
}
