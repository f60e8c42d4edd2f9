import Wire

@testable import Core

/// What `ClientConnection` does for its machine, and libmicrohttpd with its rules that matter: nothing is seen of a connection that sleeps, it
/// reads once in a stale state after that, no reply is accepted before the request has been read, `completed` is reported once, and nothing
/// may sleep when it is stopped.
extension ExchangeSimulation {
    /// Units of a request's body that are read and dropped.
    private static let droppedLimit = 30
    /// Bytes that the library has room for.
    private static let room = 64

    private var milliseconds: Int { Int(now / 1_000_000) }

    func scheduleVisit(_ connection: SimulatedConnection) {
        guard !connection.hasPendingVisit else { return }
        connection.hasPendingVisit = true
        events.add(.visit(connection.index), at: now + Int64.random(in: 0...100_000, using: &numbers))
    }

    /// Wakes an exchange's connection, if it sleeps.
    func resume(_ exchange: SimulatedExchange) {
        guard exchange.isCurrent, exchange.connection.machine.sleep == .inRequest else { return }
        handle(exchange.connection, .requestWoken)
    }

    // MARK: The machine

    func handle(_ connection: SimulatedConnection, _ event: ClientMachine.Event) {
        guard failure == nil, connection.machine.isOpen else { return }
        note("connection \(connection.index) ← \(event)")
        let actions = connection.machine.handle(event)
        if !actions.isEmpty { note("connection \(connection.index) → \(Array(actions))") }
        for action in actions where failure == nil { perform(action, for: connection) }
    }

    private func perform(_ action: ClientAction, for connection: SimulatedConnection) {
        switch action {
        case .suspend:
            if connection.isLibraryAsleep { fail("connection \(connection.index) is suspended twice") }
            connection.isLibraryAsleep = true
        case .resume:
            if !connection.isLibraryAsleep {
                fail("connection \(connection.index) is resumed, and does not sleep")
            }
            connection.isLibraryAsleep = false
            (connection.readsStale, connection.mayRead, connection.activeAt) = (true, true, now)
            scheduleVisit(connection)
        case .reportNews, .requestRun: scheduleVisit(connection)
        case .announceReadable:
            connection.hasNews = true
            scheduleVisit(connection)
        case .lookAt:
            connection.mustClose = true
            scheduleVisit(connection)
        case .reportEnd: if let exchange = connection.current, exchange.hasHead { report(exchange) }
        case .reportEndLater: connection.reportsEnd = true
        case .awaitAnswers: connection.awaitsAnswers = true
        case .requestRefusal: connection.refusalIsRequested = true
        case .startHeadTimer: startHeadTimer(connection)
        case .stopHeadTimer: connection.headToken = nil
        case .allowStall: connection.mayStall = true
        case .limitIdleness:
            (connection.mayStall, connection.activeAt) = (false, now)
            scheduleVisit(connection)
        case .dropHeld: connection.held = []
        case .sendClosing: sendClosing(connection)
        case .dropInput: dropInput(connection)
        case .endSending, .endSession: break
        case .cutOff: shutDown(connection)
        case .linger:
            connection.inbound = []
            connection.lingersUntil = now + Int64(UnreadInput.time) * 1_000_000
            events.add(.lingeringEnds(connection.index), at: now + Int64(UnreadInput.time) * 1_000_000)
        }
    }

    func startHeadTimer(_ connection: SimulatedConnection) {
        lastToken += 1
        connection.headToken = lastToken
        events.add(.headTimer(connection.index, lastToken), at: now + idleTime)
    }

    func headTimerFires(_ connection: SimulatedConnection, _ token: Int) {
        guard connection.headToken == token, connection.machine.isOpen else { return }
        if !connection.machine.isHeadTimed {
            return fail("connection \(connection.index) times a head that is complete")
        }
        handle(connection, .headTimedOut)
    }

    private enum Reading { case bytes([UInt8]), end, again }

