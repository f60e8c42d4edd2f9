import Wire

@testable import Core

/// Plays exchanges of one worker in virtual time.
///
/// ``ExchangeMachine`` decides, and what the engine, libmicrohttpd, a client, the provider and the shared quota do
/// is modelled. The pacer, the retry policy and the retry budget are the real ones.
///
/// The same seed gives the same course.
final class ExchangeSimulation {
    enum Event {
        case arrive(Int)
        case visit(Int)
        case clientShakesHands(Int)
        case clientSends(Int)
        case clientContinues(Int)
        case clientEnds(Int)
        case clientCloses(Int)
        case clientReads(Int)
        case headTimer(Int, Int)
        case lingeringEnds(Int)
        case endArrives(Int)
        case departureIsDue(Int)
        case socketEnds(Int)
        case connected(Int, Int)
        case connectFailed(Int, Int)
        case pullUpload(Int, Int)
        case performs(Int)
        case interim(Int, Int)
        case head(Int, Int)
        case piece(Int, Int)
        case transferRuns(Int, Int)
        case finish(Int, Int)
        case batch(Int)
        case deadline(Int, Int)
        case departure(Int, Int)
        case wake(Wake)
        case grant(Grant)
        case quotaGrants(Int, UInt64)
        case quotaRefuses(Int, UInt64)
        case reload
        case drainBegins, drainEnds, aborts
    }

    /// A configuration: what exchanges that begin under it are subject to.
    struct Settings {
        var terms = ExchangeMachine.Terms()
        var retries = RetryPolicy()
    }

    static let second: Int64 = 1_000_000_000
    static let highWater = 4
    static let lowWater = 1
    /// Units that fit between a client and this side, and between the provider and this side.
    static let socketRoom = 3
    /// Units of a response's body that are collected at most.
    static let errorBodyLimit = 3
    /// The longest that an exchange may run whose client stays; nothing that is drawn below adds up to it.
    static let longest = 300 * second

    let seed: UInt64
    var numbers: SeededNumbers
    var now: Int64 = 0
    var events = EventQueue<Event>()
    var connections: [SimulatedConnection] = []
    var exchanges: [SimulatedExchange] = []
    /// How often the library has run.
    var runs: UInt = 0
    let pacer: Pacer
    var policy: PacingPolicy
    var settings = Settings()
    var budget: RetryBudget
    var waiting: [UInt64: SimulatedExchange] = [:]
    var lastWaiter: UInt64 = 0
    var lastToken = 0
    var quotaWaiters = 0
    var quotaClaims = 0
    /// Whether a circuit lets one request through at a time, and who has that.
    let hasCircuit: Bool
    var probeHolder: Int?
    var grantsAreDelayed: Bool
    /// How long libmicrohttpd lets a connection be idle, and how long a head may take.
    let idleTime: Int64
    var drainEndedAt = Int64.max
    var isDraining = false
    var isStopping = false
    /// How many events are being handled, one within the other.
    var depth = 0
    var eventCount = 0
    /// What went wrong first.
    private(set) var failure: String?
    /// Whether each line of the trace is printed at once, so that it is there when the machine traps.
    let printsTrace: Bool
    private(set) var trace: [String] = []
    private let keepsTrace: Bool

    var moment: MonotonicTime { MonotonicTime(nanoseconds: now) }

    init(seed: UInt64, keepsTrace: Bool = false, printsTrace: Bool = false) {
        self.seed = seed
        (self.keepsTrace, self.printsTrace) = (keepsTrace || printsTrace, printsTrace)
        numbers = SeededNumbers(seed: seed)
        policy = Self.makePolicy(&numbers)
        pacer = Pacer(policy: policy)
        budget = RetryBudget(percent: 50, at: MonotonicTime(nanoseconds: 0))
        hasCircuit = numbers.happens(0.15)
        grantsAreDelayed = numbers.happens(0.5)
        idleTime = [1, 2, 6].randomElement(using: &numbers).map { $0 * Self.second } ?? 0
        settings = makeSettings()
        pacer.setWallClock(offset: .zero)
        schedule()
    }

