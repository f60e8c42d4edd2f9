extension ExchangeMachine {
    /// What happens to an exchange.
    public enum Event: Sendable, Equatable {
        // The client's request.

        /// The head is complete, and the request may be sent.
        case headAccepted
        /// The head is complete, and the request is refused; a reply was made.
        ///
        /// `readsRest`: whether the rest of it is read before the reply is given, so that the connection can be used again.
        case headRefused(readsRest: Bool)
        /// The first bytes of the body have arrived.
        case bodyBegan
        /// All of the request has arrived.
        case requestEnded
        /// The request's body is too long, or its bytes are not HTTP; the engine gives the problem that is made.
        case requestBroken

        // The pacer.

        /// The request has a slot at once; `needsBody`: whether it may not keep that before its body begins, as others need it too.
        case admitted(needsBody: Bool)
        /// The request waits in the pacer's queue.
        case queued
        /// The request may neither be sent nor wait.
        case refused
        /// The turn of a waiting request has come: it has a slot.
        case turnCame(needsBody: Bool)
        /// The request has a slot, and must not be sent after all.
        case turnRefused
        /// The shared quota has let the request pass.
        case sharedQuotaGranted
        /// The shared quota has no slot in time.
        case sharedQuotaRefused

        // The provider.

        /// The final head of the response has arrived.
        case headArrived(isCollected: Bool, isEventStream: Bool)
        /// The response that was collected is handed on instead.
        case relayChosen
        /// The body of an error has taken too long: what has arrived of it counts.
        case errorBodyTimedOut
        /// The attempt is over, or was ended by ``ExchangeActions/Action/endAttempt``.
        case attemptEnded(isComplete: Bool, wasSent: Bool)
        /// The attempt was ended by ``ExchangeActions/Action/cancelAttempt``.
        case attemptCancelled(wasSent: Bool)

        // The reply.

        /// The reply was made; with a time, the request is sent again then, and the reply is given if it is not.
        case replyMade(retryAt: MonotonicTime?)
        /// Bytes of a response that is relayed are here: the reply can begin.
        case relayReady
        /// libmicrohttpd has accepted the reply.
        case replyStarted
        /// The reply was given before the request had arrived; the connection ends with it.
        case repliedEarly

        // Time, and the end.

        /// Time has passed; `hasUnsentBody`: whether bytes of the response wait for the client.
        case timePassed(hasUnsentBody: Bool)
        /// The client has ended its sending side.
        case clientEnded(ClientEnd)
        /// The client has left, or was given up.
        case clientLeft
        /// The program stops accepting, and lets what runs finish.
        case drainBegan
        /// The time to finish is over: a client without any part of a response gets one now.
        case drainEnded
        /// libmicrohttpd is done with the exchange.
        case completed(isWhole: Bool)
    }

    /// What is known of a client that has ended its sending side.
    public struct ClientEnd: Sendable, Equatable {
        /// What the system knows of the client's socket.
        public enum Peer: UInt8, Sendable, Equatable { case open, closed, unknown }

        /// Whether the other direction is closed as well.
        public var isBroken: Bool
        /// What the system knows of the client's socket.
        public var peer: Peer
        /// Whether all of the request is here, read or not.
        public var requestIsHere: Bool
        /// Whether the end came with the request's last bytes, so that it does not mean that somebody gave up.
        public var cameWithRequest: Bool

        /// An end.
        public init(isBroken: Bool, peer: Peer, requestIsHere: Bool, cameWithRequest: Bool) {
            self.isBroken = isBroken
            self.peer = peer
            self.requestIsHere = requestIsHere
            self.cameWithRequest = cameWithRequest
        }
    }
}
