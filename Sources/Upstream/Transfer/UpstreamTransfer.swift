/// One request to a provider and its answer, whoever carries it: Weir's own HTTP/1.1, or libcurl's HTTP/2.
///
/// Used again for later requests. Confined to the thread of its worker.
public protocol UpstreamTransfer: AnyObject {
    /// The head of the answer, as far as it has come.
    var response: ResponseHead { get }
    /// How it ended; valid in and after ``TransferDelegate/transferDidFinish(_:)``.
    var outcome: TransferOutcome { get }
    /// Whether it was started and is not over yet.
    var isRunning: Bool { get }

    /// Begins a new request, and forgets the last one and its answer.
    ///
    /// - Parameters:
    ///   - method: a token, any but CONNECT.
    ///   - target: the request target in origin form (or `*`), sent byte for byte.
    func beginRequest(method: borrowing Span<UInt8>, target: borrowing Span<UInt8>)

    /// Adds a field; Host, Content-Length, Transfer-Encoding and Connection are the transfer's own to write.
    func addField(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>)

    /// Ends the head, and says where the body comes from.
    ///
    /// - Parameter body: its memory, if whole, must outlive the transfer.
    func endRequest(body: RequestBody)

    /// Whether ``addTrailer(name:value:)`` has an effect.
    var sendsTrailers: Bool { get }

    /// Adds a trailer to a body without a length: in ``TransferDelegate/transfer(_:wantsBodyInto:)``, before it says ``UploadStep/end``.
    func addTrailer(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>)

    /// Sends the request; the delegate is held until the transfer is over or cancelled.
    func start(for delegate: any TransferDelegate)

    /// Receives bytes of the body straight into `room`, past ``TransferDelegate/transfer(_:didReceiveBody:)``: for a delegate that has
    /// handed on all that it was given. The end of the body never comes so.
    func pullBody(into room: UnsafeMutableRawBufferPointer) -> PulledBody

    /// Goes on in one direction with what a pause stopped; harmless if nothing is paused.
    ///
    /// Never from inside a delegate's method.
    func resume(_ direction: TransferDirection)

    /// Ends it without telling its delegate: the connection, or the stream, is closed.
    ///
    /// Never from inside a delegate's method, but for ``TransferDelegate/transferDidFinish(_:)``.
    func cancel()

    /// Gives it back to where it was made, to be used again; it is not running.
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

/// What came of an attempt to receive a part of a body past the delegate.
public enum PulledBody: Sendable {
    /// So many bytes, at least 1.
    case bytes(Int)
    /// What comes next comes through the delegate.
    case nothing
    /// What comes next comes through the delegate, after ``UpstreamTransfer/resume(_:)``.
    case paused
}

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

/// How a transfer ended.
public struct TransferOutcome: Sendable {
    /// Why it failed, or `nil` for a complete answer.
    public var fault: TransferFault?
    /// Whether any byte of the request may have reached the provider.
    public var wasSent = false

    /// The outcome of a transfer of which nothing has happened.
    public init() {}

    /// Whether the answer is complete.
    public var isComplete: Bool { fault == nil }
}

/// Why a transfer failed.
public enum TransferFault: Hashable, Sendable {
    // Before anything was sent.
    /// The provider's name does not resolve.
    case nameNotResolved
    /// No address accepted a connection; the `errno` of the last one, or 0.
    case connectFailed(errno: Int32)
    /// Name, connection and handshake took longer than the connect timeout.
    case connectTimedOut
    /// The address is private, and that was not allowed.
    case prohibitedAddress
    /// The proxy between refused to lead on, with this status; 407 asks for a password.
    case proxyRefused(status: Int)
    /// The proxy between closed the connection, or what it said was no answer to CONNECT.
    case proxyFailed
    /// The certificate is not trusted, or not for this host; the library's words for why, or none.
    case tlsUntrusted(String)
    /// The TLS handshake failed; the library's words for why, or none.
    case tlsHandshake(String)
    /// The connection ended during the TLS handshake, without an alert: an end or a reset of TCP.
    case handshakeCut
    /// A certificate, key or CA file could not be used; libcurl's words.
    case tlsFiles(String)

    // Afterwards.
    /// The provider ended TLS with an alert in place of a response; the alert in the library's words.
    case tlsAlert(String)
    /// The connection ended before any answer.
    case closedBeforeAnswer
    /// The answer broke off before its end.
    case incomplete
    /// What came is not HTTP.
    case notHTTP
    /// A line of the answer's head is not HTTP.
    case badHead
    /// The answer's head is larger than ``ResponseHead/byteLimit``, with the interim answers before it, or those are too many.
    case headTooLarge
    /// Several differing lengths, or one that is not a number.
    case badLength
    /// A transfer coding that nobody asked for.
    case badTransferCoding
    /// The chunks of the body are not as RFC 9112 7.1 wants them.
    case badChunk
    /// The provider switched protocols, which Weir never asks for.
    case switchedProtocols
    /// A library was about to send a request a second time that may be sent once only.
    case resendRefused
    /// The provider refused the request before it processed any of it (RFC 9113 8.7): REFUSED_STREAM, or a GOAWAY that excludes it.
    case notProcessed
    /// The provider reset the HTTP/2 stream; its error code (RFC 9113 7).
    case streamReset(code: UInt32)
    /// The client's body ended badly.
    case uploadAborted
    /// Whoever takes the body wanted no more of it.
    case bodyRefused
    /// Anything else that a library says; its words.
    case other(String)
}
