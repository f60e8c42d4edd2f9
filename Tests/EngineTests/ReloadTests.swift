import Engine
import TestSupport
import Testing

/// A configuration as `withProxy` makes it, to change over to.
func reloadable(_ providers: String, workers: Int = 1, settings: String = "") -> String {
    """
    listen: 127.0.0.1:0
    workers: \(workers)
    \(settings.isEmpty ? "limits: { drain: 1s }" : settings)
    providers: { \(providers) }
    """
}

@Suite("a change of the configuration while Weir runs", .blocking)
struct ReloadTests {
    private static func provider(_ upstream: ScriptedUpstream, _ more: String = "") -> String {
        "{ profile: generic, upstream: '\(upstream.url)'\(more.isEmpty ? "" : ", \(more)") }"
    }

    private static let oneAMinute = "max_wait: 0s, limits: [{ requests: 1, per: 60s }]"
    private static let oneAtATime = "max_wait: 60s, limits: [{ requests: 1, per: 50ms }]"
    private static let depth = #"weir_queue_depth{provider="p"}"#

    @Test("what comes next goes by the new one: mount, upstream, key", arguments: [1, 2])
    func newRequests(workers: Int) throws {
        let old = try ScriptedUpstream(answering: .ok("old"))
        let new = try ScriptedUpstream(answering: .ok("new"))
        try withProxy(
            "providers: { p: \(Self.provider(old)), q: \(Self.provider(old)) }", upstreams: [old, new],
            workers: workers
        ) { proxy in
            #expect(try proxy.exchange("GET", "/p/a").text == "old")
            let change = try proxy.reload(
                yaml: reloadable(
                    "p: \(Self.provider(new, "mount: /moved, credential: k")), r: \(Self.provider(old))",
                    workers: workers))
            #expect(change.changed == ["p"] && change.added == ["r"] && change.removed == ["q"])
            #expect(change.needsRestart.isEmpty)
            try eventually("all workers to change over") {
                try (0..<8).allSatisfy { _ in try proxy.exchange("GET", "/moved/a").text == "new" }
            }
            #expect(new.requests.last?.fields["Authorization"] == "Bearer k")
            #expect(try proxy.exchange("GET", "/p/a").code == "route_not_found")
            #expect(try proxy.exchange("GET", "/r/a").text == "old")
        }
    }

    @Test("what is in flight ends as it began, even if its provider is no more; then nothing is left of that")
    func inFlight() throws {
        let (old, new) = (try ScriptedUpstream(), try ScriptedUpstream(answering: .ok("new")))
        try withProxy("providers: { p: \(Self.provider(old)) }", upstreams: [old, new]) { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/a")
            let exchange = try old.expectRequest()
            try proxy.reload(yaml: reloadable("q: \(Self.provider(new))"))
            #expect(try proxy.exchange("GET", "/q/a").text == "new")
            #expect(try proxy.metric(#"weir_requests_in_flight{provider="p"}"#) == 1)
            try exchange.respond(.ok("old"))
            #expect(try client.readResponse().text == "old")
            try old.expectAllClosed()
            try eventually("the series of the provider to go") {
                try proxy.metricLines().allSatisfy { !$0.contains(#"provider="p""#) }
            }
            // The same connection goes by the new configuration with its next request.
            #expect(try client.exchange("GET", "/q/b").text == "new")
            #expect(try client.exchange("GET", "/p/b").code == "route_not_found")
        }
    }

    @Test("a body that is still arriving keeps the limit under which it began")
    func limitsOfTheBeginning() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            let half = String(repeating: "x", count: 100 << 10)
            try client.send(
                "POST /p/a HTTP/1.1\r\nHost: x\r\nContent-Length: \(2 * half.utf8.count)\r\n\r\n\(half)")
            try eventually("the request to be on its way") { upstream.requestCount == 1 }
            let small = "limits: { request_body: 1KiB, drain: 1s }"
            try proxy.reload(yaml: reloadable("p: \(Self.provider(upstream))", settings: small))
            #expect(try proxy.exchange("POST", "/p/b", body: half).code == "request_too_large")
            try client.send(half)
            #expect(try client.readResponse().status == 200)
        }
    }

