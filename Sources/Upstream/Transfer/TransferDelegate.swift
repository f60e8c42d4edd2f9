/// Is told what happens to a transfer; called on the thread that drives it.
///
/// All but ``transferDidFinish(_:)`` may be called from inside a library: they record, and do not start, cancel or resume any transfer.
public protocol TransferDelegate: AnyObject {
    /// An interim answer (RFC 9110 15.2) has come, 102 or more: the status and fields of ``UpstreamTransfer/response``, valid during
    /// the call. 100 and 101 are not told.
    func transferDidReceiveInterim(_ transfer: any UpstreamTransfer)

    /// The head of the final answer is complete: `response`, the transfer's own.
    func transferDidReceiveHead(_ transfer: any UpstreamTransfer, _ response: ResponseHead)

    /// Bytes of the body; valid during the call.
    func transfer(_ transfer: any UpstreamTransfer, didReceiveBody bytes: Span<UInt8>) -> BodyDisposition

    /// More of the body has come, and has not been read.
    func transferMayBePulled(_ transfer: any UpstreamTransfer) -> PullIntent

    /// There is room for bytes of the request's body.
    func transfer(_ transfer: any UpstreamTransfer, wantsBodyInto room: UnsafeMutableRawBufferPointer)
        -> UploadStep

    /// The transfer is over: ``UpstreamTransfer/outcome``.
    func transferDidFinish(_ transfer: any UpstreamTransfer)
}

/// What became of bytes that a delegate was offered.
public enum BodyDisposition: Sendable {
    /// All were taken.
    case taken
    /// All were taken, and no more than what is on its way within the process is wanted until ``UpstreamTransfer/resume(_:)``.
    case takenForNow
    /// None was taken, and no more is wanted: the transfer fails.
    case refuse
}

/// Whether a delegate receives the bytes itself, by ``UpstreamTransfer/pullBody(into:)``.
public enum PullIntent: Sendable {
    /// No: they are to be read and offered.
    case none
    /// Yes, in this turn.
    case now
    /// Yes, once it has handed on what it has: nobody need look for them before.
    case later
}

/// What a delegate did with room for its request body.
public enum UploadStep: Sendable {
    /// It wrote so many bytes, at least 1.
    case wrote(Int)
    /// Nothing is there yet; it is asked again after ``UpstreamTransfer/resume(_:)``.
    case pause
    /// The body is complete.
    case end
    /// The body will never be complete: the transfer fails, and the provider sees that it was cut off.
    case abort
}

/// How a request's body is had.
@safe public enum RequestBody {
    /// There is none.
    case none
    /// All of it is at this address, which must stay valid until the transfer is over.
    case whole(UnsafeRawBufferPointer)
    /// It comes through the delegate; with its length, if the client announced one.
    case streamed(length: Int64?)
}
