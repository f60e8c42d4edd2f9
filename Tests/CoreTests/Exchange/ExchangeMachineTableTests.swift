import Testing

@testable import Core

@Suite("the table of an exchange's stages and events")
struct ExchangeMachineTableTests {
    typealias Event = ExchangeMachine.Event
    typealias Action = ExchangeAction

    static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    /// A machine in a state, and the time of its next event; by the name of its row.
    static func machine(_ row: String) -> ExchangeMachine {
        var machine = ExchangeMachine()
        machine.begin(clientStall: .seconds(60), at: MonotonicTime(nanoseconds: 0))
        var terms = ExchangeMachine.Terms()
        terms.patience = .seconds(10)
        terms.response = 5_000_000_000
        terms.idle = 5_000_000_000
        terms.errorBody = 5_000_000_000
        switch row {
        case "reading", "refused": terms.body = .whole
        case "awaitingBody": (terms.body, terms.expectsContinue) = (.streamed, true)
        case "awaitingSharedQuota": terms.sharesQuota = true
        case "uploading", "relaying early": (terms.body, terms.isReplayable) = (.streamed, false)
        default: break
        }
        machine.accept(terms, at: at(0))
        func play(_ events: Event...) { for event in events { _ = machine.handle(event, at: at(0)) } }
        let head = Event.headArrived(isCollected: false, isEventStream: false)
        switch row {
        case "reading": play(.headAccepted)
        case "refused": play(.headRefused(readsRest: true))
        case "queued": play(.headAccepted, .queued)
        case "awaitingSharedQuota", "awaitingBody": play(.headAccepted, .admitted(needsBody: false))
        case "uploading": play(.headAccepted, .admitted(needsBody: false), .bodyBegan)
        case "relaying early": play(.headAccepted, .admitted(needsBody: false), .bodyBegan, head)
        case "sending": play(.headAccepted, .admitted(needsBody: false), .requestEnded)
        case "collecting":
            play(
                .headAccepted, .admitted(needsBody: false), .requestEnded,
                .headArrived(isCollected: true, isEventStream: false)
            )
        case "relaying": play(.headAccepted, .admitted(needsBody: false), .requestEnded, head)
        case "relaying, started":
            play(.headAccepted, .admitted(needsBody: false), .requestEnded, head, .replyStarted)
        case "replying":
            play(
                .headAccepted, .admitted(needsBody: false), .requestEnded,
                .attemptEnded(isComplete: false, wasSent: true))
        case "waitingToRetry":
            play(
                .headAccepted, .admitted(needsBody: false), .requestEnded,
                .attemptEnded(isComplete: false, wasSent: true),
                .replyMade(retryAt: at(2000)))
        case "over": play(.headAccepted, .clientLeft)
        case "over, transfer runs":
            play(.headAccepted, .admitted(needsBody: false), .requestEnded, .clientLeft)
        case "completed":
            play(.headAccepted, .completed(isWhole: false))
            machine.end()
        default: Issue.record("no row \(row)")
        }
        return machine
    }

    static let rows = [
        "reading", "refused", "queued", "awaitingSharedQuota", "awaitingBody", "uploading", "sending",
        "collecting", "relaying early", "relaying", "relaying, started", "replying", "waitingToRetry", "over",
        "over, transfer runs",
        "completed",
    ]

