extension ProxyMetrics {
    /// Every family that ``render(_:pacing:guards:ledger:reloads:process:instance:)`` writes, in its order.
    ///
    /// This is the one list: the layout of the counters, the exposition and the documentation follow it.
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
        .acceptPauses, .logLinesDropped, .buildInfo, .processStartTime, .processCPU,
        .processResidentMemory,
        .processOpenFiles, .processMaximumFiles,
    ]
}

// Exchanges: counted by the workers.
extension MetricFamily {
    static let requests = MetricFamily(
        "weir_requests_total", .counter, labels: ["provider", "method", "status_class"],
        help: "Exchanges finished, by the class of the status sent; none: the client left before a status.")
    static let requestsInFlight = MetricFamily(
        "weir_requests_in_flight", .gauge, labels: ["provider"],
        help: "Exchanges begun and not finished.")
    static let errors = MetricFamily(
        "weir_errors_total", .counter, labels: ["provider", "origin", "code"],
        help: "Exchanges that ended in a problem, by its code and by who failed.")
    static let providerRejections = MetricFamily(
        "weir_provider_rejections_total", .counter, labels: ["provider", "code"],
        help: "Requests that the provider refused because there were too many: with pacing this stays 0.")
    static let upstreamResponses = MetricFamily(
        "weir_upstream_responses_total", .counter, labels: ["provider", "status"],
        help: "Responses of the provider by their true status, those that were retried included.")
    static let unmappedErrors = MetricFamily(
        "weir_unmapped_errors_total", .counter, labels: ["provider", "status_class"],
        help: "Errors of the provider that no rule of its profile knows.")
    static let upstreamAttempts = MetricFamily(
        "weir_upstream_attempts_total", .counter, labels: ["provider"],
        help: "Requests really sent to the provider, retries included.")
    static let retries = MetricFamily(
        "weir_retries_total", .counter, labels: ["provider", "reason"],
        help: "Attempts whose outcome was set aside for another attempt.")
    static let upstreamConnectionsOpened = MetricFamily(
        "weir_upstream_connections_opened_total", .counter, labels: ["provider"],
        help: "Connections opened to the provider; a low rate beside the requests shows reuse.")
    static let queueRefusals = MetricFamily(
        "weir_queue_refusals_total", .counter, labels: ["provider", "reason"],
        help: "Requests refused at the queue, before anything was sent.")
    static let pauses = MetricFamily(
        "weir_pauses_total", .counter, labels: ["provider", "reason"],
        help: "Times that an answer of the provider stopped its queue for a while.")
    static let clientAborts = MetricFamily(
        "weir_client_aborts_total", .counter, labels: ["provider", "stage"],
        help: "Clients that left before their answer was complete, by what went on at that moment.")
    static let requestBodyBytes = MetricFamily(
        "weir_request_body_bytes_total", .counter, unit: "bytes", labels: ["provider"],
        help: "Body bytes received from clients.")
    static let responseBodyBytes = MetricFamily(
        "weir_response_body_bytes_total", .counter, unit: "bytes", labels: ["provider"],
        help: "Body bytes sent to clients.")
    static let requestDuration = MetricFamily(
        "weir_request_duration_seconds", .histogram, unit: "seconds", labels: ["provider"],
        help: "Whole time of an exchange: queue, provider and Weir.")
    static let queueWait = MetricFamily(
        "weir_queue_wait_seconds", .histogram, unit: "seconds", labels: ["provider"],
        help: "Time that an exchange waited for its turn; 0 when it did not wait.")
    static let upstreamDuration = MetricFamily(
        "weir_upstream_duration_seconds", .histogram, unit: "seconds", labels: ["provider"],
        help: "Time that the provider took, of exchanges that were sent to it.")
    static let proxyOverhead = MetricFamily(
        "weir_proxy_overhead_seconds", .histogram, unit: "seconds", labels: ["provider"],
        help: "Time that Weir itself added: neither queue nor provider.")
}

