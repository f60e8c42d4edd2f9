internal import Core

/// What is counted of each exchange, and the page that shows it.
enum MetricsBenchmarks {
    static func run(_ measure: Measure) {
        measure.heading("metrics")
        let codes = ProblemCode.allCases.map { (name: $0.name, origin: $0.origin.rawValue) }
        for count in [1, 200] {
            let metrics = ProxyMetrics(
                providers: (0..<count).map { "p\($0)" }, codes: codes, workers: 1,
                build: BuildInfo(version: "1", swift: "6", libcurl: "8", libmicrohttpd: "1"))
            let shard = metrics.shards[0]
            var record = ExchangeRecord(provider: count - 1, method: .get)
            record.providerStatus = 200
            record.sentStatus = 200
            record.upstreamNanoseconds = 12_000_000
            record.ownNanoseconds = 40_000
            record.attempts = 1
            record.responseBytes = 500
            measure("an exchange begun and finished, \(count) providers") {
                shard.exchangeStarted(provider: count - 1)
                shard.exchangeFinished(record)
            }
            let bytes = page(metrics).count
            measure("exposition, \(count) providers, \(bytes / 1024) KiB") { keep(page(metrics)) }
        }
    }

    private static func page(_ metrics: ProxyMetrics) -> [UInt8] {
        metrics.render(
            .prometheusText, pacing: [:], reloads: ReloadCounts(startedNanoseconds: 0), process: nil,
            instance: InstanceCounts())
    }
}
