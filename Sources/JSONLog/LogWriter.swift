/// Lines on their way to a file descriptor, without ever making the caller wait for it.
///
/// Lines are put in a bounded buffer that a thread of its own empties. When the buffer is full, because the
/// reader is slow or gone or the disk is full, whole lines are dropped and counted, and a later line says how
/// many.
///
/// The descriptor stays as it was given: making it non-blocking would change it for every process that shares
/// it. The thread writes at most what a pipe takes at once, when `poll` says that it takes something.
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
    ///   - capacity: bytes that may wait; memory can reach twice as much, since one buffer fills while
    ///     another empties.
    ///   - delay: how long a line that is not urgent may wait for company, so that a busy proxy does not make
    ///     a system call for each line.
    ///   - clock: milliseconds since 1970-01-01 UTC, for the lines that the writer adds.
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

    /// Milliseconds since 1970-01-01 UTC, by the system's clock.
    public static func wallClock() -> Int64 { SystemCall.wallClock() }

    /// Lines lost so far: the buffer was full, the write failed, or the writer was shut down.
    public var droppedLines: UInt64 { monitor.withLock { $0.dropped } }

    /// Takes a line, or drops it if there is no room; returns at once.
    ///
    /// - Parameters:
    ///   - line: one line with its line feed, and no other line feed in it.
    ///   - urgent: whether it should be written without waiting for company.
    public func write(_ line: [UInt8], urgent: Bool = false) {
        if monitor.withLock({ $0.append(line, urgent: urgent) }) { monitor.wakeAll() }
    }

    /// Waits until every line taken so far was written or lost.
    ///
    /// - Returns: whether that was so within `timeout`.
    @discardableResult
    public func flush(within timeout: Duration) -> Bool {
        let target = monitor.withLock { buffer in
            buffer.urgent = true
            return buffer.taken
        }
        monitor.wakeAll()
        return monitor.wait(timeout) { $0.settled >= target ? true : nil } ?? false
    }

    /// Writes what is left, for no longer than `timeout`, and ends the thread; lines that come later are
    /// dropped.
    ///
    /// Returns a moment after `timeout` at the latest. Calling it again does nothing.
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
            // Whoever waits in `poll` looks at this soon. Only a thread inside a `write` that blocks after
            // all, because another process filled the pipe first, does not: the end of the process will end
            // it.
            let grace = Duration.milliseconds(3 * Int(LogDrain.pollMilliseconds))
            guard monitor.wait(grace, for: finished) != nil else { return thread.detach() }
        }
        thread.join()
    }
}