    private func schedule() {
        let span = Int64.random(in: 1...4, using: &numbers) * Self.second / 2
        for index in 0..<Int.random(in: 1...4, using: &numbers) {
            connections.append(makeConnection(index))
            events.add(.arrive(index), at: Int64.random(in: 0...span, using: &numbers))
        }
        if numbers.happens(0.3) { events.add(.reload, at: Int64.random(in: 0...span, using: &numbers)) }
        let drain =
            numbers.happens(0.35) ? Int64.random(in: 0...2 * span, using: &numbers) : span + Self.longest
        let grace = Int64.random(in: 0...3, using: &numbers) * Self.second
        events.add(.drainBegins, at: drain)
        events.add(.drainEnds, at: drain + grace)
        events.add(.aborts, at: drain + grace + Int64.random(in: 0...2, using: &numbers) * Self.second)
    }

    /// Plays it to its end.
    ///
    /// - Returns: what went wrong, if anything did.
    func run() -> String? {
        while failure == nil, let (time, event) = events.next() {
            now = time
            eventCount += 1
            if eventCount > 40_000 { fail("more than 40000 events") }
            play(event)
        }
        if failure == nil { checkEnd() }
        return failure
    }

    func fail(_ text: String) {
        guard failure == nil else { return }
        failure = "seed \(seed): \(text)"
        note("FAILED: \(text)")
    }

    func note(_ text: @autoclosure () -> String) {
        guard keepsTrace else { return }
        let line = "\(now / 1_000_000) ms \(text())"
        trace.append(line)
        if printsTrace { print(line) }
    }

    private func play(_ event: Event) {
        switch event {
        case .arrive(let index): arrive(connections[index])
        case .visit(let index): visit(connections[index])
        case .clientShakesHands(let index): clientShakesHands(connections[index])
        case .clientSends(let index): clientSends(connections[index])
        case .clientContinues(let index): clientContinues(exchanges[index])
        case .clientEnds(let index): clientEnds(connections[index])
        case .clientCloses(let index): clientCloses(connections[index])
        case .clientReads(let index): clientReads(connections[index])
        case .headTimer(let index, let token): headTimerFires(connections[index], token)
        case .socketEnds(let index): socketEnds(connections[index])
        case .lingeringEnds(let index): connections[index].lingersUntil = nil
        case .endArrives(let index): endArrives(connections[index])
        case .departureIsDue(let index): departureIsDue(connections[index])
        case .connected(let index, let number): connected(exchanges[index], number)
        case .connectFailed(let index, let number): connectFailed(exchanges[index], number)
        case .pullUpload(let index, let number): pullUpload(exchanges[index], number)
        case .performs(let index):
            exchanges[index].performed += 1
            note("#\(index) the provider performs the request")
        case .interim(let index, let number): interimArrived(exchanges[index], number)
        case .head(let index, let number): headArrived(exchanges[index], number)
        case .piece(let index, let number): pieceArrived(exchanges[index], number)
        case .transferRuns(let index, let number): readResponse(exchanges[index], number)
        case .finish(let index, let number): finish(exchanges[index], number)
        case .batch(let index): actOnBatch(exchanges[index])
        case .deadline(let index, let token): deadlineHasCome(exchanges[index], token)
        case .departure(let index, let token): checkDeparture(exchanges[index], token)
        case .wake(let wake): advance(wake)
        case .grant(let grant): deliver(grant)
        case .quotaGrants(let index, let id): quotaGrants(exchanges[index], id)
        case .quotaRefuses(let index, let id): quotaRefuses(exchanges[index], id)
        case .reload: reload()
        case .drainBegins: drainBegins()
        case .drainEnds: drainEnds()
        case .aborts: abortAll()
        }
    }

