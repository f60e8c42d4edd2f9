extension ProxyMetrics {
    /// Every family that ``render(_:pacing:guards:ledger:reloads:process:instance:)`` writes, in its order.
    ///
    /// The layout of the counters, the exposition and the documentation all follow this list.
    public static let families: [MetricFamily] =
        exchangeFamilies + pacingFamilies + guardFamilies + instanceFamilies

    private static let exchangeFamilies: [MetricFamily] = [
        .requests, .requestsInFlight, .errors, .providerRejections, .upstreamResponses, .unmappedErrors,
        .upstreamAttempts, .retries, .upstreamConnectionsOpened, .queueRefusals, .pauses, .clientAborts,
        .requestBodyBytes, .responseBodyBytes, .requestDuration, .queueWait, .upstreamDuration,
        .proxyOverhead,
    ]

    private static let pacingFamilies: [MetricFamily] = [
        .queueDepth, .queueOldestAge, .limitRequests, .limitWindow, .limitRemaining, .limitReset,
        .pausedLedgers, .foreignUsage, .limitDrift, .observed,
    ]

    private static let instanceFamilies: [MetricFamily] = [
        .ledgerUp, .ledgerFallbacks, .ledgerCommands, .configReloads, .configLastReloadSuccessful,
        .configLastReloadSuccess,
        .acceptPauses, .logLinesDropped, .traceSpansExported, .traceSpansDropped, .buildInfo,
        .processStartTime, .processCPU,
        .processResidentMemory,
        .processOpenFiles, .processMaximumFiles,
    ]
}

// Exchanges: counted by the workers.
extension MetricFamily {
    static let requests = MetricFamily(
        "weir_requests_total", .counter, labels: ["provider", "method", "status_class"],
        help: "Finished exchanges by the class of the status sent; none: the client disconnected before that."
    )
    static let requestsInFlight = MetricFamily(
        "weir_requests_in_flight", .gauge, labels: ["provider"],
        help: "Exchanges in flight.")
    static let errors = MetricFamily(
        "weir_errors_total", .counter, labels: ["provider", "origin", "code"],
        help: "Exchanges that ended in a problem, by its origin and code.")
    static let providerRejections = MetricFamily(
        "weir_provider_rejections_total", .counter, labels: ["provider", "code"],
        help: "Requests that the provider rejected because of a limit; stays 0 with pacing.")
    static let upstreamResponses = MetricFamily(
        "weir_upstream_responses_total", .counter, labels: ["provider", "status"],
        help: "Responses of the provider by their original status, including those that were retried.")
    static let unmappedErrors = MetricFamily(
        "weir_unmapped_errors_total", .counter, labels: ["provider", "status_class"],
        help: "Errors of the provider that no rule of its profile matches.")
    static let upstreamAttempts = MetricFamily(
        "weir_upstream_attempts_total", .counter, labels: ["provider"],
        help: "Requests actually sent to the provider, including retries.")
    static let retries = MetricFamily(
        "weir_retries_total", .counter, labels: ["provider", "reason"],
        help: "Attempts that were followed by a retry.")
    static let upstreamConnectionsOpened = MetricFamily(
        "weir_upstream_connections_opened_total", .counter, labels: ["provider"],
        help: "Connections opened to the provider; a low rate compared with the requests shows reuse.")
    static let queueRefusals = MetricFamily(
        "weir_queue_refusals_total", .counter, labels: ["provider", "reason"],
        help: "Requests rejected at the queue, before anything was sent.")
    static let pauses = MetricFamily(
        "weir_pauses_total", .counter, labels: ["provider", "reason"],
        help: "Times that a response of the provider paused its queue.")
    static let clientAborts = MetricFamily(
        "weir_client_aborts_total", .counter, labels: ["provider", "stage"],
        help: "Clients that disconnected before their response was complete, by the stage of the exchange.")
    static let requestBodyBytes = MetricFamily(
        "weir_request_body_bytes_total", .counter, unit: "bytes", labels: ["provider"],
        help: "Body bytes received from clients.")
    static let responseBodyBytes = MetricFamily(
        "weir_response_body_bytes_total", .counter, unit: "bytes", labels: ["provider"],
        help: "Body bytes sent to clients.")
    static let requestDuration = MetricFamily(
        "weir_request_duration_seconds", .histogram, unit: "seconds", labels: ["provider"],
        help: "Total time of an exchange: queue, provider and Weir.")
    static let queueWait = MetricFamily(
        "weir_queue_wait_seconds", .histogram, unit: "seconds", labels: ["provider"],
        help: "Time that an exchange waited in the queue; 0 if it did not wait.")
    static let upstreamDuration = MetricFamily(
        "weir_upstream_duration_seconds", .histogram, unit: "seconds", labels: ["provider"],
        help: "Time that the provider took, for exchanges that were sent to it.")
    static let proxyOverhead = MetricFamily(
        "weir_proxy_overhead_seconds", .histogram, unit: "seconds", labels: ["provider"],
        help: "Time that Weir itself added, without queue and provider.")
}