    /// All events by name, with their times in milliseconds.
    static let events: [(name: String, event: Event, at: Int64)] = [
        ("headAccepted", .headAccepted, 1), ("headRefused", .headRefused(readsRest: false), 1),
        ("headRefused, reads rest", .headRefused(readsRest: true), 1), ("bodyBegan", .bodyBegan, 1),
        ("requestEnded", .requestEnded, 1), ("requestBroken", .requestBroken, 1),
        ("admitted", .admitted(needsBody: false), 1),
        ("queued", .queued, 1), ("refused", .refused, 1), ("turnCame", .turnCame(needsBody: false), 1),
        ("turnRefused", .turnRefused, 1), ("sharedQuotaGranted", .sharedQuotaGranted, 1),
        ("sharedQuotaRefused", .sharedQuotaRefused, 1),
        ("headArrived, collected", .headArrived(isCollected: true, isEventStream: false), 1),
        ("headArrived, relayed", .headArrived(isCollected: false, isEventStream: false), 1),
        ("relayChosen", .relayChosen, 1), ("errorBodyTimedOut", .errorBodyTimedOut, 1),
        ("attemptEnded, complete", .attemptEnded(isComplete: true, wasSent: true), 1),
        ("attemptEnded, broken off", .attemptEnded(isComplete: false, wasSent: true), 1),
        ("attemptEnded, not sent", .attemptEnded(isComplete: false, wasSent: false), 1),
        ("attemptCancelled, sent", .attemptCancelled(wasSent: true), 1),
        ("attemptCancelled, not sent", .attemptCancelled(wasSent: false), 1),
        ("replyMade", .replyMade(retryAt: nil), 1), ("replyMade, retry", .replyMade(retryAt: at(2000)), 1),
        ("relayReady", .relayReady, 1), ("replyStarted", .replyStarted, 1),
        ("repliedEarly", .repliedEarly, 1),
        ("inputHeld", .inputHeld, 1),
        ("timePassed, too early", .timePassed(hasUnsentBody: false), 1),
        ("timePassed, late", .timePassed(hasUnsentBody: false), 100_000),
        (
            "clientEnded, with the request",
            .clientEnded(
                ExchangeMachine.ClientEnd(
                    isBroken: false, peer: .unknown, requestIsHere: true, cameWithRequest: true)), 1
        ),
        (
            "clientEnded, later",
            .clientEnded(
                ExchangeMachine.ClientEnd(
                    isBroken: false, peer: .open, requestIsHere: true, cameWithRequest: false)), 1
        ),
        (
            "clientEnded, closed",
            .clientEnded(
                ExchangeMachine.ClientEnd(
                    isBroken: false, peer: .closed, requestIsHere: true, cameWithRequest: false)), 1
        ), ("departureChecked, visible end", .departureChecked(peer: nil), 1),
        ("departureChecked, open", .departureChecked(peer: .open), 1),
        ("departureChecked, closed", .departureChecked(peer: .closed), 1),
        ("departureChecked, unknown", .departureChecked(peer: .unknown), 1),
        ("clientLeft", .clientLeft, 1), ("drainBegan", .drainBegan, 1), ("drainEnded", .drainEnded, 1),
        ("completed, whole", .completed(isWhole: true), 1),
        ("completed, broken off", .completed(isWhole: false), 1),
    ]

    /// The stage and the actions that follow.
    static func cell(_ row: String, _ name: String) -> String? {
        guard let (_, event, time) = events.first(where: { $0.name == name }) else { return nil }
        var machine = machine(row)
        let actions = machine.handle(event, at: at(time))
        let list = actions.map { "\($0)" }.joined(separator: ", ")
        return "\(machine.stage): \(list)"
    }