    @Test("limits that are raised hold for the next request, on a connection that stands as well")
    func raisedLimits() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let old = "uri: 100, header_count: 3, request_head: 1KiB, request_body: 1KiB"
        try withProxy(to: upstream, limits: old) { proxy in
            let long = "/p/" + String(repeating: "u", count: 200)
            let fields = (1...8).map { ("X-\($0)", String(repeating: "f", count: 200)) }
            let body = String(repeating: "b", count: 3000)
            let client = try proxy.client()
            #expect(try client.exchange("GET", "/p/a").status == 200)
            #expect(try proxy.exchange("GET", long).code == "uri_too_long")
            #expect(try proxy.exchange("GET", "/p/a", fields: fields).code == "headers_too_large")
            #expect(try proxy.exchange("POST", "/p/a", body: body).code == "request_too_large")
            try proxy.reload(
                yaml: reloadable("p: \(Self.provider(upstream))", settings: "limits: { drain: 1s }"))
            for client in [client, try proxy.client()] {
                #expect(try client.exchange("GET", long).status == 200)
                #expect(try client.exchange("GET", "/p/a", fields: fields).status == 200)
                #expect(try client.exchange("POST", "/p/a", body: body).status == 200)
                let chunked =
                    "POST /p/c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n\(body)\r\n0\r\n\r\n"
                try client.send(chunked)
                #expect(try client.readResponse().status == 200)
            }
        }
    }

    @Test("what waits keeps its place, and goes to where it was meant to go", arguments: [true, false])
    func queued(isRemoved: Bool) throws {
        let old = try ScriptedUpstream()
        let new = try ScriptedUpstream(answering: .ok("new"))
        try withProxy(
            "providers: { p: \(Self.provider(old, Self.oneAtATime)) }", upstreams: [old, new], workers: 2
        ) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/a")
            let exchange = try old.expectRequest()
            let clients = try (0..<3).map { _ in try proxy.client() }
            for client in clients { try client.request("GET", "/p/b") }
            try eventually("them to wait") { try proxy.metric(Self.depth) == 3 }
            let next = "\(isRemoved ? "q" : "p"): \(Self.provider(new, Self.oneAtATime))"
            try proxy.reload(yaml: reloadable(next, workers: 2))
            try exchange.respond(.ok("old"))
            for _ in clients { try old.expectRequest().respond(.ok("old")) }
            for client in [first] + clients { #expect(try client.readResponse().text == "old") }
            #expect(old.requestCount == 4 && new.requestCount == 0)
        }
    }

    @Test("a window that is full stays full, whatever else has changed")
    func ledger() throws {
        let (old, new) = (try ScriptedUpstream(answering: .ok()), try ScriptedUpstream(answering: .ok()))
        try withProxy("providers: { p: \(Self.provider(old, Self.oneAMinute)) }", upstreams: [old, new]) {
            proxy in
            #expect(try proxy.exchange("GET", "/p/a").status == 200)
            for more in ["mount: /p", "credential: k", "timeouts: { connect: 1s }"] {
                let next = "p: \(Self.provider(new, "\(more), \(Self.oneAMinute)"))"
                try proxy.reload(yaml: reloadable(next))
                #expect(try proxy.exchange("GET", "/p/a").code == "throttled")
            }
            // Gone for a while, as with a deployment that is rolled back.
            try proxy.reload(yaml: reloadable("q: \(Self.provider(new))"))
            #expect(try proxy.exchange("GET", "/p/a").code == "route_not_found")
            try proxy.reload(yaml: reloadable("p: \(Self.provider(new, Self.oneAMinute))"))
            #expect(try proxy.exchange("GET", "/p/a").code == "throttled")
            #expect(new.requestCount == 0)
        }
    }

    @Test("another limit begins with what was sent under the old one")
    func changedLimit() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        func limits(_ requests: Int, per window: String) -> String {
            Self.provider(upstream, "max_wait: 0s, limits: [{ requests: \(requests), per: \(window) }]")
        }
        try withProxy("providers: { p: \(limits(2, per: "60s")) }", upstreams: [upstream]) { proxy in
            for _ in 0..<2 { #expect(try proxy.exchange("GET", "/p/a").status == 200) }
            try proxy.reload(yaml: reloadable("p: \(limits(3, per: "30s"))"))
            #expect(
                try proxy.exchange("GET", "/p/a").fields["RateLimit"]?.hasPrefix(#""default";r=0;"#) == true)
            let refused = try proxy.exchange("GET", "/p/a")
            #expect(refused.code == "throttled" && refused.retryAfter < 31)
            try proxy.reload(yaml: reloadable("p: \(limits(1, per: "60s"))"))
            #expect(try proxy.exchange("GET", "/p/a").retryAfter > 31)
            #expect(try proxy.metric(#"weir_limit_requests{provider="p",policy="default"}"#) == 1)
        }
    }

    @Test("those that wait profit from a higher limit at once")
    func relaxedLimit() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let slow = Self.provider(upstream, "max_wait: 1h, limits: [{ requests: 1, per: 5m }]")
        let fast = Self.provider(upstream, "max_wait: 1h, limits: [{ requests: 9, per: 5m }]")
        try withProxy("providers: { p: \(slow) }", upstreams: [upstream], workers: 2) { proxy in
            #expect(try proxy.exchange("GET", "/p/a").status == 200)
            let clients = try (0..<4).map { _ in try proxy.client() }
            for client in clients { try client.request("GET", "/p/b") }
            try eventually("them to wait") { try proxy.metric(Self.depth) == 4 }
            try proxy.reload(yaml: reloadable("p: \(fast)", workers: 2))
            for client in clients { #expect(try client.readResponse().status == 200) }
        }
    }

    @Test("connections go on unless something about connecting has changed")
    func connections() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy in
            #expect(try proxy.exchange("GET", "/p/a").status == 200)
            try proxy.reload(yaml: reloadable("p: \(Self.provider(upstream, "mount: /q, errors: raw"))"))
            #expect(try proxy.exchange("GET", "/q/a").status == 200)
            #expect(upstream.connectionCount == 1)
            let other = Self.provider(upstream, "timeouts: { connect: 4s }")
            try proxy.reload(yaml: reloadable("p: \(other)"))
            #expect(try proxy.exchange("GET", "/p/a").status == 200)
            #expect(upstream.connectionCount == 2)
            try eventually("the old connection to be closed") { upstream.openConnectionCount == 1 }
            #expect(try proxy.metric(#"weir_upstream_connections_opened_total{provider="p"}"#) == 2)
            #expect(
                try proxy.metric(#"weir_requests_total{provider="p",method="get",status_class="2xx"}"#) == 3)
        }
    }

    @Test("a port of a provider's own stays open: it leads to the provider of that name, or nowhere")
    func ownPort() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let own = Self.provider(upstream, "listen: 127.0.0.1:0")
        let other = "o: \(Self.provider(upstream))"
        try withProxy("providers: { \(other), p: \(own) }", upstreams: [upstream]) { proxy in
            let client = try proxy.client(on: #require(proxy.providerPorts["p"]))
            #expect(try client.exchange("GET", "/a").status == 200)
            #expect(try proxy.reload(yaml: reloadable(other)).needsRestart == ["providers.p.listen"])
            #expect(try client.exchange("GET", "/o/a").code == "route_not_found")
            #expect(try proxy.reload(yaml: reloadable("p: \(own)")).needsRestart.isEmpty)
            #expect(try client.exchange("GET", "/a").status == 200)
            let moved = Self.provider(upstream, "listen: 127.0.0.1:1")
            #expect(try proxy.reload(yaml: reloadable("p: \(moved)")).needsRestart == ["providers.p.listen"])
            #expect(try client.exchange("GET", "/a").status == 200)
        }
    }

    @Test("told to end while the old configuration still works, it finishes that too, and takes no other")
    func draining() throws {
        let (old, new) = (try ScriptedUpstream(), try ScriptedUpstream())
        let patient = "limits: { drain: 20s }"
        try withProxy(
            "providers: { p: \(Self.provider(old)) }", upstreams: [old, new], limits: "drain: 20s"
        ) { proxy in
            let clients = [try proxy.client(), try proxy.client()]
            try clients[0].request("GET", "/p/a")
            let first = try old.expectRequest()
            try proxy.reload(yaml: reloadable("p: \(Self.provider(new))", settings: patient))
            try clients[1].request("GET", "/p/a")
            let second = try new.expectRequest()
            proxy.drain()
            let late = try proxy.reload(yaml: reloadable("q: \(Self.provider(new))", settings: patient))
            #expect(late.added.isEmpty && late.removed.isEmpty)
            for exchange in [first, second] { try exchange.respond(.ok()) }
            for client in clients { #expect(try client.readResponse().status == 200) }
            proxy.stop()
        }
    }

    @Test(
        "with a thousand exchanges a second and one change after the other, none fails and none is sent twice"
    )
    func underLoad() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let variants = [
            "", "limits: [{ requests: 100000, per: 1s }]", "timeouts: { connect: 4s }",
            "limits: [{ requests: 90000, per: 2s }], mount: /p",
        ].map { "p: \(Self.provider(upstream, $0))" }
        try withProxy("providers: { \(variants[0]) }", upstreams: [upstream], workers: 2) { proxy in
            let (clients, each) = (8, 400)
            let load = try (0..<clients).map { number in
                let client = try proxy.client()
                return Background {
                    for index in 0..<each {
                        let response = try client.exchange("POST", "/p/\(number)-\(index)", body: "\(index)")
                        guard response.status == 200 else { throw PeerError.unexpected(response.text) }
                    }
                }
            }
            var changes = 0
            while !load.allSatisfy(\.isDone) {
                let other = changes.isMultiple(of: 3) ? ", q: \(Self.provider(upstream))" : ""
                try proxy.reload(yaml: reloadable(variants[changes % variants.count] + other, workers: 2))
                changes += 1
                pauseThread(for: .milliseconds(5))
            }
            for client in load { try client.join() }
            #expect(changes >= 3)
            let targets = upstream.requests.map(\.requestLine)
            #expect(targets.count == clients * each && Set(targets).count == targets.count)
            #expect(upstream.failures.isEmpty)
            let series = #"weir_requests_total{provider="p",method="post",status_class="2xx"}"#
            #expect(try proxy.metric(series) == Double(clients * each))
        }
    }
}
