internal import Core
internal import Downstream
internal import Upstream
internal import Wire

/// Another attempt instead of the response of the last one.
///
/// That response is made anyway: it is sent if there is no other attempt after all.
extension Exchange {
    /// When the request is retried; `nil` if the response that was just made is to be sent.
    func retryTime() -> MonotonicTime? {
        if mayTryAnotherCredential { return worker.now }
        guard machine.mayRetry, let provider, let failure = retrying.failure,
            provider.configuration.retries.maximum > 0, worker.drainsUntil == nil
        else { return nil }
        let wait = provider.configuration.retries.wait(
            after: failure, retries: retrying.count, patience: machine.patienceLeft(at: worker.now),
            chance: .random(in: 0 ... .max))
        guard let wait, provider.guards.takeRetry(at: worker.now) else { return nil }
        return worker.now + wait
    }

    /// Discards the last attempt and its response: the next one is sent.
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
        (isTruncated, isRewritten, mergedError) = (false, false, nil)
        (firstByteAt, upstreamEndedAt) = (nil, nil)
        responseBody.removeAll()
        responseFields.removeAll()
    }
}

/// What an exchange remembers about its earlier attempts.
struct RetryCourse {
    /// The result of the last attempt, as long as its response has not been sent; discarded when the next attempt
    /// begins.
    var failure: AttemptFailure?
    /// The combined effect of the discarded attempts.
    var effect = Effect.none
    /// The number of retries.
    var count = 0
    /// How long the provider took for discarded attempts.
    var upstreamNanoseconds: Int64 = 0
}
