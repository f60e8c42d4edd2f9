import Testing

@testable import Core

@Suite("one instance's part in a shared ledger")
struct SharedLedgerTests {
    /// An instance that may send ten requests in a second, together with another one; and what it wants done.
    private struct Instance {
        var ledger: SharedLedger
        let account: LedgerAccount
        var now: Int64 = 0
        var wanted: [LedgerEffect] = []

        init() {
            let pacer = Pacer(policy: PacingPolicy(windows: [.init(requests: 10, per: .seconds(1))]))
            account = LedgerAccount(
                name: "p.p", pacer: pacer, replicas: 2, lease: .seconds(5), wallClockOffset: .zero)
            var numbers = SeededNumbers(seed: 1)
            let names = (0..<100).map { _ in numbers.next() }
            var next = names.startIndex
            ledger = SharedLedger(startedAt: MonotonicTime(nanoseconds: 0)) {
                next += 1
                return names[next % names.count]
            }
            ledger.add([account], at: moment)
        }

        var moment: MonotonicTime { MonotonicTime(nanoseconds: now * 1_000_000) }

        /// Lets so many milliseconds pass.
        mutating func pass(_ milliseconds: Int64 = 0) {
            now += milliseconds
            ledger.run(at: moment)
            wanted += ledger.takeEffects()
        }

        /// The calls of this kind that were wanted since the last look, each with its words.
        mutating func takeCalls(_ kind: String) -> [[String]] {
            wanted += ledger.takeEffects()
            defer { wanted = [] }
            return wanted.compactMap {
                if case .call(let call) = $0, call.words[0] == kind { call.words } else { nil }
            }
        }

        /// Connects, and is told that the ledger can be used; returns the session's name.
        mutating func share() -> String {
            pass(2000)
            return share(
                wanted.compactMap { if case .connect(let name) = $0 { name } else { nil } }.last ?? "")
        }

        /// Is connected in this session, and is told that the ledger can be used.
        mutating func share(_ name: String) -> String {
            ledger.sessionBegins(name, at: moment)
            ledger.sessionIsUp(name, clock: now * 1000, heard: moment, at: moment)
            ledger.take(.numbers([0]), in: name, at: moment)
            ledger.take(message: Array("beat".utf8), in: name, at: moment)
            return name
        }

        mutating func claim(_ id: UInt64, patience: Duration = .seconds(60)) {
            let claim = LedgerClaim(
                id: id, waiter: Waiter(worker: 0, id: id), account: account,
                demand: PacingDemand(key: LedgerKey(hash: 7)), latest: moment + patience)
            ledger.take(claim, at: moment)
        }
    }

    @Test("an instance becomes a member when it shares the ledger, and not before")
    func seat() throws {
        var instance = Instance()
        _ = instance.share()
        let keeps = instance.takeCalls("beat").map { $0[5] }
        #expect(keeps.count == 2)
        #expect(keeps[0] == "0")
        #expect(keeps[1] == "\(2_000_000 + LedgerAccount.lapse)")
    }

    @Test(
        "an instance names the ended sessions whose slots it holds, which therefore have no lease")
    func formerSessions() throws {
        var instance = Instance()
        let first = instance.share()
        instance.claim(1)
        // The second beat, and the claim.
        for _ in 0..<2 { instance.ledger.take(.numbers([0]), in: first, at: instance.moment) }
        #expect(instance.takeCalls("take").count == 1)
        instance.ledger.sessionIsOver(first, reason: "closed", at: instance.moment)
        let second = instance.share()
        #expect(second != first)
        #expect(instance.takeCalls("beat").last?.dropFirst(8) == [first])
        instance.ledger.take(.numbers([0]), in: second, at: instance.moment)
        instance.ledger.take(.responded, of: 1, at: instance.moment)
        #expect(instance.takeCalls("free").first?[1] == first)
        instance.ledger.take(message: Array("beat".utf8), in: second, at: instance.moment)
        instance.ledger.take(.numbers([0]), in: second, at: instance.moment)
        instance.pass(1000)
        #expect(try #require(instance.takeCalls("beat").last).count == 8)
    }

    @Test("an instance abandons a session without replies or messages")
    func silence() {
        for isDeaf in [false, true] {
            var instance = Instance()
            let name = instance.share()
            if isDeaf { instance.ledger.take(.numbers([0]), in: name, at: instance.moment) }
            instance.pass(999)
            #expect(instance.ledger.isInUse)
            instance.pass(1)
            #expect(!instance.ledger.isInUse)
            #expect(instance.ledger.fallbacks == 1)
        }
    }

