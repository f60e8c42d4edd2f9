import Core
import TestSupport
import Testing

@Suite("what is counted", .blocking)
struct MetricsTests {
    /// The sum of all series of a family with these labels.
    private func sum(_ family: String, _ labels: String = "", in proxy: ProxyFixture) throws -> Double {
        try proxy.metricLines().filter { $0.hasPrefix(family + "{") && $0.contains(labels) }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    @Test("all series exist from the start, at 0")
    func start() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy in
            let lines = try proxy.metricLines().filter { $0.hasPrefix("weir_") }
            let set = ["weir_build_info", "weir_limit_", "weir_config_last_reload_success"]
            for line in lines where !set.contains(where: line.hasPrefix) {
                #expect(line.hasSuffix(" 0"), "\(line)")
            }
            let errors = lines.filter { $0.hasPrefix("weir_errors_total{") }
            #expect(errors.filter { $0.contains(#""p""#) }.count == ProblemCode.allCases.count)
            // After traffic there are no others.
            let before = Set(lines.map { $0.split(separator: " ").first })
            _ = try proxy.exchange("BREW", "/p/a/b?c=d")
            _ = try proxy.exchange("GET", "/nowhere")
            let after = try proxy.metricLines().filter { $0.hasPrefix("weir_") }
            #expect(Set(after.map { $0.split(separator: " ").first }) == before)
        }
    }

    @Test("every exchange is counted once, whatever became of it", arguments: [1, 2])
    func once(workers: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            switch exchange.request.target {
            case "/missing": try exchange.respond(.status(404, body: "not found"))
            case "/full": try exchange.respond(.status(429, body: "too many"))
            case "/broken": exchange.reset()
            case "/odd": try exchange.respond(.status(456, body: "odd"))
            default: try exchange.respond(.ok())
            }
        }
        let limit = "limits: [{ requests: 1, per: 60s, by: credential }], max_wait: 0s"
        try withProxy(to: upstream, provider: limit, workers: workers) { proxy in
            var key = 0
            func status(_ method: String, _ target: String, isRaw: Bool = false) throws -> Int {
                key += 1
                let fields =
                    [("Authorization", "Bearer key-\(key)")] + (isRaw ? [("X-Error-Format", "raw")] : [])
                return try proxy.exchange(method, target, fields: fields).status
            }
            #expect(try status("GET", "/p/a") == 200)
            #expect(try status("POST", "/p/missing") == 404)
            #expect(try status("GET", "/p/missing", isRaw: true) == 404)
            #expect(try status("PUT", "/p/full") == 429)
            #expect(try status("DELETE", "/p/broken") == 502)
            let unmapped = try sum("weir_unmapped_errors_total", in: proxy)
            #expect(try status("PATCH", "/p/odd") == 456)
            #expect(try sum("weir_unmapped_errors_total", in: proxy) == unmapped + 1)
            key -= 1
            #expect(try status("GET", "/p/a") == 429)
            #expect(try status("GET", "/nowhere") == 404)
            #expect(try status("TRACE", "/p/a") == 501)
            try proxy.expectNothingInFlight()

            #expect(try sum("weir_requests_total", in: proxy) == 9)
            #expect(try sum("weir_requests_total", #"status_class="2xx""#, in: proxy) == 1)
            #expect(try sum("weir_requests_total", #"status_class="4xx""#, in: proxy) == 6)
            #expect(try sum("weir_errors_total", in: proxy) == 8)
            for (code, origin, count) in [
                ("not_found", "provider", 2), ("rate_limited", "provider", 1),
                ("connection_lost", "network", 1), ("throttled", "proxy", 1),
                ("bad_client_request", "client", 1),
            ] {
                let series = #"weir_errors_total{provider="p",origin="\#(origin)",code="\#(code)"}"#
                #expect(try proxy.metric(series) == Double(count), "\(series)")
            }
            let unrouted = #"weir_errors_total{provider="-",origin="proxy",code="route_not_found"}"#
            #expect(try proxy.metric(unrouted) == 1)
            #expect(try sum("weir_provider_rejections_total", in: proxy) == 1)
            #expect(try sum("weir_upstream_attempts_total", in: proxy) == 6)
            #expect(try sum("weir_upstream_responses_total", in: proxy) == 5)
            #expect(try sum("weir_request_duration_seconds_count", #""p""#, in: proxy) == 8)
            #expect(try sum("weir_upstream_duration_seconds_count", #""p""#, in: proxy) == 6)
        }
    }

    @Test("a client that disconnects is counted once, by what went on, and nothing stays in flight")
    func departures() throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            try client.request("GET", "/p/a")
            let exchange = try upstream.expectRequest()
            #expect(try proxy.metric(#"weir_requests_in_flight{provider="p"}"#) == 1)
            client.reset()
            try exchange.expectClosed()
            try proxy.expectNothingInFlight()
            #expect(try sum("weir_requests_total", in: proxy) == 1)
            #expect(try sum("weir_requests_total", #"status_class="none""#, in: proxy) == 1)
            #expect(try sum("weir_client_aborts_total", in: proxy) == 1)
            #expect(try proxy.metric(#"weir_client_aborts_total{provider="p",stage="upstream"}"#) == 1)
            #expect(try sum("weir_errors_total", in: proxy) == 0)
        }
    }

    @Test("queue, provider and Weir's own time add up to the whole")
    func durations() throws {
        let upstream = try ScriptedUpstream()
        let limit = "limits: [{ concurrent: 1, by: provider }], max_wait: 60s"
        try withProxy(to: upstream, provider: limit) { proxy in
            let clients = try (1...3).map { _ in try proxy.client() }
            var exchange: UpstreamExchange?
            for (count, client) in clients.enumerated() {
                try client.request("POST", "/p/a", body: "hello")
                if count == 0 { exchange = try upstream.expectRequest() }
                try eventually("the request to wait") {
                    try proxy.metric(#"weir_queue_depth{provider="p"}"#) == Double(count)
                }
            }
            // For so long, two requests wait, and the provider has one.
            let begun = ContinuousClock.now
            try exchange?.expectSilence(for: .milliseconds(50))
            let held = begun.duration(to: .now) / .seconds(1)
            try exchange?.respond(.ok(String(repeating: "x", count: 100)))
            for _ in 1...2 {
                try upstream.expectRequest().respond(.ok(String(repeating: "x", count: 100)))
            }
            for client in clients { #expect(try client.readResponse().status == 200) }
            try proxy.expectNothingInFlight()
            func seconds(_ name: String) throws -> Double {
                try proxy.metric(#"weir_\#(name)_seconds_sum{provider="p"}"#)
            }
            let whole = try seconds("request_duration")
            let (queue, provider) = (try seconds("queue_wait"), try seconds("upstream_duration"))
            #expect(abs(whole - queue - provider - (try seconds("proxy_overhead"))) < 0.000_01)
            #expect(provider >= held && queue >= 2 * held)
            #expect(try proxy.metric(#"weir_request_body_bytes_total{provider="p"}"#) == 15)
            #expect(try proxy.metric(#"weir_response_body_bytes_total{provider="p"}"#) == 300)
        }
    }

    @Test("promtool finds nothing wrong with a live page, and OpenMetrics is sent to who asks for it")
    func formats() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy in
            _ = try proxy.exchange("GET", "/p/a")
            let page = try proxy.exchange("GET", "/metrics")
            #expect(page.fields["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
            let outcome = try Subprocess.run("promtool", ["check", "metrics"], input: page.body.bytes)
            #expect(outcome.exit == .code(0))
            #expect(outcome.output + outcome.errorOutput == "")
            let accept = [("Accept", "application/openmetrics-text;version=1.0.0")]
            let open = try proxy.exchange("GET", "/metrics", fields: accept)
            #expect(
                open.fields["Content-Type"]?.hasPrefix("application/openmetrics-text; version=1.0.0") == true)
            #expect(open.text.hasSuffix("# EOF\n"))
        }
    }
}
