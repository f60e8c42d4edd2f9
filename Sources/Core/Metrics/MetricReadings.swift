/// What the ledgers and the queue of one provider look like at the moment of a scrape.
public struct PacingGauges: Sendable {
    /// One limit of a provider.
    public struct Limit: Sendable {
        /// Which limit it is; unique among the limits of its provider, from the configuration alone.
        public var policy: String
        /// Requests that it allows in its window.
        public var requests: Int
        /// Its window.
        public var windowNanoseconds: Int64
        /// Free slots; of several keys, the fewest.
        public var remaining: Int
        /// Time until all slots are free; of several keys, the longest.
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

    /// Requests that wait.
    public var queueDepth: Int
    /// How long the oldest of them has waited, 0 if none does.
    public var oldestNanoseconds: Int64
    /// The limits, in the order of the configuration.
    public var limits: [Limit]

    /// Ledgers that let nobody through, or wait for the answer to the one request that tries again.
    public var pausedLedgers = 0
    /// What part of the provider's count was not ours in its latest answers, 0 to 1.
    public var foreignShare = 0.0
    /// The limit that the provider speaks of while none of ours has it, else 0.
    public var strangeLimit = 0
    /// Requests that were sent while limits are only watched, and would have waited or been refused.
    public var wouldHaveWaited: UInt64 = 0
    /// The same for those that would have been refused.
    public var wouldHaveBeenRefused: UInt64 = 0

    /// The state of one provider.
    public init(queueDepth: Int = 0, oldestNanoseconds: Int64 = 0, limits: [Limit] = []) {
        self.queueDepth = queueDepth
        self.oldestNanoseconds = oldestNanoseconds
        self.limits = limits
    }
}

/// How the ledger is that several instances share.
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

/// What keeps requests from a provider at the moment of a scrape, its limits aside.
public struct GuardGauges: Sendable {
    /// Credentials that are held back because the provider keeps refusing them.
    public var quarantinedCredentials: Int
    /// Whether requests are sent to a provider that may have failed too often.
    public var circuit: CircuitBreaker.State

    /// The state of one provider.
    public init(quarantinedCredentials: Int = 0, circuit: CircuitBreaker.State = .closed) {
        self.quarantinedCredentials = quarantinedCredentials
        self.circuit = circuit
    }
}

/// What the process looks like at the moment of a scrape.
public struct ProcessGauges: Sendable {
    /// When it started: nanoseconds since 1970-01-01 UTC.
    public var startNanoseconds: Int64
    /// Processor time used, user and system.
    public var cpuNanoseconds: Int64
    /// Resident memory; `nil` where the system does not show it.
    public var residentBytes: Int?
    /// File descriptors that are open; `nil` where the system does not show them.
    public var openFiles: Int?
    /// File descriptors that may be open.
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

/// What an instance counts besides its exchanges.
public struct InstanceCounts: Sendable {
    /// Times that no more clients were taken for a while.
    public var acceptPauses: UInt64
    /// Lines that the log has lost.
    public var logLinesDropped: UInt64

    /// The counts so far.
    public init(acceptPauses: UInt64 = 0, logLinesDropped: UInt64 = 0) {
        self.acceptPauses = acceptPauses
        self.logLinesDropped = logLinesDropped
    }
}

/// How often the configuration was read again, and how that went.
public struct ReloadCounts: Hashable, Sendable {
    /// Times that a new configuration was taken.
    public var successes: UInt64
    /// Times that it was refused, so that the old one stayed.
    public var failures: UInt64
    /// Whether the last configuration that was read is in force; the one at the start is.
    public var lastWasSuccessful: Bool
    /// When the one in force was read, in nanoseconds since 1970-01-01T00:00:00Z.
    public var lastSuccessNanoseconds: Int64

    /// Counts of a program that began with a good configuration at this time.
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
    /// The one that is loaded, not the one of the headers.
    public let libcurl: String
    /// The one that is loaded, not the one of the headers.
    public let libmicrohttpd: String

    /// Versions as their makers spell them.
    public init(version: String, swift: String, libcurl: String, libmicrohttpd: String) {
        self.version = version
        self.swift = swift
        self.libcurl = libcurl
        self.libmicrohttpd = libmicrohttpd
    }
}
