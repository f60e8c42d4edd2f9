internal import Dispatch
internal import Glibc
internal import Locking
public import Testing

/// Runs a suite's tests on threads that may block.
///
/// The scripted peers block the thread of their test, and Swift's own pool has one thread per processor: tests that
/// mostly wait would run one or two at a time. These have three threads per processor, and leave Swift's own to
/// compute-bound tests.
public struct BlockingTests: SuiteTrait, TestTrait, TestScoping {
    /// Nested suites are run in the same way.
    public var isRecursive: Bool { true }

    /// Runs a test's case on such a thread.
    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await withTaskExecutorPreference(BlockingThreads.shared) { try await function() }
    }
}

extension Trait where Self == BlockingTests {
    /// The tests block their threads; see ``BlockingTests``.
    public static var blocking: Self { Self() }
}

/// A few threads for blocking work, in order of submission.
private final class BlockingThreads: TaskExecutor {
    static let shared = BlockingThreads()

    private let jobs = Lock<[UnownedJob]>([])
    /// Counts the jobs.
    private let arrivals = DispatchSemaphore(value: 0)

    private init() {
        for _ in 0..<3 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) {
            System.startThread { while true { self.runNext() } }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        arrivals.signal()
    }

    private func runNext() {
        arrivals.wait()
        let job = jobs.withLock { $0.removeFirst() }
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
}