    /// As `ClientConnection.receive` does it.
    private func receive(_ connection: SimulatedConnection, room: Int) -> Reading {
        if connection.machine.source(hasHeld: !connection.held.isEmpty) == .end { return .end }
        let isEncrypted = connection.machine.isEncrypted
        var filled: [UInt8] = []
        reading: while filled.count < room {
            let source = connection.machine.source(hasHeld: !connection.held.isEmpty)
            let free = room - filled.count
            var bytes: [UInt8]
            switch source {
            case .nothing, .end: break reading
            case .held: bytes = Array(connection.held.prefix(free))
            case .socket:
                guard let some = read(connection, free) else {
                    if filled.isEmpty { return .again }
                    break reading
                }
                if some.isEmpty {
                    if filled.isEmpty { return .end }
                    break reading
                }
                bytes = some
            }
            let count = bytes.count
            var span = bytes.mutableSpan
            let (passed, scanned) = connection.machine.scan(&span)
            if source == .held {
                connection.held.removeFirst(scanned)
            } else if scanned < count {
                connection.held = Array(bytes[scanned...])
            }
            filled += bytes[..<passed]
            if isEncrypted ? !filled.isEmpty : count < free { break }
        }
        handle(
            connection,
            .readEnded(
                isShort: isEncrypted ? filled.isEmpty : filled.count < room, hasHeld: !connection.held.isEmpty
            ))
        return filled.isEmpty ? .again : .bytes(filled)
    }

    /// - Returns: what the socket gives; nothing at its end, `nil` if there is nothing yet.
    private func read(_ connection: SimulatedConnection, _ room: Int) -> [UInt8]? {
        let isEncrypted = connection.machine.isEncrypted
        guard isEncrypted || connection.machine.mayBeReadable else { return nil }
        let bytes = Array(connection.inbound.prefix(room))
        connection.inbound.removeFirst(bytes.count)
        inputWasTaken(connection)
        let isEnd = bytes.isEmpty && (connection.hasEnded || connection.isShutDown)
        if isEnd { handle(connection, .endRead) }
        if !isEncrypted, bytes.count < room { handle(connection, .socketDrained) }
        return bytes.isEmpty && !isEnd ? nil : bytes
    }

    // MARK: A run of the library

    func visit(_ connection: SimulatedConnection) {
        connection.hasPendingVisit = false
        guard failure == nil, connection.activeAt > 0, connection.machine.isOpen else { return }
        runs += 1
        if connection.hasNews, !connection.isLibraryAsleep {
            connection.hasNews = false
            connection.mayRead = true
        }
        run(connection)
        afterRun(connection)
    }

    private func run(_ connection: SimulatedConnection) {
        for _ in 0..<300 {
            guard failure == nil, connection.machine.isOpen, !connection.isLibraryAsleep else { return }
            if connection.mustClose || connection.isBroken || connection.isReset { return close(connection) }
            if connection.machine.stage == .handshake {
                if connection.isShutDown || connection.hasEnded { return close(connection) }
                guard connection.arrivedFlights >= connection.handshakeFlights else {
                    connection.hasInterruptedHandshake = true
                    return
                }
                handle(connection, .handshakeEnded)
                connection.mayRead = true
            }
            guard step(connection) else { break }
        }
        // A client that may stall is bounded by the timers of its exchange.
        guard connection.machine.isOpen, !connection.isLibraryAsleep, !connection.mayStall else { return }
        if now - connection.activeAt >= idleTime { return close(connection) }
        events.add(.visit(connection.index), at: connection.activeAt + idleTime)
    }

    /// What the daemon does behind a run.
    private func afterRun(_ connection: SimulatedConnection) {
        guard failure == nil, connection.machine.isOpen else { return }
        if connection.hasInterruptedHandshake {
            connection.hasInterruptedHandshake = false
            if connection.machine.stage == .handshake {
                handle(connection, .handshakeWaits(hasNews: connection.hasNews))
            }
        }
        if connection.reportsEnd {
            connection.reportsEnd = false
            if connection.machine.hasUnansweredRequest, let exchange = connection.current, exchange.hasHead {
                report(exchange)
            }
        }
        if connection.refusalIsRequested, connection.machine.mayRefuse {
            connection.refusalIsRequested = false
            refuse(connection)
        }
        if connection.awaitsAnswers {
            if connection.machine.stage != .serving {
                connection.awaitsAnswers = false
            } else if connection.machine.isDue, connection.held.isEmpty, connection.inbound.isEmpty {
                connection.awaitsAnswers = false
                handle(connection, .inputExhausted)
            }
        }
        if connection.machine.stage == .leaving {
            handle(connection, .closingAttended)
            handle(connection, .closingTimePassed(at: milliseconds, unreceived: 0))
            if connection.machine.stage == .leaving, let end = connection.machine.unread?.endsAt {
                events.add(.visit(connection.index), at: Int64(end) * 1_000_000)
            }
        }
    }