    // MARK: What is drawn

    private static func makePolicy(_ numbers: inout SeededNumbers) -> PacingPolicy {
        var windows: [PacingPolicy.Window] = []
        if numbers.happens(0.6) {
            windows.append(
                PacingPolicy.Window(
                    requests: Int.random(in: 1...3, using: &numbers),
                    per: .milliseconds([50, 300, 1000, 2000].randomElement(using: &numbers) ?? 50)))
        }
        if numbers.happens(0.3) {
            windows.append(
                PacingPolicy.Window(requests: Int.random(in: 1...2, using: &numbers), counted: .concurrent))
        }
        return PacingPolicy(
            windows: windows, grace: .milliseconds(Int64.random(in: 0...500, using: &numbers)),
            queueCapacity: Int.random(in: 0...4, using: &numbers))
    }

    func makeSettings() -> Settings {
        var terms = ExchangeMachine.Terms()
        terms.sharesQuota = numbers.happens(0.3)
        terms.countsConcurrency = policy.countsConcurrency
        terms.patience = .milliseconds([0, 100, 800, 3000].randomElement(using: &numbers) ?? 0)
        terms.clientStall = .milliseconds(Int64.random(in: 1000...4000, using: &numbers))
        terms.response = Int64.random(in: 100...3000, using: &numbers) * 1_000_000
        terms.idle = Int64.random(in: 100...2000, using: &numbers) * 1_000_000
        terms.errorBody = Int64.random(in: 50...1500, using: &numbers) * 1_000_000
        terms.total = numbers.happens(0.3) ? Int64.random(in: 200...6000, using: &numbers) * 1_000_000 : nil
        var retries = RetryPolicy()
        retries.maximum = [0, 1, 3].randomElement(using: &numbers) ?? 0
        retries.base = .milliseconds(Int64.random(in: 1...400, using: &numbers))
        return Settings(terms: terms, retries: retries)
    }

    private func makeConnection(_ index: Int) -> SimulatedConnection {
        let connection = SimulatedConnection(index: index, isEncrypted: numbers.happens(0.25))
        connection.handshakeFlights =
            connection.machine.isEncrypted ? Int.random(in: 1...2, using: &numbers) : 0
        let first = makeClient()
        let count = numbers.happens(0.6) ? 1 : Int.random(in: 2...3, using: &numbers)
        for number in 0..<count {
            var plan = number == 0 ? first : makeClient()
            (plan.halfClose, plan.closesAfter, plan.resets) = (
                first.halfClose, first.closesAfter, first.resets
            )
            (plan.endsAtByte, plan.isLocal, plan.readDelay) = (
                first.endsAtByte, first.isLocal, first.readDelay
            )
            plan.waitsForReply = number > 0 && numbers.happens(0.3)
            let exchange = SimulatedExchange(index: exchanges.count, plan: plan, connection: connection)
            exchanges.append(exchange)
            connection.exchanges.append(exchange)
            appendSegments(of: exchange, to: connection)
        }
        return connection
    }

