import TestSupport
import Testing

@testable import Core

@Suite("the script of the ledger", .blocking)
struct LedgerScriptTests {
    /// A ledger of `slots` per second for so many instances, at a time that the test sets.
    private final class Ledger {
        let redis: VirtualRedis
        private let server: RedisServer
        let slots: Int
        let replicas: Int
        /// Microseconds since 1970.
        var now: Int64
        var listening: [String] = []

        init(slots: Int, replicas: Int = 1, at now: Int64 = 1_760_000_000_000_000) throws {
            server = try RedisServer()
            redis = try VirtualRedis(server)
            (self.slots, self.replicas, self.now) = (slots, replicas, now)
        }

        @discardableResult
        func call(_ words: [String]) throws -> VirtualRedis.Outcome {
            try redis.call(
                LedgerCall(key: Array("weir:{t}".utf8), words: words), at: now,
                channels: listening.map { "weir:\($0)" })
        }

        /// An instance is there, whose process has the session's name behind an `i`.
        @discardableResult
        func beat(
            _ session: String, keeps: Bool = true, since: Int64? = nil, settles: Int64 = 0,
            former: [String] = []
        ) throws -> LedgerReply {
            if !listening.contains(session) { listening.append(session) }
            return try call(
                [
                    "beat", session, "i\(session)", "\(now + 1)", "3000000",
                    keeps ? "\(now + 3_000_000)" : "0",
                    "\(since ?? now)", "\(settles)",
                ] + former
            ).reply
        }

        func take(
            _ session: String, _ id: Int, patience: Int64 = 10_000_000, later: Int64 = 0,
            of names: [String] = ["a"]
        ) throws -> LedgerReply {
            try call(
                ["take", session, "\(id)", "\(patience)", "\(now + 1)", "\(later)"]
                    + names.flatMap {
                        [$0, "1", "\(slots)", "\(replicas)", "1000000", "5000000", "3600"]
                    }
            ).reply
        }

        @discardableResult
        func free(_ session: String, after delay: String, of name: String = "a") throws -> [String] {
            try call(["free", session, name, "1", delay, "1", "3600"]).messages
        }

        func times(of name: String) throws -> [String] {
            try redis.command(["ZRANGE", "weir:{t}:\(name):times", "0", "-1"]).elements.map(\.text)
        }
    }

    private func number(_ value: Int64) -> LedgerReply { .numbers([value]) }

    @Test("slots are given until there are none; then those that are free later, then places in a queue")
    func taking() throws {
        let ledger = try Ledger(slots: 2)
        #expect(try ledger.beat("x") == number(0))
        #expect(try ledger.take("x", 1) == number(0))
        #expect(try ledger.take("x", 2) == number(0))
        #expect(try ledger.take("x", 3) == number(-1))
        // The answer has come: its slot is free a second later, and goes to who waits.
        #expect(try ledger.free("x", after: "1000000") == ["weir:x 3 1000000"])
        #expect(try ledger.free("x", after: "1000000") == [])
        ledger.now += 400_000
        #expect(try ledger.take("x", 4) == number(600_000))
        #expect(try ledger.take("x", 5) == number(-1))
    }

    @Test("waiting requests are served in order, except those that have waited too long")
    func queue() throws {
        let ledger = try Ledger(slots: 1)
        for session in ["x", "y"] { try ledger.beat(session) }
        #expect(try ledger.take("x", 1) == number(0))
        #expect(try ledger.take("y", 2) == number(-1))
        #expect(try ledger.take("x", 3, patience: 100_000) == number(-1))
        #expect(try ledger.take("x", 4) == number(-1))
        ledger.now += 200_000
        #expect(try ledger.free("x", after: "0") == ["weir:y 2 0"])
        #expect(try ledger.free("y", after: "0") == ["weir:x 4 0"])
    }

    @Test("a request that would wait too long is rejected at once, with the time and the limit")
    func tooLong() throws {
        let ledger = try Ledger(slots: 1)
        try ledger.beat("x")
        #expect(try ledger.take("x", 1, of: ["b"]) == number(0))
        try ledger.free("x", after: "900000", of: "b")
        #expect(try ledger.take("x", 2, patience: 500_000, of: ["a", "b"]) == .numbers([-2, 900_000, 1]))
        // The same for who waits, as soon as it is known.
        #expect(try ledger.take("x", 3, patience: 950_000, of: ["b"]) == number(900_000))
        #expect(try ledger.take("x", 4, patience: 500_000, of: ["b"]) == number(-1))
        #expect(try ledger.free("x", after: "1000000", of: "b") == ["weir:x 4 1000000 0"])
    }

