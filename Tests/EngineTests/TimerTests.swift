import Core
import Locking
import TestSupport
import Testing

/// Real timers at real sockets, compared with ``TimeoutClaim``.
@Suite("timers of an exchange", .blocking)
struct TimerTests {
    /// One timer in one stage, and a provider that brings an exchange there and leaves it.
    struct Case: Sendable, CustomTestStringConvertible {
        let timer: ExchangeTimer
        let stage: ExchangeStage
        /// How the provider does it.
        var way = ""
        /// More keys of the provider.
        var keys = ""
        var testDescription: String { "\(timer) while \(stage) \(way)" }
    }

    private static let cases: [Case] = [
        Case(timer: .connect, stage: .connecting, way: "TCP"),
        Case(timer: .connect, stage: .connecting, way: "TLS"),
        Case(timer: .connect, stage: .connecting, way: "TLS", keys: "http: auto"),
        Case(timer: .connect, stage: .connecting, way: "tunnel"),
        Case(timer: .response, stage: .connecting, way: "TCP"),
        Case(timer: .response, stage: .connecting, way: "TLS"),
        Case(timer: .response, stage: .connecting, way: "TLS", keys: "http: auto"),
        Case(timer: .response, stage: .connecting, way: "tunnel"),
        Case(timer: .response, stage: .connecting, way: "tunnel", keys: "http: auto"),
        Case(timer: .total, stage: .connecting, way: "TCP"),
        Case(timer: .total, stage: .connecting, way: "TLS"),
        Case(timer: .total, stage: .connecting, way: "TLS", keys: "http: auto"),
        Case(timer: .total, stage: .connecting, way: "tunnel"),
        Case(timer: .response, stage: .sent, way: "silent"),
        Case(timer: .response, stage: .sent, way: "interim"),
        Case(timer: .response, stage: .sent, way: "part of a head"),
        Case(timer: .total, stage: .sent, way: "silent"),
        Case(timer: .total, stage: .sent, way: "interim"),
        Case(timer: .idle, stage: .collecting),
        Case(timer: .errorBody, stage: .collecting),
        Case(timer: .errorBody, stage: .collecting, way: "drip"),
        Case(timer: .total, stage: .collecting),
        Case(timer: .total, stage: .collecting, way: "drip"),
        Case(timer: .idle, stage: .examining),
        Case(timer: .errorBody, stage: .examining, way: "drip"),
        Case(timer: .total, stage: .examining, way: "drip"),
        Case(timer: .idle, stage: .streaming),
        Case(timer: .total, stage: .streaming, way: "drip"),
    ]

    /// A request, and whether it may be repeated.
    private struct Request: Sendable {
        let method: String
        let hasKey: Bool
        let isRepeatSafe: Bool
    }

    private static let requests = [
        Request(method: "GET", hasKey: false, isRepeatSafe: true),
        Request(method: "PUT", hasKey: false, isRepeatSafe: true),
        Request(method: "DELETE", hasKey: false, isRepeatSafe: true),
        Request(method: "POST", hasKey: false, isRepeatSafe: false),
        Request(method: "PATCH", hasKey: false, isRepeatSafe: false),
        Request(method: "POST", hasKey: true, isRepeatSafe: true),
    ]

    /// Makes the requests of a case, a few at the same time through one Weir: each waits for a timer, with a credential of its own.
    ///
    /// Not all at once: the connections of too many are not made in time on a busy machine, and retries have a budget.
    private func forEachRequest(
        of test: Case, retries: Int, limits: String, time: String,
        _ body: @escaping @Sendable (ProxyFixture, Request, [(String, String)]) throws -> Void,
        after: (ProxyFixture) throws -> Void = { _ in }
    ) throws {
        let requests = Self.requests.filter { !$0.hasKey || test.stage != .examining }
        for start in stride(from: 0, to: requests.count, by: 4) {
            try run(test, retries: retries, limits: limits, time: time) { proxy in
                let works = requests[start..<min(start + 4, requests.count)].map { request in
                    let credential = ("Authorization", "Bearer \(request.method)\(request.hasKey)")
                    let fields = request.hasKey ? [credential, ("Idempotency-Key", "k")] : [credential]
                    return Background { try body(proxy, request, fields) }
                }
                for work in works { try work.join(within: .seconds(60)) }
                try after(proxy)
            }
        }
    }

