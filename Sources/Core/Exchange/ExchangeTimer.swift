/// What bounds the time of an exchange.
public enum ExchangeTimer: CaseIterable, Hashable, Sendable {
    /// `timeouts.connect`: until a new connection is open, its handshake done.
    case connect
    /// `timeouts.response`: until the head of the final response.
    case response
    /// `timeouts.idle`: between two pieces of the response.
    case idle
    /// `timeouts.error_body`: from the head of an error, or of a success that is examined, to the end of its body.
    case errorBody
    /// `timeouts.total`: from the first attempt on.
    case total
    /// `max_wait`: in the queue.
    case maxWait
    /// `limits.client_stall`: a client that stops sending its request or reading its response.
    case clientStall
    /// `limits.drain`: the end of the grace period of a shutdown.
    case drain
}

/// What an exchange does when a timer fires.
public enum ExchangeStage: CaseIterable, Hashable, Sendable {
    /// The request is being read; it has not been admitted.
    case receiving
    /// The request waits for its slot.
    case queued
    /// The request has its slot; a small body that the client sends only now is being read.
    case awaitingBody
    /// No byte of the request has left: the name, the connection, the tunnel or the handshake is waited for.
    case connecting
    /// A part of the request has left, or all of it; a final head has not arrived, interim responses or not.
    case sent
    /// The body of an error is being collected.
    case collecting
    /// The body of a success is being collected, because a rule may find an error in it.
    case examining
    /// The response is relayed; the client has got nothing of it.
    case relaying
    /// The response is relayed; the client has got its head.
    case streaming
    /// The response is decided, and the client has not read all of it.
    case responding
    /// An attempt has failed, and another one is to follow.
    case backingOff
}

/// What follows when a timer fires: what the client gets, and what the pacer does with the slot.
public struct TimeoutClaim: Hashable, Sendable {
    /// What the client gets.
    public enum Response: Hashable, Sendable {
        /// A problem with this code and effect.
        case problem(ProblemCode, Effect)
        /// The problem that is made from what has arrived of the provider's error; the error itself as it comes, if errors are raw.
        case partialError
        /// The provider's response, as it comes.
        case relay
        /// What the last attempt led to.
        case lastAttempt
        /// A transfer that breaks off.
        case breakOff
        /// Nothing: its connection is closed.
        case nothing
    }

    /// What becomes of the slot.
    public enum SlotUse: Hashable, Sendable {
        /// There is none.
        case none
        /// It is given back: the provider cannot have counted the request.
        case returned
        /// It is used: the provider may have counted the request.
        case used
        /// It was used up by the head of the response.
        case settled
    }

    /// What the client gets.
    public var response: Response
    /// What becomes of the slot.
    public var slot: SlotUse

    /// Whether the request counts as an attempt.
    public var isAttempt: Bool { slot == .used || slot == .settled }
    /// Whether the same request may succeed later, and repeating it is safe.
    ///
    /// - Parameter isRepeatSafe: whether its method is idempotent, or it has an idempotency key that the provider honours.
    public func isRetryable(isRepeatSafe: Bool) -> Bool {
        guard case .problem(let code, let effect) = response else { return false }
        return code.isTransient && (effect == .none || isRepeatSafe)
    }

    init(_ response: Response, _ slot: SlotUse) {
        self.response = response
        self.slot = slot
    }

    /// What follows when `timer` fires in `stage`; `nil` where it does not run.
    public init?(_ timer: ExchangeTimer, in stage: ExchangeStage) {
        let slot = stage.slotUse
        switch (timer, stage) {
        case (.connect, .connecting), (.response, .connecting), (.total, .connecting):
            self.init(.problem(.providerTimeout, .none), slot)
        case (.response, .sent), (.total, .sent), (.idle, .examining), (.total, .examining),
            (.idle, .relaying),
            (.total, .relaying):
            self.init(.problem(.providerTimeout, .unknown), slot)
        case (.idle, .collecting), (.errorBody, .collecting), (.total, .collecting):
            self.init(.partialError, slot)
        case (.errorBody, .examining): self.init(.relay, slot)
        case (.idle, .streaming), (.total, .streaming): self.init(.breakOff, slot)
        case (.maxWait, .queued): self.init(.problem(.queueTimeout, .none), slot)
        case (.maxWait, .backingOff), (.total, .backingOff): self.init(.lastAttempt, slot)
        // A client is waited for only where its request or its response is what is missing.
        case (.clientStall, .receiving), (.clientStall, .awaitingBody), (.clientStall, .sent),
            (.clientStall, .streaming), (.clientStall, .responding):
            self.init(.nothing, slot)
        case (.drain, .streaming): self.init(.breakOff, slot)
        case (.drain, _): self.init(.nothing, slot)
        default: return nil
        }
    }
}

extension ExchangeStage {
    /// What becomes of the slot of an exchange that ends in this stage.
    public var slotUse: TimeoutClaim.SlotUse {
        switch self {
        case .receiving, .queued, .backingOff: .none
        case .awaitingBody, .connecting: .returned
        case .sent: .used
        case .collecting, .examining, .relaying, .streaming, .responding: .settled
        }
    }
}

extension Fault {
    /// The failure that a timer of an attempt leads to; `nil` where it leads to something else, or does not run.
    public init?(_ timer: ExchangeTimer, in stage: ExchangeStage) {
        guard let claim = TimeoutClaim(timer, in: stage) else { return nil }
        let detail: Text
        let error: ProxyErrorType
        switch (claim.response, stage) {
        // What a client sees of a transfer that breaks off stands in no body, but in the log and the metrics.
        case (.problem, .connecting):
            (detail, error) = ("No connection to the provider could be made in time.", .connectionTimeout)
        case (.problem, _), (.breakOff, _):
            switch timer {
            case .response:
                (detail, error) = ("The provider did not begin to answer in time.", .httpResponseTimeout)
            case .idle:
                (detail, error) = (
                    "The provider stopped in the middle of its answer.", .connectionReadTimeout
                )
            case .total:
                (detail, error) = ("The provider did not finish its answer in time.", .httpResponseTimeout)
            default: return nil
            }
        default: return nil
        }
        let effect: Effect = if case .problem(_, let effect) = claim.response { effect } else { .unknown }
        self.init(.providerTimeout, detail: detail, effect: effect, proxyError: error)
    }
}
