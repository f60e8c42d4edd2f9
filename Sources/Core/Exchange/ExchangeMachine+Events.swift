extension ExchangeMachine {
    /// An event of an exchange.
    public enum Event: Sendable, Equatable {
        // The client's request.

        /// The head is complete, and the request may be sent.
        case headAccepted
        /// The head is complete, and the request is rejected; a response was made.
        ///
        /// `readsRest`: whether the rest of it is read before the response is sent, so that the connection can be
        /// kept.
        case headRefused(readsRest: Bool)
        /// The first bytes of the body have arrived.
        case bodyBegan
        /// The whole request has arrived.
        case requestEnded
        /// The request's body is too long, or its bytes are not HTTP; the engine supplies the problem.
        case requestBroken
        /// Bytes of the client stay in the system for now: its body, or requests that it has pipelined.
        case inputHeld

        // The pacer.

        /// The request has a slot at once; `needsBody`: whether it must return the slot if its body does not begin,
        /// because other requests need it.
        case admitted(needsBody: Bool)
        /// The request waits in the pacer's queue.
        case queued
        /// The request is rejected by the pacer.
        case refused
        /// A waiting request has received its slot.
        case turnCame(needsBody: Bool)
        /// The request has a slot, but must not be sent.
        case turnRefused
        /// The shared quota has granted the request.
        case sharedQuotaGranted
        /// The shared quota has no slot in time.
        case sharedQuotaRefused

        // The provider.

        /// The final head of the response has arrived.
        case headArrived(isCollected: Bool, isEventStream: Bool)
        /// The collected response is relayed instead.
        case relayChosen
        /// The body of an error has taken too long: the part that has arrived is used.
        case errorBodyTimedOut
        /// The attempt is over, or was ended by ``ExchangeAction/endAttempt``.
        case attemptEnded(isComplete: Bool, wasSent: Bool)
        /// The attempt was ended by ``ExchangeAction/cancelAttempt``.
        case attemptCancelled(wasSent: Bool)

        // The reply.

        /// The response was made; with a time, the request is retried then, and the response is sent if it is not.
        case replyMade(retryAt: MonotonicTime?)
        /// Bytes of a relayed response are available, so the response can begin.
        case relayReady
        /// libmicrohttpd has accepted the response.
        case replyStarted
        /// The response was sent before the whole request had arrived; the connection ends with it.
        case repliedEarly

        // Time, and the end.

        /// Time has passed.
        ///
        /// `hasUnsentBody`: whether bytes of the response wait for the client; `hasUnreceived`: whether the client has
        /// not received everything that was sent to it.
        case timePassed(hasUnsentBody: Bool, hasUnreceived: Bool = false)
        /// The client has half-closed its connection.
        case clientEnded(ClientEnd)
        /// The client was looked at, as ``ExchangeAction/watchForDeparture`` asked.
        ///
        /// `peer`: what the system knows about its socket; `nil` if it has sent nothing that lies unread, so that its
        /// end is an event.
        case departureChecked(peer: ClientEnd.Peer?)
        /// The client has disconnected, or was dropped.
        case clientLeft
        /// The program stops accepting, and lets exchanges in flight finish.
        case drainBegan
        /// The grace period is over: a client without any part of a response gets one now.
        case drainEnded
        /// libmicrohttpd is done with the exchange.
        case completed(isWhole: Bool)
    }

    /// What is known about a half-closed client.
    public struct ClientEnd: Sendable, Equatable {
        /// What the system knows about the client's socket.
        public enum Peer: UInt8, Sendable, Equatable { case open, closed, unknown }

        /// Whether the other direction is closed as well.
        public var isBroken: Bool
        /// What the system knows about the client's socket.
        public var peer: Peer
        /// Whether the whole request has arrived, read or not.
        public var requestIsHere: Bool
        /// Whether the end arrived with the request's last bytes, so that it does not mean that the client gave up.
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
