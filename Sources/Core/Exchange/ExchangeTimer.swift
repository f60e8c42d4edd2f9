/// The time limits of an exchange.
public enum ExchangeTimer: CaseIterable, Hashable, Sendable {
    /// `timeouts.connect`: until a new connection is established, including its handshake.
    case connect
    /// `timeouts.response`: until the head of the final response.
    case response
    /// `timeouts.idle`: between two parts of the response.
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

/// The activity of an exchange when a timer fires.
public enum ExchangeStage: CaseIterable, Hashable, Sendable {
    /// The request is being read; it has not been admitted.
    case receiving
    /// The request waits for its slot.
    case queued
    /// The request has its slot; a small body that the client sends only now is being read.
    case awaitingBody
    /// No byte of the request was sent: waiting for name resolution, the connection, the tunnel or the handshake.
    case connecting
    /// The request was sent at least in part; no final head has arrived, possibly interim responses.
    case sent
    /// The body of an error is being collected.
    case collecting
    /// The body of a success is being collected, because a rule may find an error in it.
    case examining
    /// The response is relayed; the client has received nothing of it.
    case relaying
    /// The response is relayed; the client has received its head.
    case streaming
    /// The response is decided, and the client has not read all of it.
    case responding
    /// An attempt has failed, and another one is to follow.
    case backingOff
}

/// The consequences when a timer fires: for the client, and for the slot.
public struct TimeoutClaim: Hashable, Sendable {
    /// The result for the client.
    public enum Response: Hashable, Sendable {
        /// A problem with this code and effect.
        case problem(ProblemCode, Effect)
        /// The problem made from the received part of the provider's error; or that error as it arrives, if errors
        /// are raw.
        case partialError
        /// The provider's response as it arrives.
        case relay
        /// The result of the last attempt.
        case lastAttempt
        /// A truncated transfer.
        case breakOff
        /// Nothing: its connection is closed.
        case nothing
    }

    /// The result for the slot.
    public enum SlotUse: Hashable, Sendable {
        /// There is none.
        case none
        /// It is returned: the provider cannot have counted the request.
        case returned
        /// It is used: the provider may have counted the request.
        case used
        /// It was settled by the head of the response.
        case settled
    }

    /// The result for the client.
    public var response: Response
    /// The result for the slot.
    public var slot: SlotUse

    /// Whether the request counts as an attempt.
    public var isAttempt: Bool { slot == .used || slot == .settled }
    /// Whether the same request may succeed later and repeating it is safe.
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

    /// The consequences when `timer` fires in `stage`; `nil` if it does not run there.
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
        // The client's timer runs only if its request or its reading of the response is what is missing.
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
    /// The result for the slot of an exchange that ends in this stage.
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
    /// The failure caused by a timer of an attempt; `nil` if it has another result, or does not run.
    public init?(_ timer: ExchangeTimer, in stage: ExchangeStage) {
        guard let claim = TimeoutClaim(timer, in: stage) else { return nil }
        let detail: Text
        let error: ProxyErrorType
        switch (claim.response, stage) {
        // A truncated transfer has no body that describes it, but the log and the metrics do.
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