// Pacing: read from the ledgers when somebody asks.
extension MetricFamily {
    static let queueDepth = MetricFamily(
        "weir_queue_depth", .gauge, labels: ["provider"],
        help: "Requests that wait for their turn now.")
    static let queueOldestAge = MetricFamily(
        "weir_queue_oldest_age_seconds", .gauge, unit: "seconds", labels: ["provider"],
        help: "How long the oldest of them has waited.")
    static let limitRequests = MetricFamily(
        "weir_limit_requests", .gauge, labels: ["provider", "policy"],
        help: "Requests that the limit allows in its window.")
    static let limitWindow = MetricFamily(
        "weir_limit_window_seconds", .gauge, unit: "seconds", labels: ["provider", "policy"],
        help: "Window of the limit.")
    static let limitRemaining = MetricFamily(
        "weir_limit_remaining", .gauge, labels: ["provider", "policy"],
        help: "Free slots of the limit; of several keys, the fewest.")
    static let limitReset = MetricFamily(
        "weir_limit_reset_seconds", .gauge, unit: "seconds", labels: ["provider", "policy"],
        help: "Time until all slots of the limit are free; of several keys, the longest.")
}

extension MetricFamily {
    static let pausedLedgers = MetricFamily(
        "weir_paused_ledgers", .gauge, labels: ["provider"],
        help: "Keys whose requests wait because the provider refused one.")
    static let foreignUsage = MetricFamily(
        "weir_foreign_usage_ratio", .gauge, unit: "ratio", labels: ["provider"],
        help: "Part of the provider's own count that did not come through Weir, in its latest answers.")
    static let limitDrift = MetricFamily(
        "weir_limit_drift", .gauge, labels: ["provider"],
        help: "Limit that the provider's answers name while no configured limit is as large; else 0.")
    static let observed = MetricFamily(
        "weir_pacing_observed_total", .counter, labels: ["provider", "outcome"],
        help: "With pacing: observe, requests sent at once that would have waited or been refused.")
}

// This instance: given when somebody asks.
extension MetricFamily {
    static let ledgerUp = MetricFamily(
        "weir_ledger_up", .gauge,
        help: "1 if the ledger of all instances is in use, 0 if this one keeps to its share.")
    static let ledgerFallbacks = MetricFamily(
        "weir_ledger_fallbacks_total", .counter,
        help: "Times that the ledger of all instances was lost, for each provider or group.")
    static let ledgerCommands = MetricFamily(
        "weir_ledger_commands_total", .counter,
        help: "Commands sent to the ledger of all instances; each is a round trip, many at a time.")
    static let configReloads = MetricFamily(
        "weir_config_reloads_total", .counter, labels: ["result"],
        help: "Times that the configuration was read again; after a failure the old one stays.")
    static let configLastReloadSuccessful = MetricFamily(
        "weir_config_last_reload_successful", .gauge,
        help: "1 if the last configuration that was read is in force, 0 if it had mistakes.")
    static let configLastReloadSuccess = MetricFamily(
        "weir_config_last_reload_success_timestamp_seconds", .gauge, unit: "seconds",
        help: "When the configuration in force was read, in seconds since 1970-01-01 UTC.")
    static let acceptPauses = MetricFamily(
        "weir_accept_pauses_total", .counter,
        help:
            "Times that a worker took no more clients for a while, for want of file descriptors or by limits.connections."
    )
    static let logLinesDropped = MetricFamily(
        "weir_log_lines_dropped_total", .counter,
        help: "Log lines lost because the log's reader was too slow or its disk was full.")
    static let buildInfo = MetricFamily(
        "weir_build_info", .info, labels: ["version", "swift", "libcurl", "libmicrohttpd"],
        help: "Versions of Weir and of what it stands on.")
    static let processStartTime = MetricFamily(
        "process_start_time_seconds", .gauge, unit: "seconds",
        help: "Start of the process, in seconds since 1970-01-01 UTC.")
    static let processCPU = MetricFamily(
        "process_cpu_seconds_total", .counter, unit: "seconds",
        help: "Processor time that the process has used, user and system.")
    static let processResidentMemory = MetricFamily(
        "process_resident_memory_bytes", .gauge, unit: "bytes",
        help: "Resident memory of the process; absent without /proc.")
    static let processOpenFiles = MetricFamily(
        "process_open_fds", .gauge,
        help: "File descriptors that are open; absent without /proc.")
    static let processMaximumFiles = MetricFamily(
        "process_max_fds", .gauge,
        help: "File descriptors that may be open.")
}
