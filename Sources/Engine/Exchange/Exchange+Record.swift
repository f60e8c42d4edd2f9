internal import Core
internal import Downstream
internal import JSONLog
internal import Logging
internal import Loop
internal import Upstream
internal import Wire

/// Records the exchange: its counters and its line in the access log.
extension Exchange {
    /// Counts and logs the exchange, unless its head was never complete.
    func record() {
        guard machine.request != .head else { return }
        worker.requestIsOver()
        let end = Worker.clock()
        let queue = machine.waited
        let upstream = sentAt.map { $0.nanoseconds(to: upstreamEndedAt ?? end) } ?? 0
        let earlier = retrying.upstreamNanoseconds
        let own = startedAt.nanoseconds(to: end) - queue - upstream - earlier
        var record = ExchangeRecord(provider: provider?.index, method: method)
        record.providerStatus = receivedStatus
        record.sentStatus = sentStatus
        record.problem = problemCode.map { Int($0.rawValue) }
        record.queueNanoseconds = queue
        record.upstreamNanoseconds = upstream + earlier
        record.ownNanoseconds = own
        record.attempts = machine.attempts
        record.requestBytes = UInt64(clamping: requestBytes)
        record.responseBytes = UInt64(clamping: responseBytes)
        record.abort = abortStage
        worker.metrics.exchangeFinished(record)
        if trace != nil { exportTrace(record, at: end) }
        if answer == .problem || mergedError != nil {
            service.instance.problems.add(self, record, at: SystemClock.wallNanoseconds)
        }
        if service.configuration.logsAccess { log(record) }
    }

    /// Adds the problem that was sent, unless it exceeds `limit` bytes.
    func appendProblem(to bytes: inout [UInt8], limit: Int) {
        if let problem = mergedError?.problem {
            if problem.count <= limit { bytes += problem }
            return
        }
        guard answer == .problem, responseBody.count <= limit else { return }
        unsafe bytes.append(contentsOf: responseBody.waiting)
    }

    /// The stage that ended because the client disconnected, if it did.
    var abortStage: ClientAbortStage? {
        machine.leftAt.map { ClientAbortStage($0, requestIsComplete: machine.request == .complete) }
    }

    var receivedStatus: Int { firstByteAt == nil ? 0 : transfer?.response.status ?? 0 }

    /// One line without the query, which may carry a credential.
    private func log(_ record: ExchangeRecord) {
        let (requestID, target) = (requestID, target)
        var members = JSONMembers()
        members.append("request_id", bytes: requestID.span)
        if let shownTrace { members.append("trace_id", "\(shownTrace)") }
        if let provider { members.append("provider", provider.configuration.name) }
        head.withMethod { members.append("method", bytes: $0) }
        let pathEnd = target.firstIndex(of: 0x3F) ?? target.count
        members.append("path", bytes: target.span.extracting(0..<pathEnd))
        if record.providerStatus > 0 { members.append("upstream_status", record.providerStatus) }
        if let provider, let id = upstreamRequestID(of: provider) {
            members.append("upstream_request_id", bytes: id.bytes.span)
        }
        members.append("status", record.sentStatus)
        if let problemCode {
            members.append("code", problemCode.name)
            members.append("origin", problemCode.origin.rawValue)
        }
        members.append("attempts", record.attempts)
        members.append("queue_seconds", secondsOf: record.queueNanoseconds)
        members.append("upstream_seconds", secondsOf: record.upstreamNanoseconds)
        members.append("own_seconds", secondsOf: record.ownNanoseconds)
        members.append("request_bytes", record.requestBytes)
        members.append("response_bytes", record.responseBytes)
        if let abort = record.abort { members.append("client_left", "\(abort)") }
        worker.service.logger.info("exchange", metadata: members.metadata)
    }
}

extension ClientAbortStage {
    /// The metric's label for a stage.
    init(_ stage: ExchangeMachine.Stage, requestIsComplete: Bool) {
        switch stage {
        case .reading, .awaitingBody: self = .request
        case .queued, .awaitingSharedQuota, .waitingToRetry: self = .queue
        case .sending, .collecting: self = requestIsComplete ? .upstream : .request
        case .relaying, .replying, .over: self = .response
        }
    }
}

extension QueueRefusalReason {
    /// The metric's label for a refusal of the pacer.
    ///
    /// - Parameter isPreference: whether the client's own preference limits the wait.
    init(_ reason: Refusal.Reason, isPreference: Bool) {
        switch reason {
        case .wouldWaitTooLong, .paused: self = isPreference ? .preferWait : .maxWait
        case .queueFull, .tooManyKeys: self = .queueFull
        }
    }
}
