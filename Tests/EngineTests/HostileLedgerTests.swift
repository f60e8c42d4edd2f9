import Foundation
import Synchronization
import TestSupport
import Testing

/// A server for the ledger that is broken, or is none: it is as good as lost, and nothing else happens.
@Suite("a ledger's server that answers what no script of Weir's answers", .blocking)
struct HostileLedgerTests {
    /// What is read of the server.
    enum Question: String, CaseIterable {
        case time, script, subscription, beat, take, free, password
    }

    /// Replies that are none to any of the questions, as their bytes.
    static let replies: [String] =
        [
            Int64.min, Int64.min + 1, -(1 << 53), -3, 1 << 53, 1 << 62, Int64.max - 1, Int64.max,
        ].flatMap { number in
            [":\(number)\r\n", "*2\r\n:\(number)\r\n:\(number)\r\n", "*3\r\n:-2\r\n:\(number)\r\n:0\r\n"]
        } + [
            ":9223372036854775808\r\n", ":-9223372036854775809\r\n", ":1e3\r\n", ":\r\n", ": 1\r\n",
            "::1\r\n",
            ":99999999999999999999999999999999\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "$0\r\n\r\n",
            "*1\r\n*0\r\n",
            "*1\r\n$-1\r\n", "$-2\r\n", "*-9223372036854775808\r\n", "$9223372036854775807\r\n",
            "*9223372036854775807\r\n", "$1000000000\r\n", "*1000000000\r\n", "*3\r\n:-2\r\n:1\r\n:99\r\n",
            "*3\r\n:-2\r\n:1\r\n:-1\r\n", "*2\r\n:-2\r\n:5\r\n", "*3\r\n:-2\r\n$1\r\n5\r\n:0\r\n",
            "*4\r\n:-2\r\n:1\r\n:0\r\n:0\r\n", "$3\r\nabcdef\r\n", "+\r\n", "-\r\n", "-ERR no\r\n", "\r\n",
            "\n", "abc\r\n",
            "HTTP/1.1 400 Bad Request\r\n\r\n", "%1\r\n+a\r\n:1\r\n", ",1.5\r\n", "_\r\n", "#t\r\n",
            ">1\r\n:1\r\n",
            String(repeating: "*1\r\n", count: 9) + ":0\r\n",
            String(repeating: "*1\r\n", count: 2000) + ":0\r\n",
            "+" + String(repeating: "x", count: 100_000),
            "$12000\r\n" + String(repeating: "x", count: 12_000) + "\r\n",
            "*300\r\n" + String(repeating: ":0\r\n", count: 300),
        ]

    /// Replies to `TIME` alone that are none.
    static let times: [String] = [
        ("9223372036854775807", "0"), ("9223372036854775807", "9223372036854775807"),
        ("9223372036854", "999999"),
        ("9007199255", "0"), ("-1", "0"), ("-9223372036854775808", "-9223372036854775808"), ("0", "1000000"),
        ("0", "-1"), ("1e9", "0"), ("", ""), ("18446744073709551616", "0"),
    ].map { ScriptedRedis.array([ScriptedRedis.string($0.0), ScriptedRedis.string($0.1)]) }

    private static func question(of words: [String]) -> Question? {
        switch words[0] {
        case "TIME": return .time
        case "SCRIPT": return .script
        case "SUBSCRIBE": return .subscription
        case "AUTH": return .password
        default: return ScriptedRedis.operation(of: words).flatMap(Question.init)
        }
    }

    private func yaml(_ redis: ScriptedRedis, _ upstream: ScriptedUpstream, credentials: String = "")
        -> String
    {
        """
        listen: 127.0.0.1:0
        workers: 1
        limits: { drain: 50ms }
        replicas: 2
        ledger: '\(redis.url.replacing("://", with: "://\(credentials)"))'
        providers:
          p:
            profile: generic
            upstream: '\(upstream.url)'
            max_wait: 20s
            limits: [{ requests: 100, per: 10ms, by: provider }]
        """
    }

