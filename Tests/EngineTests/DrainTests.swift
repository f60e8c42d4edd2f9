import TestSupport
import Testing

@Suite("a signal to end", .blocking)
struct DrainTests {
    private static let slowLimit = "limits: [{ requests: 1, per: 3s, by: provider }], max_wait: 60s"
    private static let depth = #"weir_queue_depth{provider="p"} 1"#

    @Test(
        "what is in flight finishes, what waits and what comes is told, and the exit code is 0",
        arguments: [Subprocess.Signal.terminate.number, Subprocess.Signal.interrupt.number])
    func drain(signal: Int32) throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, provider: Self.slowLimit, drain: "20s")
        let (running, waiting, kept, idle) =
            (try weir.client(), try weir.client(), try weir.client(), try weir.client())
        #expect(try idle.exchange("GET", "/livez").status == 200)
        try running.request("GET", "/p/a")
        let exchange = try upstream.expectRequest()
        try waiting.request("GET", "/p/b")
        try eventually("the second to wait") {
            try kept.exchange("GET", "/metrics").text.contains(Self.depth)
        }

        weir.process.send(.init(number: signal))
        let refused = try waiting.readResponse()
        #expect(refused.status == 503)
        #expect(refused.code == "shutting_down")
        #expect(refused.problem["effect"] == "none")
        #expect(refused.problem["attempts"] == nil)
        #expect(try kept.exchange("GET", "/livez").status == 200)
        #expect(try kept.exchange("GET", "/readyz").status == 503)
        let late = try kept.exchange("POST", "/p/c", body: "{}")
        #expect(late.status == 503)
        #expect(late.code == "shutting_down")
        let series = #"weir_queue_refusals_total{provider="p",reason="shutting_down"} 2"#
        #expect(try kept.exchange("GET", "/metrics").text.contains(series))
        try weir.waitUntilDraining()

        try exchange.respond(.ok(#"{"done":true}"#))
        let response = try running.readResponse()
        #expect(response.status == 200)
        #expect(response.text == #"{"done":true}"#)
        #expect(try weir.process.waitForExit() == .code(0))
        #expect(upstream.requestCount == 1)
        #expect(weir.process.errorOutput.contains("draining"))
    }

    @Test("a large response on its way is finished", arguments: [1, 2])
    func streaming(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, workers: workers, drain: "20s")
        let client = try weir.client()
        try client.request("GET", "/p/a")
        let exchange = try upstream.expectRequest()
        let half = [UInt8](repeating: 0x61, count: 4 << 20)
        try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: \(2 * half.count)\r\n\r\n")
        let sender = Background {
            try exchange.send(half)
            weir.process.send(.terminate)
            try weir.waitUntilDraining()
            try exchange.send(half)
        }
        let response = try client.readResponse(keepingBody: false)
        #expect(response.isComplete && response.body.count == 2 * half.count)
        try sender.join()
        #expect(try weir.process.waitForExit() == .code(0))
    }

    @Test("after the grace period transfers are cancelled, whatever they were doing", arguments: [1, 2])
    func grace(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, workers: workers, drain: "300ms")
        // One waits for an answer, one for the rest of it, one is not read, and one is still sent.
        let unanswered = try weir.client()
        try unanswered.request("GET", "/p/a")
        let silent = try upstream.expectRequest()
        let halfAnswered = try weir.client()
        try halfAnswered.request("GET", "/p/b")
        let half = try upstream.expectRequest()
        try half.respond(.headThenStall())
        #expect(try halfAnswered.readHead().status == 200)
        let unread = try weir.client()
        try unread.request("GET", "/p/c")
        let large = try upstream.expectRequest()
        let flood = Background {
            try large.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            while (try? large.send([UInt8](repeating: 0, count: 1 << 20), within: .seconds(30))) != nil {}
        }
        let unsent = try weir.client()
        try unsent.request("POST", "/p/d", fields: [("Content-Length", "100000")], body: "begin")
        let upload = try upstream.expectRequestHead()

        weir.process.send(.terminate)
        #expect(try weir.process.waitForExit() == .code(0))
        for exchange in [silent, half, upload] { try exchange.expectClosed() }
        for client in [unanswered, unsent] {
            let response = try client.readResponse()
            #expect(response.status == 503 && response.code == "shutting_down")
            #expect(response.problem["effect"] == "unknown")
        }
        try unanswered.expectClosed()
        try halfAnswered.expectClosed()
        try flood.join()
    }

    @Test("connections without a request, or with half a head, do not hold it up")
    func idleConnections() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let weir = try WeirProcess(to: upstream, workers: 2, drain: "60s")
        let idle = try (0..<4).map { _ in try weir.client() }
        for client in idle { #expect(try client.exchange("GET", "/p/a").status == 200) }
        let silent = try weir.client()
        let begun = try weir.client()
        try begun.send("GET /p/b HTTP/1.1\r\nHost: w")
        weir.process.send(.terminate)
        #expect(try weir.process.waitForExit(within: .seconds(10)) == .code(0))
        for client in idle + [silent] { #expect(try client.expectClosed() == .orderly) }
    }

    @Test("a second SIGTERM changes nothing")
    func twice() throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, drain: "20s")
        let client = try weir.client()
        try client.request("GET", "/p/a")
        let exchange = try upstream.expectRequest()
        weir.process.send(.terminate)
        try weir.waitUntilDraining()
        weir.process.send(.terminate)
        try exchange.respond(.ok())
        #expect(try client.readResponse().status == 200)
        #expect(try weir.process.waitForExit() == .code(0))
    }

    /// Where probes are asked while Weir drains.
    enum Probes: CaseIterable {
        case ownListener, sharedListener

        var settings: String {
            self == .ownListener ? "admin: { listen: 127.0.0.1:0 }" : ""
        }

        func port(of weir: WeirProcess) throws -> UInt16 {
            guard self == .ownListener else { return weir.port }
            let mark = "\"admin\":\"127.0.0.1:"
            let log = weir.process.errorOutput
            let begin = try #require(log.firstRange(of: mark)?.upperBound)
            return try #require(UInt16(log[begin...].prefix { $0.isNumber }))
        }
    }

    @Test(
        "probes and scrapes are served until the drain ends, on old connections and on new ones",
        arguments: Probes.allCases, [1, 2])
    func probes(probes: Probes, workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, workers: workers, drain: "30s", settings: probes.settings)
        let port = try probes.port(of: weir)
        // Of two workers, whichever it is that has nothing in flight.
        let clients = try (0..<4).map { _ in try weir.client() }
        let exchanges = try clients.map { client in
            try client.request("GET", "/p/a")
            return try upstream.expectRequest()
        }
        let old = try RawClient(port: port, observing: expectValidProblem)
        #expect(try old.exchange("GET", "/readyz").status == 200)
        weir.process.send(.terminate)
        try weir.process.waitForOutput(containing: "draining")
        for (client, exchange) in zip(clients, exchanges).dropLast() {
            try exchange.respond(.ok())
            #expect(try client.readResponse().status == 200)
        }
        for _ in 0..<8 {
            let new = try RawClient(port: port, observing: expectValidProblem)
            for client in [old, new] {
                #expect(try client.exchange("GET", "/livez").status == 200)
                let readiness = try client.exchange("GET", "/readyz")
                #expect(readiness.status == 503 && readiness.code == "shutting_down")
                #expect(try client.exchange("HEAD", "/readyz").status == 503)
                #expect(
                    try client.exchange("GET", "/metrics").text.contains(
                        "weir_requests_in_flight{provider=\"p\"} 1"))
            }
        }
        if probes == .sharedListener {
            let late = try weir.client().exchange("POST", "/p/late", body: "{}")
            #expect(late.status == 503 && late.code == "shutting_down" && late.problem["effect"] == "none")
        } else {
            try eventually("the providers' port to be closed") {
                (try? RawClient(port: weir.port, within: .seconds(1))) == nil
            }
        }
        try exchanges.last?.respond(.ok())
        #expect(try clients.last?.readResponse().status == 200)
        #expect(try weir.process.waitForExit() == .code(0))
        #expect(upstream.requestCount == 4)
        #expect((try? RawClient(port: port, within: .seconds(1))) == nil)
    }

    @Test(
        "clients that ask for pages without a pause do not put off the end of a drain",
        arguments: Probes.allCases)
    func busyProbes(probes: Probes) throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, workers: 2, drain: "60s", settings: probes.settings)
        let port = try probes.port(of: weir)
        let running = try weir.client()
        try running.request("GET", "/p/a")
        let exchange = try upstream.expectRequest()
        let scrapers = (0..<3).map { index in
            Background {
                var count = 0
                while let client = try? RawClient(port: port, within: .seconds(1)) {
                    while (try? client.exchange("GET", index == 0 ? "/readyz" : "/metrics")) != nil {
                        count += 1
                    }
                }
                return count
            }
        }
        weir.process.send(.terminate)
        try weir.process.waitForOutput(containing: "draining")
        try exchange.respond(.ok())
        #expect(try running.readResponse().status == 200)
        #expect(try weir.process.waitForExit(within: .seconds(20)) == .code(0))
        for scraper in scrapers { try scraper.join() }
    }

    @Test("a port of a provider's own is closed as soon as Weir drains", arguments: [1, 2])
    func ownPort(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let port = try FreePort.next()
        let weir = try WeirProcess(
            to: upstream, provider: "mount: /p, listen: '127.0.0.1:\(port)'", workers: workers, drain: "20s")
        let running = try RawClient(port: port)
        try running.request("GET", "/a")
        let exchange = try upstream.expectRequest()
        weir.process.send(.terminate)
        try eventually("its port to be closed") { (try? RawClient(port: port, within: .seconds(1))) == nil }
        try exchange.respond(.ok())
        #expect(try running.readResponse().status == 200)
        #expect(try weir.process.waitForExit() == .code(0))
    }
}