    /// What the client sends of a request: its head, and its body piece by piece.
    private func appendSegments(of exchange: SimulatedExchange, to connection: SimulatedConnection) {
        let plan = exchange.plan
        func add(
            _ text: String, after delay: Int64, if condition: SimulatedConnection.Segment.Condition = .none
        ) {
            connection.segments.append(
                SimulatedConnection.Segment(
                    exchange: exchange.index, delay: delay, bytes: Array(text.utf8), condition: condition))
        }
        let condition = plan.waitsForReply ? SimulatedConnection.Segment.Condition.replied : .none
        if plan.isGarbage { return add("G\u{1}T\r\n", after: 0, if: condition) }
        let version = plan.isHTTP10 && !plan.isStreamed ? "1.0" : "1.1"
        var head = "\(plan.isHead ? "HEAD" : "PUT") / HTTP/\(version)\r\nHost: h\r\n"
        if plan.isStreamed { head += "Transfer-Encoding: chunked\r\n" }
        if !plan.isStreamed, !plan.pieces.isEmpty { head += "Content-Length: \(plan.size)\r\n" }
        head += "\r\n"
        if numbers.happens(0.1) {
            let place = head.index(head.startIndex, offsetBy: Int.random(in: 1..<head.count, using: &numbers))
            add(String(head[..<place]), after: 0, if: condition)
            add(String(head[place...]), after: Int64.random(in: 0...900, using: &numbers) * 1_000_000)
        } else {
            add(head, after: 0, if: condition)
        }
        for (number, piece) in plan.pieces.enumerated() {
            var text = String(repeating: "x", count: piece.units)
            if plan.isStreamed, piece.units > 0 { text = "\(piece.units)\r\n\(text)\r\n" }
            if plan.malformedPiece == number { text = "z\r\n" }
            if plan.isStreamed, number == plan.pieces.count - 1 { text += "0\r\n\r\n" }
            add(text, after: piece.delay, if: plan.expectsContinue && number == 0 ? .continued : .none)
            if plan.stallsBefore == number {
                connection.segments[connection.segments.count - 1].isStalled = true
            }
        }
    }

    private func makeClient() -> ClientPlan {
        var plan = ClientPlan()
        if numbers.happens(0.6) {
            plan.isStreamed = numbers.happens(0.6)
            for _ in 0..<Int.random(in: 1...(plan.isStreamed ? 8 : 2), using: &numbers) {
                let delay = numbers.happens(0.7) ? 0 : Int64.random(in: 0...1500, using: &numbers) * 1_000_000
                plan.pieces.append((delay, plan.isStreamed ? Int.random(in: 1...3, using: &numbers) : 1))
            }
            if plan.isStreamed, numbers.happens(0.3) {
                // The end of a chunked body arrives by itself.
                plan.pieces.append((Int64.random(in: 0...400, using: &numbers) * 1_000_000, 0))
            }
            plan.expectsContinue = numbers.happens(0.25)
            if numbers.happens(0.08) {
                plan.stallsBefore = plan.pieces.indices.randomElement(using: &numbers)
            }
            if plan.isStreamed, numbers.happens(0.08) {
                plan.malformedPiece = plan.pieces.indices.randomElement(using: &numbers)
            }
            if numbers.happens(0.08) { plan.longPiece = plan.pieces.indices.randomElement(using: &numbers) }
            if plan.isStreamed, numbers.happens(0.06) {
                // Far more than is allowed: it has to learn that before it has sent all of it.
                plan.longPiece = plan.pieces.count + 10
                for _ in 0..<60 { plan.pieces.append((5_000_000, 2)) }
            }
        }
        plan.isHTTP10 = numbers.happens(0.1)
        plan.isHead = plan.pieces.isEmpty && numbers.happens(0.1)
        plan.isRepeatSafe = numbers.happens(0.5)
        plan.wantsRawErrors = numbers.happens(0.2)
        plan.isLocal = numbers.happens(0.5)
        switch Int.random(in: 0..<20, using: &numbers) {
        case 0: plan.halfClose = .withRequest
        case 1...2: plan.halfClose = .after(Int64.random(in: 0...15, using: &numbers) * 1_000_000)
        case 3:
            plan.endsAtByte = Int.random(in: 0...150, using: &numbers)
            plan.resets = numbers.happens(0.3)
        case 4...5: plan.halfClose = .after(Int64.random(in: 0...1500, using: &numbers) * 1_000_000)
        case 6...9:
            plan.closesAfter =
                numbers.happens(0.2) ? 0 : Int64.random(in: 0...4000, using: &numbers) * 1_000_000
            plan.resets = numbers.happens(0.4)
        default: break
        }
        if plan.pieces.count > 50, numbers.happens(0.5) {
            // It closes behind more than the socket has room for.
            (plan.halfClose, plan.endsAtByte, plan.resets, plan.isLocal) = (.never, nil, false, true)
            plan.closesAfter = Int64.random(in: 200...1000, using: &numbers) * 1_000_000
        }
        switch Int.random(in: 0..<10, using: &numbers) {
        case 0: plan.readDelay = nil
        case 1...3: plan.readDelay = Int64.random(in: 1...250, using: &numbers) * 1_000_000
        default: plan.readDelay = 0
        }
        if numbers.happens(0.04) { plan.isGarbage = true }
        if numbers.happens(0.06) { plan.headRefusal = numbers.happens(0.5) ? .malformed : .noRoute }
        return plan
    }

