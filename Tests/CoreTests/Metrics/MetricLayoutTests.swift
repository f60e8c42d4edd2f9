import Testing

@testable import Core

@Suite("Layout of the counters")
struct MetricLayoutTests {
    @Test("the constants that the data path multiplies by are the sizes of the label sets")
    func sizes() {
        #expect(MethodClass.count == MethodClass.allCases.count)
        #expect(StatusClass.count == StatusClass.allCases.count)
        #expect(ClientAbortStage.count == ClientAbortStage.allCases.count)
        #expect(QueueRefusalReason.count == QueueRefusalReason.allCases.count)
        #expect(PauseReason.count == PauseReason.allCases.count)
        #expect(RetryReason.count == RetryReason.allCases.count)
        #expect(Rejection.count == Rejection.allCases.count)
        #expect(UpstreamStatusLabels.count == UpstreamStatusLabels.labels.count)
        #expect(UpstreamStatusLabels.places.allSatisfy { Int($0) < UpstreamStatusLabels.count })
    }

    @Test("with no provider at all there are still counters for exchanges without a route")
    func noProvider() {
        let metrics = ProxyMetrics(
            providers: [], codes: MetricsFixture.codes, workers: 1, build: MetricsFixture.build)
        metrics.shards[0].exchangeStarted(provider: nil)
        let samples = MetricsFixture.samples(metrics)
        #expect(samples[#"weir_requests_in_flight{provider="-"}"#] == "1")
    }
}
