internal import Locking
internal import Logging
internal import Core
internal import Synchronization

/// What outlives a configuration: the counters, the log, the name of this process towards others, and whether it ends.
final class ProxyInstance: Sendable {
    let metrics: ProxyMetrics
    let problemSchema: [UInt8]
    /// The name of this instance in `Via` and `Proxy-Status`: different in each, so that a loop is seen.
    let pseudonym: [UInt8]
    /// The value of `Via` on a forwarded request (RFC 9110 7.6.3).
    let via: [UInt8]
    let logger: Logger
    let droppedLogLines: @Sendable () -> UInt64
    let startedWallNanoseconds: Int64
    let problems = RecentProblems()
    let unmapped = UnmappedAnswers()
    /// How often the configuration was read again, and how that went.
    let reloads: Lock<ReloadStatus>
    /// How the ledger is that several instances share.
    let ledger = LedgerStatus()
    /// How often a worker took no more clients for a while.
    let acceptPauses = Atomic<UInt64>(0)
    private let draining = Atomic(false)
    /// How many workers may have something in flight.
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
        self.startedWallNanoseconds = startedWallNanoseconds
        reloads = Lock(ReloadStatus(startedNanoseconds: startedWallNanoseconds))
        unfinishedWorkers = Atomic(workers)
    }

    var reloadStatus: ReloadStatus { reloads.withLock { $0 } }

    /// Whether new requests are refused because the program is about to end.
    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func startDraining() { draining.store(true, ordering: .relaxed) }

    /// Whether a worker has something in flight while the program drains.
    var workersAreDraining: Bool { unfinishedWorkers.load(ordering: .acquiring) > 0 }

    /// Notes, once for each worker, that a worker has nothing in flight any more; returns whether it is the last one.
    func workerHasFinished() -> Bool {
        unfinishedWorkers.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }
}
