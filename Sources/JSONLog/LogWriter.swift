/// Writes lines to a file descriptor without ever blocking the caller.
///
/// Lines are put into a bounded buffer, which a separate thread writes out. If the buffer is full because the reader
/// is slow or gone or the disk is full, whole lines are dropped and counted, and a later line reports their number.
///
/// The descriptor's flags are not changed: making it non-blocking would affect every process that shares it. The
/// thread writes at most what a pipe accepts at once, when `poll` reports that it is writable.
public final class LogWriter: Sendable {
    /// The thread could not be started.
    public struct StartFailure: Error, Equatable {
        /// The error number of `pthread_create(3)`.
        public let code: Int32
    }

    private let monitor: Monitor<LogBuffer>

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - descriptor: where to write, standard error by default; it is not closed.
    ///   - capacity: the maximum number of waiting bytes; memory use can be twice as high, since one buffer fills
    ///     while another one is written.
    ///   - delay: how long a line that is not urgent may wait for others, so that a busy proxy does not make a system
    ///     call per line.
    ///   - clock: milliseconds since 1970-01-01 UTC, for lines that the writer adds.
    /// - Throws: ``StartFailure``.
    public init(
        descriptor: Int32 = 2, capacity: Int = 1 << 20, delay: Duration = .milliseconds(20),
        clock: @escaping @Sendable () -> Int64 = LogWriter.wallClock
    ) throws(StartFailure) {
        let monitor = Monitor(LogBuffer(capacity: capacity))
        self.monitor = monitor
        let thread = try SystemThread {
            var drain = LogDrain(monitor: monitor, descriptor: descriptor, delay: delay, clock: clock)
            drain.run()
        }
        monitor.withLock { $0.thread = thread }
    }

    deinit {
        shutdown(within: .zero)
    }

    /// Milliseconds since 1970-01-01 UTC, from the system's clock.
    public static func wallClock() -> Int64 { SystemCall.wallClock() }

    /// The number of lost lines: the buffer was full, a write failed, or the writer was shut down.
    public var droppedLines: UInt64 { monitor.withLock { $0.dropped } }

    /// Accepts a line, or drops it if there is no space; never blocks.
    ///
    /// - Parameters:
    ///   - line: one line including its line feed, without other line feeds.
    ///   - urgent: whether to write it without waiting for more lines.
    public func write(_ line: [UInt8], urgent: Bool = false) {
        if monitor.withLock({ $0.append(line, urgent: urgent) }) { monitor.wakeAll() }
    }

    /// Waits until every accepted line was written or lost.
    ///
    /// - Returns: whether that happened within `timeout`.
    @discardableResult
    public func flush(within timeout: Duration) -> Bool {
        let target = monitor.withLock { buffer in
            buffer.urgent = true
            return buffer.taken
        }
        monitor.wakeAll()
        return monitor.wait(timeout) { $0.settled >= target ? true : nil } ?? false
    }

    /// Writes the remaining lines within `timeout`, and ends the thread; later lines are dropped.
    ///
    /// Returns soon after `timeout` at the latest. Further calls have no effect.
    public func shutdown(within timeout: Duration) {
        let thread = monitor.withLock { buffer in
            buffer.closing = true
            defer { buffer.thread = nil }
            return buffer.thread
        }
        guard let thread else { return }
        monitor.wakeAll()
        let finished: (inout LogBuffer) -> Bool? = { $0.finished ? true : nil }
        if monitor.wait(timeout, for: finished) == nil {
            monitor.withLock { $0.abandoned = true }
            // A thread that waits in `poll` notices this soon. A thread in a blocking `write`, because another
            // process filled the pipe first, does not; it ends with the process.
            let grace = Duration.milliseconds(3 * Int(LogDrain.pollMilliseconds))
            guard monitor.wait(grace, for: finished) != nil else { return thread.detach() }
        }
        thread.join()
    }
}