    /// What follows in each state from each event that is possible there: the new stage, and the actions.
    ///
    /// All other events are mistakes, and trap.
    private static let table = """
        reading
            headAccepted                     reading: schedule
            headRefused                      replying: replyEarly
            headRefused, reads rest          replying: schedule
            bodyBegan                        reading:
            requestEnded                     reading: askForSlot
            requestBroken                    replying: makeProblem
            admitted                         sending: unschedule, send, schedule, wakeClient
            queued                           queued: schedule
            refused                          replying: unschedule, makeProblem, schedule
            timePassed, too early            reading: schedule
            timePassed, late                 reading: breakConnection, wakeClient
            clientEnded, with the request    reading:
            clientEnded, later               reading: watchForDeparture
            clientEnded, closed              over: breakConnection, wakeClient
            inputHeld                        reading: watchForDeparture
            departureChecked, visible end    reading:
            departureChecked, open           reading: watchForDeparture
            departureChecked, closed         over: breakConnection, wakeClient
            departureChecked, unknown        reading:
            clientLeft                       over: breakConnection, wakeClient
            drainBegan                       reading:
            drainEnded                       replying: makeProblem, replyEarly
            completed, broken off            over: leaveGuards, unschedule, record
        refused
            bodyBegan                        replying:
            requestEnded                     replying:
            requestBroken                    replying: makeProblem
            replyMade                        replying: replyEarly
            repliedEarly                     over: leaveGuards, unschedule, record
            timePassed, too early            replying: schedule
            timePassed, late                 replying: replyEarly
            clientEnded, with the request    replying:
            clientEnded, later               replying: watchForDeparture
            clientEnded, closed              over: breakConnection, wakeClient
            inputHeld                        replying: watchForDeparture
            departureChecked, visible end    replying:
            departureChecked, open           replying: watchForDeparture
            departureChecked, closed         over: breakConnection, wakeClient
            departureChecked, unknown        replying:
            clientLeft                       over: breakConnection, wakeClient
            drainBegan                       replying:
            drainEnded                       replying: replyEarly
            completed, broken off            over: leaveGuards, unschedule, record
        queued
            bodyBegan                        queued:
            requestEnded                     queued:
            requestBroken                    replying: leaveQueue, makeProblem
            turnCame                         sending: unschedule, send, schedule
            turnRefused                      replying: leaveQueue, returnSlot, unschedule, makeProblem, replyEarly
            timePassed, too early            queued: schedule
            timePassed, late                 replying: leaveQueue, unschedule, makeProblem, replyEarly
            clientEnded, with the request    queued:
            clientEnded, later               queued: watchForDeparture
            clientEnded, closed              over: leaveQueue, breakConnection, wakeClient
            inputHeld                        queued: watchForDeparture
            departureChecked, visible end    queued:
            departureChecked, open           queued: watchForDeparture
            departureChecked, closed         over: leaveQueue, breakConnection, wakeClient
            departureChecked, unknown        queued:
            clientLeft                       over: leaveQueue, breakConnection, wakeClient
            drainBegan                       replying: leaveQueue, unschedule, makeProblem, replyEarly
            drainEnded                       replying: leaveQueue, makeProblem, replyEarly
            completed, broken off            over: leaveQueue, leaveGuards, unschedule, record
        awaitingSharedQuota
            bodyBegan                        awaitingSharedQuota:
            requestEnded                     awaitingSharedQuota:
            requestBroken                    replying: leaveSharedQuota, returnSlot, makeProblem
            turnRefused                      replying: leaveSharedQuota, returnSlot, unschedule, makeProblem, replyEarly
            sharedQuotaGranted               sending: leaveSharedQuota, unschedule, send, schedule
            sharedQuotaRefused               replying: leaveSharedQuota, returnSlot, unschedule, makeProblem, replyEarly
            timePassed, too early            awaitingSharedQuota: schedule
            timePassed, late                 replying: leaveSharedQuota, returnSlot, unschedule, makeProblem, replyEarly
            clientEnded, with the request    awaitingSharedQuota:
            clientEnded, later               awaitingSharedQuota: watchForDeparture
            clientEnded, closed              over: leaveSharedQuota, returnSlot, breakConnection, wakeClient
            inputHeld                        awaitingSharedQuota: watchForDeparture
            departureChecked, visible end    awaitingSharedQuota:
            departureChecked, open           awaitingSharedQuota: watchForDeparture
            departureChecked, closed         over: leaveSharedQuota, returnSlot, breakConnection, wakeClient
            departureChecked, unknown        awaitingSharedQuota:
            clientLeft                       over: leaveSharedQuota, returnSlot, breakConnection, wakeClient
            drainBegan                       replying: leaveSharedQuota, returnSlot, unschedule, makeProblem, replyEarly
            drainEnded                       replying: leaveSharedQuota, returnSlot, makeProblem, replyEarly
            completed, broken off            over: leaveSharedQuota, returnSlot, leaveGuards, unschedule, record
        awaitingBody
            bodyBegan                        sending: unschedule, send, schedule, wakeClient
            requestEnded                     sending: unschedule, send, schedule
            requestBroken                    replying: returnSlot, makeProblem
            timePassed, too early            awaitingBody: schedule
            timePassed, late                 reading: returnSlot, leaveGuards, unschedule, schedule, wakeClient
            clientEnded, with the request    awaitingBody:
            clientEnded, later               awaitingBody: watchForDeparture
            clientEnded, closed              over: returnSlot, breakConnection, wakeClient
            inputHeld                        awaitingBody: watchForDeparture
            departureChecked, visible end    awaitingBody:
            departureChecked, open           awaitingBody: watchForDeparture
            departureChecked, closed         over: returnSlot, breakConnection, wakeClient
            departureChecked, unknown        awaitingBody:
            clientLeft                       over: returnSlot, breakConnection, wakeClient
            drainBegan                       awaitingBody:
            drainEnded                       replying: returnSlot, makeProblem, replyEarly
            completed, broken off            over: returnSlot, leaveGuards, unschedule, record
        uploading
            requestEnded                     sending:
            requestBroken                    replying: cancelAttempt, makeProblem
            headArrived, collected           collecting: reportHead, schedule
            headArrived, relayed             relaying: reportHead, schedule
            attemptEnded, complete           replying: closeSlot, unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, broken off         replying: closeSlot, unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, not sent           replying: returnSlot, unschedule, makeReply, judgeCircuit, offerReply
            timePassed, too early            sending: schedule
            timePassed, late                 sending: endAttempt
            clientEnded, with the request    sending:
            clientEnded, later               sending: watchForDeparture
            clientEnded, closed              over: cancelAttempt, breakConnection, wakeClient
            inputHeld                        sending: watchForDeparture
            departureChecked, visible end    sending:
            departureChecked, open           sending: watchForDeparture
            departureChecked, closed         over: cancelAttempt, breakConnection, wakeClient
            departureChecked, unknown        sending:
            clientLeft                       over: cancelAttempt, breakConnection, wakeClient
            drainBegan                       sending:
            drainEnded                       replying: cancelAttempt, makeProblem, replyEarly
            completed, broken off            over: cancelAttempt, leaveGuards, unschedule, record
        sending
            requestBroken                    replying: cancelAttempt, makeProblem
            headArrived, collected           collecting: reportHead, schedule
            headArrived, relayed             relaying: reportHead, schedule
            attemptEnded, complete           replying: closeSlot, unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, broken off         replying: closeSlot, unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, not sent           replying: returnSlot, unschedule, makeReply, judgeCircuit, offerReply
            timePassed, too early            sending: schedule
            timePassed, late                 sending: endAttempt
            clientEnded, with the request    sending:
            clientEnded, later               sending: watchForDeparture
            clientEnded, closed              over: cancelAttempt, wakeClient
            inputHeld                        sending: watchForDeparture
            departureChecked, visible end    sending:
            departureChecked, open           sending: watchForDeparture
            departureChecked, closed         over: cancelAttempt, wakeClient
            departureChecked, unknown        sending:
            clientLeft                       over: cancelAttempt, wakeClient
            drainBegan                       sending:
            drainEnded                       replying: cancelAttempt, makeProblem, replyEarly
            completed, broken off            over: cancelAttempt, leaveGuards, unschedule, record
        collecting
            requestBroken                    replying: cancelAttempt, makeProblem
            relayChosen                      relaying: schedule
            errorBodyTimedOut                collecting: endAttempt
            attemptEnded, complete           replying: unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, broken off         replying: unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, not sent           replying: unschedule, makeReply, judgeCircuit, offerReply
            timePassed, too early            collecting: schedule
            timePassed, late                 collecting: endCollecting
            clientEnded, with the request    collecting:
            clientEnded, later               collecting: watchForDeparture
            clientEnded, closed              over: cancelAttempt, wakeClient
            inputHeld                        collecting: watchForDeparture
            departureChecked, visible end    collecting:
            departureChecked, open           collecting: watchForDeparture
            departureChecked, closed         over: cancelAttempt, wakeClient
            departureChecked, unknown        collecting:
            clientLeft                       over: cancelAttempt, wakeClient
            drainBegan                       collecting:
            drainEnded                       collecting: endCollecting
            completed, broken off            over: cancelAttempt, leaveGuards, unschedule, record
        relaying early
            requestEnded                     relaying:
            requestBroken                    replying: cancelAttempt, makeProblem
            attemptEnded, complete           replying: unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, broken off         replying: unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, not sent           replying: unschedule, makeReply, judgeCircuit, offerReply
            relayReady                       relaying: wakeClient
            timePassed, too early            relaying: schedule
            timePassed, late                 relaying: endAttempt
            clientEnded, with the request    relaying:
            clientEnded, later               relaying: watchForDeparture
            clientEnded, closed              over: cancelAttempt, breakConnection, wakeClient
            inputHeld                        relaying: watchForDeparture
            departureChecked, visible end    relaying:
            departureChecked, open           relaying: watchForDeparture
            departureChecked, closed         over: cancelAttempt, breakConnection, wakeClient
            departureChecked, unknown        relaying:
            clientLeft                       over: cancelAttempt, breakConnection, wakeClient
            drainBegan                       relaying:
            drainEnded                       replying: cancelAttempt, makeProblem, replyEarly
            completed, broken off            over: cancelAttempt, leaveGuards, unschedule, record
        relaying
            requestBroken                    replying: cancelAttempt, makeProblem
            attemptEnded, complete           replying: unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, broken off         replying: unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, not sent           replying: unschedule, makeReply, judgeCircuit, offerReply
            relayReady                       relaying: reply
            replyStarted                     relaying: schedule
            timePassed, too early            relaying: schedule
            timePassed, late                 relaying: endAttempt
            clientEnded, with the request    relaying:
            clientEnded, later               relaying: watchForDeparture
            clientEnded, closed              over: cancelAttempt, breakConnection, wakeClient
            inputHeld                        relaying: watchForDeparture
            departureChecked, visible end    relaying:
            departureChecked, open           relaying: watchForDeparture
            departureChecked, closed         over: cancelAttempt, breakConnection, wakeClient
            departureChecked, unknown        relaying:
            clientLeft                       over: cancelAttempt, breakConnection, wakeClient
            drainBegan                       relaying:
            drainEnded                       replying: cancelAttempt, makeProblem, replyEarly
            completed, broken off            over: cancelAttempt, leaveGuards, unschedule, record
        relaying, started
            requestBroken                    relaying:
            attemptEnded, complete           replying: unschedule, makeReply, judgeCircuit, schedule, wakeClient
            attemptEnded, broken off         over: unschedule, makeReply, judgeCircuit, schedule, wakeClient
            attemptEnded, not sent           over: unschedule, makeReply, judgeCircuit, schedule, wakeClient
            relayReady                       relaying: wakeClient
            timePassed, too early            relaying: schedule
            timePassed, late                 relaying: endAttempt
            clientEnded, with the request    relaying:
            clientEnded, later               relaying: watchForDeparture
            clientEnded, closed              over: cancelAttempt, breakConnection, wakeClient
            inputHeld                        relaying: watchForDeparture
            departureChecked, visible end    relaying:
            departureChecked, open           relaying: watchForDeparture
            departureChecked, closed         over: cancelAttempt, breakConnection, wakeClient
            departureChecked, unknown        relaying:
            clientLeft                       over: cancelAttempt, breakConnection, wakeClient
            drainBegan                       relaying:
            drainEnded                       relaying:
            completed, whole                 over: cancelAttempt, leaveGuards, unschedule, record
            completed, broken off            over: cancelAttempt, leaveGuards, unschedule, record
        replying
            requestBroken                    replying: makeProblem
            replyMade                        replying: reply
            replyMade, retry                 waitingToRetry: schedule
            replyStarted                     replying: schedule
            repliedEarly                     over: leaveGuards, unschedule, record
            timePassed, too early            replying: schedule
            timePassed, late                 replying: breakConnection, wakeClient
            clientEnded, with the request    replying:
            clientEnded, later               replying: watchForDeparture
            clientEnded, closed              over: wakeClient
            inputHeld                        replying: watchForDeparture
            departureChecked, visible end    replying:
            departureChecked, open           replying: watchForDeparture
            departureChecked, closed         over: wakeClient
            departureChecked, unknown        replying:
            clientLeft                       over: wakeClient
            drainBegan                       replying:
            drainEnded                       replying: replyEarly
            completed, broken off            over: leaveGuards, unschedule, record
        waitingToRetry
            requestBroken                    replying: makeProblem
            admitted                         sending: setAttemptAside, unschedule, send, schedule
            queued                           queued: schedule
            refused                          replying: unschedule, reply
            timePassed, too early            waitingToRetry: schedule
            timePassed, late                 waitingToRetry: askForSlot
            clientEnded, with the request    waitingToRetry:
            clientEnded, later               waitingToRetry: watchForDeparture
            clientEnded, closed              over: wakeClient
            inputHeld                        waitingToRetry: watchForDeparture
            departureChecked, visible end    waitingToRetry:
            departureChecked, open           waitingToRetry: watchForDeparture
            departureChecked, closed         over: wakeClient
            departureChecked, unknown        waitingToRetry:
            clientLeft                       over: wakeClient
            drainBegan                       replying: unschedule, reply
            drainEnded                       replying: makeProblem, replyEarly
            completed, broken off            over: leaveGuards, unschedule, record
        over
            bodyBegan                        over:
            requestEnded                     over:
            requestBroken                    over:
            timePassed, too early            over:
            timePassed, late                 over:
            clientEnded, with the request    over:
            clientEnded, later               over:
            clientEnded, closed              over:
            inputHeld                        over:
            departureChecked, visible end    over:
            departureChecked, open           over:
            departureChecked, closed         over:
            departureChecked, unknown        over:
            clientLeft                       over:
            drainBegan                       over:
            drainEnded                       over:
            completed, whole                 over: leaveGuards, unschedule, record
            completed, broken off            over: leaveGuards, unschedule, record
        over, transfer runs
            requestBroken                    over:
            attemptEnded, complete           replying: closeSlot, unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, broken off         replying: closeSlot, unschedule, makeReply, judgeCircuit, offerReply
            attemptEnded, not sent           replying: returnSlot, unschedule, makeReply, judgeCircuit, offerReply
            attemptCancelled, sent           over: closeSlot
            attemptCancelled, not sent       over: returnSlot
            timePassed, too early            over:
            timePassed, late                 over:
            clientEnded, with the request    over:
            clientEnded, later               over:
            clientEnded, closed              over:
            inputHeld                        over:
            departureChecked, visible end    over:
            departureChecked, open           over:
            departureChecked, closed         over:
            departureChecked, unknown        over:
            clientLeft                       over:
            drainBegan                       over:
            drainEnded                       over:
            completed, whole                 over: cancelAttempt, leaveGuards, unschedule, record
            completed, broken off            over: cancelAttempt, leaveGuards, unschedule, record
        """

