@testable import Core

/// The provider, and the transfer to it.
extension ExchangeSimulation {
    private func isCurrent(_ exchange: SimulatedExchange, _ number: Int) -> Bool {
        failure == nil && exchange.transfer?.number == number && exchange.transfer?.isRunning == true
    }

    func begin(_ exchange: SimulatedExchange, _ plan: ProviderPlan) {
        let number = exchange.transfersBegun
        exchange.transfer = SimulatedTransfer(number: number, plan: plan)
        note("#\(exchange.index) attempt \(number): \(plan)")
        switch plan.connection {
        case .opens: events.add(.connected(exchange.index, number), at: now + plan.connectDelay)
        case .fails: events.add(.connectFailed(exchange.index, number), at: now + plan.connectDelay)
        case .hangs: break
        }
    }

    func connectFailed(_ exchange: SimulatedExchange, _ number: Int) {
        guard isCurrent(exchange, number) else { return }
        exchange.transfer?.fault = .providerUnreachable
        finish(exchange, number)
    }

    /// The connection is open: the request's head leaves, and its body if it is here.
    func connected(_ exchange: SimulatedExchange, _ number: Int) {
        guard isCurrent(exchange, number), let plan = exchange.transfer?.plan else { return }
        exchange.transfer?.wasSent = true
        exchange.slotWasUsed = true
        exchange.sentAttempts += 1
        note("#\(exchange.index) attempt \(number) is connected")
        if exchange.terms.body == .streamed {
            if plan.isEarly { respond(exchange, number, plan) }
            events.add(.pullUpload(exchange.index, number), at: now + plan.readDelay)
        } else {
            requestHasArrived(exchange, number, plan)
        }
    }

    private func requestHasArrived(_ exchange: SimulatedExchange, _ number: Int, _ plan: ProviderPlan) {
        exchange.transfer?.uploadIsOver = true
        if plan.performs, exchange.terms.body != .streamed || !plan.isEarly {
            // It happens whether or not somebody still waits for the response.
            events.add(.performs(exchange.index), at: now + plan.headDelay / 2)
        }
        if exchange.terms.body != .streamed || !plan.isEarly { respond(exchange, number, plan) }
    }

    private func respond(_ exchange: SimulatedExchange, _ number: Int, _ plan: ProviderPlan) {
        if plan.isEarly, exchange.terms.body == .streamed, plan.performs {
            events.add(.performs(exchange.index), at: now)
        }
        if plan.hasInterim { events.add(.interim(exchange.index, number), at: now + plan.headDelay / 2) }
        switch plan.response {
        case .silence: break
        default: events.add(.head(exchange.index, number), at: now + plan.headDelay)
        }
    }

    // MARK: The request's body

    func pullUpload(_ exchange: SimulatedExchange, _ number: Int) {
        guard isCurrent(exchange, number), let transfer = exchange.transfer, !transfer.uploadIsOver,
            !transfer.isUploadPaused, transfer.takenUnits < transfer.plan.readsUpTo
        else { return }
        exchange.machine.upstreamActivity = moment
        if exchange.requestBody > 0 {
            exchange.requestBody -= 1
            exchange.transfer?.takenUnits += 1
            if exchange.requestBody <= Self.lowWater { touch(exchange) }
            events.add(.pullUpload(exchange.index, number), at: now + transfer.plan.readDelay + 1000)
            return
        }
        if exchange.machine.request == .complete, exchange.machine.upload != .dropped {
            if transfer.takenUnits != exchange.plan.size {
                fail("#\(exchange.index): \(transfer.takenUnits) of \(exchange.plan.size) units were sent")
            }
            return requestHasArrived(exchange, number, transfer.plan)
        }
        exchange.transfer?.isUploadPaused = true
        exchange.machine.uploadStarved(at: moment)
        schedule(exchange)
        touch(exchange)
    }

    func resumeTransfer(_ exchange: SimulatedExchange, isUpload: Bool) {
        guard let transfer = exchange.transfer, transfer.isRunning else { return }
        if isUpload {
            exchange.transfer?.isUploadPaused = false
            events.add(.pullUpload(exchange.index, transfer.number), at: now + 1000)
        } else {
            exchange.transfer?.isDownloadPaused = false
            events.add(.transferRuns(exchange.index, transfer.number), at: now + 1000)
        }
    }

    // MARK: The response

    func interimArrived(_ exchange: SimulatedExchange, _ number: Int) {
        guard isCurrent(exchange, number) else { return }
        note("#\(exchange.index) interim response")
    }

    func headArrived(_ exchange: SimulatedExchange, _ number: Int) {
        guard isCurrent(exchange, number), let plan = exchange.transfer?.plan else { return }
        var isCollected = false
        switch plan.response {
        case .closesBeforeHead, .silence: return finish(exchange, number)
        case .success(let isExamined): isCollected = isExamined
        case .error: isCollected = true
        case .eventStream: break
        }
        exchange.transfer?.hasHead = true
        handle(
            exchange,
            .headArrived(isCollected: isCollected, isEventStream: plan.response == .eventStream))
        touch(exchange)
        events.add(.piece(exchange.index, number), at: now + (plan.pieces.first ?? 0))
    }