    func makeProviderPlan() -> ProviderPlan {
        var plan = ProviderPlan()
        plan.connection = numbers.happens(0.08) ? .fails : numbers.happens(0.05) ? .hangs : .opens
        plan.connectDelay = Int64.random(in: 0...60, using: &numbers) * 1_000_000
        if numbers.happens(0.12) { plan.connectDelay *= 50 }
        if numbers.happens(0.12) { plan.readsUpTo = Int.random(in: 0...3, using: &numbers) }
        plan.readDelay = numbers.happens(0.7) ? 0 : Int64.random(in: 1...300, using: &numbers) * 1_000_000
        plan.isEarly = numbers.happens(0.2)
        plan.hasInterim = numbers.happens(0.1)
        plan.headDelay = Int64.random(in: 0...100, using: &numbers) * 1_000_000
        if numbers.happens(0.1) { plan.headDelay *= 40 }
        switch Int.random(in: 0..<20, using: &numbers) {
        case 0: plan.response = .silence
        case 1...2: plan.response = .closesBeforeHead
        case 3...4: plan.response = .eventStream
        case 5...6: plan.response = .success(isCollected: true)
        case 7...8: plan.response = .error(.rateLimited)
        case 9...10: plan.response = .error(.providerUnavailable)
        case 11: plan.response = .error(.invalidRequest)
        default: plan.response = .success(isCollected: false)
        }
        switch plan.response {
        case .error(let code):
            plan.performs = code == .providerUnavailable && numbers.happens(0.5)
            if code != .invalidRequest, numbers.happens(0.3) {
                plan.retryAfter = Double(Int.random(in: 0...2, using: &numbers))
            }
        case .silence, .closesBeforeHead: plan.performs = numbers.happens(0.5)
        case .success, .eventStream: plan.performs = true
        }
        for _ in 0..<Int.random(in: 0...6, using: &numbers) {
            plan.pieces.append(
                numbers.happens(0.8) ? 0 : Int64.random(in: 1...900, using: &numbers) * 1_000_000)
        }
        plan.ending = numbers.happens(0.75) ? .complete : numbers.happens(0.5) ? .reset : .silence
        plan.hasLength = numbers.happens(0.6)
        plan.isPulled = numbers.happens(0.4)
        return plan
    }

    // MARK: The end

    /// Whether it may run for as long as its client and its provider wish.
    private func isEndless(_ exchange: SimulatedExchange) -> Bool {
        exchange.machine.isEndlessStream && !exchange.hasEnded && !exchange.isClosed
    }

    func checkDurations() {
        for exchange in exchanges
        where exchange.hasHead && !exchange.isCompleted && !isEndless(exchange)
            && now - exchange.arrival >= Self.longest / 2
        {
            fail(
                "#\(exchange.index) still runs after \((now - exchange.arrival) / Self.second) s: \(exchange.machine.stage)"
            )
        }
    }

