/// What a client's connection does next, in this order.
public typealias ClientActions = ActionList<ClientAction>

/// One thing that a client's connection does.
public enum ClientAction: UInt8, Sendable, Equatable, CaseIterable {
    // The library.

    /// Suspend the connection: the library does not look at it until it is resumed.
    case suspend = 1
    /// Resume the connection; the library must run.
    case resume
    /// Let the library hear of what has happened on the socket.
    case reportNews
    /// Let the library read, though nothing new has happened on the socket.
    case announceReadable
    /// Have the library look at the connection, which it has closed, and end it.
    case lookAt
    /// Have the library run soon, whatever happens on the sockets.
    case requestRun

    // The request.

    /// Report that the client has ended its side.
    case reportEnd
    /// The same once the library's run is over.
    case reportEndLater
    /// End the connection when all requests are answered and nothing is left to be read: report `.inputExhausted` then.
    case awaitAnswers
    /// Ask for the response to bytes that are not HTTP once the requests before them are answered: report `.closingResponse` with it.
    case requestRefusal

    // Time.

    /// Start the timer of a head, or start it anew: report `.headTimedOut` when it fires.
    case startHeadTimer
    /// Stop the timer of a head.
    case stopHeadTimer
    /// Have the library wait for the client as long as a request or a response in progress may stall.
    case allowStall
    /// Have the library wait for the client as long as a connection without a request may be idle.
    case limitIdleness

    // The last response, and the end.

    /// Drop the bytes that were received behind the end of a request.
    case dropHeld
    /// Send what fits of the closing response, and report `.closingSent`, `.closingFailed` or `.closingEnded`.
    case sendClosing
    /// Read and drop what the client sends, and report `.inputDropped`.
    case dropInput
    /// End the sending side of the socket.
    case endSending
    /// Send a close_notify, if the socket takes it at once.
    case endSession
    /// End the socket in both directions: the library notices, and closes it.
    case cutOff
    /// Keep the socket open behind the library's close, and drop what the client still sends.
    case linger
}
