/// Is told what happens to a transfer; called on the thread that drives the multi.
///
/// All but ``transferDidFinish(_:)`` are called from inside libcurl: they record, and do not start, cancel or resume any transfer.
public protocol TransferDelegate: AnyObject {
    /// The head of the final answer is complete: ``CurlTransfer/response``.
    func transferDidReceiveHead(_ transfer: CurlTransfer)

    /// Bytes of the body; valid during the call.
    func transfer(_ transfer: CurlTransfer, didReceiveBody bytes: Span<UInt8>) -> BodyDisposition

    /// libcurl has room for bytes of the request's body.
    func transfer(_ transfer: CurlTransfer, wantsBodyInto room: UnsafeMutableRawBufferPointer) -> UploadStep

    /// The transfer is over: ``CurlTransfer/outcome``. It is given back to its multi when this returns.
    func transferDidFinish(_ transfer: CurlTransfer)
}

/// What became of bytes that a delegate was offered.
public enum BodyDisposition: Sendable {
    /// All were taken.
    case taken
    /// None was taken: libcurl keeps them and reads no more until ``CurlTransfer/resume()``.
    case pause
    /// None was taken, and no more is wanted: the transfer fails.
    case refuse
}

/// What a delegate did with room for its request body.
public enum UploadStep: Sendable {
    /// It wrote so many bytes, at least 1.
    case wrote(Int)
    /// Nothing is there yet; libcurl asks again after ``CurlTransfer/resume()``.
    case pause
    /// The body is complete.
    case end
    /// The body will never be complete: the transfer fails, and the provider sees that it was cut off.
    case abort
}

/// How a request's body reaches libcurl.
@safe public enum RequestBody {
    /// There is none.
    case none
    /// All of it is at this address, which must stay valid until the transfer is over.
    case whole(UnsafeRawBufferPointer)
    /// It comes through the delegate; with its length, if the client announced one.
    case streamed(length: Int64?)
}
