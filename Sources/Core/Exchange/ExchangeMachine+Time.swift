internal import Wire

/// Time limits, and the end of an exchange.
extension ExchangeMachine {
    // MARK: Time

    /// When all attempts together have taken too long.
    private var totalEnd: MonotonicTime {
        guard hasTransfer, let total = terms.total, let firstSentAt else { return .distantFuture }
        return firstSentAt.later(by: total)
    }

    /// How long the provider may be silent within its response, in nanoseconds.
    ///
    /// An event stream that is relayed may be silent forever; one that is an error is collected, and must end.
    private var idle: Int64 { isEndlessStream ? Int64.max : terms.idle }

    /// Whether an event stream is relayed, which may be silent forever.
    public var isEndlessStream: Bool { isEventStream && request == .complete && stage == .relaying }

    private var clientEnd: MonotonicTime { downstreamActivity + terms.clientStall }

    /// When the rest of a request is waited for no longer whose response is decided.
    ///
    /// A body that follows its head arrives in that time; one that never arrives delays nothing.
    private var restDeadline: MonotonicTime {
        min(clientEnd, restEnd, downstreamActivity.later(by: Self.restPauseNanoseconds))
    }

    /// Whether the client, not the provider, is waited for while a response is relayed.
    private func isClientsTurn(hasUnsentBody: Bool) -> Bool {
        download != .open || isEndlessStream && hasUnsentBody
    }

    /// Whether the response is blocked by the end of a request that the provider still has to read: libmicrohttpd
    /// accepts no response before the request has been read, the provider cannot continue before its response is
    /// accepted, and the request is not read.
    private var isHeldBackByUpload: Bool {
        stage == .relaying && download == .paused && request != .complete && reply == .none
            && upload != .dropped
    }

    /// When a provider that does not read the request has had enough time; it may only be slow.
    private func unreadEnd(at now: MonotonicTime) -> MonotonicTime {
        // A provider that has read everything available waits for the client.
        (upload == .paused ? now : upstreamActivity).later(by: Self.unreadNanoseconds)
    }

    /// The deadline of the client, or of the provider.
    ///
    /// - Parameter hasUnsentBody: whether bytes of the response wait for the client.
    public func nextDeadline(hasUnsentBody: Bool, at now: MonotonicTime) -> MonotonicTime {
        let end: MonotonicTime
        switch stage {
        case .reading: end = terms.body == .none || request == .complete ? .distantFuture : clientEnd
        case .queued, .awaitingSharedQuota, .waitingToRetry: end = waitsUntil
        case .awaitingBody: end = downstreamActivity + Self.bodyPatience
        case .sending: end = upload == .paused ? clientEnd : upstreamActivity.later(by: terms.response)
        case .collecting: end = min(headAt.later(by: terms.errorBody), upstreamActivity.later(by: idle))
        case .relaying:
            var own = clientEnd
            if !isClientsTurn(hasUnsentBody: hasUnsentBody) {
                let providerEnd = upstreamActivity.later(by: idle)
                // Whether the client receives is checked as well: see `watchBoth`.
                own = reply == .started ? min(providerEnd, clientEnd) : providerEnd
            }
            guard isHeldBackByUpload else {
                end = own
                break
            }
            // A client whose bytes wait for the provider is not stalled.
            end = upload == .paused ? min(own, unreadEnd(at: now)) : unreadEnd(at: now)
        case .replying:
            end = reply == .started ? clientEnd : request != .complete ? restDeadline : .distantFuture
        case .over: end = reply == .broken && client != .gone ? clientEnd : .distantFuture
        }
        return min(end, totalEnd)
    }

    mutating func timePassed(
        hasUnsentBody: Bool, hasUnreceived: Bool, at now: MonotonicTime
    ) -> ExchangeActions {
        if totalEnd <= now { return endAttempt(.total) }
        switch stage {
        case .queued, .awaitingSharedQuota:
            guard waitsUntil <= now else { return [.schedule] }
            refusal = .queueTimeout
            return refused(at: now)
        case .waitingToRetry:
            guard waitsUntil <= now else { return [.schedule] }
            countWait(at: now)
            return [.askForSlot]
        case .awaitingBody:
            guard downstreamActivity + Self.bodyPatience <= now else { return [.schedule] }
            return returnToReading(at: now)
        case .sending:
            // A provider that waits for the client's body is not slow.
            if upload == .paused { return watchClient(at: now) }
            return watch(upstreamActivity.later(by: terms.response), .response, at: now)
        case .collecting:
            if headAt.later(by: terms.errorBody) <= now { return [.endCollecting] }
            return watch(upstreamActivity.later(by: idle), .idle, at: now)
        case .relaying:
            if isHeldBackByUpload, unreadEnd(at: now) <= now {
                upload = .dropped
                // The client was not the one that stalled.
                downstreamActivity = now
                return [.dropUpload, .wakeClient, .schedule]
            }
            if isHeldBackByUpload, upload == .open { return [.schedule] }
            // A provider that is paused because the client is slow is not idle.
            if isClientsTurn(hasUnsentBody: hasUnsentBody) { return watchClient(at: now) }
            if reply == .started { return watchBoth(hasUnreceived: hasUnreceived, at: now) }
            return watch(upstreamActivity.later(by: idle), .idle, at: now)
        case .replying where request != .complete:
            // Its response is decided, and no longer waits for the rest of its request.
            return restDeadline <= now ? [.replyEarly] : [.schedule]
        case .reading, .replying: return watchClient(at: now)
        case .over: return reply == .broken && client != .gone ? watchClient(at: now) : []
        }
    }

