internal import Core
internal import Downstream
internal import Upstream
internal import Wire

/// Another attempt instead of the answer that the last one led to.
///
/// That answer is made all the same: it is given if there is no other attempt after all.
extension Exchange {
    /// When the request is sent again; `nil` if the reply is to be given that was just made.
    func retryTime() -> MonotonicTime? {
        guard machine.mayRetry, let provider, let failure = retrying.failure,
            provider.configuration.retries.maximum > 0, worker.drainsUntil == nil
        else { return nil }
        let wait = provider.configuration.retries.wait(
            after: failure, retries: retrying.count, patience: machine.patienceLeft(at: worker.now),
            chance: .random(in: 0 ... .max))
        guard let wait, provider.guards.takeRetry(at: worker.now) else { return nil }
        return worker.now + wait
    }

    /// Forgets the last attempt and its answer: the next one is sent.
    func setAttemptAside() {
        guard let provider else { return }
        worker.metrics.attemptRetried(
            provider: provider.index, status: receivedStatus, problem: problemCode.map { Int($0.rawValue) })
        if let failure = retrying.failure { retrying.effect = retrying.effect.combined(with: failure.effect) }
        retrying.failure = nil
        retrying.count += 1
        retrying.upstreamNanoseconds += sentAt?.nanoseconds(to: upstreamEndedAt ?? worker.now) ?? 0
        transfer?.discard()
        transfer = nil
        (fault, problemCode, errorRequestID) = (nil, nil, nil)
        answer = .undecided
        (isTruncated, isRewritten) = (false, false)
        (firstByteAt, upstreamEndedAt) = (nil, nil)
        responseBody.removeAll()
        responseFields.removeAll()
    }
}

/// What an exchange remembers of its earlier attempts.
struct RetryCourse {
    /// What the last attempt came to, as long as its answer is not given; it is set aside when the next one begins.
    var failure: AttemptFailure?
    /// What is known of the side effect of the attempts that were set aside.
    var effect = Effect.none
    /// How often the request was sent again.
    var count = 0
    /// How long the provider took for attempts that were set aside.
    var upstreamNanoseconds: Int64 = 0
}