    /// The library closes the socket.
    func close(_ connection: SimulatedConnection) {
        if let exchange = connection.current { complete(exchange, isWhole: false) }
        guard failure == nil else { return }
        if connection.machine.sleep != .none, connection.isLibraryAsleep, !isStopping {
            fail("connection \(connection.index) is closed while it sleeps")
        }
        handle(connection, .closes(run: runs))
        connection.isServerClosed = true
        connection.headToken = nil
        // A socket that is closed with unread bytes resets the connection.
        if connection.lingersUntil == nil, !connection.inbound.isEmpty || !connection.held.isEmpty {
            reset(connection)
        }
    }

    // MARK: One step

    /// - Returns: whether there may be more to do.
    private func step(_ connection: SimulatedConnection) -> Bool {
        if wantsBytes(connection) {
            let isUnanswered = connection.current != nil && connection.machine.request == .complete
            connection.readsStale = false
            switch receive(connection, room: Self.room - connection.buffer.count) {
            case .bytes(let bytes):
                if isUnanswered {
                    fail("connection \(connection.index): bytes of a next request while one is unanswered")
                }
                connection.activeAt = now
                if bytes.count < Self.room - connection.buffer.count, !connection.machine.isEncrypted {
                    connection.mayRead = false
                }
                connection.buffer += bytes
            case .again: connection.mayRead = false
            case .end:
                close(connection)
                return false
            }
            return true
        }
        guard let exchange = connection.current else {
            guard connection.buffer.contains(0x0A), connection.nextExchange < connection.exchanges.count
            else {
                return false
            }
            connection.current = connection.exchanges[connection.nextExchange]
            connection.nextExchange += 1
            handle(connection, .requestBegan)
            return true
        }
        return step(exchange, of: connection)
    }

    private func wantsBytes(_ connection: SimulatedConnection) -> Bool {
        if connection.readsStale { return true }
        guard connection.mayRead, connection.buffer.count < Self.room else { return false }
        return connection.current == nil || connection.machine.request < .complete
    }

    private func step(_ exchange: SimulatedExchange, of connection: SimulatedConnection) -> Bool {
        if !exchange.hasHead {
            guard let end = endOfHead(connection.buffer) else { return false }
            connection.buffer.removeFirst(end)
            if !connection.machine.hasScannedHead {
                fail("#\(exchange.index): a head that nobody has looked at")
            }
            handle(connection, .headReceived)
            if !takeHead(exchange) { complete(exchange, isWhole: false) }
            return true
        }
        if connection.machine.request == .held {
            handle(connection, .headReleased)
            if !continueOrHold(exchange) { complete(exchange, isWhole: false) }
            return true
        }
        if connection.machine.request != .complete { return readBody(exchange, of: connection) }
        guard exchange.isAnswered else { return awaitReply(exchange) }
        return writeReply(exchange)
    }

    private func endOfHead(_ bytes: [UInt8]) -> Int? {
        var line = 0
        for index in bytes.indices where bytes[index] == 0x0A {
            if index - line <= 1 { return index + 1 }
            line = index + 1
        }
        return nil
    }

    private func takeHead(_ exchange: SimulatedExchange) -> Bool {
        exchange.hasHead = true
        exchange.arrival = now
        exchange.machine.begin(clientStall: settings.terms.clientStall, at: moment)
        if exchange.hasEnded, peer(of: exchange) == .closed {
            handle(exchange, .clientLeft)
            return false
        }
        if let refusal = exchange.plan.headRefusal {
            write(exchange, refusal == .malformed ? .badClientRequest : .routeNotFound, .none)
            return decline(exchange, readsRest: refusal == .noRoute && exchange.plan.hasDrainableBody)
        }
        if isDraining {
            write(exchange, .shuttingDown, .none)
            return decline(exchange, readsRest: exchange.plan.hasDrainableBody)
        }
        exchange.terms = settings.terms
        exchange.terms.body = exchange.plan.body
        exchange.terms.expectsContinue = exchange.plan.expectsContinue
        exchange.terms.readsRefusedBody = exchange.plan.hasDrainableBody
        exchange.terms.isReplayable = exchange.terms.body != .streamed
        exchange.retries = settings.retries
        exchange.machine.accept(exchange.terms, at: moment)
        note("#\(exchange.index) terms: \(exchange.terms)")
        handle(exchange, .headAccepted)
        return continueOrHold(exchange)
    }

    private func decline(_ exchange: SimulatedExchange, readsRest: Bool) -> Bool {
        handle(exchange, .headRefused(readsRest: readsRest))
        return exchange.machine.stage != .over || exchange.isAnswered
    }

