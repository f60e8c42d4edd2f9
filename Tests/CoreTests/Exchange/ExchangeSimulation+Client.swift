@testable import Core

/// The client and its connection, with the rules of libmicrohttpd that matter: nothing is seen of a connection that sleeps, no reply is
/// accepted before the request has been read, and `completed` is reported once.
extension ExchangeSimulation {
    /// How long libmicrohttpd lets a connection be idle that does not sleep.
    private static let idleTime = 6 * second
    /// Units of a request's body that are read and dropped.
    private static let droppedLimit = 30
    /// How long a client is read behind a reply that ends its connection.
    private static let farewellTime = 5 * second

    private func soon() -> Int64 { now + Int64.random(in: 0...100_000, using: &numbers) }

    func scheduleVisit(_ exchange: SimulatedExchange) {
        guard !exchange.hasPendingVisit else { return }
        exchange.hasPendingVisit = true
        events.add(.visit(exchange.index), at: soon())
    }

    func resume(_ exchange: SimulatedExchange) {
        guard exchange.isSuspended, !exchange.isLeaving || exchange.isGone else { return }
        exchange.isSuspended = false
        exchange.activeAt = now
        scheduleVisit(exchange)
    }

    // MARK: The client

    func arrive(_ exchange: SimulatedExchange) {
        if isStopping { return }
        note("#\(exchange.index) arrives: \(exchange.plan)")
        exchange.activeAt = now
        if let delay = exchange.plan.closesAfter {
            events.add(.clientCloses(exchange.index), at: now + delay)
        }
        if exchange.plan.pieces.isEmpty {
            exchange.requestIsHere = true
            requestIsSent(exchange)
        } else if !exchange.plan.expectsContinue {
            schedulePiece(exchange)
        } else if numbers.happens(0.3) {
            // It does not wait for long.
            events.add(.clientSends(exchange.index), at: now + Self.second)
        }
        scheduleVisit(exchange)
    }

    private func schedulePiece(_ exchange: SimulatedExchange) {
        guard exchange.nextPiece < exchange.plan.pieces.count else { return }
        events.add(.clientSends(exchange.index), at: now + exchange.plan.pieces[exchange.nextPiece].delay)
    }

    private func requestIsSent(_ exchange: SimulatedExchange) {
        exchange.requestArrivedAt = now
        switch exchange.plan.halfClose {
        case .withRequest: clientEnds(exchange)
        case .after(let delay): events.add(.clientEnds(exchange.index), at: now + delay)
        case .never, .beforeEnd: break
        }
    }

    func clientSends(_ exchange: SimulatedExchange) {
        let piece = exchange.nextPiece
        guard !exchange.hasEnded, !exchange.isClosed, exchange.seen == .nothing,
            piece < exchange.plan.pieces.count, exchange.plan.stallsBefore != piece
        else { return }
        if exchange.plan.expectsContinue, piece == 0 { exchange.continueSent = true }
        // What the server's socket has no room for waits in the client.
        if exchange.inbox > 2 * Self.socketRoom, !exchange.isLeaving {
            events.add(.clientSends(exchange.index), at: now + 20_000_000)
            return
        }
        exchange.nextPiece += 1
        exchange.inbox += exchange.plan.pieces[piece].units
        if exchange.plan.malformedPiece == piece { exchange.isMalformedHere = true }
        if exchange.plan.longPiece == piece { exchange.isLongHere = true }
        let isLast = exchange.nextPiece == exchange.plan.pieces.count
        if isLast {
            exchange.requestIsHere = true
            requestIsSent(exchange)
        } else if exchange.plan.halfClose == .beforeEnd {
            clientEnds(exchange)
        } else {
            schedulePiece(exchange)
        }
        scheduleVisit(exchange)
    }

    func clientEnds(_ exchange: SimulatedExchange) {
        guard !exchange.hasEnded, !exchange.isClosed else { return }
        (exchange.hasEnded, exchange.endedAt) = (true, now)
        hangUp(exchange)
    }

