internal import HTTPTransfer
internal import HTTPWire
internal import MicroHTTPD
internal import ProxyCore

/// A provider that answers at length and does not read the request.
///
/// libmicrohttpd takes no answer before the request has been read, the provider may not send on before the answer is taken, and the
/// request is not read: each would wait for the other. The rest of the request is what nobody needs.
extension Exchange {
    /// How long, in nanoseconds, a provider whose answer is held back may leave the request unread: it may only be slow.
    private static let unreadNanoseconds: Int64 = 1_000_000_000

    /// Whether the answer that is held back waits for the end of a request that the provider still has to take.
    private var isHeldBackByUpload: Bool {
        machine.phase == .relaying && isReceivePaused && !requestIsComplete && !isAnswered && !isUploadDropped
    }

    /// The answer is held back from now on: sees to it that ``dropUnreadUpload()`` is called in time.
    func expectUploadToBeRead() {
        if isHeldBackByUpload { setDeadline(worker.now.later(by: Self.unreadNanoseconds)) }
    }

    /// Reads and drops, from now on, what a client sends to a provider that has not read for too long.
    ///
    /// The provider never sees an end of the request: its connection is closed behind the answer.
    func dropUnreadUpload() {
        guard isHeldBackByUpload else { return }
        // A provider that has taken all there is waits for the client.
        let end = (isSendPaused ? worker.now : upstreamActivity).later(by: Self.unreadNanoseconds)
        guard end <= worker.now else { return setDeadline(end) }
        isUploadDropped = true
        requestBody.removeAll()
        // It was not the client that stood still.
        downstreamActivity = worker.now
        resumeIfUploading()
    }
}