    /// Runs Weir with a server that gives this reply, and waits until that is seen to be no ledger.
    private func expectLoss(of question: Question, by reply: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let redis = try ScriptedRedis { words in
            Self.question(of: words) == question ? reply : nil
        }
        let weir = try ProxyFixture(
            yaml: yaml(redis, upstream, credentials: question == .password ? "u:p@" : ""))
        defer { weir.stop() }
        var client: RawClient?
        if [.take, .free].contains(question) {
            try eventually("the ledger to be in use", within: .seconds(60)) {
                try weir.metric("weir_ledger_up") == 1
            }
            client = try weir.client()
            try client?.request("GET", "/p/a")
        }
        try eventually(
            "the ledger to be lost, after \(question) \(reply.debugDescription.prefix(60))",
            within: .seconds(60)
        ) {
            weir.log.text.contains("shared ledger unavailable")
        }
        #expect(try weir.exchange("GET", "/readyz").status == 200)
        // Let through by the share, once all is over that others may have been given.
        if reply == Self.replies[0], let client {
            #expect(try client.readResponse(within: .seconds(20)).status == 200)
        }
    }

    @Test(
        "a server with invalid replies counts as lost, whichever call it answers so",
        arguments: Question.allCases)
    func replies(question: Question) throws {
        let replies = Self.replies + (question == .time ? Self.times : [])
        let senseless = replies.filter { !Self.isSound($0, for: question) }
        #expect(senseless.count > 25)
        for start in stride(from: 0, to: senseless.count, by: 16) {
            let works = senseless[start..<min(start + 16, senseless.count)].map { reply in
                Background { try expectLoss(of: question, by: reply) }
            }
            for work in works { try work.join(within: .seconds(200)) }
        }
    }

    /// Whether a reply is one that the server may give.
    private static func isSound(_ reply: String, for question: Question) -> Bool {
        switch question {
        // Any that is no error.
        case .password:
            !reply.hasPrefix("-") && [":", "$", "*", "+"].contains { reply.hasPrefix($0) }
                && isWellFormed(reply)
        // How many have heard of it.
        case .free: reply.hasPrefix(":") && !reply.hasPrefix(":-") && isWellFormed(reply)
        default: false
        }
    }

    /// Whether a reply of the list is one of the protocol's, and is no larger than any that Weir asks for.
    private static func isWellFormed(_ reply: String) -> Bool {
        ![
            ":9223372036854775808\r\n", ":-9223372036854775809\r\n", ":1e3\r\n", ":\r\n", ": 1\r\n",
            "::1\r\n",
            ":99999999999999999999999999999999\r\n", "$-2\r\n", "*-9223372036854775808\r\n",
            "$9223372036854775807\r\n", "*9223372036854775807\r\n", "$1000000000\r\n", "*1000000000\r\n",
            "$3\r\nabcdef\r\n",
        ].contains(reply) && !reply.hasPrefix("+xx") && !reply.hasPrefix("*300")
            && !reply.hasPrefix("*1\r\n*1\r\n*1\r\n")
    }

    @Test(
        "an unrequested reply of the server ends the session",
        arguments: [
            ":1\r\n", "+OK\r\n", "*3\r\n:1\r\n:2\r\n:3\r\n", "*3\r\n$7\r\nmessage\r\n:1\r\n:2\r\n",
            "*1\r\n$-1\r\n",
        ])
    func unasked(bytes: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let redis = try ScriptedRedis { words in
            // Two replies to one question, on the connection for calls.
            Self.question(of: words) == .beat ? ":0\r\n" + bytes : nil
        }
        let weir = try ProxyFixture(yaml: yaml(redis, upstream))
        defer { weir.stop() }
        try eventually("the ledger to be lost", within: .seconds(60)) {
            weir.log.text.contains("shared ledger unavailable")
        }
        #expect(try weir.exchange("GET", "/readyz").status == 200)
    }

