internal import ContentCoding
internal import EventLoop
internal import HTTPTransfer
internal import HTTPWire
internal import ProxyCore

/// What the provider's answer means, as far as it has come.
extension Exchange {
    /// What has come of the answer, without its content coding.
    ///
    /// - Parameter isCut: whether something of its body is missing.
    func answerSoFar(_ response: ResponseHead, isCut: Bool) -> ProviderAnswer {
        let body = responseBody.bytes
        guard response.fields.contains(FieldNames.contentEncoding),
            let coding = response.fields.first("Content-Encoding")
        else {
            return ProviderAnswer(
                status: response.status, fields: response.fields, body: body, isTruncated: isCut)
        }
        let decoded = ContentDecoder.decode(
            body, coding: coding, limit: service.configuration.limits.errorBody)
        return ProviderAnswer(
            status: response.status, fields: response.fields, body: decoded.bytes,
            isTruncated: isCut || decoded.isTruncated)
    }

    /// Tells all who count what an answer means; `nil` if it is no error.
    func takeMeaning(of answer: ProviderAnswer, from provider: ProviderService) -> NormalizedError? {
        guard let error = meaning(of: answer, from: provider) else {
            judge(nil)
            judgeCredential(nil)
            return nil
        }
        judge(error)
        judgeCredential(error.code)
        if !error.isMapped { noteUnmapped(answer, of: provider) }
        return error
    }

    private func meaning(of answer: ProviderAnswer, from provider: ProviderService) -> NormalizedError? {
        provider.normalizer.normalize(
            answer, of: makeFacts(of: provider), at: SystemClock.wallNanoseconds / 1_000_000_000)
    }

    /// Hands an answer on that is too long to be read whole; its beginning tells what it means.
    func relayUnread() {
        guard let transfer, let provider else { return }
        problemCode = takeMeaning(of: answerSoFar(transfer.response, isCut: true), from: provider)?.code
        machine.relayInstead()
    }

    /// Leaves an answer of which no more is read: what has come of it counts as far as it is a refusal, and proves nothing else.
    func leaveUndecided() {
        guard let transfer, let provider, let slot = undecidedSlot else { return }
        let error = meaning(of: answerSoFar(transfer.response, isCut: true), from: provider)
        if let error, CredentialQuarantine.Verdict(error.code) == .refused { judgeCredential(error.code) }
        if let error, error.pacing != .proceed { return judge(error) }
        undecidedSlot = nil
        worker.arm(provider.pacer.closedWithoutResponse(slot, at: Worker.clock()), of: provider)
    }
}
