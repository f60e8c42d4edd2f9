import Testing
import Wire

@Suite("the decisions about a client's connection")
struct ClientMachineTests {
    private typealias Table = ClientMachineTableTests

    @Test("an end of the client's side is reported once, and a broken connection once more")
    func ends() {
        var machine = Table.machine("asleep")
        let changes: [(ended: Bool, broken: Bool)] = [
            (true, false), (true, false), (true, true), (true, true),
        ]
        let reports = changes.map { change in
            machine.handle(.socketChanged(ended: change.ended, broken: change.broken)).contains {
                $0 == .reportEnd
            }
        }
        #expect(reports == [true, false, true, false])
    }

    @Test("an end that came before its request is reported once the request has begun")
    func endBefore() {
        var machine = Table.machine("idle")
        let actions = machine.handle(.socketChanged(ended: true, broken: false))
        #expect(!actions.contains { $0 == .reportEnd || $0 == .reportEndLater })
        Table.scan("GET / HTTP/1.1\r\nHost: h\r\n\r\n", &machine)
        let begun = machine.handle(.requestBegan)
        let received = machine.handle(.headReceived)
        #expect(begun == [] && received == [.reportEndLater])
    }

    /// Seed 303109 of the simulation: the end was reported to an exchange that did not exist yet, and a stream of events ran for ever.
    @Test("an end that comes within a head is reported once the head is complete")
    func endWithinHead() {
        var machine = Table.machine("begun")
        let end = machine.handle(.socketChanged(ended: true, broken: false))
        let received = machine.handle(.headReceived)
        #expect(!end.contains { $0 == .reportEnd } && received == [.reportEndLater])
    }

    @Test("a socket that gave less than was asked for is not read before something happens on it")
    func drained() {
        var machine = Table.machine("idle")
        #expect(machine.mayBeReadable)
        _ = machine.handle(.socketDrained)
        #expect(!machine.mayBeReadable)
        _ = machine.handle(.socketChanged(ended: false, broken: false))
        #expect(machine.mayBeReadable)
    }

    @Test("an end that came with the last bytes can still be read behind them")
    func endWithBytes() {
        var machine = Table.machine("idle")
        _ = machine.handle(.socketChanged(ended: true, broken: false))
        _ = machine.handle(.socketDrained)
        #expect(machine.mayBeReadable)
    }

    /// Whether it is read, or answered, it is one request at a time.
    @Test(
        "the library gets neither bytes nor the end while a complete request is unanswered",
        arguments: ["complete", "asleep", "ended", "answered", "answered, owes reading", "stopping"])
    func oneRequest(row: String) {
        var machine = Table.machine(row)
        for hasHeld in [false, true] { #expect(machine.source(hasHeld: hasHeld) == .nothing) }
        if !machine.isAnswered {
            _ = machine.handle(.responseQueued)
        }
        _ = machine.handle(.requestCompleted(isWhole: true, run: 1))
        #expect(machine.source(hasHeld: true) == .held)
        #expect(machine.source(hasHeld: false) == .socket)
    }

    @Test(
        "the library finds that the connection is over behind a last response that goes past it",
        arguments: ["leaving", "leaving, request asleep", "gone"])
    func leaving(row: String) {
        for hasHeld in [false, true] { #expect(Table.machine(row).source(hasHeld: hasHeld) == .end) }
    }

    @Test("an interim response waits for the body of a client that expects to be told to go on")
    func interim() {
        let allowed = Dictionary(
            uniqueKeysWithValues: Table.rows.map { row in
                let machine = Table.machine(row)
                return (row, [true, false].map { machine.mayHaveInterim(expectsContinue: $0) })
            })
        for row in Table.rows {
            switch row {
            case "body", "complete", "asleep", "ended", "stopping":
                #expect(allowed[row] == [true, true], "\(row)")
            case "body expected": #expect(allowed[row] == [false, true], "\(row)")
            default: #expect(allowed[row] == [false, false], "\(row)")
            }
        }
    }

    @Test("a request that is abandoned gets no interim response")
    func abandoned() {
        var machine = Table.machine("body")
        _ = machine.handle(.requestAbandoned)
        #expect(!machine.mayHaveInterim(expectsContinue: false))
    }

    @Test("the time of a head begins anew with each head")
    func headTime() {
        var machine = ClientMachine(limits: Table.limits, isEncrypted: false)
        func read(_ text: String) -> [ClientAction] {
            var bytes = Array(text.utf8)
            var span = bytes.mutableSpan
            _ = machine.scan(&span)
            return Array(machine.handle(.readEnded(isShort: false, hasHeld: false)))
        }
        #expect(read("GET / HTTP/1.1\r\n") == [.startHeadTimer])
        #expect(read("Host: h\r\n") == [])
        #expect(read("\r\n") == [.stopHeadTimer])
        for event in [
            ClientMachine.Event.requestBegan, .headReceived, .requestEnded, .responseQueued,
            .requestCompleted(isWhole: true, run: 1),
        ] { _ = machine.handle(event) }
        #expect(read("GET / HTTP/1.1\r\n") == [.startHeadTimer])
    }

    @Test("what a client sends behind its last response is dropped up to an amount")
    func amount() {
        var input = UnreadInput(at: 1000)
        #expect(input.endsAt == 1000 + UnreadInput.time)
        let isAllowed = [input.drop(UnreadInput.limit), input.drop(1)]
        #expect(isAllowed == [true, false])
        input.extend(at: 2000)
        #expect(input.endsAt == 2000 + UnreadInput.time)
    }

    @Test("a client that still receives its last response is read on, for a bounded time")
    func receiving() {
        var input = UnreadInput(at: 0)
        var looks: [Bool] = []
        func look(at seconds: Int, unreceived: Int?) {
            looks.append(input.isOver(at: seconds * 1000, unreceived: unreceived))
        }
        input.extend(at: 0, unreceived: 100)
        look(at: 4, unreceived: 100)
        look(at: 5, unreceived: 99)
        look(at: 9, unreceived: 99)
        look(at: 10, unreceived: 99)
        #expect(looks == [false, false, false, true], "an early look, progress, an early look, none")
        look(at: 10, unreceived: 0)
        look(at: 10, unreceived: nil)
        #expect(looks.suffix(2) == [true, true], "all received, and unknown")
        look(at: 59, unreceived: 50)
        look(at: 64, unreceived: 40)
        #expect(looks.suffix(2) == [false, true], "progress within the longest time, and behind it")
    }

    @Test("bytes that complete a request are recognised, and stay unread")
    func completion() {
        let machine = Table.machine("body")
        func completes(_ text: String) -> Bool {
            var bytes = Array(text.utf8)
            var span = bytes.mutableSpan
            return machine.isRequestCompleted(by: &span)
        }
        #expect(!completes(""))
        #expect(completes("y"))
        #expect(completes("y"))
    }
}
