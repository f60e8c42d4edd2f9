import Testing
import Wire

@Suite("the table of a client connection's states and events")
struct ClientMachineTableTests {
    typealias Event = ClientMachine.Event

    static let limits = RequestScanner.Limits(
        target: 100, fieldBytes: 200, fieldCount: 10, head: 1000, fieldOverhead: 64, body: 1000)

    /// Has the scanner look at `text`.
    static func scan(_ text: String, _ machine: inout ClientMachine) {
        var bytes = Array(text.utf8)
        var span = bytes.mutableSpan
        _ = machine.scan(&span)
        _ = machine.handle(.readEnded(isShort: false, hasHeld: false))
    }

    /// The states; each is what these events lead to.
    static let rows = [
        "handshake", "handshake, asleep", "idle", "in a head", "begun", "held", "body expected", "body",
        "begun, body follows", "complete", "asleep", "ended", "answered", "answered, owes reading",
        "answered, stalls", "answered last, ended", "kept", "not HTTP", "leaving",
        "leaving, request asleep", "stopping", "gone", "closed",
    ]

    /// A machine in a state, by the name of its row.
    static func machine(_ row: String) -> ClientMachine {
        var machine = ClientMachine(limits: limits, isEncrypted: row.hasPrefix("handshake"))
        func play(_ events: Event...) { for event in events { _ = machine.handle(event) } }
        let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        let post = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"
        switch row {
        case "handshake, asleep": play(.handshakeWaits(hasNews: false))
        case "in a head": scan("GET / HTTP/1.1\r\n", &machine)
        case "begun":
            scan(get, &machine)
            play(.requestBegan)
        case "begun, body follows":
            scan(post, &machine)
            play(.requestBegan)
        case "held", "body expected":
            scan(post, &machine)
            play(.requestBegan, .headReceived)
            if row == "held" { play(.headHeld, .requestSleeps) }
        case "body", "leaving, request asleep":
            scan(post + "x", &machine)
            play(.requestBegan, .headReceived, .bodyArrived)
            if row != "body" { play(.requestSleeps, .closingResponse(at: 0)) }
        case "complete", "asleep", "ended", "answered", "answered, owes reading", "answered, stalls",
            "answered last, ended", "kept", "stopping":
            scan(get, &machine)
            play(.requestBegan, .headReceived, .requestEnded)
            switch row {
            case "asleep", "stopping": play(.requestSleeps)
            case "ended": play(.requestSleeps, .socketChanged(ended: true, broken: false))
            case "answered": play(.responseQueued)
            case "answered, owes reading":
                play(.responseQueued, .readEnded(isShort: true, hasHeld: true))
            case "answered, stalls": play(.responseQueued, .sendingStalls)
            case "kept": play(.responseQueued, .requestCompleted(isWhole: true, run: 7))
            case "answered last, ended":
                play(
                    .socketChanged(ended: true, broken: false), .responseQueued,
                    .requestCompleted(isWhole: true, run: 7))
            default: break
            }
            if row == "stopping" { play(.daemonStops) }
        case "not HTTP": scan("\u{7}", &machine)
        case "leaving", "gone":
            scan("\u{7}", &machine)
            play(.closingResponse(at: 0))
            if row == "gone" { play(.closingEnded) }
        case "closed": play(.closes(run: 1))
        default: break
        }
        return machine
    }

