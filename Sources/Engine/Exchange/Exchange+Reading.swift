internal import ContentCoding
internal import Core
internal import Loop
internal import Upstream
internal import Wire

/// Interprets the provider's response, as far as it has arrived.
extension Exchange {
    /// The received part of the response, decoded and converted to UTF-8.
    ///
    /// - Parameter isCut: whether a part of its body is missing.
    func answerSoFar(_ response: ResponseHead, isCut: Bool) -> ProviderAnswer {
        let fields = response.fields
        let decoded = BodyText.decode(
            responseBody.bytes,
            coding: fields.contains(FieldNames.contentEncoding) ? fields.list("Content-Encoding") : nil,
            contentType: fields.first("Content-Type"), limit: service.configuration.limits.errorBody)
        return ProviderAnswer(
            status: response.status, fields: fields, body: decoded.bytes,
            isTruncated: isCut || decoded.isTruncated || !decoded.isIntact, isDecoded: decoded.isIntact,
            isConverted: decoded.isConverted)
    }

    /// Reports the meaning of the response to all counters; returns `nil` if it is not an error.
    func takeMeaning(of answer: ProviderAnswer, from provider: ProviderService) -> NormalizedError? {
        correctCost(answer, fields: answer.fields, of: provider)
        guard let error = meaning(of: answer, from: provider) else {
            judge(nil)
            judgeCredential(nil)
            return nil
        }
        judge(error)
        judgeCredential(error.code)
        if !error.isMapped { noteUnmapped(answer, error, of: provider) }
        return error
    }

    private func meaning(of answer: ProviderAnswer, from provider: ProviderService) -> NormalizedError? {
        provider.normalizer.normalize(
            answer, of: makeFacts(of: provider), at: SystemClock.wallNanoseconds / 1_000_000_000)
    }

    /// Relays a response that is too long, or too slow, to be collected: a success, or an error that keeps its body.
    ///
    /// The received part determines its meaning.
    ///
    /// - Returns: false if it must become a problem.
    func relayUnread() -> Bool {
        guard let transfer, let provider else { return false }
        let answer = answerSoFar(transfer.response, isCut: true)
        // What is relayed unread cannot be searched for Weir's own credential.
        let keepsBody = keepsErrorBody(status: answer.status) && provider.heldCredential == nil
        guard keepsBody || meaning(of: answer, from: provider) == nil else { return false }
        let error = takeMeaning(of: answer, from: provider)
        problemCode = error?.code
        if let error, errorForm == .merged {
            mergeUnread(error, from: provider)
        }
        handle(.relayChosen)
        worker.touch(self)
        return true
    }

    /// Settles the slot of a response that is not read any further: the received part counts if it is a rejection,
    /// and proves nothing otherwise.
    func settleByWhatArrived() {
        guard let transfer, let provider, let slot else { return }
        let error = meaning(of: answerSoFar(transfer.response, isCut: true), from: provider)
        if let error, CredentialQuarantine.Verdict(error.code) == .refused { judgeCredential(error.code) }
        if let error, error.pacing != .proceed { return judge(error) }
        worker.arm(provider.pacer.closedWithoutResponse(slot, at: Worker.clock()), of: provider)
    }
}