    private func checkEnd() {
        let snapshot = pacer.snapshot(at: moment)
        if snapshot.inFlight != 0 { fail("\(snapshot.inFlight) slots are left over in the pacer") }
        if snapshot.waiting != 0 { fail("\(snapshot.waiting) requests are left over in the pacer's queue") }
        let broken = pacer.brokenInvariants
        if !broken.isEmpty { fail("the pacer's invariants: \(broken)") }
        if quotaWaiters != 0 { fail("\(quotaWaiters) requests are left over in the shared quota") }
        if quotaClaims != 0 { fail("\(quotaClaims) claims of the shared quota were not reported") }
        if !waiting.isEmpty { fail("\(waiting.count) waiters are left over") }
        if probeHolder != nil { fail("the circuit's probe is left over") }
        for exchange in exchanges { checkEnd(of: exchange) }
        for connection in connections where connection.machine.isOpen && connection.activeAt > 0 {
            fail("connection \(connection.index) was not closed: \(connection.machine)")
        }
    }

    private func checkEnd(of exchange: SimulatedExchange) {
        let name = "#\(exchange.index)"
        guard exchange.hasHead else { return }
        if !exchange.isCompleted { fail("\(name) did not end") }
        if exchange.deadline != nil { fail("\(name) left a timer over") }
        if exchange.recorded != 1 { fail("\(name) was recorded \(exchange.recorded) times") }
        if exchange.steps > 400 { fail("\(name) took \(exchange.steps) steps") }
        if exchange.performed > 1 + exchange.retriesDecided {
            fail("\(name) was performed \(exchange.performed) times, retries: \(exchange.retriesDecided)")
        }
        if exchange.deliveredEffect == Effect.none, exchange.performed > 0 {
            fail(
                "\(name) was performed, and the problem \(exchange.deliveredCode?.name ?? "") claims no effect"
            )
        }
        if !exchange.isClosed, exchange.seen == .nothing { fail("\(name): the client waits for ever") }
        if exchange.isLost, exchange.seen == .whole, exchange.plan.isPatient, !exchange.plan.mayHaveLeft,
            !exchange.connection.wasAborted
        {
            fail("\(name): a reset destroyed a part of the reply that the client had not read")
        }
    }

    /// Checks an exchange when it is completed.
    func checkCompletion(of exchange: SimulatedExchange) {
        let name = "#\(exchange.index)"
        if exchange.slotState == .open || exchange.slotState == .undecided { fail("\(name) kept its slot") }
        if exchange.isRunning { fail("\(name) still counts as running") }
        if exchange.place != nil { fail("\(name) kept its place in the queue") }
        if exchange.claim != nil { fail("\(name) kept its claim of the shared quota") }
        if exchange.hasProbe { fail("\(name) kept the circuit's probe") }
        if exchange.transfer?.isRunning == true { fail("\(name) left a transfer running") }
        if exchange.machine.attempts != exchange.sentAttempts {
            fail(
                "\(name) counts \(exchange.machine.attempts) attempts, and \(exchange.sentAttempts) were sent"
            )
        }
        if exchange.machine.leftAt != nil, exchange.plan.isPatient, !exchange.plan.mayHaveLeft, !isStopping,
            !(exchange.isAbandoned && exchange.answer == .relay),
            !(exchange.machine.isEventStream && exchange.hasEnded), !exchange.isStalledByDesign
        {
            fail(
                "\(name) gave up a client that stays, while \(exchange.machine.leftAt.map { "\($0)" } ?? "")")
        }
        let isOwnReply = exchange.answer != .relay
        if isOwnReply, exchange.seen != .whole, exchange.plan.isPatient, !exchange.plan.mayHaveLeft,
            !isStopping,
            !exchange.isStalledByDesign
        {
            fail("\(name): a client that stays does not get its reply")
        }
    }
}

extension SimulatedExchange {
    /// Whether the pauses that the client makes may be longer than its stall.
    var isStalledByDesign: Bool {
        let stall = terms.clientStall.wholeNanoseconds
        return plan.pieces.contains { $0.delay >= stall / 2 } || (plan.readDelay ?? 0) * 5 >= stall
    }
}
