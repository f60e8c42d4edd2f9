import Core

/// Metrics of two providers with a few of the problem codes, and what a scrape of them says.
enum MetricsFixture {
    static let codes: [(name: String, origin: String)] = [
        ("not_found", "provider"), ("rate_limited", "provider"), ("quota_exceeded", "provider"),
        ("provider_timeout", "network"), ("throttled", "proxy"), ("route_not_found", "proxy"),
        ("bad_client_request", "client"),
    ]

    static let build = BuildInfo(version: "1.0.0", swift: "6.3", libcurl: "7.88.1", libmicrohttpd: "0.9.75")

    static let process = ProcessGauges(
        startNanoseconds: 1_700_000_000_250_000_000, cpuNanoseconds: 1_500_000_000, residentBytes: 20_971_520,
        openFiles: 12, maximumFiles: 1024)

    static let pacing = [
        0: PacingGauges(
            queueDepth: 3, oldestNanoseconds: 1_500_000_000,
            limits: [
                .init(
                    policy: "20;w=2", requests: 20, windowNanoseconds: 2_000_000_000, remaining: 4,
                    resetNanoseconds: 750_000_000)
            ])
    ]

    static let guards = [
        0: GuardGauges(credentials: [
            CredentialReading(position: 1, state: .accepted, since: 1_700_000_100),
            CredentialReading(position: 2, state: .quarantined, since: 1_700_000_200),
        ])
    ]

    static func metrics(providers: [String] = ["lemlist", "lettr"], workers: Int = 2) -> ProxyMetrics {
        ProxyMetrics(providers: providers, codes: codes, workers: workers, build: build)
    }

    static func code(_ name: String) -> Int? { codes.firstIndex { $0.name == name } }

    static func text(
        _ metrics: ProxyMetrics, _ format: ExpositionFormat = .prometheusText,
        pacing: [Int: PacingGauges] = Self.pacing
    ) -> String {
        var reloads = ReloadCounts(startedNanoseconds: 1_700_000_000_000_000_000)
        reloads.failures = 2
        let text = metrics.render(
            format, pacing: pacing, guards: guards,
            ledger: LedgerGauges(isUp: false, fallbacks: 0, commands: 0),
            reloads: reloads, process: process, instance: InstanceCounts())
        return String(decoding: text, as: UTF8.self)
    }

    /// The value of each sample, by name and labels as they are written.
    static func samples(
        _ metrics: ProxyMetrics, _ format: ExpositionFormat = .prometheusText
    ) -> [String: String] {
        var samples: [String: String] = [:]
        for line in text(metrics, format).split(separator: "\n") where !line.hasPrefix("#") {
            guard let blank = line.lastIndex(of: " ") else { continue }
            samples[String(line[..<blank])] = String(line[line.index(after: blank)...])
        }
        return samples
    }

    /// A finished exchange that went well.
    static func record(provider: Int?, status: Int = 200) -> ExchangeRecord {
        var record = ExchangeRecord(provider: provider, method: .get)
        record.providerStatus = provider == nil ? 0 : status
        record.sentStatus = status
        record.attempts = provider == nil ? 0 : 1
        return record
    }
}