// Pacing: read from the ledgers when somebody asks.
extension MetricFamily {
    static let queueDepth = MetricFamily(
        "weir_queue_depth", .gauge, labels: ["provider"],
        help: "Requests waiting in the queue.")
    static let queueOldestAge = MetricFamily(
        "weir_queue_oldest_age_seconds", .gauge, unit: "seconds", labels: ["provider"],
        help: "Waiting time of the oldest request in the queue.")
    static let limitRequests = MetricFamily(
        "weir_limit_requests", .gauge, labels: ["provider", "policy"],
        help: "Requests that the limit allows per window.")
    static let limitWindow = MetricFamily(
        "weir_limit_window_seconds", .gauge, unit: "seconds", labels: ["provider", "policy"],
        help: "Window of the limit.")
    static let limitRemaining = MetricFamily(
        "weir_limit_remaining", .gauge, labels: ["provider", "policy"],
        help: "Free slots of the limit; the minimum over all keys.")
    static let limitReset = MetricFamily(
        "weir_limit_reset_seconds", .gauge, unit: "seconds", labels: ["provider", "policy"],
        help: "Time until all slots of the limit are free; the maximum over all keys.")
}

extension MetricFamily {
    static let pausedLedgers = MetricFamily(
        "weir_paused_ledgers", .gauge, labels: ["provider"],
        help: "Keys whose requests are paused because the provider rejected one.")
    static let foreignUsage = MetricFamily(
        "weir_foreign_usage_ratio", .gauge, unit: "ratio", labels: ["provider"],
        help: "Share of the provider's own count that did not come through Weir, in its latest responses.")
    static let limitDrift = MetricFamily(
        "weir_limit_drift", .gauge, labels: ["provider"],
        help: "Limit that the provider reports, if no configured limit is as large; otherwise 0.")
    static let observed = MetricFamily(
        "weir_pacing_observed_total", .counter, labels: ["provider", "outcome"],
        help: "With pacing: observe, requests sent at once that would have waited or been rejected.")
}

// This instance: given when somebody asks.
extension MetricFamily {
    static let ledgerUp = MetricFamily(
        "weir_ledger_up", .gauge,
        help: "1 if the shared ledger is in use, 0 if this instance uses only its own share.")
    static let ledgerFallbacks = MetricFamily(
        "weir_ledger_fallbacks_total", .counter,
        help: "Times that the shared ledger was lost, per provider or group.")
    static let ledgerCommands = MetricFamily(
        "weir_ledger_commands_total", .counter,
        help: "Commands sent to the shared ledger; each is a round trip, and they are pipelined.")
    static let configReloads = MetricFamily(
        "weir_config_reloads_total", .counter, labels: ["result"],
        help: "Configuration reloads; after a failure the old configuration stays in force.")
    static let configLastReloadSuccessful = MetricFamily(
        "weir_config_last_reload_successful", .gauge,
        help: "1 if the last reload succeeded, 0 if the configuration had mistakes.")
    static let configLastReloadSuccess = MetricFamily(
        "weir_config_last_reload_success_timestamp_seconds", .gauge, unit: "seconds",
        help: "Time at which the configuration in force was loaded, in seconds since 1970-01-01 UTC.")
    static let acceptPauses = MetricFamily(
        "weir_accept_pauses_total", .counter,
        help:
            "Times that a worker paused accepting clients, because file descriptors ran out or limits.connections was reached."
    )
    static let logLinesDropped = MetricFamily(
        "weir_log_lines_dropped_total", .counter,
        help: "Log lines dropped because the log's reader was too slow or its disk was full.")
    static let traceSpansExported = MetricFamily(
        "weir_trace_spans_exported_total", .counter,
        help: "Spans that the collector accepted.")
    static let traceSpansDropped = MetricFamily(
        "weir_trace_spans_dropped_total", .counter, labels: ["reason"],
        help:
            "Spans that were not exported, because the collector is too slow or absent, refused them, or at the end."
    )
    static let buildInfo = MetricFamily(
        "weir_build_info", .info, labels: ["version", "swift", "libcurl", "libmicrohttpd"],
        help: "Versions of Weir and its libraries.")
    static let processStartTime = MetricFamily(
        "process_start_time_seconds", .gauge, unit: "seconds",
        help: "Start time of the process, in seconds since 1970-01-01 UTC.")
    static let processCPU = MetricFamily(
        "process_cpu_seconds_total", .counter, unit: "seconds",
        help: "CPU time used by the process, user and system.")
    static let processResidentMemory = MetricFamily(
        "process_resident_memory_bytes", .gauge, unit: "bytes",
        help: "Resident memory of the process; absent without /proc.")
    static let processOpenFiles = MetricFamily(
        "process_open_fds", .gauge,
        help: "Open file descriptors; absent without /proc.")
    static let processMaximumFiles = MetricFamily(
        "process_max_fds", .gauge,
        help: "Maximum number of open file descriptors.")
}
