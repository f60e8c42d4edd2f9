/// What an exchange does next, in this order: at most eight actions, and no allocation.
public struct ExchangeActions: Sendable, Equatable, Sequence, ExpressibleByArrayLiteral {
    /// One thing to do.
    public enum Action: UInt8, Sendable, Equatable, CaseIterable {
        // The pacer.

        /// Ask the pacer for a slot, and report its answer: `.admitted`, `.queued` or `.refused`.
        case askForSlot = 1
        /// Ask the quota that several instances share; this instance's slot is held meanwhile.
        case askSharedQuota
        /// Leave the pacer's queue.
        case leaveQueue
        /// Stop waiting for the shared quota.
        case leaveSharedQuota
        /// Settle the slot: nothing was sent.
        case returnSlot
        /// Settle the slot: the request may have been counted, and no response head arrived.
        case closeSlot
        /// Report the response's head, which starts the slot's window and settles the slot, unless the body is still to be judged.
        case reportHead
        /// Settle the slot of a response whose body is not read any further, by what has arrived of it.
        case settleByWhatArrived
        /// Report that the response has ended, for limits on concurrent requests.
        case endRun
        /// Return what the guards gave the request: the probe of a credential, or of a circuit.
        case leaveGuards

        // The provider.

        /// Forget the last attempt and the reply that it led to: another attempt follows.
        case setAttemptAside
        /// Send the request.
        case send
        /// End the transfer, and report `.attemptEnded`.
        case endAttempt
        /// End the transfer, and report `.attemptCancelled`: nobody waits for its response.
        case cancelAttempt
        /// Hand the response on that is collected, if it need not be understood, and report `.relayChosen`; else `.errorBodyTimedOut`.
        case endCollecting
        /// Drop what is here of the request's body, which the provider does not read.
        case dropUpload
        /// Send more of the request's body.
        case resumeUpload

        // The reply.

        /// Make a problem of the refusal that ``ExchangeMachine/refusal`` names, or of the fault that came with the event.
        case makeProblem
        /// Make the reply from what the attempt came to; judges the slot whose response was collected.
        case makeReply
        /// Tell the circuit breaker what the attempt came to.
        case judgeCircuit
        /// Decide whether the request is sent again, and report `.replyMade`.
        case offerReply
        /// Give the reply, as soon as libmicrohttpd accepts one.
        case reply
        /// Give the reply at once, and end the connection with it: the rest of the request is not read.
        case replyEarly
        /// Wake the client's connection.
        case wakeClient
        /// End the client's connection, so that a reply that has begun is seen to break off.
        case breakConnection

        // Time, and the end.

        /// Report `.timePassed` at ``ExchangeMachine/nextDeadline``, or before.
        case schedule
        /// Forget the scheduled time.
        case unschedule
        /// Watch a client that has ended its sending side.
        case watchForDeparture
        /// Count and log the exchange.
        case record
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

    /// Adds all of these behind the others.
    mutating func append(contentsOf others: ExchangeActions) {
        precondition(count &+ others.count <= 8, "more than eight actions at once")
        bits |= others.bits &<< UInt64(8 &* count)
        count &+= others.count
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
