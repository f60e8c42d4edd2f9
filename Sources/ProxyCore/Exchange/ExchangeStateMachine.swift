/// The course of one exchange as a value: events in, the next action out.
///
/// It does nothing itself.
public struct ExchangeStateMachine: Sendable {
    /// Where an exchange is.
    public enum Phase: Sendable, Equatable {
        /// The request is being read; it has not been admitted. Leaves by `refuse`, `admit`.
        case receiving
        /// It waits for its turn. Leaves by `grant`, `refuse`, `hangUp`.
        case queued
        /// The request is on its way, or done; no answer yet. Leaves by `headArrived`, `upstreamEnded`, `refuse`, `hangUp`, `awaitBody`.
        case sending
        /// The provider's answer goes to the client as it comes. Leaves by `upstreamEnded`, `hangUp`.
        case relaying
        /// The provider's answer is an error: its body is collected. Leaves by `upstreamEnded`, `hangUp`.
        case collecting
        /// The answer is decided, and is Weir's or complete. Leaves by `backOff`.
        case answering
        /// The answer is decided, and set aside: the request is to be sent again. Leaves by `admit`, `enqueue`, `refuse`,
        /// `hangUp`.
        case backingOff
        /// The client is gone, or its answer broke off: nothing is to be done any more.
        case over
    }

    /// What to do.
    public enum Action: Sendable, Equatable {
        case nothing
        /// Send the request to the provider.
        case send
        /// Answer with the fault that came with the event.
        case answerFault
        /// The provider's answer is complete.
        case completeRelay
        /// Make a problem of the collected answer.
        case normalize
        /// The client has a part of the answer and must see that the rest will not come.
        case breakOff
        /// End the transfer to the provider.
        case cancelTransfer
        /// Give up the place in the queue.
        case leaveQueue
        /// The turn came too late: give the slot back.
        case returnSlot
    }

    /// Where the exchange is.
    public private(set) var phase = Phase.receiving

    /// An exchange whose request is being read.
    public init() {}

    /// The request is refused before anything was sent, or is not sent again after all.
    public mutating func refuse() -> Action {
        switch phase {
        case .receiving, .queued, .backingOff:
            let wasQueued = phase == .queued
            phase = .answering
            return wasQueued ? .leaveQueue : .answerFault
        case .sending, .relaying, .collecting, .answering, .over: return .nothing
        }
    }

    /// The pacer lets the request go at once.
    public mutating func admit() -> Action {
        precondition(phase == .receiving || phase == .backingOff, "admitted in phase \(phase)")
        phase = .sending
        return .send
    }

    /// The pacer lets the request wait.
    public mutating func enqueue() {
        precondition(phase == .receiving || phase == .backingOff, "queued in phase \(phase)")
        phase = .queued
    }

    /// The turn has come.
    public mutating func grant() -> Action {
        guard phase == .queued else { return .returnSlot }
        phase = .sending
        return .send
    }

    /// The request has a slot, and its body does not come: it is read before another one is asked for.
    ///
    /// - Returns: false if that is not so.
    public mutating func awaitBody() -> Bool {
        guard phase == .sending else { return false }
        phase = .receiving
        return true
    }

    /// The answer that was decided is set aside for another attempt: nothing of it has been given.
    public mutating func backOff() {
        precondition(phase == .answering, "backed off in phase \(phase)")
        phase = .backingOff
    }

    /// The head of the final answer is there.
    ///
    /// - Parameter isCollected: whether its body is wanted whole, to be normalised.
    public mutating func headArrived(isCollected: Bool) {
        guard phase == .sending else { return }
        phase = isCollected ? .collecting : .relaying
    }

    /// The answer that was collected is too long, and need not be understood: it is handed on after all.
    public mutating func relayInstead() {
        if phase == .collecting { phase = .relaying }
    }

    /// The transfer is over.
    ///
    /// - Parameters:
    ///   - isComplete: whether the answer came whole.
    ///   - isAnswered: whether the client has got the head of the answer.
    public mutating func upstreamEnded(isComplete: Bool, isAnswered: Bool) -> Action {
        switch phase {
        case .sending:
            phase = .answering
            return .answerFault
        case .relaying:
            if isComplete {
                phase = .answering
                return .completeRelay
            }
            phase = isAnswered ? .over : .answering
            return isAnswered ? .breakOff : .answerFault
        case .collecting:
            // What has come of an error is enough to tell it.
            phase = .answering
            return .normalize
        case .receiving, .queued, .answering, .backingOff, .over: return .nothing
        }
    }

    /// The client has gone.
    public mutating func hangUp() -> Action {
        defer { phase = .over }
        switch phase {
        case .queued: return .leaveQueue
        case .sending, .relaying, .collecting: return .cancelTransfer
        case .receiving, .answering, .backingOff, .over: return .nothing
        }
    }
}
