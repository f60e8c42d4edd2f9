import TestSupport
import Testing

@Suite("more clients than there is room for", .blocking)
struct CrowdTests {
    /// The beginning of a request that does not end.
    private static let half = "GET /p/slow HTTP/1.1\r\nHost: a\r\nX-A: "

    @Test(
        "where file descriptors run out, clients wait at no cost, those that are in are served, and all are taken later",
        arguments: [1, 2])
    func fewDescriptors(workers: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let weir = try WeirProcess(to: upstream, workers: workers, descriptors: 96)
        // A worker that is not run while another one takes all descriptors has no clients: these are in before.
        let early = try (1...4).map { _ in try weir.client() }
        for client in early { #expect(try client.exchange("GET", "/p/a").status == 200) }
        let crowd = try early + (5...150).map { _ in try weir.client() }
        for client in crowd { try client.send(Self.half) }
        try weir.process.waitForOutput(containing: "accept paused")
        try eventually("most descriptors to be used") { try descriptors(of: weir) > 60 }

        // What still happens is over after a while; what goes on for ever is not.
        try eventually("half a second that costs nothing") {
            let before = try ResourceUse(of: weir.process.processID)
            pauseThread(for: .milliseconds(500))
            let after = try ResourceUse(of: weir.process.processID)
            return after.processorMilliseconds - before.processorMilliseconds <= 20
        }

        // There are descriptors left for the provider.
        for client in early {
            try client.send("b\r\n\r\n")
            #expect(try client.readResponse().status == 200)
        }
        for client in crowd.dropLast() { client.close() }
        #expect(try weir.client().exchange("GET", "/p/a").status == 200)
        // It has waited behind all the others.
        try crowd[149].send("b\r\n\r\n")
        #expect(try crowd[149].readResponse().status == 200)
        let metrics = try weir.client().exchange("GET", "/metrics").text
        #expect(!metrics.contains("weir_accept_pauses_total 0\n"))
    }

    @Test("where as many are connected as may be, others wait until some leave, be it all at once")
    func fewConnections() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, limits: "connections: 4") { proxy in
            let crowd = try (1...4).map { _ in try proxy.client() }
            for client in crowd { try client.send(Self.half) }
            let late = try (1...4).map { _ in try proxy.client() }
            for client in late { try client.request("GET", "/p/a") }
            try eventually("a worker to take no more") { proxy.log.text.contains("accept paused") }
            for client in late { try client.expectSilence(for: .milliseconds(20)) }
            for client in crowd { client.close() }
            for client in late { #expect(try client.readResponse().status == 200) }
        }
    }

    @Test("five hundred clients that send a byte now and then hold up nobody, and leave nothing behind")
    func slowloris() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let weir = try WeirProcess(to: upstream)
        #expect(try weir.client().exchange("GET", "/p/a").status == 200)
        let idle = try descriptors(of: weir)
        let crowd = try (1...500).map { _ in try weir.client() }
        for client in crowd { try client.send(Self.half) }
        let client = try weir.client()
        for turn in 1...200 {
            for slow in crowd[(turn % 10) * 50..<(turn % 10 + 1) * 50] { try slow.send("a") }
            #expect(try client.exchange("GET", "/p/\(turn)", within: .seconds(20)).status == 200)
        }
        #expect(try descriptors(of: weir) >= idle + 500)
        for slow in crowd { slow.close() }
        try eventually("their connections to be closed") { try descriptors(of: weir) <= idle + 1 }
        #expect(upstream.requestCount == 201)
    }

    @Test(
        "a head that does not come to its end is cut off, however often a byte of it comes",
        arguments: [false, true])
    func endlessHead(isSecond: Bool) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, limits: "client_idle: 1s") { proxy in
            let client = try proxy.client()
            if isSecond { #expect(try client.exchange("GET", "/p/a").status == 200) }
            try client.send(Self.half)
            #expect(throws: PeerError.self) {
                for _ in 1...200 {
                    try client.send("a")
                    try client.expectSilence(for: .milliseconds(50))
                }
            }
            #expect(upstream.requestCount == (isSecond ? 1 : 0))
        }
    }

    @Test("while more than a thousand wait for their turn, who need not wait is served as ever, soon or late")
    func crowdedQueue() throws {
        let upstream = try ScriptedUpstream { exchange in
            if exchange.request.target == "/late" { pauseThread(for: .milliseconds(50)) }
            try exchange.respond(.ok())
        }
        let limit = "limits: [{ requests: 1, per: 3s, by: credential }], max_wait: 1h"
        try withProxy(to: upstream, provider: limit, limits: "queue: 2000") { proxy in
            let key = ("Authorization", "Bearer of-many")
            #expect(try proxy.exchange("GET", "/p/a", fields: [key]).status == 200)
            let crowd = try (1...1100).map { _ in
                let client = try proxy.client()
                try client.request("GET", "/p/a", fields: [key])
                return client
            }
            let depth = #"weir_queue_depth{provider="p"}"#
            // One of them goes on every three seconds.
            try eventually("them to wait") { try proxy.metric(depth) > 1050 }
            for number in 1...20 {
                for target in ["/p/soon", "/p/late"] {
                    let key = ("Authorization", "Bearer of-\(target)-\(number)")
                    #expect(try proxy.exchange("GET", target, fields: [key]).status == 200)
                }
            }
            #expect(try proxy.metric(depth) > 1024)
            for client in crowd { client.close() }
            try eventually("nobody to wait") { try proxy.metric(depth) == 0 }
        }
    }

    private func descriptors(of weir: WeirProcess) throws -> Int {
        try ResourceUse(of: weir.process.processID).descriptors
    }
}