    /// Has the exchanges with a provider of this case, whose timer ends after `time`.
    private func run(
        _ test: Case, retries: Int, limits: String, time: String, _ body: (ProxyFixture) throws -> Void
    ) throws {
        let full = test.way == "TCP" ? try FullListener() : nil
        let upstream = try ScriptedUpstream { exchange in try Self.act(test, exchange) }
        // Accepted by the system, and read by nobody.
        let silent = try ScriptedUpstream()
        let origin: String
        var keys = test.keys.isEmpty ? "" : ", \(test.keys)"
        switch test.way {
        case "TCP": origin = "http://127.0.0.1:\(full?.port ?? 0)"
        case "TLS": origin = "https://localhost:\(silent.port)"
        case "tunnel":
            origin = test.keys.isEmpty ? "http://provider.example" : "https://provider.example"
            keys += ", proxy: 'http://127.0.0.1:\(silent.port)'"
        default: origin = upstream.url
        }
        let name =
            switch test.timer {
            case .connect: "connect"
            case .response: "response"
            case .idle: "idle"
            case .errorBody: "error_body"
            default: "total"
            }
        var times = ["connect": "60s", "response": "60s", "idle": "60s", "error_body": "60s"]
        times[name] = time
        let timeouts = times.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        let profile = test.stage == .examining ? "disguise" : "lettr"
        let retrying = "retries: { max: \(retries), base: 1ms, budget: 100% }"
        let provider =
            "{ profile: \(profile), upstream: '\(origin)', timeouts: { \(timeouts) }, \(retrying), \(limits)\(keys) }"
        try withProxy("providers: { p: \(provider) }", upstreams: [upstream], body)
    }

    private static func act(_ test: Case, _ exchange: UpstreamExchange) throws {
        let json = "Content-Type: application/json\r\n"
        switch test.stage {
        case .connecting: return
        case .sent:
            switch test.way {
            case "interim": try exchange.send("HTTP/1.1 102 Processing\r\n\r\n")
            case "part of a head": try exchange.send("HTTP/1.1 200 OK\r\nX-A: ")
            default: break
            }
            return
        case .collecting:
            try exchange.send("HTTP/1.1 404 No\r\nContent-Type: text/plain\r\n\r\nNo such thing\n")
        case .examining: try exchange.send("HTTP/1.1 200 OK\r\n\(json)Content-Length: 50000\r\n\r\n{")
        default: try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
        }
        guard test.way == "drip" else { return }
        while (try? exchange.send(" ")) != nil { try exchange.expectSilence(for: .milliseconds(10)) }
    }

    /// What differs from the claim, each as "is, should be".
    private func differences(
        _ claim: TimeoutClaim, _ response: RawResponse, isRepeatSafe: Bool, attempts: Int
    ) -> [String] {
        var pairs: [(is: String?, shouldBe: String?)] = []
        switch claim.response {
        case .problem(let code, let effect):
            pairs = [
                (response.code, code.name), ("\(response.status)", "504"),
                (response.problem["effect"], effect.rawValue),
                (response.problem["retryable"], "\(claim.isRetryable(isRepeatSafe: isRepeatSafe))"),
                (response.problem["attempts"], attempts == 0 ? nil : "\(attempts)"),
            ]
        case .partialError:
            pairs = [
                ("\(response.status)", "404"), (response.code, "not_found"),
                ("\(response.isComplete)", "true"), (response.problem["detail"], "No such thing"),
                (response.problem["attempts"], "\(attempts)"),
            ]
        case .relay, .breakOff:
            pairs = [("\(response.status)", "200"), ("\(response.isComplete)", "false")]
        case .lastAttempt, .nothing: return ["no such claim"]
        }
        return pairs.filter { $0.is != $0.shouldBe }.map { "\($0.is ?? "-"), \($0.shouldBe ?? "-")" }
    }