    func clientCloses(_ exchange: SimulatedExchange) {
        guard !exchange.isClosed else { return }
        if !exchange.hasEnded { exchange.endedAt = now }
        (exchange.hasEnded, exchange.isClosed) = (true, true)
        if exchange.plan.resets { exchange.isBroken = true }
        hangUp(exchange)
    }

    func peer(of exchange: SimulatedExchange) -> ExchangeMachine.ClientEnd.Peer {
        exchange.plan.isLocal ? exchange.isClosed ? .closed : .open : .unknown
    }

    /// The server's socket shows the end of the client's side.
    private func hangUp(_ exchange: SimulatedExchange) {
        note("#\(exchange.index) ends its side, closed: \(exchange.isClosed), broken: \(exchange.isBroken)")
        scheduleVisit(exchange)
        guard exchange.hasHead, !exchange.isCompleted else { return }
        if exchange.isLeaving { return attendFarewell(exchange) }
        report(exchange)
    }

    private func report(_ exchange: SimulatedExchange) {
        guard exchange.machine.stage != .over else { return }
        let isBroken = exchange.isBroken
        let isComplete = exchange.machine.request == .complete
        handle(
            exchange,
            .clientEnded(
                ExchangeMachine.ClientEnd(
                    isBroken: isBroken, peer: isBroken ? .closed : peer(of: exchange),
                    requestIsHere: isComplete || !isBroken && exchange.requestIsHere,
                    cameWithRequest: isComplete && !isBroken
                        && exchange.endedAt - exchange.requestArrivedAt < 20_000_000)))
    }

    /// Something was written to the client, who reads it.
    private func wrote(_ exchange: SimulatedExchange) {
        exchange.socketOut += 1
        exchange.activeAt = now
        if exchange.isClosed, !exchange.isBroken {
            // A socket that nobody has answers with a reset.
            exchange.isBroken = true
            hangUp(exchange)
        }
        startReading(exchange)
    }

    private func startReading(_ exchange: SimulatedExchange) {
        guard let delay = exchange.plan.readDelay, !exchange.isReading, exchange.socketOut > 0 else { return }
        exchange.isReading = true
        events.add(.clientReads(exchange.index), at: now + delay + 1000)
    }

    func clientReads(_ exchange: SimulatedExchange) {
        exchange.isReading = false
        guard !exchange.isClosed, exchange.socketOut > 0 else { return }
        exchange.socketOut -= 1
        exchange.readUnits += 1
        startReading(exchange)
        if exchange.isLeaving { attendFarewell(exchange) }
        scheduleVisit(exchange)
    }

    // MARK: The connection

    func visit(_ exchange: SimulatedExchange) {
        exchange.hasPendingVisit = false
        guard failure == nil, !exchange.isCompleted, !isStopping else { return }
        if exchange.isLeaving, !exchange.isGone { return attendFarewell(exchange) }
        for _ in 0..<200 {
            guard failure == nil, !exchange.isCompleted, !exchange.isSuspended,
                !exchange.isLeaving || exchange.isGone
            else { return }
            if exchange.isGone || exchange.isBroken || exchange.isReset {
                return complete(exchange, isWhole: false)
            }
            if exchange.isShutDown, exchange.bodyEnded || exchange.inbox == 0 {
                return complete(exchange, isWhole: false)
            }
            guard step(exchange) else { break }
        }
        guard exchange.hasHead, !exchange.isCompleted, !exchange.isSuspended, !exchange.isLeaving else {
            return
        }
        if now - exchange.activeAt >= Self.idleTime { return complete(exchange, isWhole: false) }
        events.add(.visit(exchange.index), at: exchange.activeAt + Self.idleTime)
    }