    /// The cells of the table by row and event.
    private static let cells: [String: [String: String]] = {
        var cells: [String: [String: String]] = [:]
        var row = ""
        for line in table.split(separator: "\n") {
            guard line.hasPrefix("    ") else {
                row = String(line)
                continue
            }
            let line = line.drop { $0 == " " }
            guard
                let event = events.map(\.name).filter({ line.hasPrefix($0 + " ") }).max(by: {
                    $0.count < $1.count
                })
            else {
                Issue.record("no event: \(line)")
                continue
            }
            cells[row, default: [:]][event] = String(line.dropFirst(event.count).drop { $0 == " " })
        }
        return cells
    }()

    @Test("an event leads to the stage and the actions of the table", arguments: rows.dropLast())
    func table(row: String) throws {
        let expected = try #require(Self.cells[row])
        for (event, wanted) in expected {
            let found = try #require(Self.cell(row, event))
            #expect(found == wanted || found == wanted + " ", "\(row), \(event)")
        }
    }

    @Test("the table names each state and each event")
    func tableIsComplete() {
        #expect(Self.cells.count == Self.rows.count - 1)
        for (name, _, _) in Self.events {
            #expect(Self.cells.values.contains { $0[name] != nil }, "\(name) is reported nowhere")
        }
        // Neither more nor fewer cells: an event that begins to be possible, or ceases to be, is decided here.
        #expect(Self.cells.values.reduce(0) { $0 + $1.count } == 295)
    }

    #if compiler(>=6.3)
        /// A process for each: one event per state, and all events of the states that have most to lose.
        private static let impossible: [Pair] = {
            var pairs: [Pair] = []
            for (index, row) in rows.enumerated() {
                let missing = events.map(\.name).filter { cells[row]?[$0] == nil }
                if ["over", "relaying, started"].contains(row) {
                    pairs += missing.map { Pair(row: row, event: $0) }
                } else if !missing.isEmpty {
                    pairs.append(Pair(row: row, event: missing[index % missing.count]))
                }
            }
            return pairs
        }()

        struct Pair: Codable, Sendable {
            var row: String
            var event: String
        }

        @Test("an event that is not in the table traps", arguments: impossible)
        func traps(pair: Pair) async {
            await #expect(processExitsWith: .failure) { [pair = pair as Pair] in
                _ = Self.cell(pair.row, pair.event)
            }
        }
    #endif
}
