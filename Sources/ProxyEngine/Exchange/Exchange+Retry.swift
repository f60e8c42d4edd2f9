internal import HTTPTransfer
internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// Another attempt instead of the answer that the last one led to.
///
/// That answer is made all the same: it is given if there is no other attempt after all.
extension Exchange {
    /// Sets the answer aside that has just been decided, if the request is to be sent again; else it is to be given.
    func backOff() -> Bool {
        guard let provider, let failure = retrying.failure, provider.configuration.retries.maximum > 0,
            machine.phase == .answering, !isAnswered, isReplayable, worker.drainsUntil == nil
        else { return false }
        retrying.since = worker.now
        let wait = provider.configuration.retries.wait(
            after: failure, retries: retrying.count, patience: remainingPatience,
            chance: .random(in: 0 ... .max))
        guard let wait, provider.guards.takeRetry(at: worker.now) else { return false }
        machine.backOff()
        retrying.until = worker.now + wait
        setDeadline(retrying.until)
        return true
    }

    /// The wait for another attempt is over: the request takes its place like any other.
    func backOffIsOver() {
        countBackOff()
        admit()
    }

    /// Counts the wait for another attempt, up to now, as time in the queue.
    func countBackOff() {
        let now = Worker.clock()
        queuedNanoseconds += retrying.since.nanoseconds(to: now)
        retrying.since = now
    }

    /// There is no other attempt after all: the last one's answer is given.
    func endRetries() {
        if machine.phase == .backingOff { countBackOff() }
        if machine.refuse() == .leaveQueue { leaveQueue() }
        clearDeadline()
        answerWhenPossible()
    }

    /// The request must not be sent, or not again.
    func refuseAdmission(_ fault: Fault) {
        if retrying.failure != nil { endRetries() } else { _ = decline(fault) }
    }

    /// Forgets the last attempt and its answer: the next one is sent.
    func setLastAttemptAside() {
        guard let provider else { return }
        worker.metrics.attemptRetried(
            provider: provider.index, status: receivedStatus, problem: problemCode.map { Int($0.rawValue) })
        if let failure = retrying.failure { retrying.effect = retrying.effect.combined(with: failure.effect) }
        retrying.failure = nil
        retrying.count += 1
        retrying.upstreamNanoseconds += sentAt?.nanoseconds(to: upstreamEndedAt ?? worker.now) ?? 0
        transfer?.discard()
        transfer = nil
        (fault, timedOut, problemCode, errorRequestID) = (nil, nil, nil, nil)
        answer = .undecided
        (isTruncated, isRewritten, isReceivePaused, isPulling) = (false, false, false, false)
        (isSendPaused, upstreamHasEnded) = (false, false)
        (firstByteAt, upstreamEndedAt) = (nil, nil)
        responseBody.removeAll()
        responseFields.removeAll()
    }

    /// How long the request may still wait, from the moment that it began to: for its turn, or for another attempt.
    var remainingPatience: Duration {
        guard retrying.failure != nil else { return patience }
        var left = patience - .nanoseconds(queuedNanoseconds)
        if let provider, let total = provider.timeouts.total, let first = retrying.firstSentAt {
            left = min(left, retrying.since.duration(to: first.later(by: total)))
        }
        return max(left, .zero)
    }

    /// Whether the request can be sent again as it was: all of its body is still here.
    private var isReplayable: Bool {
        guard requestIsComplete else { return false }
        switch inspection.framing {
        case .none: return true
        case .length(let length): return length <= Exchange.wholeBodyLimit
        case .chunked: return false
        }
    }
}