    /// Runs a case with a short timer; on a machine too busy to reach its stage in time, with longer ones.
    private func expectNone(_ note: String, _ differences: (_ time: String) throws -> [String]) throws {
        for time in ["250ms", "1s"] where try differences(time).isEmpty { return }
        let rest = try differences("5s")
        #expect(rest.isEmpty, "\(note)")
    }

    /// What differs in any of the requests of a case.
    private final class Differences: Sendable {
        private let all = Lock<[String]>([])

        func add(_ some: [String], of request: Request) {
            all.withLock { $0 += some.map { "\(request.method) \(request.hasKey): \($0)" } }
        }

        var found: [String] { all.withLock { $0 } }
    }

    @Test("each claims what its stage allows, and returns the slot if nothing was sent", arguments: cases)
    func claims(test: Case) throws {
        let claim = try #require(TimeoutClaim(test.timer, in: test.stage))
        try expectNone("\(test)") { time in
            let differences = Differences()
            let limits = "limits: [{ requests: 1, per: 50s, by: credential }], max_wait: 0s"
            try forEachRequest(of: test, retries: 0, limits: limits, time: time) { proxy, request, fields in
                let client = try proxy.client()
                let body = request.method.hasPrefix("P") ? "{}" : ""
                try client.request(request.method, "/p/emails", fields: fields, body: body)
                if claim.response == .relay {
                    // The provider goes on: the head and some bytes show that the client is not kept waiting.
                    _ = try client.readHead()
                    client.close()
                } else {
                    let response = try client.readResponse()
                    differences.add(
                        self.differences(
                            claim, response, isRepeatSafe: request.isRepeatSafe,
                            attempts: claim.isAttempt ? 1 : 0), of: request)
                }
                // The slot is free again if, and only if, nothing was sent.
                let next = try proxy.exchange("GET", "/p/emails", fields: [fields[0]])
                if (next.code == "throttled") != claim.isAttempt {
                    differences.add(["slot: \(next.text)"], of: request)
                }
            }
            return differences.found
        }
    }

