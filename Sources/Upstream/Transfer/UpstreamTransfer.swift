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
