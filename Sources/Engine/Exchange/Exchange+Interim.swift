internal import Upstream
internal import Wire
internal import Downstream
internal import Core

/// Interim answers of the provider (RFC 9110 15.2): they go on at once, by the same rules as the final one.
extension Exchange {
    /// Most of them that one client gets; of those that follow, the limit of an answer's head is the end.
    private static let interimLimit = 8

    /// Nothing is told to the pacer, whose slot a final answer alone may free; nor is there more time for that one.
    func transferDidReceiveInterim(_ transfer: any UpstreamTransfer) {
        guard machine.stage == .sending, interimAnswers < Self.interimLimit else { return }
        interimAnswers += 1
        responseFields.removeAll()
        appendFields(of: transfer.response, as: .interim)
        sendInterim(status: transfer.response.status, fields: responseFields)
        responseFields.removeAll()
    }
}