    static let events: [(name: String, event: Event)] = [
        ("socketChanged", .socketChanged(ended: false, broken: false)),
        ("socketChanged, ended", .socketChanged(ended: true, broken: false)),
        ("socketChanged, broken", .socketChanged(ended: true, broken: true)),
        ("socketDrained", .socketDrained),
        ("endRead", .endRead),
        ("handshakeWaits", .handshakeWaits(hasNews: false)),
        ("handshakeWaits, news", .handshakeWaits(hasNews: true)),
        ("handshakeEnded", .handshakeEnded),
        ("readEnded", .readEnded(isShort: false, hasHeld: false)),
        ("readEnded, short", .readEnded(isShort: true, hasHeld: false)),
        ("headTimedOut", .headTimedOut),
        ("inputExhausted", .inputExhausted),
        ("requestBegan", .requestBegan),
        ("headReceived", .headReceived),
        ("headHeld", .headHeld),
        ("headReleased", .headReleased),
        ("bodyArrived", .bodyArrived),
        ("requestEnded", .requestEnded),
        ("requestSleeps", .requestSleeps),
        ("requestWoken", .requestWoken),
        ("requestAbandoned", .requestAbandoned),
        ("responseQueued", .responseQueued),
        ("responseEndsConnection", .responseEndsConnection),
        ("requestCompleted, whole", .requestCompleted(isWhole: true, run: 7)),
        ("requestCompleted, broken off", .requestCompleted(isWhole: false, run: 7)),
        ("sendingStalls", .sendingStalls),
        ("closingResponse", .closingResponse(at: 0)),
        ("closingSent", .closingSent(at: 0)),
        ("closingFailed", .closingFailed),
        ("closingEnded", .closingEnded),
        ("closingAttended", .closingAttended),
        ("closingTimePassed, early", .closingTimePassed(at: UnreadInput.time - 1, unreceived: 0)),
        ("closingTimePassed", .closingTimePassed(at: UnreadInput.time, unreceived: 0)),
        ("inputDropped, later", .inputDropped(.later)),
        ("inputDropped, more", .inputDropped(.more)),
        ("inputDropped, ended", .inputDropped(.ended)),
        ("inputDropped, failed", .inputDropped(.failed)),
        ("servingEnds", .servingEnds(at: 0, unreceived: 1)),
        ("servingEnds, all received", .servingEnds(at: 0, unreceived: 0)),
        ("daemonStops", .daemonStops),
        ("closes", .closes(run: 8)),
        ("closes, a run later", .closes(run: 9)),
    ]

    /// What `event` leads to in the state of `row`, as the table writes it.
    static func cell(_ row: String, _ event: String) -> String? {
        guard let event = events.first(where: { $0.name == event })?.event else { return nil }
        var machine = machine(row)
        let actions = machine.handle(event).map { "\($0)" }.joined(separator: ", ")
        let library = machine.libraryHasClosed ? ", closed by the library" : ""
        return
            "\(machine.stage), \(machine.request), \(machine.response), sleep \(machine.sleep)\(library): \(actions)"
    }

