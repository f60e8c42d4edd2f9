// Which series each counted family has: the same arithmetic as in MetricShard, run once over all label
// values.
extension ProxyMetrics {
    /// The families of the shards, in the order of ``families``.
    static func countedFamilies(
        _ layout: MetricLayout, providers: [String], codes: [(name: String, origin: String)]
    ) -> [CountedFamily] {
        let all = providers + [unrouted]
        return requestFamilies(layout, rows: all) + [
            errorFamily(layout, providers: providers, codes: codes),
            family(.providerRejections, providers, Rejection.allCases.map(\.label), layout.rejections),
            family(.upstreamResponses, providers, UpstreamStatusLabels.labels, layout.responses),
            unmappedFamily(layout, providers: providers),
            family(.upstreamAttempts, providers, layout.attempts),
            family(.retries, providers, RetryReason.allCases.map(\.label), layout.retries),
            family(.upstreamConnectionsOpened, providers, layout.connections),
            family(.queueRefusals, providers, QueueRefusalReason.allCases.map(\.label), layout.refusals),
            family(.pauses, providers, PauseReason.allCases.map(\.label), layout.pauses),
            family(.clientAborts, all, ClientAbortStage.allCases.map(\.label), layout.aborts),
            family(.requestBodyBytes, all, layout.requestBytes),
            family(.responseBodyBytes, all, layout.responseBytes),
            family(.requestDuration, providers, layout.requestDuration, .request),
            family(.queueWait, providers, layout.queueWait, .queue),
            family(.upstreamDuration, providers, layout.upstreamDuration, .request),
            family(.proxyOverhead, providers, layout.overhead, .overhead),
        ]
    }

    /// One series per row.
    private static func family(
        _ family: MetricFamily, _ rows: [String], _ base: Int, _ bounds: HistogramBounds? = nil
    ) -> CountedFamily {
        var counted = CountedFamily(family, bounds: bounds)
        for (row, provider) in rows.enumerated() {
            counted.add([provider], at: base + row * (bounds?.stride ?? 1))
        }
        return counted
    }

    /// One series per row and column.
    private static func family(
        _ family: MetricFamily, _ rows: [String], _ columns: [String], _ base: Int
    ) -> CountedFamily {
        var counted = CountedFamily(family)
        for (row, provider) in rows.enumerated() {
            for (column, label) in columns.enumerated() {
                counted.add([provider, label], at: base + row * columns.count + column)
            }
        }
        return counted
    }

    private static func requestFamilies(_ layout: MetricLayout, rows: [String]) -> [CountedFamily] {
        var requests = CountedFamily(.requests)
        for (row, provider) in rows.enumerated() {
            for method in MethodClass.allCases {
                for status in StatusClass.allCases {
                    let column = (row * MethodClass.count + method.rawValue) * StatusClass.count
                    requests.add(
                        [provider, method.label, status.label], at: layout.requests + column + status.rawValue
                    )
                }
            }
        }
        return [requests, family(.requestsInFlight, rows, layout.inFlight)]
    }

    /// A code has one origin, and without a route nobody but the client and Weir can fail: no other series
    /// exists.
    private static func errorFamily(
        _ layout: MetricLayout, providers: [String], codes: [(name: String, origin: String)]
    ) -> CountedFamily {
        var errors = CountedFamily(.errors)
        for (row, provider) in (providers + [unrouted]).enumerated() {
            for (column, code) in codes.enumerated() {
                if row == providers.count, code.origin == "provider" || code.origin == "network" { continue }
                errors.add(
                    [provider, code.origin, code.name], at: layout.errors + row * codes.count + column)
            }
        }
        return errors
    }

    private static func unmappedFamily(_ layout: MetricLayout, providers: [String]) -> CountedFamily {
        var unmapped = CountedFamily(.unmappedErrors)
        for (row, provider) in providers.enumerated() {
            for status in StatusClass.allCases where status != .none {
                unmapped.add(
                    [provider, status.label], at: layout.unmapped + row * StatusClass.count + status.rawValue)
            }
        }
        return unmapped
    }
}