    @Test(
        "an invalid message on the channel is ignored",
        arguments: [
            "ID \(Int64.max)", "ID \(Int64.min)", "ID -1", "ID \(1 << 53)", "ID 5 99", "ID 5 \(Int64.max)",
            "ID 5 -1",
            "ID \(Int64.max) 0", "ID", "", " ", "ID x", "ID 5 x", "ID 5 0 0", "beat", "beat beat", "pause",
            "pause - weir:{p.p} rate 1 \(Int64.max) 0", "pause - weir:{p.p} rate 1 \(Int64.min) 0",
            "pause - weir:{p.p} rate \(UInt64.max) 1 \(Int64.max)", "\(UInt64.max) \(Int64.max)",
        ])
    func messages(message: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let claims = Claims()
        let redis = try ScriptedRedis { words in
            guard Self.question(of: words) == .take else { return nil }
            return claims.count.add(1, ordering: .relaxed).newValue == 1 ? ":-1\r\n" : ":0\r\n"
        }
        let weir = try ProxyFixture(yaml: yaml(redis, upstream))
        defer { weir.stop() }
        try eventually("the ledger to be in use", within: .seconds(60)) {
            try weir.metric("weir_ledger_up") == 1
        }
        let client = try weir.client()
        try client.request("GET", "/p/a")
        try eventually("the request to be asked for") {
            redis.commands.contains { Self.question(of: $0) == .take }
        }
        let words = try #require(redis.commands.last { Self.question(of: $0) == .take })
        let channel = "weir:\(words[5])"
        redis.publish(message.replacing("ID", with: words[6]), to: channel)
        redis.send(
            "*3\r\n$7\r\nmessage\r\n$\(channel.utf8.count)\r\n\(channel)\r\n:5\r\n", toListenersOf: channel)
        #expect(try weir.exchange("GET", "/readyz").status == 200)
        // Let through by the share, by the server, or by its next session.
        redis.publish("\(words[6]) 0", to: channel)
        #expect(try client.readResponse(within: .seconds(20)).status == 200)
    }

    /// How it fails at claims alone.
    enum ClaimFailure: String, CaseIterable {
        case scriptError = "-WEIR late\r\n"
        case otherError = "-OOM command not allowed when used memory > 'maxmemory'\r\n"
        case noScript = "-NOSCRIPT No matching script.\r\n"
        case loading = "-LOADING Redis is loading the dataset in memory\r\n"
        case readOnly = "-READONLY You can't write against a read only replica.\r\n"
        case closed, silent

        var reply: ScriptedRedis.Reply {
            switch self {
            case .closed: ScriptedRedis.closing
            case .silent: ScriptedRedis.silence
            default: rawValue
            }
        }
    }

    @Test(
        "a server that fails only for claims is avoided, and requests use the share after at most 4 s, 6.5 s and two windows",
        arguments: ClaimFailure.allCases)
    func claims(failure: ClaimFailure) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let redis = try ScriptedRedis { words in
            Self.question(of: words) == .take ? failure.reply : nil
        }
        let weir = try ProxyFixture(yaml: yaml(redis, upstream))
        defer { weir.stop() }
        try eventually("the ledger to be in use", within: .seconds(60)) {
            try weir.metric("weir_ledger_up") == 1
        }
        let begun = ContinuousClock.now
        // `max_wait` is 20 s: a request that is not sent by the share gets a 429.
        #expect(try weir.exchange("GET", "/p/a", within: .seconds(30)).status == 200)
        #expect(begun.duration(to: .now) > .seconds(6))
        // The share has its time.
        for _ in 0..<3 { #expect(try weir.exchange("GET", "/p/a").status == 200) }
        #expect(try weir.metric("weir_ledger_fallbacks_total") <= 3)
    }

    @Test("endless bytes that are not a reply are not kept")
    func endless() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        // Made before: an instance waits for a reply only for a short time.
        let reply = "$16000\r\n" + String(repeating: "x", count: 256 << 10)
        let redis = try ScriptedRedis { words in Self.question(of: words) == .beat ? reply : nil }
        let weir = try ProxyFixture(yaml: yaml(redis, upstream))
        defer { weir.stop() }
        try eventually("the ledger to be lost", within: .seconds(60)) {
            weir.log.text.contains("sends what is no reply of Redis")
        }
    }
}

/// How many claims a server has seen.
private final class Claims: Sendable {
    let count = Atomic(0)
}
