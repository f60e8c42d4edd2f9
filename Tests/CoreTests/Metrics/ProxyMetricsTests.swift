import Core
import Testing
import Wire

@Suite("Metrics")
struct ProxyMetricsTests {
    @Test("every series of every counter exists at 0 before the first request")
    func everythingAtZero() {
        let samples = MetricsFixture.samples(MetricsFixture.metrics())
        let configured = [
            "process_", "weir_build_info", "weir_limit_", "weir_queue_depth", "weir_queue_oldest",
            "weir_config_", "weir_credential_state",
        ]
        for (name, value) in samples where !configured.contains(where: name.hasPrefix) {
            #expect(value == "0", "\(name)")
        }
        #expect(samples[#"weir_requests_total{provider="lettr",method="post",status_class="2xx"}"#] == "0")
        #expect(samples[#"weir_provider_rejections_total{provider="lemlist",code="rate_limited"}"#] == "0")
        #expect(
            samples[#"weir_errors_total{provider="lettr",origin="network",code="provider_timeout"}"#] == "0")
        #expect(samples[#"weir_queue_wait_seconds_bucket{provider="lettr",le="60.0"}"#] == "0")
        #expect(samples[#"weir_proxy_overhead_seconds_bucket{provider="lettr",le="0.00001"}"#] == "0")
    }

    @Test("no series appears or goes away while requests are counted")
    func sameSeriesForEver() {
        let metrics = MetricsFixture.metrics()
        let before = Set(MetricsFixture.samples(metrics).keys)
        for status in [0, 100, 200, 299, 302, 404, 418, 429, 500, 599, 600, 999, -1] {
            for code in MetricsFixture.codes.indices {
                metrics.shards[0].exchangeStarted(provider: 1)
                var record = MetricsFixture.record(provider: 1, status: status)
                record.problem = code
                record.abort = .response
                metrics.shards[0].exchangeFinished(record)
                metrics.shards[0].unmappedError(provider: 1, status: status)
            }
        }
        #expect(Set(MetricsFixture.samples(metrics).keys) == before)
    }

    @Test("the families that are rendered are those of the list, in its order, each once")
    func listedFamilies() {
        let text = MetricsFixture.text(MetricsFixture.metrics())
        let types = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
        let expected = ProxyMetrics.families.map {
            "# TYPE \($0.name) \($0.kind == .info ? "gauge" : $0.kind.rawValue)"
        }
        #expect(types.map(String.init) == expected)
        #expect(Set(ProxyMetrics.families.map(\.name)).count == ProxyMetrics.families.count)
    }

    @Test("each credential that Weir holds has one state, and the time since which it has it")
    func credentials() {
        let samples = MetricsFixture.samples(MetricsFixture.metrics())
        for (position, state, since) in [(1, "accepted", "1700000100"), (2, "quarantined", "1700000200")] {
            let labels = #"provider="lemlist",position="\#(position)""#
            for other in CredentialStanding.State.allCases.map(\.rawValue) {
                #expect(
                    samples[#"weir_credential_state{\#(labels),state="\#(other)"}"#]
                        == (other == state ? "1" : "0"))
            }
            #expect(samples["weir_credential_state_since_timestamp_seconds{\(labels)}"] == since)
        }
        #expect(!samples.keys.contains { $0.hasPrefix("weir_credential_state") && $0.contains("lettr") })
    }

    @Test("each sample has exactly the labels that the list gives its family")
    func listedLabels() throws {
        let samples = MetricsFixture.samples(MetricsFixture.metrics())
        for family in ProxyMetrics.families {
            let own = samples.keys.filter { name in
                let base = name.prefix { $0 != "{" }
                return [family.name, family.name + "_bucket", family.name + "_sum", family.name + "_count"]
                    .contains(String(base))
            }
            #expect(!own.isEmpty, "\(family.name)")
            for name in own {
                let labels = name.split(separator: "{").dropFirst().joined().split(separator: "\",")
                    .compactMap { $0.split(separator: "=").first.map(String.init) }
                #expect(labels.filter { $0 != "le" } == family.labels, "\(name)")
            }
        }
    }

    @Test("a finished exchange is counted under its provider, method, status and code")
    func finishedExchange() {
        let metrics = MetricsFixture.metrics()
        metrics.shards[1].exchangeStarted(provider: 1)
        #expect(MetricsFixture.samples(metrics)[#"weir_requests_in_flight{provider="lettr"}"#] == "1")
        var record = ExchangeRecord(provider: 1, method: .patch)
        record.providerStatus = 404
        record.sentStatus = 404
        record.problem = MetricsFixture.code("not_found")
        record.attempts = 1
        record.requestBytes = 100
        record.responseBytes = 250
        metrics.shards[1].exchangeFinished(record)
        let samples = MetricsFixture.samples(metrics)
        let changed = [
            #"weir_requests_total{provider="lettr",method="patch",status_class="4xx"}"#: "1",
            #"weir_requests_in_flight{provider="lettr"}"#: "0",
            #"weir_upstream_responses_total{provider="lettr",status="404"}"#: "1",
            #"weir_errors_total{provider="lettr",origin="provider",code="not_found"}"#: "1",
            #"weir_upstream_attempts_total{provider="lettr"}"#: "1",
            #"weir_request_body_bytes_total{provider="lettr"}"#: "100",
            #"weir_response_body_bytes_total{provider="lettr"}"#: "250",
        ]
        for (name, value) in changed { #expect(samples[name] == value, "\(name)") }
        let others = samples.filter { !$0.key.contains("_seconds") && $0.value != "0" }.keys
            .filter { $0.hasPrefix("weir_") && $0.contains(#"provider="lettr""#) && changed[$0] == nil }
        #expect(others.isEmpty, "\(others)")
    }

    @Test(
        "a provider's refusal is counted apart by what it refused, in the last attempt and in a retried one")
    func rejections() {
        let metrics = MetricsFixture.metrics()
        let shard = metrics.shards[0]
        shard.attemptRetried(provider: 0, status: 429, problem: MetricsFixture.code("rate_limited"))
        shard.attemptRetried(provider: 0, status: 0, problem: MetricsFixture.code("provider_timeout"))
        var record = MetricsFixture.record(provider: 0, status: 429)
        record.problem = MetricsFixture.code("quota_exceeded")
        shard.exchangeStarted(provider: 0)
        shard.exchangeFinished(record)
        var refusedHere = ExchangeRecord(provider: 0, method: .get)
        refusedHere.sentStatus = 429
        refusedHere.problem = MetricsFixture.code("throttled")
        shard.exchangeStarted(provider: 0)
        shard.exchangeFinished(refusedHere)
        let samples = MetricsFixture.samples(metrics)
        #expect(samples[#"weir_provider_rejections_total{provider="lemlist",code="rate_limited"}"#] == "1")
        #expect(samples[#"weir_provider_rejections_total{provider="lemlist",code="quota_exceeded"}"#] == "1")
        #expect(samples[#"weir_upstream_responses_total{provider="lemlist",status="429"}"#] == "2")
        #expect(samples[#"weir_retries_total{provider="lemlist",reason="response"}"#] == "1")
        #expect(samples[#"weir_retries_total{provider="lemlist",reason="connection"}"#] == "1")
        #expect(samples[#"weir_errors_total{provider="lemlist",origin="proxy",code="throttled"}"#] == "1")
    }

    @Test("the events beside an exchange are counted by their reason")
    func events() {
        let metrics = MetricsFixture.metrics()
        let shard = metrics.shards[0]
        shard.upstreamConnectionOpened(provider: 1)
        shard.unmappedError(provider: 1, status: 503)
        shard.unmappedError(provider: 1, status: 999)
        shard.queueRefused(provider: 1, reason: .queueFull)
        shard.paused(provider: 1, reason: .quotaExceeded)
        let samples = MetricsFixture.samples(metrics)
        #expect(samples[#"weir_upstream_connections_opened_total{provider="lettr"}"#] == "1")
        #expect(samples[#"weir_unmapped_errors_total{provider="lettr",status_class="5xx"}"#] == "2")
        #expect(samples[#"weir_queue_refusals_total{provider="lettr",reason="queue_full"}"#] == "1")
        #expect(samples[#"weir_pauses_total{provider="lettr",reason="quota_exceeded"}"#] == "1")
    }

    @Test("an exchange without a route is counted under no provider, and with codes that can happen there")
    func unrouted() {
        let metrics = MetricsFixture.metrics()
        metrics.shards[0].exchangeStarted(provider: nil)
        var record = MetricsFixture.record(provider: nil, status: 404)
        record.problem = MetricsFixture.code("route_not_found")
        record.abort = .request
        metrics.shards[0].exchangeFinished(record)
        let samples = MetricsFixture.samples(metrics)
        #expect(samples[#"weir_requests_total{provider="-",method="get",status_class="4xx"}"#] == "1")
        #expect(samples[#"weir_errors_total{provider="-",origin="proxy",code="route_not_found"}"#] == "1")
        #expect(samples[#"weir_client_aborts_total{provider="-",stage="request"}"#] == "1")
        #expect(samples[#"weir_errors_total{provider="-",origin="provider",code="not_found"}"#] == nil)
        #expect(samples[#"weir_errors_total{provider="-",origin="network",code="provider_timeout"}"#] == nil)
    }

    @Test(
        "a provider's status has its own series if it is a listed one, else the rest of its class",
        arguments: [
            (200, "200"), (422, "422"), (524, "524"), (208, "other_2xx"), (418, "other_4xx"),
            (599, "other_5xx"),
            (300, "other_3xx"), (101, "other"), (600, "other"), (-7, "other"),
        ])
    func statusLabels(status: Int, label: String) {
        let metrics = MetricsFixture.metrics()
        metrics.shards[0].exchangeStarted(provider: 0)
        metrics.shards[0].exchangeFinished(MetricsFixture.record(provider: 0, status: status))
        let samples = MetricsFixture.samples(metrics)
        #expect(samples[#"weir_upstream_responses_total{provider="lemlist",status="\#(label)"}"#] == "1")
    }

    @Test("gauges of pacing and of the process show what they were given")
    func gauges() {
        let samples = MetricsFixture.samples(MetricsFixture.metrics())
        #expect(samples[#"weir_queue_depth{provider="lemlist"}"#] == "3")
        #expect(samples[#"weir_queue_depth{provider="lettr"}"#] == "0")
        #expect(samples[#"weir_queue_oldest_age_seconds{provider="lemlist"}"#] == "1.5")
        #expect(samples[#"weir_limit_requests{provider="lemlist",policy="20;w=2"}"#] == "20")
        #expect(samples[#"weir_limit_window_seconds{provider="lemlist",policy="20;w=2"}"#] == "2")
        #expect(samples[#"weir_limit_remaining{provider="lemlist",policy="20;w=2"}"#] == "4")
        #expect(samples[#"weir_limit_reset_seconds{provider="lemlist",policy="20;w=2"}"#] == "0.75")
        #expect(samples[#"weir_config_reloads_total{result="failure"}"#] == "2")
        #expect(samples["weir_config_last_reload_successful"] == "1")
        #expect(samples["weir_config_last_reload_success_timestamp_seconds"] == "1700000000")
        #expect(samples["process_start_time_seconds"] == "1700000000.25")
        #expect(samples["process_cpu_seconds_total"] == "1.5")
        #expect(samples["process_resident_memory_bytes"] == "20971520")
        let build = #"version="1.0.0",swift="6.3",libcurl="7.88.1",libmicrohttpd="0.9.75""#
        #expect(samples["weir_build_info{\(build)}"] == "1")
    }

    @Test("the sum over workers that count at the same time is exact, while others read")
    func concurrentWorkers() async {
        let metrics = MetricsFixture.metrics(workers: 4)
        let rounds = 20_000
        await withTaskGroup(of: Void.self) { group in
            for shard in metrics.shards {
                group.addTask {
                    for _ in 0..<rounds {
                        shard.exchangeStarted(provider: 0)
                        shard.exchangeFinished(MetricsFixture.record(provider: 0))
                    }
                }
            }
            group.addTask {
                for _ in 0..<5 { _ = MetricsFixture.samples(metrics) }
            }
        }
        let samples = MetricsFixture.samples(metrics)
        let name = #"weir_requests_total{provider="lemlist",method="get",status_class="2xx"}"#
        #expect(samples[name] == "\(4 * rounds)")
        #expect(samples[#"weir_requests_in_flight{provider="lemlist"}"#] == "0")
        #expect(samples[#"weir_request_duration_seconds_count{provider="lemlist"}"#] == "\(4 * rounds)")
    }

    @Test("a method is known by its exact name, and any other is other")
    func methods() {
        let names: [(String, MethodClass)] = [
            ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("PATCH", .patch),
            ("DELETE", .delete), ("OPTIONS", .options), ("get", .other), ("", .other), ("BREW", .other),
        ]
        for (name, method) in names {
            let bytes = Array(name.utf8)
            #expect(MethodClass(bytes.span) == method, "\(name)")
        }
    }
}