    @Test(
        "without the server, an instance sends nothing until earlier grants to others no longer count, then uses its share"
    )
    func quiet() {
        var instance = Instance()
        let name = instance.share()
        instance.ledger.sessionIsOver(name, reason: "closed", at: instance.moment)
        for id: UInt64 in 1...10 { instance.claim(id) }
        func grants() -> Int { instance.wanted.count { if case .grant = $0 { true } else { false } } }
        instance.pass(instance.account.quiet / 1000 - 1)
        #expect(grants() == 0)
        instance.pass(1)
        #expect(grants() == 5)
    }

    /// Numbers that no script answers.
    private static let senseless: [[Int64]] = [
        [], [.min], [.min + 1], [-(1 << 53)], [-3], [1 << 53], [1 << 62], [.max - 1], [.max], [0, 0],
        [0, 0, 0, 0],
        [-2, .max, 0], [-2, .min, 0], [-2, -1, 0], [-2, 1, 8], [-2, 1, -1], [-2, 1, .max], [-2, 1, .min],
        [-1, 0, 0], [-2],
    ]

    private func isLost(_ instance: Instance) -> Bool {
        instance.wanted.contains { if case .disconnect = $0 { true } else { false } }
    }

    @Test(
        "a response that no script gives is the end of the session, whatever was asked", arguments: senseless)
    func senselessAnswers(numbers: [Int64]) {
        for question in ["beat", "take", "free"] {
            var instance = Instance()
            let name = instance.share()
            // The second beat.
            if question != "beat" { instance.ledger.take(.numbers([0]), in: name, at: instance.moment) }
            instance.claim(1)
            if question == "free" {
                instance.ledger.take(.numbers([0]), in: name, at: instance.moment)
                instance.ledger.take(.responded, of: 1, at: instance.moment)
            }
            // A report may be answered with any number of receivers.
            if question == "free", numbers.count == 1, numbers[0] >= 0 { continue }
            instance.ledger.take(.numbers(numbers), in: name, at: instance.moment)
            instance.pass()
            #expect(isLost(instance) && !instance.ledger.isInUse, "\(question) \(numbers)")
            // The share has its time before the server is asked again.
            let connects = { (instance: Instance) in
                instance.wanted.filter { if case .connect = $0 { true } else { false } }.count
            }
            let before = connects(instance)
            instance.pass(instance.account.quiet / 1000 + 14_999)
            #expect(connects(instance) == before)
            instance.pass(15_001)
            #expect(connects(instance) == before + 1)
        }
    }

    /// How a server fails that answers all but claims.
    enum ClaimFailure: CaseIterable {
        case closed, silent, scriptError, otherError, senseless, promisedNothing
    }

    /// Answers what the instance wants as a server does that fails at claims; returns the requests that may be sent.
    private func serve(_ instance: inout Instance, failingBy failure: ClaimFailure, _ session: inout String)
        -> [UInt64]
    {
        var granted: [UInt64] = []
        // Replies come in the order of calls: behind a call without one there are none.
        var silent = failure == .silent && instance.ledger.session?.hasClaims == true ? session : nil
        while true {
            let effects = instance.wanted + instance.ledger.takeEffects()
            instance.wanted = []
            if effects.isEmpty { return granted }
            for effect in effects {
                switch effect {
                case .connect(let name):
                    session = name
                    instance.ledger.sessionBegins(name, at: instance.moment)
                    instance.ledger.sessionIsUp(
                        name, clock: instance.now * 1000, heard: instance.moment, at: instance.moment)
                case .call(let call) where call.words[0] == "take":
                    switch failure {
                    case .closed:
                        instance.ledger.sessionIsOver(session, reason: "closed", at: instance.moment)
                    case .silent: silent = session
                    case .scriptError:
                        instance.ledger.take(.error("WEIR late"), in: session, at: instance.moment)
                    case .otherError: instance.ledger.take(.error("OOM"), in: session, at: instance.moment)
                    case .senseless: instance.ledger.take(.numbers([]), in: session, at: instance.moment)
                    case .promisedNothing:
                        instance.ledger.take(.numbers([-1]), in: session, at: instance.moment)
                        instance.ledger.take(message: Array("99 0".utf8), in: session, at: instance.moment)
                        instance.ledger.sessionIsOver(session, reason: "closed", at: instance.moment)
                    }
                case .call where silent == session: break
                case .call(let call):
                    instance.ledger.take(.numbers([0]), in: session, at: instance.moment)
                    if call.words[0] == "beat" {
                        instance.ledger.take(message: Array("beat".utf8), in: session, at: instance.moment)
                    }
                case .grant(let waiter): granted.append(waiter.id)
                default: break
                }
            }
        }
    }

