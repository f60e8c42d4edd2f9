import Core
import Testing

@Suite("exemplars of histograms")
struct ExemplarTests {
    private func record(provider: Int? = 0, upstream: Int64) -> ExchangeRecord {
        var record = MetricsFixture.record(provider: provider)
        record.upstreamNanoseconds = upstream
        return record
    }

    private func lines(_ metrics: ProxyMetrics, _ format: ExpositionFormat = .openMetrics) -> [String] {
        MetricsFixture.text(metrics, format).split(separator: "\n").map(String.init)
            .filter { $0.contains(" # ") && !$0.hasPrefix("#") }
    }

    @Test(
        "OpenMetrics has the last trace of each bucket, with what was observed and when; the text format has none"
    )
    func last() throws {
        let metrics = MetricsFixture.metrics()
        let (first, second) = (try #require(TraceID(high: 1, low: 2)), try #require(TraceID(high: 3, low: 4)))
        for trace in [first, second] {
            let record = record(upstream: 20_000_000)
            metrics.shards[0].exchangeStarted(provider: 0)
            metrics.shards[0].exchangeFinished(record)
            metrics.keepExemplar(of: record, trace: trace, atWallMilliseconds: 1_700_000_000_250)
        }
        metrics.keepExemplar(of: record(provider: nil, upstream: 1), trace: first, atWallMilliseconds: 1)
        let label = #"{provider="lemlist",le="0.025"}"#
        let exemplar = #"# {trace_id="00000000000000030000000000000004"}"#
        #expect(
            lines(metrics) == [
                "weir_request_duration_seconds_bucket\(label) 2 \(exemplar) 0.02 1700000000.25",
                #"weir_queue_wait_seconds_bucket{provider="lemlist",le="0.005"} 2 \#(exemplar) 0 1700000000.25"#,
                "weir_upstream_duration_seconds_bucket\(label) 2 \(exemplar) 0.02 1700000000.25",
            ])
        #expect(lines(metrics, .prometheusText).isEmpty)
    }

    @Test("the exemplars of a provider go with its series")
    func closing() throws {
        let metrics = MetricsFixture.metrics()
        let trace = try #require(TraceID(high: 1, low: 2))
        metrics.keepExemplar(of: record(upstream: 1), trace: trace, atWallMilliseconds: 1)
        #expect(lines(metrics).count == 3)
        metrics.close(0)
        #expect(metrics.open("resend") == 0 && lines(metrics).isEmpty)
    }
}
