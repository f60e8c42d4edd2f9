internal import Core
internal import Locking
internal import Logging
internal import Loop
internal import Synchronization

/// How many spans were exported or dropped by this process, whatever exporters it had.
final class TraceCounts: Sendable {
    let exported = Atomic<UInt64>(0)
    let queueFull = Atomic<UInt64>(0)
    let rejected = Atomic<UInt64>(0)
    let shutdown = Atomic<UInt64>(0)

    var gauges: TraceGauges {
        TraceGauges(
            exported: exported.load(ordering: .relaxed), queueFull: queueFull.load(ordering: .relaxed),
            rejected: rejected.load(ordering: .relaxed), shutdown: shutdown.load(ordering: .relaxed))
    }
}

/// Exports spans to one collector, on a thread of its own: whatever the collector does, no worker waits for it.
///
/// Workers hand over encoded spans. At most ``limit`` of them are on their way; more are dropped and counted.
final class TraceExporter: Sendable {
    /// Messages to its thread.
    enum Message: Sendable {
        /// Encoded spans, and how many they are.
        case spans([UInt8], Int)
        /// Export what is left until this time, then end.
        case finish(by: MonotonicTime)
        /// Export also what still comes until this time, then end.
        case retire(at: MonotonicTime)
    }

    /// The most spans on their way to the collector.
    static let limit = 4096

    let configuration: TracingConfiguration
    let export: TraceExport
    let userAgent: [UInt8]
    let counts: TraceCounts
    let logger: Logger
    let mailbox: Mailbox<Message>
    private let reserved = Atomic(0)
    private let thread = Lock<LoopThread?>(nil)

    /// Starts the thread.
    init(
        _ configuration: TracingConfiguration, version: String, instance: String, counts: TraceCounts,
        logger: Logger
    ) throws(SystemError) {
        self.configuration = configuration
        self.counts = counts
        self.logger = logger
        export = TraceExport(version: version, instance: instance)
        userAgent = Array("weir/\(version)".utf8)
        mailbox = try Mailbox()
        let started = try LoopThread(name: "weir-traces") { [self] in
            do throws(SystemError) {
                try TraceLoop(self).run()
            } catch {
                self.logger.error("traces cannot be exported", metadata: ["reason": "\(error)"])
            }
        }
        thread.withLock { $0 = started }
    }

    /// Makes room for spans; `false` if there is none, and then they are counted as dropped.
    func reserve(_ spans: Int) -> Bool {
        if reserved.add(spans, ordering: .relaxed).newValue <= Self.limit { return true }
        reserved.subtract(spans, ordering: .relaxed)
        counts.queueFull.add(UInt64(spans), ordering: .relaxed)
        return false
    }

    /// Spans are no longer on their way.
    func release(_ spans: Int) { reserved.subtract(spans, ordering: .relaxed) }

    /// Hands over spans for which there is room.
    func post(_ spans: [UInt8], count: Int) { mailbox.post(.spans(spans, count)) }

    /// Exports what is left, drops what is not exported by then, and ends the thread.
    ///
    /// Workers must have ended.
    func finish(by end: MonotonicTime) { mailbox.post(.finish(by: end)) }

    /// Lets the thread end by itself: another exporter has taken over.
    func retire(at end: MonotonicTime) {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.detach()
        mailbox.post(.retire(at: end))
    }

    /// Waits for the thread to end.
    func join() {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
    }
}

/// The spans of one worker that it has not handed over.
struct TraceBuffer {
    private var bytes: [UInt8] = []
    private var count = 0
    /// Whether a time is scheduled at which they are handed over.
    var isScheduled = false

    /// How many spans are handed over at once, unless time passes.
    private static let batch = 256
    /// How long spans may wait for others, in nanoseconds.
    static let delay: Int64 = 1_000_000_000

    /// Adds spans; returns whether there are enough to be handed over.
    mutating func append(_ spans: [UInt8], count: Int) -> Bool {
        bytes += spans
        self.count += count
        return self.count >= Self.batch
    }

    /// Hands them over.
    mutating func flush(to exporter: TraceExporter?) {
        guard count > 0 else { return }
        exporter?.post(bytes, count: count)
        (bytes, count) = ([], 0)
    }
}