    @Test("each leads to another attempt only where the claim allows it", arguments: cases, [1, 2])
    func retries(test: Case, maximum: Int) throws {
        let claim = try #require(TimeoutClaim(test.timer, in: test.stage))
        guard case .problem = claim.response else { return }
        try expectNone("\(test)") { time in
            let differences = Differences()
            let repeated = Lock(0)
            try forEachRequest(of: test, retries: maximum, limits: "limits: []", time: time) {
                proxy, request, fields in
                let body = request.method.hasPrefix("P") ? "{}" : ""
                let response = try proxy.exchange(request.method, "/p/emails", fields: fields, body: body)
                // The time for all attempts leaves none for another one.
                let isRepeated = test.timer != .total && claim.isRetryable(isRepeatSafe: request.isRepeatSafe)
                if isRepeated { repeated.withLock { $0 += 1 } }
                let sent = claim.isAttempt ? (isRepeated ? maximum + 1 : 1) : 0
                differences.add(
                    self.differences(claim, response, isRepeatSafe: request.isRepeatSafe, attempts: sent),
                    of: request)
            } after: { proxy in
                let reason = claim.slot == .settled ? "response" : "connection"
                let count = try proxy.metric(#"weir_retries_total{provider="p",reason="\#(reason)"}"#)
                let wanted = Double(
                    repeated.withLock { count in
                        defer { count = 0 }
                        return count * maximum
                    })
                if count != wanted {
                    differences.add(["retries: \(count), not \(wanted)"], of: Self.requests[0])
                }
            }
            return differences.found
        }
    }

    @Test(
        "a connection that cannot be made for a retry does not undo the effect of the attempt before",
        arguments: ["GET", "PUT", "POST"])
    func earlierEffect(method: String) throws {
        let upstream = try ScriptedUpstream()
        let keys =
            "profile: lettr, upstream: '\(upstream.url)', limits: [], retries: { max: 1, base: 1ms }"
        try withProxy("providers: { p: { \(keys) } }") { proxy in
            let client = try proxy.client()
            let fields = method == "POST" ? [("Idempotency-Key", "k")] : []
            try client.request(method, "/p/emails", fields: fields, body: method == "GET" ? "" : "{}")
            let exchange = try upstream.expectRequest()
            upstream.stopListening()
            // Where the system still accepts a connection, the next attempt would be one.
            try eventually("new connections to be refused") {
                (try? RawClient(port: upstream.port)) == nil
            }
            exchange.reset()
            let response = try client.readResponse()
            #expect(response.code == "provider_unreachable")
            #expect(response.problem["effect"] == "unknown")
            #expect(response.problem["attempts"] == "1")
            #expect(response.problem["retryable"] == "true")
        }
    }

    @Test(
        "a client that disconnects before anything was sent gives the slot back",
        arguments: ["TCP", "TLS", "tunnel"])
    func departure(way: String) throws {
        let test = Case(timer: .connect, stage: .connecting, way: way)
        let keys = "limits: [{ requests: 1, per: 50s, by: provider }], max_wait: 0s"
        try run(test, retries: 0, limits: keys, time: "60s") { proxy in
            let client = try proxy.client()
            try client.request("DELETE", "/p/emails")
            // Without a body it has its slot as soon as it is in flight.
            try waitForSlot(proxy)
            client.leave()
            try proxy.expectNothingInFlight()
            #expect(try proxy.metric(#"weir_upstream_attempts_total{provider="p"}"#) == 0)
            try expectFreeSlot(proxy)
        }
    }

    private func waitForSlot(_ proxy: ProxyFixture) throws {
        try eventually("the request to have its slot") {
            try proxy.metric(#"weir_requests_in_flight{provider="p"}"#) == 1
        }
    }

    /// Has another request, which gets the only slot: it is not refused.
    private func expectFreeSlot(_ proxy: ProxyFixture) throws {
        let client = try proxy.client()
        try client.request("GET", "/p/emails")
        try waitForSlot(proxy)
        try proxy.settle()
        try client.expectSilence(for: .zero)
        client.leave()
        try proxy.expectNothingInFlight()
    }

    @Test(
        "an error whose body drips without end is a problem within its time", arguments: [400, 429, 500, 503])
    func drip(status: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 \(status) No\r\nContent-Type: application/json\r\n\r\n")
            while (try? exchange.send("     ")) != nil { try exchange.expectSilence(for: .milliseconds(10)) }
        }
        try withProxy(to: upstream, provider: "timeouts: { error_body: 300ms, idle: 1h }") { proxy in
            let begun = ContinuousClock.now
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == status && response.isComplete)
            #expect(response.problem["origin"] == "provider")
            #expect(begun.duration(to: .now) >= .milliseconds(290))
        }
    }