    @Test("a more urgent request goes first, but not before one that arrived much earlier")
    func urgency() throws {
        let ledger = try Ledger(slots: 1)
        try ledger.beat("x")
        #expect(try ledger.take("x", 1) == number(0))
        #expect(try ledger.take("x", 2, later: 6_000_000) == number(-1))
        ledger.now += 1_900_000
        #expect(try ledger.take("x", 3, later: 4_000_000) == number(-1))
        ledger.now += 200_000
        #expect(try ledger.take("x", 4, later: 4_000_000) == number(-1))
        #expect(try ledger.take("x", 5, later: 4_000_000) == number(-1))
        #expect(try ledger.free("x", after: "0") == ["weir:x 3 0"])
        #expect(try ledger.free("x", after: "0") == ["weir:x 2 0"])
        #expect(try ledger.free("x", after: "0") == ["weir:x 4 0"])
        #expect(try ledger.free("x", after: "0") == ["weir:x 5 0"])
    }

    @Test("a slot granted to a request that has left goes to the next one")
    func gone() throws {
        let ledger = try Ledger(slots: 1)
        for session in ["x", "y"] { try ledger.beat(session) }
        #expect(try ledger.take("x", 1) == number(0))
        #expect(try ledger.take("y", 2) == number(-1))
        #expect(try ledger.take("x", 3) == number(-1))
        ledger.listening = ["x"]
        // What is given back at once is free at once, for the next.
        #expect(try ledger.free("x", after: "0") == ["weir:y 2 0", "weir:x 3 0"])
    }

    @Test("a request takes of all its limits, or of none")
    func allOrNone() throws {
        let ledger = try Ledger(slots: 1)
        try ledger.beat("x")
        #expect(try ledger.take("x", 1, of: ["b"]) == number(0))
        #expect(try ledger.take("x", 2, of: ["a", "b"]) == number(-1))
        #expect(try ledger.take("x", 3, of: ["a"]) == number(0))
        // The other limit keeps it back now.
        #expect(try ledger.free("x", after: "0", of: "b") == [])
        #expect(try ledger.take("x", 4, of: ["b"]) == number(0))
        #expect(try ledger.free("x", after: "0", of: "a") == [])
        #expect(try ledger.free("x", after: "0", of: "b") == ["weir:x 2 0"])
    }

    @Test("the share of an instance that is not a member is left free")
    func seats() throws {
        let ledger = try Ledger(slots: 4, replicas: 2)
        try ledger.beat("x")
        #expect(try ledger.take("x", 1) == number(0))
        #expect(try ledger.take("x", 2) == number(0))
        #expect(try ledger.take("x", 3) == number(-1))
        try ledger.beat("y", since: ledger.now - 1)
        #expect(try ledger.call(["free", "x", "a", "0", "0", "1", "3600"]).messages == ["weir:x 3 0"])
        #expect(try ledger.take("y", 4) == number(0))
        // The other is not heard of any more.
        ledger.now += 2_900_000
        try ledger.beat("x")
        for _ in 0..<3 { try ledger.free("x", after: "0") }
        ledger.now += 200_000
        #expect(try ledger.take("x", 5) == number(0))
        #expect(try ledger.take("x", 6) == number(-1))
    }

    @Test(
        "a membership may belong to a dead predecessor: a starting instance becomes a member only after all others were heard"
    )
    func predecessor() throws {
        let ledger = try Ledger(slots: 4, replicas: 2)
        let seats = ["ZCARD", "weir:{t}:seats"]
        try ledger.beat("x")
        ledger.now += 500_000
        try ledger.beat("y")
        #expect(try ledger.redis.command(seats).integer == 1)
        try ledger.beat("x")
        try ledger.beat("y", since: ledger.now - 1)
        #expect(try ledger.redis.command(seats).integer == 2)
        // It died, and another one starts at once.
        ledger.now += 500_000
        let start = ledger.now
        for _ in 0..<3 {
            try ledger.beat("x")
            try ledger.beat("z", since: start)
            #expect(try ledger.redis.command(seats).integer == 2)
            ledger.now += 1_000_000
        }
        try ledger.beat("x")
        try ledger.beat("z", since: start)
        #expect(try ledger.redis.command(["ZSCORE", "weir:{t}:seats", "iz"]).text != "")
        #expect(try ledger.redis.command(["ZSCORE", "weir:{t}:seats", "iy"]).text == "")
    }

    @Test("slots of a dead session are freed after its lease and two windows")
    func lease() throws {
        let ledger = try Ledger(slots: 1, replicas: 1)
        try ledger.beat("y")
        #expect(try ledger.take("y", 1) == number(0))
        ledger.now += 9_900_000
        try ledger.beat("x")
        #expect(try ledger.take("x", 2, patience: 0) == number(-1))
        ledger.now += 200_000
        #expect(try ledger.call(["free", "x", "a", "0", "0", "1", "3600"]).messages == [])
        #expect(try ledger.take("x", 3) == number(0))
    }