    private func continueOrHold(_ exchange: SimulatedExchange) -> Bool {
        switch exchange.machine.stage {
        case .over: return exchange.isAnswered
        case .queued, .awaitingSharedQuota:
            if exchange.plan.expectsContinue, !exchange.plan.pieces.isEmpty {
                handle(exchange.connection, .headHeld)
                handle(exchange.connection, .requestSleeps)
                handle(exchange, .inputHeld)
            }
            return true
        default: return true
        }
    }

    private func readBody(_ exchange: SimulatedExchange, of connection: SimulatedConnection) -> Bool {
        if exchange.plan.expectsContinue, !exchange.continueSent, !exchange.isAnswered,
            connection.buffer.isEmpty,
            connection.machine.request == .head, !exchange.plan.pieces.isEmpty
        {
            clientContinues(exchange)
        }
        // Nothing but the body has this letter.
        connection.buffer.removeAll { $0 != 0x78 }
        let units = connection.buffer.count
        if units > 0 {
            connection.activeAt = now
            handle(connection, .bodyArrived)
            let taken = takeBody(exchange, units)
            if exchange.isAbandoned {
                handle(connection, .requestAbandoned)
                complete(exchange, isWhole: false)
                return false
            }
            connection.buffer.removeFirst(min(taken, units))
            if taken < units { handle(connection, .requestSleeps) }
            return true
        }
        guard !connection.machine.isDue else { return false }
        handle(connection, .requestEnded)
        exchange.requestEndedAt = now
        handle(exchange, .requestEnded)
        if !connection.held.isEmpty { handle(exchange, .inputHeld) }
        return true
    }

    private func takeBody(_ exchange: SimulatedExchange, _ count: Int) -> Int {
        exchange.machine.downstreamActivity = moment
        if exchange.machine.request == .awaitingBody { handle(exchange, .bodyBegan) }
        switch exchange.machine.bodyUse {
        case .drop:
            exchange.droppedUnits += count
            // It is not read for ever behind its reply.
            if exchange.droppedUnits > Self.droppedLimit { exchange.isAbandoned = true }
            return count
        case .wait:
            handle(exchange, .inputHeld)
            return 0
        case .keep(let isBounded):
            if let piece = exchange.plan.longPiece,
                exchange.receivedUnits + count
                    > exchange.plan.pieces.prefix(piece).reduce(0, { $0 + $1.units })
            {
                exchange.fault = (.requestTooLarge, .none)
                handle(exchange, .requestBroken)
                replyEarly(exchange)
                return count
            }
            let taken = isBounded ? min(count, max(0, Self.highWater - exchange.requestBody)) : count
            exchange.requestBody += taken
            exchange.receivedUnits += taken
            if exchange.machine.upload == .paused, taken > 0 { touch(exchange) }
            if taken < count { handle(exchange, .inputHeld) }
            return taken
        }
    }

    private func awaitReply(_ exchange: SimulatedExchange) -> Bool {
        switch exchange.machine.stage {
        case .over: complete(exchange, isWhole: false)
        case .relaying where exchange.answer != .relay: handle(exchange.connection, .requestSleeps)
        case .replying, .relaying:
            if !respondNow(exchange) { complete(exchange, isWhole: false) }
            return true
        default:
            if numbers.happens(0.1) {
                events.add(.visit(exchange.connection.index), at: now + 1_000_000)
                return false
            }
            handle(exchange.connection, .requestSleeps)
        }
        return false
    }

    // MARK: The reply

    /// Gives a reply to libmicrohttpd.
    func respond(_ exchange: SimulatedExchange, isStreamed: Bool) -> Bool {
        let connection = exchange.connection
        guard exchange.isCurrent, connection.machine.mayBeAnswered else {
            fail("#\(exchange.index): a reply that libmicrohttpd does not take: \(connection.machine)")
            return false
        }
        handle(connection, .responseQueued)
        connection.activeAt = now
        exchange.isStreamedReply = isStreamed
        exchange.replyUnits = isStreamed || exchange.plan.isHead ? 0 : exchange.responseBody
        scheduleVisit(connection)
        return true
    }

    private func writeReply(_ exchange: SimulatedExchange) -> Bool {
        let connection = exchange.connection
        if connection.isShutDown {
            complete(exchange, isWhole: false)
            return false
        }
        guard connection.outbox.count < Self.socketRoom else {
            handle(connection, .sendingStalls)
            return false
        }
        guard exchange.isStreamedReply else {
            guard exchange.replyUnits > 0 else { return replyIsWhole(exchange) }
            exchange.replyUnits -= 1
            wrote(exchange.index, connection)
            return true
        }
        if exchange.plan.isHead { return replyIsWhole(exchange) }
        switch giveBody(exchange) {
        case .wrote:
            wrote(exchange.index, connection)
            return true
        case .suspend: handle(connection, .requestSleeps)
        case .end: return replyIsWhole(exchange)
        case .abort: complete(exchange, isWhole: false)
        }
        return false
    }

