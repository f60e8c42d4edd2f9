/// The state of one provider's ledgers and queue at the time of a scrape.
public struct PacingGauges: Sendable {
    /// One limit of a provider.
    public struct Limit: Sendable {
        /// The name of the limit: unique among the limits of its provider, and derived only from the configuration.
        public var policy: String
        /// Requests that it allows per window.
        public var requests: Int
        /// Its window.
        public var windowNanoseconds: Int64
        /// Free slots; the minimum over all keys.
        public var remaining: Int
        /// Time until all slots are free; the maximum over all keys.
        public var resetNanoseconds: Int64

        /// One limit.
        public init(
            policy: String, requests: Int, windowNanoseconds: Int64, remaining: Int, resetNanoseconds: Int64
        ) {
            self.policy = policy
            self.requests = requests
            self.windowNanoseconds = windowNanoseconds
            self.remaining = remaining
            self.resetNanoseconds = resetNanoseconds
        }
    }

    /// Waiting requests.
    public var queueDepth: Int
    /// The waiting time of the oldest request; 0 if none waits.
    public var oldestNanoseconds: Int64
    /// The limits, in the order of the configuration.
    public var limits: [Limit]

    /// Ledgers that are paused, or that wait for the response to a probe.
    public var pausedLedgers = 0
    /// The fraction of the provider's count that did not come through Weir in its latest responses, 0 to 1.
    public var foreignShare = 0.0
    /// The limit that the provider reports if no configured limit is as large; otherwise 0.
    public var strangeLimit = 0
    /// Requests that would have waited or been rejected if limits were enforced.
    public var wouldHaveWaited: UInt64 = 0
    /// Those that would have been rejected.
    public var wouldHaveBeenRefused: UInt64 = 0

    /// The state of one provider.
    public init(queueDepth: Int = 0, oldestNanoseconds: Int64 = 0, limits: [Limit] = []) {
        self.queueDepth = queueDepth
        self.oldestNanoseconds = oldestNanoseconds
        self.limits = limits
    }
}

/// The state of the shared ledger.
public struct LedgerGauges: Hashable, Sendable {
    /// Whether it is in use.
    public var isUp: Bool
    /// How often it was lost.
    public var fallbacks: UInt64
    /// Commands sent to it.
    public var commands: UInt64

    /// A reading.
    public init(isUp: Bool, fallbacks: UInt64, commands: UInt64) {
        self.isUp = isUp
        self.fallbacks = fallbacks
        self.commands = commands
    }
}

/// The state of a provider's circuit and quarantine at the time of a scrape.
public struct GuardGauges: Sendable {
    /// Credentials that are quarantined.
    public var quarantinedCredentials: Int
    /// The state of the circuit.
    public var circuit: CircuitBreaker.State
    /// The credentials that Weir adds.
    public var credentials: [CredentialReading]

    /// The state of one provider.
    public init(
        quarantinedCredentials: Int = 0, circuit: CircuitBreaker.State = .closed,
        credentials: [CredentialReading] = []
    ) {
        self.quarantinedCredentials = quarantinedCredentials
        self.circuit = circuit
        self.credentials = credentials
    }
}

/// The state of the process at the time of a scrape.
public struct ProcessGauges: Sendable {
    /// The start time in nanoseconds since 1970-01-01 UTC.
    public var startNanoseconds: Int64
    /// CPU time used, user and system.
    public var cpuNanoseconds: Int64
    /// Resident memory; `nil` if the system does not provide it.
    public var residentBytes: Int?
    /// Open file descriptors; `nil` if the system does not provide it.
    public var openFiles: Int?
    /// The maximum number of open file descriptors.
    public var maximumFiles: Int

    /// The state of the process.
    public init(
        startNanoseconds: Int64, cpuNanoseconds: Int64, residentBytes: Int?, openFiles: Int?,
        maximumFiles: Int
    ) {
        self.startNanoseconds = startNanoseconds
        self.cpuNanoseconds = cpuNanoseconds
        self.residentBytes = residentBytes
        self.openFiles = openFiles
        self.maximumFiles = maximumFiles
    }
}

/// The export of traces.
public struct TraceGauges: Hashable, Sendable {
    /// Spans that the collector accepted.
    public var exported: UInt64
    /// Spans dropped because too many were on their way.
    public var queueFull: UInt64
    /// Spans that the collector refused.
    public var rejected: UInt64
    /// Spans dropped at the end of the program or of an export.
    public var shutdown: UInt64

    /// A reading.
    public init(exported: UInt64 = 0, queueFull: UInt64 = 0, rejected: UInt64 = 0, shutdown: UInt64 = 0) {
        (self.exported, self.queueFull, self.rejected, self.shutdown) = (
            exported, queueFull, rejected, shutdown
        )
    }
}

/// Counters of an instance besides those of its exchanges.
public struct InstanceCounts: Sendable {
    /// How often accepting was paused.
    public var acceptPauses: UInt64
    /// Dropped log lines.
    public var logLinesDropped: UInt64
    /// The export of traces.
    public var traces: TraceGauges

    /// The counts so far.
    public init(acceptPauses: UInt64 = 0, logLinesDropped: UInt64 = 0, traces: TraceGauges = TraceGauges()) {
        self.traces = traces
        self.acceptPauses = acceptPauses
        self.logLinesDropped = logLinesDropped
    }
}

/// The number and results of reloads.
public struct ReloadCounts: Hashable, Sendable {
    /// Successful reloads.
    public var successes: UInt64
    /// Failed reloads, after which the old configuration stayed in force.
    public var failures: UInt64
    /// Whether the last reload succeeded; true at the start.
    public var lastWasSuccessful: Bool
    /// When the configuration in force was read, in nanoseconds since 1970-01-01T00:00:00Z.
    public var lastSuccessNanoseconds: Int64

    /// The counts of a program that started with a valid configuration at this time.
    public init(startedNanoseconds: Int64) {
        successes = 0
        failures = 0
        lastWasSuccessful = true
        lastSuccessNanoseconds = startedNanoseconds
    }
}

/// The versions that `weir_build_info` shows.
public struct BuildInfo: Sendable, Equatable {
    /// Weir's own.
    public let version: String
    /// The compiler's.
    public let swift: String
    /// The version of the loaded library, not of the headers.
    public let libcurl: String
    /// The version of the loaded library, not of the headers.
    public let libmicrohttpd: String

    /// Versions in their makers' spelling.
    public init(version: String, swift: String, libcurl: String, libmicrohttpd: String) {
        self.version = version
        self.swift = swift
        self.libcurl = libcurl
        self.libmicrohttpd = libmicrohttpd
    }
}