    @Test("an attempt whose error drips is repeated within its time")
    func dripAndRetry() throws {
        let count = Lock(0)
        let upstream = try ScriptedUpstream { exchange in
            let isFirst = count.withLock { count in
                count += 1
                return count == 1
            }
            guard isFirst else { return try exchange.respond(.ok(#"{"a":1}"#)) }
            try exchange.send("HTTP/1.1 503 No\r\nContent-Type: text/plain\r\n\r\n")
            while (try? exchange.send("x")) != nil { try exchange.expectSilence(for: .milliseconds(10)) }
        }
        let keys = "timeouts: { error_body: 300ms, idle: 1h }, retries: { max: 1, base: 1ms }"
        try withProxy(to: upstream, provider: keys) { proxy in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == 200 && response.text == #"{"a":1}"#)
        }
        #expect(upstream.requestCount == 2)
    }

    @Test(
        "an error that drips is relayed as it comes where errors are raw",
        arguments: ["errors: raw", "X-Error-Format"])
    func rawDrip(reason: String) throws {
        let upstream = try ScriptedUpstream()
        let more = reason == "errors: raw" ? ", errors: raw" : ""
        try withProxy(to: upstream, provider: "timeouts: { error_body: 200ms }\(more)") { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/x", fields: more.isEmpty ? [("X-Error-Format", "raw")] : [])
            let exchange = try upstream.expectRequest()
            try exchange.send("HTTP/1.1 500 No\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nabc")
            let head = try client.readHead()
            #expect(head.status == 500 && head.fields["Content-Length"] == "6")
            try exchange.respond("def")
            var received = ""
            while received.count < 6 {
                received += String(decoding: try client.readBytes(atMost: 6), as: UTF8.self)
            }
            #expect(received == "abcdef")
        }
    }

    @Test("an error that drips while the client still sends is a problem within its time")
    func dripDuringUpload() throws {
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in
            try exchange.send("HTTP/1.1 413 No\r\nContent-Type: text/plain\r\n\r\nToo much\n")
            while (try? exchange.send("x")) != nil { try exchange.expectSilence(for: .milliseconds(10)) }
        }
        try withProxy(to: upstream, provider: "timeouts: { error_body: 300ms, idle: 1h }") { proxy in
            let client = try proxy.client()
            try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
            let response = try client.readResponse()
            #expect(response.status == 413 && response.code == "payload_too_large")
            #expect(response.problem["detail"] == "Too much")
        }
    }

    @Test(
        "a request that turns out to be malformed while the connection is made was never sent",
        arguments: ["TCP", "TLS", "tunnel"], ["chunk", "length"])
    func malformedWhileConnecting(way: String, fault: String) throws {
        let test = Case(timer: .connect, stage: .connecting, way: way)
        let keys = "limits: [{ requests: 1, per: 50s, by: provider }], max_wait: 0s"
        try run(test, retries: 0, limits: keys, time: "60s") { proxy in
            let client = try proxy.client()
            try client.send(
                "POST /p/emails HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
            try waitForSlot(proxy)
            try client.send(fault == "chunk" ? "zz\r\n" : "7FFFFFFFFFFFFFF\r\n")
            let response = try client.readResponse()
            #expect(response.problem["origin"] == "client", "\(response.text)")
            #expect(response.problem["effect"] == "none")
            #expect(response.problem["attempts"] == nil)
            try expectFreeSlot(proxy)
        }
    }

    @Test("a client that does not send the small body that it was told to send gives the slot back")
    func bodyThatNeverComes() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let keys = "limits: [{ requests: 1, per: 50s, by: provider }], max_wait: 0s"
        try withProxy(to: upstream, provider: keys, limits: "client_stall: 1s") { proxy in
            let client = try proxy.client()
            try client.send(
                "POST /p/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            _ = try? client.readResponse()
            try proxy.expectNothingInFlight()
            #expect(upstream.requestCount == 0)
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
        }
    }

    @Test("a client that stops in the middle of a body that is being sent has used its slot")
    func bodyThatStops() throws {
        let upstream = try ScriptedUpstream()
        let keys = "limits: [{ requests: 1, per: 50s, by: provider }], max_wait: 0s"
        try withProxy(to: upstream, provider: keys, limits: "client_stall: 1s") { proxy in
            let client = try proxy.client()
            try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
            let exchange = try upstream.expectRequestHead()
            try client.expectClosed()
            try exchange.expectClosed()
            try proxy.expectNothingInFlight()
            #expect(try proxy.exchange("GET", "/p/x").code == "throttled")
        }
    }
}
