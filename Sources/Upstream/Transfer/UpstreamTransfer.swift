/// One request to a provider and its response, carried by Weir's own HTTP/1.1 or libcurl's HTTP/2.
///
/// Reused for later requests. Confined to the thread of its worker.
public protocol UpstreamTransfer: AnyObject {
    /// The head of the response as received so far.
    var response: ResponseHead { get }
    /// How it ended; valid in and after ``TransferDelegate/transferDidFinish(_:)``.
    var outcome: TransferOutcome { get }
    /// Whether it was started and is not over.
    var isRunning: Bool { get }

    /// Begins a new request, and discards the last one and its response.
    ///
    /// - Parameters:
    ///   - method: a token, except CONNECT.
    ///   - target: the request target in origin form (or `*`), sent byte for byte.
    func beginRequest(method: borrowing Span<UInt8>, target: borrowing Span<UInt8>)

    /// Adds a field; Host, Content-Length, Transfer-Encoding and Connection are written by the transfer itself.
    func addField(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>)

    /// Ends the head and defines the body.
    ///
    /// - Parameter body: if it is in memory, the memory must outlive the transfer.
    func endRequest(body: RequestBody)

    /// Whether ``addTrailer(name:value:)`` has an effect.
    var sendsTrailers: Bool { get }

    /// Adds a trailer to a body without a length: in ``TransferDelegate/transfer(_:wantsBodyInto:)``, before it
    /// returns ``UploadStep/end``.
    func addTrailer(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>)

    /// Sends the request; the delegate is retained until the transfer is over or cancelled.
    func start(for delegate: any TransferDelegate)

    /// Receives bytes of the body directly into `room`, bypassing ``TransferDelegate/transfer(_:didReceiveBody:)``:
    /// for a delegate that has passed on everything it was given. The end of the body is never delivered this way.
    func pullBody(into room: UnsafeMutableRawBufferPointer) -> PulledBody

    /// Resumes a paused direction; harmless if nothing is paused.
    ///
    /// Must not be called from inside a delegate's method.
    func resume(_ direction: TransferDirection)

    /// Cancels it without notifying its delegate: the connection, or the stream, is closed.
    ///
    /// Must not be called from inside a delegate's method, except ``TransferDelegate/transferDidFinish(_:)``.
    func cancel()

    /// Returns it to its creator for reuse; it must not be running.
    func discard()
}

extension UpstreamTransfer {
    /// See ``sendsTrailers``; libcurl's transfers send none.
    public var sendsTrailers: Bool { false }

    /// See ``addTrailer(name:value:)``.
    public func addTrailer(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {}

    /// Adds a field; see ``addField(name:value:)``.
    public func addField(_ name: [UInt8], _ value: [UInt8]) { addField(name: name.span, value: value.span) }
}

/// A direction in which a transfer can be paused.
public enum TransferDirection: Sendable {
    /// The request's body.
    case sending
    /// The response's body.
    case receiving
}

/// The result of receiving a part of a body directly.
public enum PulledBody: Sendable {
    /// This many bytes, at least 1.
    case bytes(Int)
    /// The next bytes are delivered through the delegate.
    case nothing
    /// The next bytes are delivered through the delegate, after ``UpstreamTransfer/resume(_:)``.
    case paused
}

/// Receives the events of a transfer; called on the thread that runs it.
///
/// All methods except ``transferDidFinish(_:)`` may be called from inside a library: they only record, and do not
/// start, cancel or resume any transfer.
public protocol TransferDelegate: AnyObject {
    /// An interim response (RFC 9110 15.2) of 102 or more has arrived: the status and fields of
    /// ``UpstreamTransfer/response``, valid during the call. 100 and 101 are not reported.
    func transferDidReceiveInterim(_ transfer: any UpstreamTransfer)

    /// The head of the final response is complete: `response`, which belongs to the transfer.
    func transferDidReceiveHead(_ transfer: any UpstreamTransfer, _ response: ResponseHead)

    /// Bytes of the body; valid during the call.
    func transfer(_ transfer: any UpstreamTransfer, didReceiveBody bytes: Span<UInt8>) -> BodyDisposition

    /// More of the body has arrived and was not read.
    func transferMayBePulled(_ transfer: any UpstreamTransfer) -> PullIntent

    /// There is room for bytes of the request's body.
    func transfer(_ transfer: any UpstreamTransfer, wantsBodyInto room: UnsafeMutableRawBufferPointer)
        -> UploadStep