    @Test(
        "a server that fails at every claim is left alone: requests are sent by the share after at most 4 s, and the quiet time",
        arguments: ClaimFailure.allCases)
    func failedClaims(failure: ClaimFailure) {
        var instance = Instance()
        var session = ""
        var waiting: [UInt64: Int64] = [:]
        var longestWait: Int64 = 0
        var sent = 0
        var id: UInt64 = 0
        // Twenty minutes, with a request each second that waits for as long as it must.
        for step in 0..<60_000 {
            if step % 50 == 0 {
                id += 1
                waiting[id] = instance.now
                instance.claim(id, patience: .seconds(3600))
            }
            for granted in serve(&instance, failingBy: failure, &session) {
                longestWait = max(longestWait, instance.now - (waiting.removeValue(forKey: granted) ?? 0))
                sent += 1
                instance.ledger.take(.responded, of: granted, at: instance.moment)
            }
            instance.pass(20)
        }
        // The backlog of one quiet time is sent by the share, five a second.
        #expect(longestWait <= 4000 + instance.account.quiet / 1000 + 3000)
        #expect(sent > 1150)
        // The share has most of the time.
        #expect(instance.ledger.fallbacks < 15)
    }

    @Test("a server that answers claims again is used as soon as it is tried")
    func claimsAnsweredAgain() {
        var instance = Instance()
        var session = ""
        for id: UInt64 in 1...5 {
            instance.claim(id, patience: .seconds(3600))
            _ = serve(&instance, failingBy: .closed, &session)
            instance.pass(2000)
        }
        #expect(instance.ledger.uselessSessions >= SharedLedger.uselessSessionLimit)
        let name = session
        while session == name {
            instance.pass(100)
            for effect in instance.wanted { if case .connect(let next) = effect { session = next } }
        }
        let up = instance.share(session)
        instance.claim(9)
        instance.ledger.take(.numbers([0]), in: up, at: instance.moment)
        for _ in 0..<4 { instance.ledger.take(.numbers([0]), in: up, at: instance.moment) }
        #expect(instance.ledger.isInUse)
        instance.ledger.sessionIsOver(up, reason: "closed", at: instance.moment)
        #expect(instance.ledger.uselessSessions == 0)
    }

    @Test(
        "a message with numbers that no script sends is the end of the session, and nothing of it is believed",
        arguments: [
            "1 \(Int64.max)", "1 \(Int64.min)", "1 -1", "1 \(1 << 53)", "1 5 8", "1 5 -1", "1 5 \(Int64.max)",
            "1 \(Int64.max) 0", "99 \(Int64.max)",
        ])
    func senselessMessages(message: String) {
        var instance = Instance()
        let name = instance.share()
        instance.ledger.take(.numbers([0]), in: name, at: instance.moment)
        instance.claim(1)
        instance.ledger.take(.numbers([-1]), in: name, at: instance.moment)
        instance.ledger.take(message: Array(message.utf8), in: name, at: instance.moment)
        instance.pass()
        #expect(isLost(instance))
        #expect(!instance.wanted.contains { if case .grant = $0 { true } else { false } })
    }

    @Test(
        "a message that means nothing changes nothing",
        arguments: [
            "", " ", "1", "x 5", "1 x", "1 5 x", "1 5 0 0", "1 9223372036854775808", "-1 0",
            "18446744073709551616 0", "pause",
            "pause a weir:{p.p} rate 1 \(Int64.max) 0", "pause a weir:{p.p} rate 1 \(Int64.min) 0",
            "pause a weir:{p.p} rate 1 0 0", "pause a weir:{p.p} rate x 5 0",
            "pause a weir:{p.p} rate 1 5 \(Int64.max)",
        ])
    func meaninglessMessages(message: String) {
        var instance = Instance()
        let name = instance.share()
        instance.ledger.take(.numbers([0]), in: name, at: instance.moment)
        instance.claim(1)
        instance.ledger.take(.numbers([-1]), in: name, at: instance.moment)
        instance.ledger.take(message: Array(message.utf8), in: name, at: instance.moment)
        #expect(instance.account.pacer.snapshot(at: instance.moment).paused == 0)
        instance.ledger.take(message: Array("1 0".utf8), in: name, at: instance.moment)
        instance.pass()
        #expect(!isLost(instance))
        #expect(instance.wanted.contains { if case .grant = $0 { true } else { false } })
    }
}
