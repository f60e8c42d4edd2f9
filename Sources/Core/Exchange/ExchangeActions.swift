public import Wire

/// What an exchange does next, in this order.
public typealias ExchangeActions = ActionList<ExchangeAction>

/// One thing that an exchange does.
public enum ExchangeAction: UInt8, Sendable, Equatable, CaseIterable {
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
    /// Check after a while, or at ``ExchangeMachine/givesUpAt``, whether the client is still there, and report
    /// `.departureChecked`.
    case watchForDeparture
    /// Count and log the exchange.
    case record
}