    /// The transfer is over: ``UpstreamTransfer/outcome``.
    func transferDidFinish(_ transfer: any UpstreamTransfer)
}

/// How a delegate handled bytes.
public enum BodyDisposition: Sendable {
    /// It accepted all of them.
    case taken
    /// It accepted all of them, and wants no more than is already in flight within the process until
    /// ``UpstreamTransfer/resume(_:)``.
    case takenForNow
    /// It accepted none and wants no more: the transfer fails.
    case refuse
}

/// Whether a delegate receives the bytes itself with ``UpstreamTransfer/pullBody(into:)``.
public enum PullIntent: Sendable {
    /// No: they are to be read and delivered.
    case none
    /// Yes, in this iteration.
    case now
    /// Yes, once it has passed on what it has; the socket need not be read before.
    case later
}

/// How a delegate filled the room for its request body.
public enum UploadStep: Sendable {
    /// It wrote this many bytes, at least 1.
    case wrote(Int)
    /// No bytes are available; it is called again after ``UpstreamTransfer/resume(_:)``.
    case pause
    /// The body is complete.
    case end
    /// The body will never be complete: the transfer fails, and the provider sees a truncated request.
    case abort
}

/// Where a request's body comes from.
@safe public enum RequestBody {
    /// There is none.
    case none
    /// It is in memory at this address, which must stay valid until the transfer is over.
    case whole(UnsafeRawBufferPointer)
    /// The delegate supplies it; with its length, if the client declared one.
    case streamed(length: Int64?)
}

/// How a transfer ended.
public struct TransferOutcome: Sendable {
    /// Why it failed, or `nil` for a complete response.
    public var fault: TransferFault?
    /// Whether any byte of the request may have reached the provider.
    public var wasSent = false

    /// The outcome of a transfer that has done nothing yet.
    public init() {}

    /// Whether the response is complete.
    public var isComplete: Bool { fault == nil }
}

/// Why a transfer failed.
public enum TransferFault: Hashable, Sendable {
    // Before anything was sent.
    /// The provider's name does not resolve.
    case nameNotResolved
    /// No address accepted a connection; the `errno` of the last one, or 0.
    case connectFailed(errno: Int32)
    /// Name resolution, connection and handshake took longer than the connect timeout.
    case connectTimedOut
    /// The address is private, which is not allowed.
    case prohibitedAddress
    /// The proxy rejected the tunnel with this status; 407 asks for a password.
    case proxyRefused(status: Int)
    /// The proxy closed the connection, or its response to CONNECT was invalid.
    case proxyFailed
    /// The certificate is not trusted, or not valid for this host; with the library's message, or none.
    case tlsUntrusted(String)
    /// The TLS handshake failed; with the library's message, or none.
    case tlsHandshake(String)
    /// The connection ended during the TLS handshake without an alert: an end or a reset of TCP.
    case handshakeCut
    /// After the request was sent.
    case tlsFiles(String)

    // The connection ended before any response.
    /// The provider ended TLS with an alert instead of a response; with the library's message.
    case tlsAlert(String)
    /// The connection ended before any response.
    case closedBeforeAnswer
    /// The response was truncated.
    case incomplete
    /// The received bytes are not HTTP.
    case notHTTP
    /// A line of the response's head is not valid HTTP.
    case badHead
    /// The response's head, including interim responses, is larger than ``ResponseHead/byteLimit``, or there are too
    /// many interim responses.
    case headTooLarge
    /// Several different lengths, or an invalid one.
    case badLength
    /// An unrequested transfer coding.
    case badTransferCoding
    /// The chunks of the body violate RFC 9112 7.1.
    case badChunk
    /// The provider switched protocols, which Weir never asks for.
    case switchedProtocols
    /// A library was about to repeat a request that must be sent only once.
    case resendRefused
    /// The provider rejected the request before it processed any of it (RFC 9113 8.7): REFUSED_STREAM, or a GOAWAY
    /// that excludes it.
    case notProcessed
    /// The provider reset the HTTP/2 stream; with its error code (RFC 9113 7).
    case streamReset(code: UInt32)
    /// The client's body ended early.
    case uploadAborted
    /// The reader of the body wanted no more of it.
    case bodyRefused
    /// Any other error of a library; with its message.
    case other(String)
}
