import Core
import Testing

@Suite("Histograms")
struct HistogramTests {
    @Test("buckets are cumulative, include their bound, and the last equals the count")
    func cumulative() {
        let metrics = MetricsFixture.metrics()
        let shard = metrics.shards[0]
        for milliseconds: Int64 in [5, 6, 10, 11, 20_000] {
            var record = MetricsFixture.record(provider: 0)
            record.upstreamNanoseconds = milliseconds * 1_000_000
            shard.exchangeStarted(provider: 0)
            shard.exchangeFinished(record)
        }
        let samples = MetricsFixture.samples(metrics)
        func bucket(_ bound: String) -> String? {
            samples[#"weir_upstream_duration_seconds_bucket{provider="lemlist",le="\#(bound)"}"#]
        }
        #expect(bucket("0.005") == "1")
        #expect(bucket("0.01") == "3")
        #expect(bucket("0.025") == "4")
        #expect(bucket("10.0") == "4")
        #expect(bucket("+Inf") == "5")
        #expect(samples[#"weir_upstream_duration_seconds_count{provider="lemlist"}"#] == "5")
        #expect(samples[#"weir_upstream_duration_seconds_sum{provider="lemlist"}"#] == "20.032")
    }

    @Test("the whole time is the sum of its three parts")
    func parts() {
        let metrics = MetricsFixture.metrics()
        var record = MetricsFixture.record(provider: 1)
        record.queueNanoseconds = 1_000_000_000
        record.upstreamNanoseconds = 200_000_000
        record.ownNanoseconds = 30_000
        metrics.shards[0].exchangeStarted(provider: 1)
        metrics.shards[0].exchangeFinished(record)
        let samples = MetricsFixture.samples(metrics)
        #expect(samples[#"weir_queue_wait_seconds_sum{provider="lettr"}"#] == "1")
        #expect(samples[#"weir_upstream_duration_seconds_sum{provider="lettr"}"#] == "0.2")
        #expect(samples[#"weir_proxy_overhead_seconds_sum{provider="lettr"}"#] == "0.00003")
        #expect(samples[#"weir_request_duration_seconds_sum{provider="lettr"}"#] == "1.20003")
    }

    @Test("a request that was never sent has no upstream duration")
    func neverSent() {
        let metrics = MetricsFixture.metrics()
        metrics.shards[0].exchangeStarted(provider: 1)
        metrics.shards[0].exchangeFinished(ExchangeRecord(provider: 1, method: .post))
        let samples = MetricsFixture.samples(metrics)
        #expect(samples[#"weir_upstream_duration_seconds_count{provider="lettr"}"#] == "0")
        #expect(samples[#"weir_queue_wait_seconds_count{provider="lettr"}"#] == "1")
    }

    @Test("durations that a broken clock makes negative or absurd neither trap nor count as negative")
    func absurdDurations() {
        let metrics = MetricsFixture.metrics()
        var record = MetricsFixture.record(provider: 0)
        record.queueNanoseconds = -5
        record.upstreamNanoseconds = .max
        record.ownNanoseconds = .max
        metrics.shards[0].exchangeStarted(provider: 0)
        metrics.shards[0].exchangeFinished(record)
        let samples = MetricsFixture.samples(metrics)
        #expect(samples[#"weir_queue_wait_seconds_sum{provider="lemlist"}"#] == "0")
        #expect(samples[#"weir_request_duration_seconds_count{provider="lemlist"}"#] == "1")
    }
}