    /// The provider sends the next piece, or the end.
    func pieceArrived(_ exchange: SimulatedExchange, _ number: Int) {
        guard isCurrent(exchange, number), let transfer = exchange.transfer else { return }
        let plan = transfer.plan
        if transfer.sentUnits == plan.pieces.count {
            if plan.ending == .silence { return }
            exchange.transfer?.endArrived = true
        } else if transfer.arrived >= Self.socketRoom {
            events.add(.piece(exchange.index, number), at: now + 5_000_000)
            return
        } else {
            exchange.transfer?.arrived += 1
            exchange.transfer?.sentUnits += 1
            let next = transfer.sentUnits + 1
            events.add(
                .piece(exchange.index, number),
                at: now + (next < plan.pieces.count ? plan.pieces[next] : 1000))
        }
        if isUnnoticed(exchange) { return note("#\(exchange.index) no event reports the piece") }
        readResponse(exchange, number)
    }

    /// Whether no event reports what has arrived: it lies in the provider's socket, and is pulled once the client reads on.
    private func isUnnoticed(_ exchange: SimulatedExchange) -> Bool {
        guard let transfer = exchange.transfer, transfer.plan.isPulled, transfer.arrived > 0,
            exchange.machine.stage == .relaying, exchange.isAnswered, !exchange.isSuspended,
            exchange.machine.download == .open, exchange.connection.outbox.count >= Self.socketRoom
        else { return false }
        return numbers.happens(0.5)
    }

    /// Offers what has arrived of the response to the exchange.
    func readResponse(_ exchange: SimulatedExchange, _ number: Int) {
        while isCurrent(exchange, number), let transfer = exchange.transfer, !transfer.isDownloadPaused {
            if transfer.arrived == 0 {
                guard transfer.endArrived else { return }
                exchange.transfer?.isComplete = transfer.plan.ending == .complete
                return finish(exchange, number)
            }
            if transfer.plan.isPulled, exchange.machine.stage == .relaying, exchange.isAnswered {
                exchange.machine.upstreamActivity = moment
                if exchange.isSuspended {
                    touch(exchange)
                } else {
                    exchange.machine.downloadPulled()
                    if exchange.responseBody == 0 { expectClientToTakeMore(exchange) }
                }
                return
            }
            switch receive(exchange) {
            case .taken: exchange.transfer?.arrived -= 1
            case .paused:
                exchange.transfer?.arrived -= 1
                exchange.transfer?.isDownloadPaused = true
                return
            case .refused: return finish(exchange, number)
            }
        }
    }

    private enum Disposition { case taken, paused, refused }

    private func receive(_ exchange: SimulatedExchange) -> Disposition {
        exchange.machine.upstreamActivity = moment
        if exchange.machine.stage == .collecting {
            guard exchange.responseBody >= Self.errorBodyLimit else {
                exchange.responseBody += 1
                return .taken
            }
            guard relayUnread(exchange) else {
                exchange.isTruncated = true
                return .refused
            }
            exchange.responseBody += 1
            return holdBackIfFull(exchange)
        }
        guard exchange.machine.stage == .relaying else { return .refused }
        let waitBegins = exchange.machine.isEndlessStream && exchange.responseBody == 0
        exchange.responseBody += 1
        if waitBegins { expectClientToTakeMore(exchange) }
        touch(exchange)
        return holdBackIfFull(exchange)
    }

    private func holdBackIfFull(_ exchange: SimulatedExchange) -> Disposition {
        guard exchange.responseBody >= Self.highWater else { return .taken }
        exchange.machine.downloadHeldBack(at: moment)
        schedule(exchange)
        return .paused
    }

    private func expectClientToTakeMore(_ exchange: SimulatedExchange) {
        exchange.machine.downstreamActivity = moment
        schedule(exchange)
    }

    enum BodyRead { case wrote, suspend, end, abort }

    /// Gives bytes of a streamed reply to libmicrohttpd.
    func giveBody(_ exchange: SimulatedExchange) -> BodyRead {
        if exchange.responseBody > 0 {
            exchange.responseBody -= 1
            exchange.machine.downstreamActivity = moment
            if exchange.machine.download == .paused, exchange.responseBody <= Self.lowWater {
                touch(exchange)
            }
            return .wrote
        }
        if pullBody(exchange) { return .wrote }
        if exchange.machine.stage == .over {
            if endsWithConnection(exchange) { reset(exchange.connection) }
            return .abort
        }
        return exchange.machine.stage == .replying ? .end : .suspend
    }

    private func pullBody(_ exchange: SimulatedExchange) -> Bool {
        guard exchange.machine.stage == .relaying, exchange.machine.download != .paused,
            let transfer = exchange.transfer, transfer.isRunning, transfer.plan.isPulled
        else { return false }
        guard transfer.arrived > 0 else {
            if exchange.machine.download == .pulled {
                exchange.machine.downloadResumed(at: moment)
                schedule(exchange)
            }
            return false
        }
        exchange.transfer?.arrived -= 1
        exchange.machine.upstreamActivity = moment
        exchange.machine.downstreamActivity = moment
        if transfer.arrived == 1, transfer.endArrived {
            events.add(.transferRuns(exchange.index, transfer.number), at: now)
        }
        return true
    }
}