    /// What each event that a state can have leads to: stage, request, response, sleep, and actions.
    private static let table = """
        handshake
            socketChanged                 handshake, none, none, sleep none: reportNews
            socketChanged, ended          handshake, none, none, sleep none: reportNews
            socketChanged, broken         handshake, none, none, sleep none: reportNews
            handshakeWaits                handshake, none, none, sleep inHandshake: suspend
            handshakeWaits, news          handshake, none, none, sleep none:
            handshakeEnded                serving, none, none, sleep none:
            headTimedOut                  handshake, none, none, sleep none: cutOff
            sendingStalls                 handshake, none, none, sleep none:
            servingEnds                   handshake, none, none, sleep none:
            servingEnds, all received     handshake, none, none, sleep none:
            daemonStops                   handshake, none, none, sleep none:
            closes                        closed, none, none, sleep none: stopHeadTimer
            closes, a run later           closed, none, none, sleep none: stopHeadTimer
        handshake, asleep
            socketChanged                 handshake, none, none, sleep none: resume, reportNews
            socketChanged, ended          handshake, none, none, sleep none: resume, reportNews
            socketChanged, broken         handshake, none, none, sleep none: resume, reportNews
            handshakeWaits                handshake, none, none, sleep inHandshake:
            handshakeWaits, news          handshake, none, none, sleep inHandshake:
            headTimedOut                  handshake, none, none, sleep inHandshake: cutOff
            sendingStalls                 handshake, none, none, sleep inHandshake:
            servingEnds                   handshake, none, none, sleep inHandshake:
            servingEnds, all received     handshake, none, none, sleep inHandshake:
            daemonStops                   handshake, none, none, sleep none: resume
            closes                        closed, none, none, sleep inHandshake: stopHeadTimer
            closes, a run later           closed, none, none, sleep inHandshake: stopHeadTimer
        idle
            socketChanged                 serving, none, none, sleep none: reportNews
            socketChanged, ended          serving, none, none, sleep none: reportNews, awaitAnswers
            socketChanged, broken         serving, none, none, sleep none: reportNews, awaitAnswers
            socketDrained                 serving, none, none, sleep none:
            endRead                       serving, none, none, sleep none:
            readEnded                     serving, none, none, sleep none:
            readEnded, short              serving, none, none, sleep none: announceReadable
            requestBegan                  serving, begun, none, sleep none:
            sendingStalls                 serving, none, none, sleep none:
            closingResponse               leaving, none, none, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds                   serving, none, none, sleep none:
            servingEnds, all received     serving, none, none, sleep none:
            daemonStops                   serving, none, none, sleep none:
            closes                        closed, none, none, sleep none:
            closes, a run later           closed, none, none, sleep none:
        in a head
            socketChanged                 serving, none, none, sleep none: reportNews
            socketChanged, ended          serving, none, none, sleep none: reportNews, awaitAnswers
            socketChanged, broken         serving, none, none, sleep none: reportNews, awaitAnswers
            socketDrained                 serving, none, none, sleep none:
            endRead                       serving, none, none, sleep none:
            readEnded                     serving, none, none, sleep none:
            readEnded, short              serving, none, none, sleep none: announceReadable
            headTimedOut                  serving, none, none, sleep none: cutOff
            requestBegan                  serving, begun, none, sleep none:
            sendingStalls                 serving, none, none, sleep none:
            closingResponse               leaving, none, none, sleep untilGone: stopHeadTimer, dropHeld, suspend, requestRun, sendClosing
            servingEnds                   serving, none, none, sleep none:
            servingEnds, all received     serving, none, none, sleep none:
            daemonStops                   serving, none, none, sleep none:
            closes                        closed, none, none, sleep none: stopHeadTimer
            closes, a run later           closed, none, none, sleep none: stopHeadTimer
        begun
            socketChanged                 serving, begun, none, sleep none: reportNews
            socketChanged, ended          serving, begun, none, sleep none: reportNews, awaitAnswers
            socketChanged, broken         serving, begun, none, sleep none: reportNews, awaitAnswers
            socketDrained                 serving, begun, none, sleep none:
            endRead                       serving, begun, none, sleep none:
            readEnded                     serving, begun, none, sleep none:
            readEnded, short              serving, begun, none, sleep none:
            headReceived                  serving, head, none, sleep none:
            requestAbandoned              serving, begun, none, sleep none:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, begun, none, sleep none: allowStall
            closingResponse               leaving, begun, closing, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds                   serving, begun, none, sleep none:
            servingEnds, all received     serving, begun, none, sleep none:
            daemonStops                   serving, begun, none, sleep none:
        begun, body follows
            socketChanged                 serving, begun, none, sleep none: reportNews
            socketChanged, ended          serving, begun, none, sleep none: reportNews, awaitAnswers
            socketChanged, broken         serving, begun, none, sleep none: reportNews, awaitAnswers
            socketDrained                 serving, begun, none, sleep none:
            endRead                       serving, begun, none, sleep none:
            readEnded                     serving, begun, none, sleep none:
            readEnded, short              serving, begun, none, sleep none: announceReadable
            headReceived                  serving, head, none, sleep none: allowStall
            requestAbandoned              serving, begun, none, sleep none:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, begun, none, sleep none: allowStall
            closingResponse               leaving, begun, closing, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds                   serving, begun, none, sleep none:
            servingEnds, all received     serving, begun, none, sleep none:
            daemonStops                   serving, begun, none, sleep none:
        held
            socketChanged                 serving, held, none, sleep inRequest: reportNews
            socketChanged, ended          serving, held, none, sleep inRequest: reportNews, awaitAnswers, reportEnd
            socketChanged, broken         serving, held, none, sleep inRequest: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, held, none, sleep inRequest:
            endRead                       serving, held, none, sleep inRequest:
            readEnded                     serving, held, none, sleep inRequest:
            readEnded, short              serving, held, none, sleep inRequest: announceReadable
            headReleased                  serving, head, none, sleep inRequest:
            requestSleeps                 serving, held, none, sleep inRequest:
            requestWoken                  serving, held, none, sleep none: resume
            requestAbandoned              serving, held, none, sleep inRequest:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, held, none, sleep inRequest:
            closingResponse               leaving, held, closing, sleep untilGone: dropHeld, requestRun, sendClosing
            servingEnds                   serving, held, none, sleep inRequest:
            servingEnds, all received     serving, held, none, sleep inRequest:
            daemonStops                   serving, held, none, sleep none: resume
        body expected
            socketChanged                 serving, head, none, sleep none: reportNews
            socketChanged, ended          serving, head, none, sleep none: reportNews, awaitAnswers, reportEnd
            socketChanged, broken         serving, head, none, sleep none: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, head, none, sleep none:
            endRead                       serving, head, none, sleep none:
            readEnded                     serving, head, none, sleep none:
            readEnded, short              serving, head, none, sleep none: announceReadable
            headHeld                      serving, held, none, sleep none:
            bodyArrived                   serving, body, none, sleep none:
            requestEnded                  serving, complete, none, sleep none:
            requestSleeps                 serving, head, none, sleep inRequest: suspend
            requestAbandoned              serving, head, none, sleep none:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, head, none, sleep none:
            closingResponse               leaving, head, closing, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds                   serving, head, none, sleep none:
            servingEnds, all received     serving, head, none, sleep none:
            daemonStops                   serving, head, none, sleep none:
        body
            socketChanged                 serving, body, none, sleep none: reportNews
            socketChanged, ended          serving, body, none, sleep none: reportNews, awaitAnswers, reportEnd
            socketChanged, broken         serving, body, none, sleep none: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, body, none, sleep none:
            endRead                       serving, body, none, sleep none:
            readEnded                     serving, body, none, sleep none:
            readEnded, short              serving, body, none, sleep none: announceReadable
            bodyArrived                   serving, body, none, sleep none:
            requestEnded                  serving, complete, none, sleep none:
            requestSleeps                 serving, body, none, sleep inRequest: suspend
            requestAbandoned              serving, body, none, sleep none:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, body, none, sleep none:
            closingResponse               leaving, body, closing, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds                   serving, body, none, sleep none:
            servingEnds, all received     serving, body, none, sleep none:
            daemonStops                   serving, body, none, sleep none:
        complete
            socketChanged                 serving, complete, none, sleep none: reportNews
            socketChanged, ended          serving, complete, none, sleep none: reportNews, awaitAnswers, reportEnd
            socketChanged, broken         serving, complete, none, sleep none: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, complete, none, sleep none:
            endRead                       serving, complete, none, sleep none:
            readEnded                     serving, complete, none, sleep none:
            readEnded, short              serving, complete, none, sleep none:
            requestSleeps                 serving, complete, none, sleep inRequest: suspend
            requestAbandoned              serving, complete, none, sleep none:
            responseQueued                serving, complete, queued, sleep none:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, complete, none, sleep none: allowStall
            closingResponse               leaving, complete, closing, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds                   serving, complete, none, sleep none:
            servingEnds, all received     serving, complete, none, sleep none:
            daemonStops                   serving, complete, none, sleep none:
        asleep
            socketChanged                 serving, complete, none, sleep inRequest: reportNews
            socketChanged, ended          serving, complete, none, sleep inRequest: reportNews, awaitAnswers, reportEnd
            socketChanged, broken         serving, complete, none, sleep inRequest: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, complete, none, sleep inRequest:
            endRead                       serving, complete, none, sleep inRequest:
            readEnded                     serving, complete, none, sleep inRequest:
            readEnded, short              serving, complete, none, sleep inRequest:
            requestSleeps                 serving, complete, none, sleep inRequest:
            requestWoken                  serving, complete, none, sleep none: resume
            requestAbandoned              serving, complete, none, sleep inRequest:
            responseQueued                serving, complete, queued, sleep inRequest:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, complete, none, sleep inRequest: allowStall
            closingResponse               leaving, complete, closing, sleep untilGone: dropHeld, requestRun, sendClosing
            servingEnds                   serving, complete, none, sleep inRequest:
            servingEnds, all received     serving, complete, none, sleep inRequest:
            daemonStops                   serving, complete, none, sleep none: resume
        ended
            socketChanged                 serving, complete, none, sleep inRequest: reportNews
            socketChanged, ended          serving, complete, none, sleep inRequest: reportNews
            socketChanged, broken         serving, complete, none, sleep inRequest: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, complete, none, sleep inRequest:
            endRead                       serving, complete, none, sleep inRequest:
            readEnded                     serving, complete, none, sleep inRequest:
            readEnded, short              serving, complete, none, sleep inRequest:
            requestSleeps                 serving, complete, none, sleep inRequest:
            requestWoken                  serving, complete, none, sleep none: resume
            requestAbandoned              serving, complete, none, sleep inRequest:
            responseQueued                serving, complete, queued, sleep inRequest:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, complete, none, sleep inRequest: allowStall
            closingResponse               leaving, complete, closing, sleep untilGone: dropHeld, requestRun, sendClosing
            servingEnds                   serving, complete, none, sleep inRequest:
            servingEnds, all received     serving, complete, none, sleep inRequest:
            daemonStops                   serving, complete, none, sleep none: resume
        answered
            socketChanged                 serving, complete, queued, sleep none: reportNews
            socketChanged, ended          serving, complete, queued, sleep none: reportNews, awaitAnswers, reportEnd
            socketChanged, broken         serving, complete, queued, sleep none: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, complete, queued, sleep none:
            endRead                       serving, complete, queued, sleep none:
            readEnded                     serving, complete, queued, sleep none:
            readEnded, short              serving, complete, queued, sleep none:
            requestSleeps                 serving, complete, queued, sleep inRequest: suspend
            requestAbandoned              serving, complete, queued, sleep none:
            responseEndsConnection        serving, complete, queued, sleep none, closed by the library: lookAt
            requestCompleted, whole       serving, none, none, sleep none:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, complete, queued, sleep none: allowStall
            servingEnds                   serving, complete, queued, sleep none:
            servingEnds, all received     serving, complete, queued, sleep none:
            daemonStops                   serving, complete, queued, sleep none:
        answered, owes reading
            socketChanged                 serving, complete, queued, sleep none: reportNews
            socketChanged, ended          serving, complete, queued, sleep none: reportNews, awaitAnswers, reportEnd
            socketChanged, broken         serving, complete, queued, sleep none: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, complete, queued, sleep none:
            endRead                       serving, complete, queued, sleep none:
            readEnded                     serving, complete, queued, sleep none:
            readEnded, short              serving, complete, queued, sleep none:
            requestSleeps                 serving, complete, queued, sleep inRequest: suspend
            requestAbandoned              serving, complete, queued, sleep none:
            responseEndsConnection        serving, complete, queued, sleep none, closed by the library: lookAt
            requestCompleted, whole       serving, none, none, sleep none: announceReadable
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, complete, queued, sleep none: allowStall
            servingEnds                   serving, complete, queued, sleep none:
            servingEnds, all received     serving, complete, queued, sleep none:
            daemonStops                   serving, complete, queued, sleep none:
        answered, stalls
            socketChanged                 serving, complete, queued, sleep none: reportNews
            socketChanged, ended          serving, complete, queued, sleep none: reportNews, awaitAnswers, reportEnd
            socketChanged, broken         serving, complete, queued, sleep none: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, complete, queued, sleep none:
            endRead                       serving, complete, queued, sleep none:
            readEnded                     serving, complete, queued, sleep none:
            readEnded, short              serving, complete, queued, sleep none:
            requestSleeps                 serving, complete, queued, sleep inRequest: suspend
            requestAbandoned              serving, complete, queued, sleep none:
            responseEndsConnection        serving, complete, queued, sleep none, closed by the library: lookAt
            requestCompleted, whole       serving, none, none, sleep none: limitIdleness
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, complete, queued, sleep none:
            servingEnds                   serving, complete, queued, sleep none:
            servingEnds, all received     serving, complete, queued, sleep none:
            daemonStops                   serving, complete, queued, sleep none:
        answered last, ended
            socketChanged                 serving, none, none, sleep none: reportNews
            socketChanged, ended          serving, none, none, sleep none: reportNews
            socketChanged, broken         serving, none, none, sleep none: reportNews, awaitAnswers
            socketDrained                 serving, none, none, sleep none:
            endRead                       serving, none, none, sleep none:
            readEnded                     serving, none, none, sleep none:
            readEnded, short              serving, none, none, sleep none: announceReadable
            inputExhausted                serving, none, none, sleep none: cutOff
            requestBegan                  serving, begun, none, sleep none:
            sendingStalls                 serving, none, none, sleep none:
            closingResponse               leaving, none, none, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds                   leaving, none, none, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds, all received     serving, none, none, sleep none:
            daemonStops                   serving, none, none, sleep none:
            closes                        closed, none, none, sleep none: linger
            closes, a run later           closed, none, none, sleep none:
        kept
            socketChanged                 serving, none, none, sleep none: reportNews
            socketChanged, ended          serving, none, none, sleep none: reportNews, awaitAnswers
            socketChanged, broken         serving, none, none, sleep none: reportNews, awaitAnswers
            socketDrained                 serving, none, none, sleep none:
            endRead                       serving, none, none, sleep none:
            readEnded                     serving, none, none, sleep none:
            readEnded, short              serving, none, none, sleep none: announceReadable
            requestBegan                  serving, begun, none, sleep none:
            sendingStalls                 serving, none, none, sleep none:
            closingResponse               leaving, none, none, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds                   leaving, none, none, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds, all received     serving, none, none, sleep none:
            daemonStops                   serving, none, none, sleep none:
            closes                        closed, none, none, sleep none: linger
            closes, a run later           closed, none, none, sleep none:
        not HTTP
            socketChanged                 serving, none, none, sleep none: reportNews
            socketChanged, ended          serving, none, none, sleep none: reportNews, awaitAnswers
            socketChanged, broken         serving, none, none, sleep none: reportNews, awaitAnswers
            socketDrained                 serving, none, none, sleep none:
            endRead                       serving, none, none, sleep none:
            readEnded                     serving, none, none, sleep none:
            readEnded, short              serving, none, none, sleep none:
            requestBegan                  serving, begun, none, sleep none:
            sendingStalls                 serving, none, none, sleep none:
            closingResponse               leaving, none, none, sleep untilGone: dropHeld, suspend, requestRun, sendClosing
            servingEnds                   serving, none, none, sleep none:
            servingEnds, all received     serving, none, none, sleep none:
            daemonStops                   serving, none, none, sleep none:
            closes                        closed, none, none, sleep none:
            closes, a run later           closed, none, none, sleep none:
        leaving
            socketChanged                 leaving, none, none, sleep untilGone:
            socketChanged, ended          leaving, none, none, sleep untilGone:
            socketChanged, broken         leaving, none, none, sleep untilGone:
            sendingStalls                 leaving, none, none, sleep untilGone:
            closingSent                   leaving, none, none, sleep untilGone:
            closingFailed                 gone, none, none, sleep none: cutOff, resume, requestRun
            closingEnded                  gone, none, none, sleep none: endSending, resume, requestRun
            closingAttended               leaving, none, none, sleep untilGone: sendClosing, dropInput
            closingTimePassed, early      leaving, none, none, sleep untilGone:
            closingTimePassed             gone, none, none, sleep none: cutOff, resume, requestRun
            inputDropped, later           leaving, none, none, sleep untilGone:
            inputDropped, more            leaving, none, none, sleep untilGone:
            inputDropped, ended           leaving, none, none, sleep untilGone:
            inputDropped, failed          gone, none, none, sleep none: cutOff, resume, requestRun
            servingEnds                   leaving, none, none, sleep untilGone:
            servingEnds, all received     leaving, none, none, sleep untilGone:
            daemonStops                   gone, none, none, sleep none: cutOff, resume, requestRun
            closes                        closed, none, none, sleep untilGone:
            closes, a run later           closed, none, none, sleep untilGone:
        leaving, request asleep
            socketChanged                 leaving, body, closing, sleep untilGone:
            socketChanged, ended          leaving, body, closing, sleep untilGone:
            socketChanged, broken         leaving, body, closing, sleep untilGone:
            bodyArrived                   leaving, body, closing, sleep untilGone:
            requestEnded                  leaving, complete, closing, sleep untilGone:
            requestSleeps                 leaving, body, closing, sleep untilGone:
            requestAbandoned              leaving, body, closing, sleep untilGone:
            requestCompleted, broken off  leaving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 leaving, body, closing, sleep untilGone:
            closingSent                   leaving, body, closing, sleep untilGone:
            closingFailed                 gone, body, closing, sleep none: cutOff, resume, requestRun
            closingEnded                  gone, body, closing, sleep none: endSending, resume, requestRun
            closingAttended               leaving, body, closing, sleep untilGone: sendClosing, dropInput
            closingTimePassed, early      leaving, body, closing, sleep untilGone:
            closingTimePassed             gone, body, closing, sleep none: cutOff, resume, requestRun
            inputDropped, later           leaving, body, closing, sleep untilGone:
            inputDropped, more            leaving, body, closing, sleep untilGone:
            inputDropped, ended           leaving, body, closing, sleep untilGone:
            inputDropped, failed          gone, body, closing, sleep none: cutOff, resume, requestRun
            servingEnds                   leaving, body, closing, sleep untilGone:
            servingEnds, all received     leaving, body, closing, sleep untilGone:
            daemonStops                   gone, body, closing, sleep none: cutOff, resume, requestRun
        stopping
            socketChanged                 serving, complete, none, sleep none: reportNews
            socketChanged, ended          serving, complete, none, sleep none: reportNews, awaitAnswers, reportEnd
            socketChanged, broken         serving, complete, none, sleep none: reportNews, awaitAnswers, reportEnd
            socketDrained                 serving, complete, none, sleep none:
            endRead                       serving, complete, none, sleep none:
            readEnded                     serving, complete, none, sleep none:
            readEnded, short              serving, complete, none, sleep none:
            requestSleeps                 serving, complete, none, sleep none:
            requestAbandoned              serving, complete, none, sleep none:
            responseQueued                serving, complete, queued, sleep none:
            requestCompleted, broken off  serving, none, none, sleep none, closed by the library: lookAt
            sendingStalls                 serving, complete, none, sleep none: allowStall
            closingResponse               leaving, complete, closing, sleep none: dropHeld, requestRun, sendClosing
            servingEnds                   serving, complete, none, sleep none:
            servingEnds, all received     serving, complete, none, sleep none:
            daemonStops                   serving, complete, none, sleep none:
        gone
            socketChanged                 gone, none, none, sleep none:
            socketChanged, ended          gone, none, none, sleep none:
            socketChanged, broken         gone, none, none, sleep none:
            sendingStalls                 gone, none, none, sleep none:
            closingTimePassed, early      gone, none, none, sleep none:
            closingTimePassed             gone, none, none, sleep none:
            inputDropped, later           gone, none, none, sleep none:
            inputDropped, more            gone, none, none, sleep none:
            inputDropped, ended           gone, none, none, sleep none:
            inputDropped, failed          gone, none, none, sleep none:
            servingEnds                   gone, none, none, sleep none:
            servingEnds, all received     gone, none, none, sleep none:
            daemonStops                   gone, none, none, sleep none:
            closes                        closed, none, none, sleep none: linger
            closes, a run later           closed, none, none, sleep none: linger
        closed
        """

