import Core
import Testing

@Suite("Series of providers that come and go")
struct ProviderRosterTests {
    private static func inFlight(_ provider: String) -> String {
        #"weir_requests_in_flight{provider="\#(provider)"}"#
    }

    @Test("a new provider's series begin at 0, and those that were there go on")
    func opening() {
        let metrics = MetricsFixture.metrics(providers: ["lettr"])
        for shard in metrics.shards { shard.exchangeStarted(provider: 0) }
        let place = metrics.open("lemlist")
        #expect(place == 1)
        var samples = MetricsFixture.samples(metrics)
        #expect(samples[Self.inFlight("lettr")] == "2")
        #expect(samples[Self.inFlight("lemlist")] == "0")
        #expect(samples[#"weir_queue_wait_seconds_bucket{provider="lemlist",le="60.0"}"#] == "0")
        metrics.shards[1].exchangeStarted(provider: place)
        samples = MetricsFixture.samples(metrics)
        #expect(samples[Self.inFlight("lemlist")] == "1" && samples[Self.inFlight("lettr")] == "2")
    }

    @Test("a provider that is opened again while it is open keeps its place and its counts")
    func reopening() {
        let metrics = MetricsFixture.metrics()
        metrics.shards[0].exchangeStarted(provider: 1)
        #expect(metrics.open("lettr") == 1)
        metrics.close(1)
        #expect(MetricsFixture.samples(metrics)[Self.inFlight("lettr")] == "1")
    }

    @Test("the series of a provider that nobody needs go, and who gets its place begins at 0")
    func closing() {
        let metrics = MetricsFixture.metrics()
        let shard = metrics.shards[0]
        shard.exchangeStarted(provider: 0)
        shard.exchangeFinished(MetricsFixture.record(provider: 0))
        shard.exchangeStarted(provider: nil)
        metrics.close(0)
        #expect(!MetricsFixture.text(metrics).contains("lemlist"))
        #expect(metrics.open("other") == 0)
        let samples = MetricsFixture.samples(metrics)
        let requests = #"weir_requests_total{provider="other",method="get",status_class="2xx"}"#
        #expect(samples[requests] == "0" && samples[Self.inFlight("-")] == "1")
        #expect(OpenMetricsChecker.complaints(MetricsFixture.text(metrics, .openMetrics)).isEmpty)
    }

    @Test("scrapes, counts and changes at the same time find nothing half done")
    func concurrentChanges() async {
        let metrics = MetricsFixture.metrics(providers: ["lettr"], workers: 2)
        await withTaskGroup(of: Void.self) { group in
            for shard in metrics.shards {
                group.addTask {
                    for _ in 0..<5000 {
                        shard.exchangeStarted(provider: 0)
                        shard.exchangeFinished(MetricsFixture.record(provider: 0))
                    }
                }
            }
            group.addTask {
                for _ in 0..<200 { metrics.close(metrics.open("guest")) }
            }
            group.addTask {
                for _ in 0..<20 {
                    let text = MetricsFixture.text(metrics, .openMetrics)
                    #expect(OpenMetricsChecker.complaints(text).isEmpty)
                }
            }
        }
        let name = #"weir_requests_total{provider="lettr",method="get",status_class="2xx"}"#
        #expect(MetricsFixture.samples(metrics)[name] == "10000")
    }
}
