import Wire

@testable import Core

/// The client, and the network between it and this side.
extension ExchangeSimulation {
    /// Bytes for which the server's socket has room; a client sends on when no more than these are left.
    private static let receiveRoom = 40

    // MARK: The client

    func arrive(_ connection: SimulatedConnection) {
        if isStopping { return }
        let plan = connection.exchanges[0].plan
        note("connection \(connection.index) arrives: \(connection.exchanges.map(\.plan))")
        connection.activeAt = max(now, 1)
        if let delay = plan.closesAfter { events.add(.clientCloses(connection.index), at: now + delay) }
        if connection.machine.isHeadTimed { startHeadTimer(connection) }
        if connection.handshakeFlights > 0 {
            events.add(.clientShakesHands(connection.index), at: now)
        } else {
            scheduleSegment(connection)
        }
        scheduleVisit(connection)
    }

    func clientShakesHands(_ connection: SimulatedConnection) {
        guard !connection.hasEnded, !connection.isServerClosed else { return }
        connection.arrivedFlights += 1
        if connection.arrivedFlights < connection.handshakeFlights {
            let delay =
                numbers.happens(0.8) ? 1_000_000 : Int64.random(in: 0...2000, using: &numbers) * 1_000_000
            events.add(.clientShakesHands(connection.index), at: now + delay)
        } else {
            scheduleSegment(connection)
        }
        socketChanges(connection)
    }

    private func scheduleSegment(_ connection: SimulatedConnection) {
        guard connection.nextSegment < connection.segments.count else { return lastSegmentIsSent(connection) }
        let segment = connection.segments[connection.nextSegment]
        let exchange = exchanges[segment.exchange]
        switch segment.condition {
        case .none: break
        case .continued:
            // Some do not wait for long.
            if !exchange.continueSent {
                if numbers.happens(0.3) {
                    events.add(.clientContinues(exchange.index), at: now + Self.second)
                }
                return
            }
        case .replied:
            guard hasReplyBefore(exchange) else { return }
        }
        if segment.isStalled { return }
        events.add(.clientSends(connection.index), at: now + segment.delay)
    }

    /// Whether the client has read the reply to the request before.
    private func hasReplyBefore(_ exchange: SimulatedExchange) -> Bool {
        let connection = exchange.connection
        guard let place = connection.exchanges.firstIndex(where: { $0 === exchange }), place > 0 else {
            return true
        }
        let before = connection.exchanges[place - 1]
        return before.seen == .whole && before.readUnits == before.writtenUnits
    }

    func clientContinues(_ exchange: SimulatedExchange) {
        guard !exchange.continueSent else { return }
        exchange.continueSent = true
        scheduleSegment(exchange.connection)
    }

    /// The client has read a reply: it may send the request that waits for that.
    func replyIsRead(_ connection: SimulatedConnection) {
        guard connection.nextSegment < connection.segments.count,
            connection.segments[connection.nextSegment].condition == .replied
        else { return }
        scheduleSegment(connection)
    }

    private func lastSegmentIsSent(_ connection: SimulatedConnection) {
        switch connection.exchanges[0].plan.halfClose {
        case .withRequest: clientEnds(connection)
        case .after(let delay): events.add(.clientEnds(connection.index), at: now + delay)
        case .never: break
        }
    }

    func clientSends(_ connection: SimulatedConnection) {
        guard !connection.hasEnded, !connection.isClosed, !connection.isServerClosed, !connection.isReset,
            connection.nextSegment < connection.segments.count
        else { return }
        // What the server's socket has no room for waits in the client.
        if connection.inbound.count > Self.receiveRoom, !connection.machine.isLeaving {
            events.add(.clientSends(connection.index), at: now + 20_000_000)
            return
        }
        let segment = connection.segments[connection.nextSegment]
        connection.nextSegment += 1
        let plan = connection.exchanges[0].plan
        var bytes = segment.bytes[...]
        var isEnd = false
        if let end = plan.endsAtByte, connection.sentBytes + bytes.count >= end {
            bytes = bytes.prefix(max(0, end - connection.sentBytes))
            isEnd = true
        }
        connection.sentBytes += bytes.count
        connection.inbound += bytes
        connection.lastBytesAt = now
        if connection.lingersUntil != nil { connection.inbound = [] }
        socketChanges(connection)
        if isEnd {
            if plan.resets { clientCloses(connection) } else { clientEnds(connection) }
        } else {
            scheduleSegment(connection)
        }
    }

    func clientEnds(_ connection: SimulatedConnection) {
        guard !connection.hasEnded, !connection.isClosed else { return }
        (connection.hasEnded, connection.endedAt) = (true, now)
        note("connection \(connection.index): the client ends its side")
        socketChanges(connection)
    }

    func clientCloses(_ connection: SimulatedConnection) {
        guard !connection.isClosed else { return }
        if !connection.hasEnded, !connection.exchanges[0].plan.resets, connection.outbox.isEmpty,
            connection.inbound.count > Self.receiveRoom, !connection.isServerClosed
        {
            return closeBehindUpload(connection)
        }
        if !connection.hasEnded { connection.endedAt = now }
        (connection.hasEnded, connection.isClosed) = (true, true)
        // A socket that is closed with unread bytes resets the connection.
        if connection.exchanges[0].plan.resets || !connection.outbox.isEmpty { breakOff(connection) }
        note("connection \(connection.index): the client closes, broken: \(connection.isBroken)")
        socketChanges(connection)
    }

