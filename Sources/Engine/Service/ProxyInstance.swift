public import Core
internal import Downstream
internal import Locking
internal import Logging
internal import Loop
internal import Synchronization

/// What outlives a configuration: the counters, the log, the name of this process, and whether it is shutting down.
final class ProxyInstance: Sendable {
    let metrics: ProxyMetrics
    let problemSchema: [UInt8]
    /// The name of this instance in `Via` and `Proxy-Status`; it differs between instances, so that loops can be
    /// detected.
    let pseudonym: [UInt8]
    /// The value of `Via` on a forwarded request (RFC 9110 7.6.3).
    let via: [UInt8]
    let logger: Logger
    let droppedLogLines: @Sendable () -> UInt64
    /// What admin requests can change of the program.
    let control: ProcessControl?
    let startedWallNanoseconds: Int64
    let problems = RecentProblems()
    let unmapped = UnmappedAnswers()
    let traceCounts = TraceCounts()
    private let version: String
    /// The number and results of reloads.
    let reloads: Lock<ReloadStatus>
    /// The state of the shared ledger.
    let ledger = LedgerStatus()
    /// Puts another credential from a file into force, and returns the configuration that has it.
    let credentialChange = Lock<(@Sendable (_ file: String, _ credential: Secret) -> ProxyService?)?>(nil)
    /// How often a worker paused accepting.
    let acceptPauses = Atomic<UInt64>(0)
    private let draining = Atomic(false)
    /// How many workers may have exchanges in flight.
    private let unfinishedWorkers: Atomic<Int>

    init(
        environment: ProxyServer.Environment, workers: Int, pseudonym: String, startedWallNanoseconds: Int64
    ) {
        metrics = ProxyMetrics(
            codes: ProblemCode.allCases.map { ($0.name, $0.origin.rawValue) }, workers: workers,
            build: environment.build)
        problemSchema = Array(environment.problemSchema.utf8)
        self.pseudonym = Array(pseudonym.utf8)
        via = Array("1.1 \(pseudonym)".utf8)
        logger = environment.logger
        droppedLogLines = environment.droppedLogLines
        control = environment.control
        version = environment.build.version
        self.startedWallNanoseconds = startedWallNanoseconds
        reloads = Lock(ReloadStatus(startedNanoseconds: startedWallNanoseconds))
        unfinishedWorkers = Atomic(workers)
    }

    /// An exporter for this configuration, with a thread of its own; the former one if it exports alike.
    func traceExporter(
        _ configuration: TracingConfiguration?, after former: TraceExporter? = nil
    ) throws(SystemError) -> TraceExporter? {
        guard let configuration else { return nil }
        if let former, former.configuration.exports(like: configuration) { return former }
        return try TraceExporter(
            configuration, version: version, instance: String(decoding: pseudonym, as: UTF8.self),
            counts: traceCounts, logger: logger)
    }

    var reloadStatus: ReloadStatus { reloads.withLock { $0 } }

    /// Whether new requests are rejected because the program is shutting down.
    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func startDraining() { draining.store(true, ordering: .relaxed) }

    /// Whether a worker has exchanges in flight while the program drains.
    var workersAreDraining: Bool { unfinishedWorkers.load(ordering: .acquiring) > 0 }

    /// Records, once per worker, that a worker has no exchanges in flight; returns whether it is the last one.
    func workerHasFinished() -> Bool {
        unfinishedWorkers.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }
}

/// The result of reloads, as numbers for `/metrics` and as text for the status page.
struct ReloadStatus: Sendable {
    var counts: ReloadCounts
    /// The positions and keys of the mistakes for which the last reload failed; empty if it succeeded.
    var mistakes: [String] = []
    /// The changed keys that take effect only after a restart.
    var needsRestart: [String] = []

    init(startedNanoseconds: Int64) { counts = ReloadCounts(startedNanoseconds: startedNanoseconds) }

    mutating func succeed(at wallNanoseconds: Int64, needsRestart: [String]) {
        counts.successes += 1
        counts.lastWasSuccessful = true
        counts.lastSuccessNanoseconds = wallNanoseconds
        mistakes = []
        self.needsRestart = needsRestart
    }

    mutating func fail(for mistakes: [String]) {
        counts.failures += 1
        counts.lastWasSuccessful = false
        self.mistakes = mistakes
    }
}

/// The TLS certificates of the listeners.
struct ListenerIdentities: Sendable {
    /// For the address of the mounts.
    let main: ServerIdentity?
    /// For providers with their own address, by provider.
    let providers: [String: ServerIdentity]

    init(_ configuration: ProxyConfiguration) throws(ServerIdentity.Mistake) {
        main = try ServerIdentity(configuration.listenTLS)
        var providers: [String: ServerIdentity] = [:]
        for provider in configuration.providers {
            providers[provider.name] = try ServerIdentity(provider.listenTLS)
        }
        self.providers = providers
    }

    /// The certificate of a listener.
    func identity(for role: Listener.Role) -> ServerIdentity? {
        switch role {
        case .providers: main
        case .provider(let name): providers[name]
        case .admin: nil
        }
    }
}

extension ServerIdentity {
    fileprivate convenience init?(_ tls: ListenerTLS?) throws(Mistake) {
        guard let tls else { return nil }
        try self.init(tls)
    }

    fileprivate convenience init(_ tls: ListenerTLS) throws(Mistake) {
        try self.init(
            certificate: tls.certificate.value, key: tls.key.value,
            isTLS12Refused: tls.minimumVersion == .tls13,
            clientAuthorities: tls.clientAuthorities?.value)
    }
}

extension ListenerTLS {
    /// Why this certificate cannot be used, in one line without any of its text; `nil` if it can.
    public var mistake: String? {
        do throws(ServerIdentity.Mistake) {
            _ = try ServerIdentity(self)
            return nil
        } catch {
            return error.description
        }
    }

    /// Why these authorities cannot be used, in one line without any of their text; `nil` if they can.
    public static func mistake(inAuthorities text: String) -> String? {
        do throws(ServerIdentity.Mistake) {
            try ServerIdentity.check(clientAuthorities: text)
            return nil
        } catch {
            return error.description
        }
    }
}