    private mutating func watch(
        _ end: MonotonicTime, _ timer: ExchangeTimer, at now: MonotonicTime
    ) -> ExchangeActions {
        end <= now ? endAttempt(timer) : [.schedule]
    }

    /// Watches the provider whose response is relayed, and the client that receives it.
    ///
    /// The system's buffers may be full while the provider's next bytes lie in others: no event reports them, and the
    /// provider seems to be the one that is waited for. So it is not idle while the client has bytes to receive.
    private mutating func watchBoth(hasUnreceived: Bool, at now: MonotonicTime) -> ExchangeActions {
        guard hasUnreceived else {
            downstreamActivity = now
            return watch(upstreamActivity.later(by: idle), .idle, at: now)
        }
        if upstreamActivity.later(by: idle) <= now { upstreamActivity = now }
        return watchClient(at: now)
    }

    /// Ends the connection of a client that neither continues its request nor reads its response.
    private mutating func watchClient(at now: MonotonicTime) -> ExchangeActions {
        guard clientEnd <= now else { return [.schedule] }
        leftAt = leftAt ?? stage
        return [.breakConnection, .wakeClient]
    }

    // MARK: The client

    mutating func clientEnded(_ end: ClientEnd, at now: MonotonicTime) -> ExchangeActions {
        guard stage != .over else { return [] }
        if client == .open { client = .halfClosed }
        switch meaning(of: end) {
        case .left: return clientLeft(at: now)
        case .waits:
            // A later close() sends nothing: only the system knows of it.
            return end.peer == .open || givesUpAt < .distantFuture ? watchForDeparture() : []
        case .mayWait:
            waitEnd = min(waitEnd, now.later(by: Self.endedClientNanoseconds))
            return watchForDeparture()
        }
    }

    mutating func departureChecked(_ peer: ClientEnd.Peer?, at now: MonotonicTime) -> ExchangeActions {
        isDepartureWatched = false
        guard stage != .over else { return [] }
        if peer == .unknown { isPeerUnknown = true }
        if peer == .closed || givesUpAt <= now { return clientLeft(at: now) }
        return peer == .open || givesUpAt < .distantFuture ? watchForDeparture() : []
    }

    private enum EndedClient { case left, waits, mayWait }

    /// TCP does not distinguish a client that disconnects from one that half-closes.
    private func meaning(of end: ClientEnd) -> EndedClient {
        if end.isBroken || end.peer == .closed { return .left }
        // The missing part of its request will not arrive.
        guard request == .complete || end.requestIsHere else { return .left }
        // Nothing is left to be cancelled.
        if stage == .replying { return .waits }
        if stage == .relaying, isEventStream { return .left }
        if request != .complete || end.cameWithRequest { return .waits }
        return end.peer == .open ? .mayWait : .left
    }

    mutating func clientLeft(at now: MonotonicTime) -> ExchangeActions {
        guard stage != .over else { return [] }
        // Where the end of a connection arrives with its last bytes, libmicrohttpd 0.9.75 misses it, and waits for more of the body; and it
        // waits for room in a socket whose peer has ended its side and reads no more.
        let mustBreak = request != .complete || stage == .relaying || reply == .started
        var actions = leave(at: now)
        if mustBreak { actions.append(.breakConnection) }
        actions.append(.wakeClient)
        return actions
    }

    private mutating func leave(at now: MonotonicTime) -> ExchangeActions {
        leftAt = leftAt ?? stage
        let actions = giveUp(at: now)
        stage = .over
        client = .gone
        if reply == .started { reply = .broken }
        return actions
    }

    // MARK: The end

    mutating func drainBegan(at now: MonotonicTime) -> ExchangeActions {
        switch stage {
        case .queued, .awaitingSharedQuota:
            refusal = .drainBegan
            return refused(at: now)
        case .waitingToRetry: return refused(at: now)
        default: return []
        }
    }

    mutating func drainEnded(at now: MonotonicTime) -> ExchangeActions {
        guard request != .head, reply == .none, stage != .over else { return [] }
        isClosing = true
        switch stage {
        // The received part of an error is reported.
        case .collecting: return [.endCollecting]
        case .replying: return [.replyEarly]
        default: return failForDrain(at: now)
        }
    }

    mutating func failForDrain(at now: MonotonicTime) -> ExchangeActions {
        var actions = giveUp(at: now)
        stage = .replying
        refusal = .drainEnded
        actions.append(.makeProblem)
        actions.append(.replyEarly)
        return actions
    }

    mutating func completed(isWhole: Bool, at now: MonotonicTime) -> ExchangeActions {
        precondition(!isWhole || stage == .over || reply == .started, "a whole reply while \(stage)")
        var actions = ExchangeActions()
        if !isWhole, stage != .over {
            actions = leave(at: now)
        } else if hasTransfer {
            // A provider may respond before it has read the whole request: the rest is not needed then.
            actions.append(.cancelAttempt)
        }
        stage = .over
        actions.append(.leaveGuards)
        actions.append(.unschedule)
        return record(after: actions)
    }

    /// Ends the exchange; no event may follow.
    public mutating func end() {
        precondition(slot == .none && !isRunning && !hasTransfer, "something is left over: \(self)")
        precondition(isRecorded, "an exchange was not recorded")
        hasEnded = true
    }
}
