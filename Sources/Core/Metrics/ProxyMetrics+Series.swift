// The series of each counted family: the same arithmetic as in MetricShard, run once over all label values.
extension ProxyMetrics {
    /// A provider with a row of counters, or the exchanges without a route.
    struct Row {
        /// The value of the label `provider`.
        let label: String
        /// Where its counters begin.
        let start: Int
    }

    /// The families of the shards, in the order of ``families``.
    static func countedFamilies(
        _ layout: MetricLayout, providers: [Row], codes: [(name: String, origin: String)]
    ) -> [CountedFamily] {
        let all = providers + [Row(label: unrouted, start: layout.row(nil))]
        return requestFamilies(layout, rows: all) + [
            errorFamily(layout, rows: all, codes: codes),
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
        _ family: MetricFamily, _ rows: [Row], _ offset: Int, _ bounds: HistogramBounds? = nil
    ) -> CountedFamily {
        var counted = CountedFamily(family, bounds: bounds)
        for row in rows { counted.add([row.label], at: row.start + offset) }
        return counted
    }

    /// One series per row and column.
    private static func family(
        _ family: MetricFamily, _ rows: [Row], _ columns: [String], _ offset: Int
    ) -> CountedFamily {
        var counted = CountedFamily(family)
        for row in rows {
            for (column, label) in columns.enumerated() {
                counted.add([row.label, label], at: row.start + offset + column)
            }
        }
        return counted
    }

    private static func requestFamilies(_ layout: MetricLayout, rows: [Row]) -> [CountedFamily] {
        var requests = CountedFamily(.requests)
        for row in rows {
            for method in MethodClass.allCases {
                for status in StatusClass.allCases {
                    let column = method.rawValue * StatusClass.count + status.rawValue
                    requests.add(
                        [row.label, method.label, status.label], at: row.start + layout.requests + column)
                }
            }
        }
        return [requests, family(.requestsInFlight, rows, layout.inFlight)]
    }

    /// Each code has one origin, and without a route only the client and Weir can fail: no other series exists.
    private static func errorFamily(
        _ layout: MetricLayout, rows: [Row], codes: [(name: String, origin: String)]
    ) -> CountedFamily {
        var errors = CountedFamily(.errors)
        for row in rows {
            for (column, code) in codes.enumerated() {
                if row.label == unrouted, code.origin == "provider" || code.origin == "network" { continue }
                errors.add([row.label, code.origin, code.name], at: row.start + layout.errors + column)
            }
        }
        return errors
    }

    private static func unmappedFamily(_ layout: MetricLayout, providers: [Row]) -> CountedFamily {
        var unmapped = CountedFamily(.unmappedErrors)
        for row in providers {
            for status in StatusClass.allCases where status != .none {
                unmapped.add([row.label, status.label], at: row.start + layout.unmapped + status.rawValue)
            }
        }
        return unmapped
    }
}
