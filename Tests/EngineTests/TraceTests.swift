import TestSupport
import Testing

@Suite("traces", .blocking)
struct TraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static func parent(_ flags: String = "01") -> (String, String) {
        ("traceparent", "00-\(trace)-00f067aa0ba902b7-\(flags)")
    }

    @Test("an exchange has a span, its wait and each attempt have one below it; the times are in order")
    func spans() throws {
        let collector = try TraceCollector()
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                exchange.request.target.hasPrefix("/fail") ? .status(503, body: "no") : .ok())
        }
        try withProxy(
            to: upstream, provider: "retries: { max: 1, base: 1ms }, limits: [{ requests: 3, per: 300ms }]",
            settings: collector.settings()
        ) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/a?key=in-the-query").status == 200)
            #expect(try proxy.exchange("GET", "/p/fail").status == 503)
            #expect(try proxy.exchange("POST", "/p/b", body: "body").status == 200)
            let spans = try collector.spans(8)
            let (good, failed, waited) = (
                try spans.exchange("/p/a"), try spans.exchange("/p/fail"), try spans.exchange("/p/b")
            )
            #expect(
                spans.children(of: good).map(\.name) == ["GET"] && spans.children(of: good).map(\.kind) == [3]
            )
            #expect(good.name == "GET /p" && good.attributes["weir.provider"] == "p" && good.status == 0)
            #expect(
                good.attributes["http.response.status_code"] == "200" && good.attributes["error.type"] == nil)
            let attempts = spans.children(of: failed)
            #expect(attempts.map { $0.attributes["http.request.resend_count"] } == [nil, "1"])
            #expect(
                attempts.allSatisfy {
                    $0.status == 2 && $0.attributes["error.type"] == "provider_unavailable"
                })
            #expect(failed.status == 2 && failed.events.map(\.name) == ["exception"])
            #expect(spans.children(of: waited).map(\.name) == ["queue", "POST"])
            #expect(waited.attributes["http.request.body.size"] == "4")
            for span in spans {
                #expect(span.start <= span.end && span.resource["service.name"] == "weir")
                guard let whole = spans.first(where: { $0.spanID == span.parentID }) else { continue }
                #expect(whole.start <= span.start && span.end <= whole.end && whole.traceID == span.traceID)
            }
            #expect(Set(spans.map(\.traceID)).count == 3 && Set(spans.map(\.spanID)).count == 8)
            let sent = collector.upstream.requests.flatMap(\.rawBytes)
            #expect(!String(decoding: sent, as: UTF8.self).contains("in-the-query"))
        }
    }

    @Test(
        "the client's trace goes on, and it decides whether it is recorded; what is no traceparent begins a trace"
    )
    func parents() throws {
        let collector = try TraceCollector()
        try withProxy(
            to: try ScriptedUpstream(answering: .ok()), settings: collector.settings(sample: "0%")
        ) { proxy throws in
            let client = try proxy.client()
            for fields in [
                [], [Self.parent("00")], [("traceparent", "00-x")], [Self.parent(), Self.parent()],
            ] { #expect(try client.exchange("GET", "/p/none", fields: fields).status == 200) }
            #expect(try client.exchange("GET", "/p/a", fields: [Self.parent()]).status == 200)
            let whole = try collector.spans(2).exchange("/p/a")
            #expect(
                whole.traceID == Self.trace && whole.parentID == "00f067aa0ba902b7" && whole.flags == 0x301)
        }
    }

    @Test(
        "the trace is in the log, in the problem and in the exemplars of OpenMetrics, and nowhere without tracing"
    )
    func shown() throws {
        let collector = try TraceCollector()
        let upstream = try ScriptedUpstream(answering: .status(404, body: "no"))
        try withProxy(to: upstream, settings: collector.settings(sample: "0%")) { proxy throws in
            let client = try proxy.client()
            let response = try client.exchange("GET", "/p/a", fields: [Self.parent()])
            #expect(response.problem["trace_id"] == Self.trace)
            #expect(
                try client.exchange("GET", "/p/b", fields: [Self.parent("00")]).problem["trace_id"]
                    == Self.trace)
            #expect(try client.exchange("GET", "/p/c").problem["trace_id"] == nil)
            try eventually("the log") { proxy.log.exchanges.count == 3 }
            let shown = proxy.log.exchanges.map { $0.metadata.contains(#""trace_id":"\#(Self.trace)""#) }
            #expect(shown == [true, true, false])
            let type = ("Accept", "application/openmetrics-text; version=1.0.0")
            let open = try client.exchange("GET", "/metrics", fields: [type]).text.split(separator: "\n")
            let exemplars = open.filter { $0.contains(" # {trace_id=\"\(Self.trace)\"} ") }
            #expect(exemplars.count == 3 && exemplars.allSatisfy { $0.contains("_bucket{") })
            #expect(try !proxy.metricLines().contains { $0.contains("trace_id") })
        }
        try withProxy(to: upstream) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/a", fields: [Self.parent()]).problem["trace_id"] == nil)
            #expect(!proxy.log.text.contains("trace_id"))
        }
    }

    @Test("traceparent reaches a provider only where that is configured, with the attempt as the caller")
    func forwarding() throws {
        let collector = try TraceCollector()
        let upstream = try ScriptedUpstream(answering: .ok())
        let sent = [Self.parent(), ("tracestate", "a=1"), ("tracestate", "b=2"), ("baggage", "c=3")]
        func seen(_ provider: String, _ settings: String, _ fields: [(String, String)]) throws
            -> ReceivedRequest
        {
            try withProxy(to: upstream, provider: provider, settings: settings) { proxy throws in
                #expect(try proxy.exchange("GET", "/p/a", fields: fields).status == 200)
            }
            return try #require(upstream.requests.last)
        }
        for settings in ["", collector.settings()] {
            let request = try seen("max_wait: 1s", settings, sent)
            for name in ["traceparent", "tracestate", "baggage"] { #expect(request.fields[name] == nil) }
        }
        let untraced = try seen("forward_trace: on", "", sent)
        #expect(untraced.fields.values(of: "traceparent") == [Self.parent().1])
        #expect(
            untraced.fields.values(of: "tracestate") == ["a=1", "b=2"] && untraced.fields["baggage"] == nil)
        #expect(
            try seen("forward_trace: on", "", [("traceparent", "00-x"), ("tracestate", "a=1")]).fields[
                "tracestate"] == nil)
        #expect(
            try seen("forward_trace: on", "", [("Connection", "traceparent"), Self.parent()]).fields[
                "traceparent"] == nil)
        let traced = try seen("forward_trace: on", collector.settings(), sent)
        let attempt = try #require(collector.spans.last { $0.kind == 3 })
        #expect(traced.fields.values(of: "traceparent") == ["00-\(Self.trace)-\(attempt.spanID)-01"])
        let unsampled = try seen("forward_trace: on", collector.settings(sample: "0%"), [])
        #expect(
            unsampled.fields["traceparent"]?.hasSuffix("-00") == true && unsampled.fields["tracestate"] == nil
        )
    }

    @Test("a collector that refuses for a while gets the spans again; failure and recovery are logged once")
    func recovery() throws {
        let collector = try TraceCollector(first: [.status(503, body: ""), .status(429, body: "")])
        let key = "key-of-the-collector"
        try withProxy(
            to: try ScriptedUpstream(answering: .ok()),
            settings: collector.settings(", headers: { Authorization: 'Bearer \(key)', X-Scope: a }")
        ) { proxy throws in
            _ = try proxy.exchange("GET", "/p/a")
            _ = try collector.spans(2)
            try eventually("the recovery to be logged") {
                proxy.log.entries.contains { $0.message == "traces are exported again" }
            }
            #expect(proxy.log.entries.filter { $0.message == "traces cannot be exported" }.count == 1)
            let requests = collector.upstream.requests
            #expect(requests.count == 3 && Set(requests.map { $0.body?.bytes }).count == 1)
            #expect(
                requests.allSatisfy {
                    $0.fields["Authorization"] == "Bearer \(key)" && $0.target == "/v1/traces"
                })
            #expect(
                requests[0].fields["Content-Type"] == "application/x-protobuf" && requests[0].method == "POST"
            )
            #expect(try proxy.metric("weir_trace_spans_exported_total") == 2)
            let pages = try ["/metrics", "/-/", "/-/limits"].map { try proxy.exchange("GET", $0).text }
            #expect(!(pages + [proxy.log.text]).joined().contains(key))
        }
    }

    @Test("spans that a collector does not want are counted and dropped")
    func rejected() throws {
        let partial = ScriptedResponse.status(
            200, fields: [("Content-Type", "application/x-protobuf")], body: [0x0A, 0x02, 0x08, 0x01])
        for (response, counts) in [(ScriptedResponse.status(400, body: "no"), [0, 2]), (partial, [1, 1])] {
            let collector = try TraceCollector(first: [response])
            try withProxy(to: try ScriptedUpstream(answering: .ok()), settings: collector.settings()) {
                proxy in
                _ = try proxy.exchange("GET", "/p/a")
                try eventually("the rejection to be counted") {
                    try proxy.metric(#"weir_trace_spans_dropped_total{reason="rejected"}"#)
                        == Double(counts[1])
                }
                #expect(try proxy.metric("weir_trace_spans_exported_total") == Double(counts[0]))
            }
        }
    }

    @Test(
        "an absent collector delays no exchange; more spans than may wait are dropped, counted and logged once"
    )
    func absent() throws {
        let collector = try TraceCollector()
        collector.upstream.stop()
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, settings: collector.settings()) { proxy throws in
            let client = try proxy.client()
            for _ in 0..<2100 { _ = try client.exchange("GET", "/p/a", fields: [("X-Large", "x")]) }
            #expect(
                try proxy.metric(#"weir_trace_spans_dropped_total{reason="queue_full"}"#) == 2 * 2100 - 4096)
            #expect(try proxy.metric("weir_trace_spans_exported_total") == 0)
            #expect(proxy.log.entries.filter { $0.message.hasPrefix("traces") }.count <= 1)
        }
    }

    @Test("a silent collector does not delay the end by more than a moment, and what is left then is counted")
    func silent() throws {
        let collector = try ScriptedUpstream()
        let upstream = try ScriptedUpstream(answering: .ok())
        let weir = try WeirProcess(
            to: upstream,
            settings: "tracing: { endpoint: '\(collector.url)', sample: 100% }")
        #expect(try weir.client().exchange("GET", "/p/a").status == 200)
        _ = try collector.expectRequest()
        #expect(try weir.client().exchange("GET", "/p/b").status == 200)
        weir.process.send(.terminate)
        #expect(try weir.process.waitForExit() == .code(0))
        #expect(weir.process.errorOutput.contains(#""message":"traces dropped at the end","spans":"4""#))
        #expect(upstream.requestCount == 2)
    }

    @Test("what is left at the end is exported")
    func lastExport() throws {
        let collector = try TraceCollector()
        try withProxy(to: try ScriptedUpstream(answering: .ok()), workers: 2, settings: collector.settings())
        { proxy throws in
            for _ in 0..<10 { _ = try proxy.exchange("GET", "/p/a") }
            proxy.stop()
            #expect(collector.spans.count == 20)
        }
    }

    @Test("a reload begins, changes and ends tracing")
    func reload() throws {
        let (first, second) = (try TraceCollector(), try TraceCollector())
        let upstream = try ScriptedUpstream(answering: .ok())
        let providers = "providers: { p: { profile: generic, upstream: '\(upstream.url)' } }"
        try withProxy(providers, upstreams: [upstream]) { proxy throws in
            let client = try proxy.client()
            func reload(_ settings: String) throws {
                try proxy.reload(
                    yaml: "listen: 127.0.0.1:0\nworkers: 1\nlimits: { drain: 1s }\n\(settings)\n\(providers)")
                try proxy.settle()
            }
            _ = try client.exchange("GET", "/p/a")
            try reload(first.settings())
            _ = try client.exchange("GET", "/p/b")
            try reload(second.settings())
            _ = try first.spans(2).exchange("/p/b")
            _ = try client.exchange("GET", "/p/c")
            try reload("")
            _ = try second.spans(2).exchange("/p/c")
            _ = try client.exchange("GET", "/p/d")
            #expect(first.spans.count == 2 && second.spans.count == 2)
        }
    }

    @Test("spans go over TLS to a collector whose authority is configured, and to no other")
    func encrypted() throws {
        let collector = try TLSProvider(
            response: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ending: .stay)
        let endpoint = "endpoint: '\(collector.url)', sample: 100%"
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, settings: "tracing: { \(endpoint) }") { proxy throws in
            _ = try proxy.exchange("GET", "/p/a")
            try eventually("the failure to be logged") {
                proxy.log.entries.contains {
                    $0.message == "traces cannot be exported"
                        && $0.metadata.contains("certificate is not trusted")
                }
            }
            #expect(collector.requestCount == 0)
        }
        let trusting = "ca_file: '\(collector.authority.root.certificatePath)'"
        try withProxy(to: upstream, settings: "tracing: { \(endpoint), \(trusting) }") { proxy throws in
            _ = try proxy.exchange("GET", "/p/a")
            try eventually("the export") { try proxy.metric("weir_trace_spans_exported_total") == 2 }
            #expect(collector.requestCount == 1)
        }
    }
}
