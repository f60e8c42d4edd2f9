import Core
import Foundation
import Testing

@Suite("Exposition")
struct ExpositionTests {
    /// Metrics with something in every kind of family.
    private static func busy() -> ProxyMetrics {
        let metrics = MetricsFixture.metrics()
        for (index, shard) in metrics.shards.enumerated() {
            shard.exchangeStarted(provider: index)
            var record = MetricsFixture.record(provider: index, status: 200 + 100 * index)
            record.queueNanoseconds = 123_456_789
            record.upstreamNanoseconds = 987_654_321
            record.ownNanoseconds = 45_000
            shard.exchangeFinished(record)
            shard.exchangeStarted(provider: nil)
        }
        return metrics
    }

    @Test("promtool finds nothing wrong with the Prometheus text, names and units included")
    func promtool() throws {
        let path = try #require(
            Self.executable("promtool"),
            "promtool is not on PATH: install it (Debian: apt-get install prometheus)")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["check", "metrics"]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        input.fileHandleForWriting.write(Data(MetricsFixture.text(Self.busy()).utf8))
        try input.fileHandleForWriting.close()
        let complaints = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(complaints.isEmpty)
    }

    @Test("the OpenMetrics text keeps every rule of OpenMetrics 1.0 that is checked")
    func openMetrics() {
        let text = MetricsFixture.text(Self.busy(), .openMetrics)
        #expect(OpenMetricsChecker.complaints(text).isEmpty)
        #expect(text.contains("# TYPE weir_requests counter\n"))
        #expect(text.contains("# TYPE weir_build info\n"))
        #expect(text.contains("# UNIT weir_queue_wait_seconds seconds\n"))
    }

    @Test(
        "the OpenMetrics check finds each of these faults",
        arguments: [
            "# TYPE a counter\na_total 1\n",
            "# TYPE a counter\na 1\n# EOF\n",
            "# TYPE a_total counter\na_total 1\n# EOF\n",
            "# TYPE a counter\na_total -1\n# EOF\n",
            "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na{x=\"2\"} 1\n# EOF\n",
            "# TYPE a gauge\na 1\na 1\n# EOF\n",
            "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
            "# TYPE a gauge\na{_x=\"1\"} 1\n# EOF\n",
            "# TYPE a gauge\na{x=\"\\t\"} 1\n# EOF\n",
            "# TYPE a gauge\na one\n# EOF\n",
            "# TYPE a gauge\n\na 1\n# EOF\n",
            "# TYPE a histogram\na_bucket{le=\"1.0\"} 2\na_bucket{le=\"+Inf\"} 1\n"
                + "a_sum 1\na_count 1\n# EOF\n",
            "# TYPE a histogram\na_bucket{le=\"1.0\"} 1\na_bucket{le=\"+Inf\"} 2\n"
                + "a_sum 1\na_count 1\n# EOF\n",
            "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n",
            "# TYPE a histogram\na_bucket{le=\"1.0\"} 1\na_sum 1\na_count 1\n# EOF\n",
        ])
    func checkerFindsFaults(text: String) {
        #expect(!OpenMetricsChecker.complaints(text).isEmpty)
    }

    @Test("both formats have the same samples")
    func sameSamples() {
        let metrics = Self.busy()
        #expect(MetricsFixture.samples(metrics) == MetricsFixture.samples(metrics, .openMetrics))
    }

    @Test("label values are escaped, in the names of providers, policies and versions")
    func escaping() {
        let odd = "a\\b\"c\nd\u{E9}"
        let metrics = ProxyMetrics(
            providers: [odd], codes: [], workers: 1,
            build: BuildInfo(version: odd, swift: "", libcurl: "", libmicrohttpd: ""))
        let limit = PacingGauges.Limit(
            policy: odd, requests: 1, windowNanoseconds: 1, remaining: 1, resetNanoseconds: 0)
        for format in ExpositionFormat.allCases {
            let text = MetricsFixture.text(metrics, format, pacing: [0: PacingGauges(limits: [limit])])
            let escaped = "a\\\\b\\\"c\\nd\u{E9}"
            #expect(text.contains("weir_requests_in_flight{provider=\"\(escaped)\"} 0\n"))
            #expect(text.contains("{provider=\"\(escaped)\",policy=\"\(escaped)\"} 0.000000001\n"))
            #expect(text.contains("weir_build_info{version=\"\(escaped)\","))
        }
    }

    private static func executable(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