    /// The end waits behind bytes for which the server's socket has no room.
    private func closeBehindUpload(_ connection: SimulatedConnection) {
        (connection.isClosed, connection.hidesEnd) = (true, true)
        note("connection \(connection.index): the client closes, and its end waits")
        events.add(.departureIsDue(connection.index), at: now + 1_600_000_000)
    }

    /// The server has taken bytes out of the socket: an end that waits behind them may arrive.
    func inputWasTaken(_ connection: SimulatedConnection) {
        guard connection.hidesEnd, connection.inbound.count <= Self.receiveRoom else { return }
        connection.hidesEnd = false
        events.add(.endArrives(connection.index), at: now + 1000)
    }

    func endArrives(_ connection: SimulatedConnection) {
        guard !connection.hasEnded else { return }
        (connection.hasEnded, connection.endedAt) = (true, now)
        socketChanges(connection)
    }

    /// A client on the same machine that has closed its socket must have been noticed by now, whatever waits.
    func departureIsDue(_ connection: SimulatedConnection) {
        guard connection.hidesEnd, !connection.isServerClosed, let exchange = connection.current,
            exchange.hasHead, exchange.plan.isLocal, exchange.machine.stage != .over,
            exchange.machine.request != .complete || exchange.departureToken != nil
        else { return }
        fail("#\(exchange.index): its client has closed its socket, and \(exchange.machine.stage) goes on")
    }

    func clientReads(_ connection: SimulatedConnection) {
        connection.isReading = false
        guard !connection.isClosed, !connection.outbox.isEmpty else { return }
        let index = connection.outbox.removeFirst()
        if index >= 0 { exchanges[index].readUnits += 1 }
        startReading(connection)
        if connection.outbox.isEmpty { replyIsRead(connection) }
        // There is room again.
        socketChanges(connection)
    }

    private func startReading(_ connection: SimulatedConnection) {
        guard let delay = connection.exchanges[0].plan.readDelay, !connection.isReading,
            !connection.outbox.isEmpty
        else { return }
        connection.isReading = true
        events.add(.clientReads(connection.index), at: now + delay + 1000)
    }

    func peer(of exchange: SimulatedExchange) -> ExchangeMachine.ClientEnd.Peer {
        exchange.plan.isLocal ? exchange.isClosed ? .closed : .open : .unknown
    }

    // MARK: The network

    /// The client has reset the connection.
    private func breakOff(_ connection: SimulatedConnection) {
        connection.isBroken = true
        connection.inbound = []
    }

    /// Something changes on the server's socket; bytes for a closed one reset the connection.
    private func socketChanges(_ connection: SimulatedConnection) {
        guard !connection.isServerClosed else {
            if connection.lingersUntil == nil, !connection.inbound.isEmpty { reset(connection) }
            return
        }
        guard connection.activeAt > 0 else { return }
        connection.hasNews = true
        handle(connection, .socketChanged(ended: connection.hasEnded, broken: connection.isBroken))
        scheduleVisit(connection)
    }

    /// The server ends its socket in both directions, which is an event of its own.
    func shutDown(_ connection: SimulatedConnection) {
        connection.isShutDown = true
        events.add(.socketEnds(connection.index), at: now + 1000)
    }

    /// The socket has ended, whoever ended it.
    func socketEnds(_ connection: SimulatedConnection) {
        guard !connection.isServerClosed else { return }
        connection.hasNews = true
        handle(connection, .socketChanged(ended: true, broken: true))
        scheduleVisit(connection)
    }

    /// The server resets the connection: what the client has not read is lost.
    func reset(_ connection: SimulatedConnection) {
        if !connection.isServerClosed { events.add(.socketEnds(connection.index), at: now + 1000) }
        note("connection \(connection.index) is reset")
        connection.isReset = true
        for index in connection.outbox where index >= 0 { exchanges[index].isLost = true }
        connection.outbox = []
    }

    /// A unit was written to the client, who reads it; `index` is of its exchange, or -1.
    func wrote(_ index: Int, _ connection: SimulatedConnection) {
        connection.outbox.append(index)
        if index >= 0 { exchanges[index].writtenUnits += 1 }
        connection.activeAt = now
        if connection.isClosed, !connection.isBroken {
            // A socket that nobody has answers with a reset.
            breakOff(connection)
            socketChanges(connection)
        }
        startReading(connection)
    }

    /// Whether all of the request that is read is here, read or not; as `ClientConnection` finds it out.
    private func isHereWhole(_ connection: SimulatedConnection) -> Bool {
        if !connection.machine.isDue { return true }
        var bytes = connection.held + connection.inbound
        var span = bytes.mutableSpan
        return connection.machine.isRequestCompleted(by: &span)
    }

    /// Reports the end of a client's side to its exchange.
    func report(_ exchange: SimulatedExchange) {
        guard exchange.machine.stage != .over else { return }
        let connection = exchange.connection
        let isBroken = connection.machine.end == .broken
        let isComplete = exchange.machine.request == .complete
        handle(
            exchange,
            .clientEnded(
                ExchangeMachine.ClientEnd(
                    isBroken: isBroken, peer: isBroken ? .closed : peer(of: exchange),
                    requestIsHere: isComplete || !isBroken && isHereWhole(connection),
                    cameWithRequest: isComplete && !isBroken
                        && connection.endedAt - connection.lastBytesAt < 20_000_000)))
    }
}