    private func replyIsWhole(_ exchange: SimulatedExchange) -> Bool {
        let connection = exchange.connection
        complete(exchange, isWhole: true)
        if exchange.plan.isHTTP10, failure == nil {
            close(connection)
            return false
        }
        if connection.outbox.isEmpty { replyIsRead(connection) }
        return true
    }

    // MARK: The last reply

    func answerAndLeave(_ exchange: SimulatedExchange) {
        let connection = exchange.connection
        guard failure == nil, exchange.isCurrent, connection.machine.stage == .serving, !exchange.isAnswered
        else {
            return
        }
        exchange.replyUnits = exchange.plan.isHead ? 0 : exchange.responseBody
        connection.closingUnits = exchange.replyUnits
        handle(connection, .closingResponse(at: milliseconds))
    }

    /// As the engine does it with bytes that are not HTTP.
    private func refuse(_ connection: SimulatedConnection) {
        guard let exchange = connection.current, exchange.hasHead else {
            connection.closingUnits = 1
            return handle(connection, .closingResponse(at: milliseconds))
        }
        if exchange.machine.stage != .over {
            exchange.fault = (.badClientRequest, .none)
            handle(exchange, .requestBroken)
            if exchange.machine.stage == .replying {
                noteDelivery(exchange)
                handle(exchange, .repliedEarly)
            }
        }
        connection.closingUnits = 1
        handle(connection, .closingResponse(at: milliseconds))
    }

    private func sendClosing(_ connection: SimulatedConnection) {
        while connection.closingUnits > 0 {
            if connection.isBroken || connection.isReset || connection.isShutDown {
                return handle(connection, .closingFailed)
            }
            guard connection.outbox.count < Self.socketRoom else { return }
            connection.closingUnits -= 1
            wrote(connection.current?.index ?? -1, connection)
            handle(connection, .closingSent(at: milliseconds))
        }
        connection.current?.closingIsSent = true
        handle(connection, .closingEnded)
    }

    private func dropInput(_ connection: SimulatedConnection) {
        guard connection.machine.stage == .leaving else { return }
        connection.inbound = []
        inputWasTaken(connection)
        handle(
            connection, .inputDropped(connection.isBroken ? .failed : connection.hasEnded ? .ended : .later))
    }

    // MARK: The end

    private func complete(_ exchange: SimulatedExchange, isWhole: Bool) {
        let connection = exchange.connection
        guard failure == nil, exchange.isCurrent else { return }
        if exchange.hasHead {
            handle(exchange, .completed(isWhole: isWhole))
            guard failure == nil else { return }
            exchange.machine.end()
            exchange.departureToken = nil
            note("#\(exchange.index) is complete, whole: \(isWhole)")
            noteWhatTheClientSees(exchange, isWhole: isWhole)
            checkCompletion(of: exchange)
        }
        exchange.isCompleted = true
        connection.current = nil
        handle(connection, .requestCompleted(isWhole: isWhole, run: runs))
    }

    private func noteWhatTheClientSees(_ exchange: SimulatedExchange, isWhole: Bool) {
        let transfer = exchange.transfer
        let connection = exchange.connection
        if exchange.closingIsSent {
            exchange.seen = .whole
        } else if isWhole {
            exchange.seen = .whole
            let isRelay = exchange.answer == .relay && !exchange.plan.isHead
            if isRelay, transfer?.isComplete != true {
                fail("#\(exchange.index): a response that broke off looks whole")
            }
            if isRelay, let transfer, exchange.writtenUnits != transfer.plan.pieces.count {
                fail(
                    "#\(exchange.index): \(exchange.writtenUnits) of \(transfer.plan.pieces.count) units were handed on"
                )
            }
        } else {
            exchange.seen = .broken
            let showsNothing = exchange.isAnswered && exchange.isStreamedReply && endsWithConnection(exchange)
            if showsNothing, !connection.isReset, !connection.isBroken, !connection.isClosed, !isStopping,
                exchange.writtenUnits > 0
            {
                fail("#\(exchange.index): a reply that broke off ends in an orderly way")
            }
        }
    }
}