    /// - Returns: whether there may be more to do.
    private func step(_ exchange: SimulatedExchange) -> Bool {
        if !exchange.hasHead {
            if !takeHead(exchange) { complete(exchange, isWhole: false) }
            return true
        }
        if exchange.isHeadHeld {
            exchange.isHeadHeld = false
            if !continueOrHold(exchange) { complete(exchange, isWhole: false) }
            return true
        }
        if !exchange.bodyEnded { return readBody(exchange) }
        guard exchange.isAnswered else { return awaitReply(exchange) }
        return writeReply(exchange)
    }

    private func takeHead(_ exchange: SimulatedExchange) -> Bool {
        exchange.hasHead = true
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
        // The end arrived before the request was read.
        if exchange.hasEnded, !exchange.isCompleted, !exchange.isAnswered { report(exchange) }
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
                exchange.isHeadHeld = true
                exchange.isSuspended = true
            }
            return true
        default: return true
        }
    }

    private func readBody(_ exchange: SimulatedExchange) -> Bool {
        if exchange.plan.expectsContinue, !exchange.continueSent, !exchange.isAnswered, exchange.inbox == 0,
            !exchange.plan.pieces.isEmpty
        {
            exchange.continueSent = true
            schedulePiece(exchange)
        }
        if exchange.isMalformedHere {
            exchange.isMalformedHere = false
            exchange.inbox = 0
            refuseMalformed(exchange)
            return true
        }
        if exchange.inbox > 0 {
            exchange.activeAt = now
            let taken = takeBody(exchange, exchange.inbox)
            if exchange.isAbandoned {
                complete(exchange, isWhole: false)
                return false
            }
            exchange.inbox -= min(taken, exchange.inbox)
            if exchange.inbox > 0, !exchange.isLeaving { exchange.isSuspended = true }
            return true
        }
        guard exchange.requestIsHere else {
            // It misses an end that arrives with the last bytes now and then; the engine looks for that itself.
            if exchange.hasEnded { complete(exchange, isWhole: false) }
            return false
        }
        exchange.bodyEnded = true
        exchange.requestEndedAt = now
        handle(exchange, .requestEnded)
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
        case .wait: return 0
        case .keep(let isBounded):
            if exchange.isLongHere {
                exchange.isLongHere = false
                exchange.fault = (.requestTooLarge, .none)
                handle(exchange, .requestBroken)
                replyEarly(exchange)
                return count
            }
            let taken = isBounded ? min(count, max(0, Self.highWater - exchange.requestBody)) : count
            exchange.requestBody += taken
            if exchange.machine.upload == .paused, taken > 0 { touch(exchange) }
            return taken
        }
    }

    /// As the engine does it with bytes that are not HTTP.
    private func refuseMalformed(_ exchange: SimulatedExchange) {
        exchange.fault = (.badClientRequest, .none)
        handle(exchange, .requestBroken)
        if exchange.machine.stage == .over { return complete(exchange, isWhole: false) }
        replyEarly(exchange)
    }

    private func awaitReply(_ exchange: SimulatedExchange) -> Bool {
        switch exchange.machine.stage {
        case .over: complete(exchange, isWhole: false)
        case .relaying where exchange.answer != .relay: exchange.isSuspended = true
        case .replying, .relaying:
            if !respondNow(exchange) { complete(exchange, isWhole: false) }
            return true
        default:
            if numbers.happens(0.1) {
                events.add(.visit(exchange.index), at: now + 1_000_000)
                return false
            }
            exchange.isSuspended = true
        }
        return false
    }

    /// Gives a reply to libmicrohttpd.
    func respond(_ exchange: SimulatedExchange, isStreamed: Bool) -> Bool {
        guard exchange.bodyEnded else {
            fail("#\(exchange.index): a reply before the request was read")
            return false
        }
        guard !exchange.isAnswered else {
            fail("#\(exchange.index): a second reply")
            return false
        }
        exchange.isAnswered = true
        exchange.activeAt = now
        exchange.isStreamedReply = isStreamed
        exchange.replyUnits = isStreamed || exchange.plan.isHead ? 0 : exchange.responseBody
        scheduleVisit(exchange)
        return true
    }

    private func writeReply(_ exchange: SimulatedExchange) -> Bool {
        guard exchange.socketOut < Self.socketRoom else { return false }
        guard exchange.isStreamedReply else {
            guard exchange.replyUnits > 0 else {
                complete(exchange, isWhole: true)
                return false
            }
            exchange.replyUnits -= 1
            wrote(exchange)
            return true
        }
        if exchange.plan.isHead {
            complete(exchange, isWhole: true)
            return false
        }
        switch giveBody(exchange) {
        case .wrote:
            wrote(exchange)
            return true
        case .suspend: exchange.isSuspended = true
        case .end: complete(exchange, isWhole: true)
        case .abort: complete(exchange, isWhole: false)
        }
        return false
    }

    // MARK: A reply that ends the connection

    func answerAndLeave(_ exchange: SimulatedExchange) {
        guard failure == nil else { return }
        exchange.isAnswered = true
        exchange.isLeaving = true
        exchange.isSuspended = true
        exchange.replyUnits = exchange.plan.isHead ? 0 : exchange.responseBody
        exchange.leavesAt = now + Self.farewellTime
        events.add(.visit(exchange.index), at: exchange.leavesAt)
        scheduleVisit(exchange)
    }

    private func attendFarewell(_ exchange: SimulatedExchange) {
        guard !exchange.isGone, !exchange.isCompleted else { return }
        exchange.inbox = 0
        while exchange.replyUnits > 0, exchange.socketOut < Self.socketRoom, !exchange.isBroken {
            exchange.replyUnits -= 1
            exchange.socketOut += 1
            exchange.leavesAt = now + Self.farewellTime
            events.add(.visit(exchange.index), at: exchange.leavesAt)
            startReading(exchange)
        }
        exchange.farewellIsSent = exchange.replyUnits == 0
        let isOver =
            exchange.farewellIsSent && exchange.hasEnded || exchange.isBroken || now >= exchange.leavesAt
        guard isOver else { return }
        exchange.isGone = true
        resume(exchange)
    }

    // MARK: The end

    func complete(_ exchange: SimulatedExchange, isWhole: Bool) {
        guard failure == nil, !exchange.isCompleted else { return }
        handle(exchange, .completed(isWhole: isWhole))
        guard failure == nil else { return }
        exchange.machine.end()
        exchange.isCompleted = true
        exchange.departureToken = nil
        note("#\(exchange.index) is complete, whole: \(isWhole)")
        noteWhatTheClientSees(exchange, isWhole: isWhole)
        checkCompletion(of: exchange)
    }

    private func noteWhatTheClientSees(_ exchange: SimulatedExchange, isWhole: Bool) {
        let transfer = exchange.transfer
        if exchange.isLeaving, exchange.farewellIsSent {
            exchange.seen = .whole
        } else if isWhole {
            exchange.seen = .whole
            let isRelay = exchange.answer == .relay && !exchange.plan.isHead
            if isRelay, transfer?.isComplete != true {
                fail("#\(exchange.index): a response that broke off looks whole")
            }
            if isRelay, let transfer, exchange.readUnits + exchange.socketOut != transfer.plan.pieces.count {
                fail(
                    "#\(exchange.index): \(exchange.readUnits + exchange.socketOut) of \(transfer.plan.pieces.count) units were handed on"
                )
            }
        } else {
            exchange.seen = .broken
            let showsNothing = exchange.isAnswered && exchange.isStreamedReply && endsWithConnection(exchange)
            if showsNothing, !exchange.isReset, !exchange.isBroken, !exchange.isClosed, !isStopping,
                exchange.readUnits + exchange.socketOut > 0
            {
                // libmicrohttpd's own idle timeout ends the connection in an orderly way.
                if now - exchange.activeAt < Self.idleTime {
                    fail("#\(exchange.index): a reply that broke off ends in an orderly way")
                }
            }
        }
    }
}
