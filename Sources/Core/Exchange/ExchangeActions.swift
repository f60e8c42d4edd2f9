/// The next actions of an exchange, in order: at most eight, without an allocation.
public struct ExchangeActions: Sendable, Equatable, Sequence, ExpressibleByArrayLiteral {
    /// One action.
    public enum Action: UInt8, Sendable, Equatable, CaseIterable {
        // The pacer.

        /// Ask the pacer for a slot, and report the result: `.admitted`, `.queued` or `.refused`.
        case askForSlot = 1
        /// Ask the shared quota; this instance's slot is held meanwhile.
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
        /// Return what the guards gave the request: the probe of a credential or of a circuit.
        case leaveGuards

        // The provider.

        /// Discard the last attempt and its response: another attempt follows.
        case setAttemptAside
        /// Send the request.
        case send
        /// End the transfer, and report `.attemptEnded`.
        case endAttempt
        /// End the transfer, and report `.attemptCancelled`: its response is not needed.
        case cancelAttempt
        /// Relay the collected response, if it need not be interpreted, and report `.relayChosen`; otherwise report
        /// `.errorBodyTimedOut`.
        case endCollecting
        /// Drop the buffered part of the request's body, which the provider does not read.
        case dropUpload
        /// Send more of the request's body.
        case resumeUpload

        // The reply.

        /// Make a problem for the refusal in ``ExchangeMachine/refusal``, or for the fault that came with the event.
        case makeProblem
        /// Make the response from the result of the attempt; judges the slot of a collected response.
        case makeReply
        /// Report the result of the attempt to the circuit breaker.
        case judgeCircuit
        /// Decide whether the request is retried, and report `.replyMade`.
        case offerReply
        /// Send the response as soon as libmicrohttpd accepts one.
        case reply
        /// Send the response at once, and end the connection with it: the rest of the request is not read.
        case replyEarly
        /// Resume the client's connection.
        case wakeClient
        /// End the client's connection, so that the client sees a truncated response.
        case breakConnection

        // Time, and the end.

        /// Report `.timePassed` at ``ExchangeMachine/nextDeadline``, or before.
        case schedule
        /// Cancel the scheduled time.
        case unschedule
        /// Monitor a half-closed client.
        case watchForDeparture
        /// Count and log the exchange.
        case record
    }

    /// Up to eight actions of a byte each, the first one lowest.
    private var bits: UInt64 = 0
    private var count = 0

    /// No action.
    public init() {}

    /// These actions, in this order.
    public init(arrayLiteral actions: Action...) {
        for action in actions { append(action) }
    }

    /// Whether there is no action.
    public var isEmpty: Bool { bits == 0 }

    /// Appends an action.
    mutating func append(_ action: Action) {
        precondition(count < 8, "more than eight actions at once")
        bits |= UInt64(action.rawValue) &<< UInt64(8 &* count)
        count &+= 1
    }

    /// Appends actions.
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

        /// The next action; `nil` after the last one.
        public mutating func next() -> Action? {
            let action = Action(rawValue: UInt8(truncatingIfNeeded: bits))
            bits &>>= 8
            return action
        }
    }
}