    /// The cells of the table by row and event.
    private static let cells: [String: [String: String]] = {
        var cells: [String: [String: String]] = [:]
        var row = ""
        for line in table.split(separator: "\n") {
            guard line.hasPrefix("    ") else {
                row = String(line)
                cells[row] = [:]
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

    @Test("an event leads to the state and the actions of the table", arguments: rows)
    func table(row: String) throws {
        for (event, wanted) in try #require(Self.cells[row]) {
            let found = try #require(Self.cell(row, event))
            #expect(found == wanted || found == wanted + " ", "\(row), \(event)")
        }
    }

    @Test("the table names each state and each event")
    func tableIsComplete() {
        #expect(Self.cells.keys.sorted() == Self.rows.sorted())
        for (name, _) in Self.events {
            #expect(Self.cells.values.contains { $0[name] != nil }, "\(name) is reported nowhere")
        }
        // Neither more nor fewer cells: an event that begins to be possible, or ceases to be, is decided here.
        #expect(Self.cells.values.reduce(0) { $0 + $1.count } == 354)
    }

    #if compiler(>=6.3)
        /// A process for each: one event per state, and all events of the states that have most to lose.
        private static let impossible: [Pair] = {
            var pairs: [Pair] = []
            for (index, row) in rows.enumerated() {
                let missing = events.map(\.name).filter { cells[row]?[$0] == nil }
                if ["closed", "leaving"].contains(row) {
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