    @Test("slots of a session are kept while its instance reports that it uses them")
    func formerSessions() throws {
        let ledger = try Ledger(slots: 1)
        try ledger.beat("y")
        #expect(try ledger.take("y", 1) == number(0))
        for _ in 0..<30 {
            ledger.now += 1_000_000
            try ledger.beat("x", former: ["y"])
        }
        #expect(try ledger.take("x", 2) == number(-1))
        #expect(try ledger.free("y", after: "0") == ["weir:x 2 0"])
    }

    @Test("a server that lost its data grants nothing before earlier grants no longer count")
    func settling() throws {
        let ledger = try Ledger(slots: 1)
        #expect(try ledger.beat("x", settles: 2_000_000) == number(2_000_000))
        #expect(try ledger.take("x", 1) == .error("WEIR unknown instance"))
        ledger.now += 1_500_000
        #expect(try ledger.beat("x", settles: 2_000_000) == number(500_000))
        ledger.now += 500_000
        #expect(try ledger.take("x", 1) == number(0))
    }

    @Test("a new session receives the pauses in force, once")
    func pauses() throws {
        let ledger = try Ledger(slots: 1)
        try ledger.beat("x")
        for (key, left) in [("7", 30_000_000), ("8", 500_000)] {
            let message = "pause x weir:{t} rate \(key) \(left) 0"
            let pause = ["pause", "x", "rate", key, "\(left)", "0"]
            #expect(try ledger.call(pause).messages == ["weir:all \(message)"])
        }
        ledger.now += 1_000_000
        ledger.listening = ["y"]
        let beat = ["beat", "y", "iy", "\(ledger.now)", "3000000", "0", "0", "0"]
        let messages = ["weir:y beat", "weir:y pause - weir:{t} rate 7 29000000 0"]
        #expect(try ledger.call(beat).messages == messages)
        #expect(try ledger.call(beat).messages == ["weir:y beat"])
    }

    @Test("a call that is executed too late, or without a listener, is rejected")
    func late() throws {
        let ledger = try Ledger(slots: 1)
        try ledger.beat("x")
        let beat = ["beat", "x", "ix", "\(ledger.now - 1)", "3000000", "0", "0", "0"]
        #expect(try ledger.call(beat).reply == .error("WEIR late"))
        let limit = ["a", "1", "1", "1", "1000000", "5000000", "3600"]
        let take = ["take", "x", "1", "0", "\(ledger.now - 1)", "0"] + limit
        #expect(try ledger.call(take).reply == .error("WEIR late"))
        ledger.listening = []
        let unheard = ["beat", "x", "ix", "\(ledger.now)", "3000000", "0", "0", "0"]
        #expect(try ledger.call(unheard).reply == .error("WEIR nobody listens"))
    }

    @Test(
        "a day ends at midnight, a month on the first, five seconds later, for clocks that differ",
        arguments: [
            // 2026-02-28 12:00, 2028-02-28 12:00, 2026-12-31 23:59:54 and 23:59:56, 2100-02-28 00:00
            (1_772_280_000, 1_772_323_200, 1_772_323_200), (1_835_352_000, 1_835_395_200, 1_835_481_600),
            (1_798_761_594, 1_798_761_600, 1_798_761_600), (1_798_761_596, 1_798_848_000, 1_801_440_000),
            (4_107_456_000, 4_107_542_400, 4_107_542_400),
        ] as [(Int64, Int64, Int64)])
    func renewal(at now: Int64, day: Int64, month: Int64) throws {
        let ledger = try Ledger(slots: 1, at: now * 1_000_000)
        try ledger.free("x", after: "d0", of: "day")
        try ledger.free("x", after: "m0", of: "month")
        #expect(try ledger.times(of: "day") == ["\(day + 5)000000"])
        #expect(try ledger.times(of: "month") == ["\(month + 5)000000"])
    }

    @Test(
        "a session that began before the clock was set back by more than seconds is not believed, and a new one is"
    )
    func clockSetBack() throws {
        let ledger = try Ledger(slots: 2)
        try ledger.beat("x")
        ledger.now += 7200 * 1_000_000
        try ledger.beat("x")
        #expect(try ledger.take("x", 1) == number(0))
        let before = ledger.now
        ledger.now -= 3600 * 1_000_000
        let words = [
            "beat", "x", "ix", "\(before + 1)", "3000000", "\(before + 3_000_000)", "\(before)", "0",
        ]
        #expect(try ledger.call(words).reply == .error("WEIR clock set back"))
        #expect(
            try ledger.call(
                [
                    "take", "x", "2", "1000000", "\(before + 1)", "0", "a", "1", "2", "1", "1000000",
                    "5000000", "3600",
                ]
            ).reply == .error("WEIR clock set back"))
        #expect(try ledger.beat("y") == number(0))
        #expect(try ledger.take("y", 3) == number(0))
    }
}
