/// What a client's connection does next, in this order: at most eight actions, and no allocation.
public struct ClientActions: Sendable, Equatable, Sequence, ExpressibleByArrayLiteral {
    /// One thing to do.
    public enum Action: UInt8, Sendable, Equatable, CaseIterable {
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

    /// Up to eight actions of a byte each, the first one lowest.
    private var bits: UInt64 = 0
    private var count = 0

    /// Nothing to do.
    public init() {}

    /// These actions, in this order.
    public init(arrayLiteral actions: Action...) {
        for action in actions { append(action) }
    }

    /// Whether there is nothing to do.
    public var isEmpty: Bool { bits == 0 }

    /// Adds an action behind the others.
    mutating func append(_ action: Action) {
        precondition(count < 8, "more than eight actions at once")
        bits |= UInt64(action.rawValue) &<< UInt64(8 &* count)
        count &+= 1
    }

    /// The actions, first to last.
    public func makeIterator() -> Iterator { Iterator(bits: bits) }

    /// The actions, first to last.
    public struct Iterator: IteratorProtocol {
        var bits: UInt64

        /// The next action; `nil` behind the last one.
        public mutating func next() -> Action? {
            let action = Action(rawValue: UInt8(truncatingIfNeeded: bits))
            bits &>>= 8
            return action
        }
    }
}
