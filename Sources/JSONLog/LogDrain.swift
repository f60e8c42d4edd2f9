/// The thread of a ``LogWriter``: writes the buffer to the descriptor.
struct LogDrain {
    /// How often a thread that waits for its reader checks whether it must end.
    static let pollMilliseconds: Int32 = 100
    /// The size that POSIX guarantees to be written to a pipe atomically (`PIPE_BUF` of Linux), and without blocking
    /// if `poll` reports the pipe as writable.
    private static let pieceLimit = 4096

    private let monitor: Monitor<LogBuffer>
    private let descriptor: Int32
    private let delay: Duration
    private let clock: @Sendable () -> Int64
    /// A write failed within a line, so the next line must not continue it.
    private var isTorn = false

    init(
        monitor: Monitor<LogBuffer>, descriptor: Int32, delay: Duration,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.monitor = monitor
        self.descriptor = descriptor
        self.delay = delay
        self.clock = clock
    }

    /// Runs until the writer is shut down.
    mutating func run() {
        var lines: [UInt8] = []
        var isLast = false
        while !isLast {
            _ = monitor.wait(nil) { !$0.lines.isEmpty || $0.isDue ? true : nil }
            _ = monitor.wait(delay) { $0.isDue ? true : nil }
            let batch = monitor.withLock { $0.take(into: &lines) }
            isLast = batch.isLast
            put(lines, of: batch)
            monitor.wakeAll()
        }
        monitor.withLock { $0.finished = true }
        monitor.wakeAll()
    }

    private mutating func put(_ lines: [UInt8], of batch: LogBatch) {
        var lost: UInt64 = 0
        let written = write(lines)
        if written < lines.count {
            for byte in lines[written...] where byte == 0x0A { lost += 1 }
        }
        var untold = batch.lost
        if untold > 0, lost == 0 {
            let report = Self.report(batch.lost, at: clock())
            if write(report) == report.count { untold = 0 }
        }
        monitor.withLock { $0.settle(upTo: batch.upTo, lost: lost, untold: untold) }
    }

    /// Writes lines until one fails.
    ///
    /// - Returns: how many bytes were written.
    private mutating func write(_ lines: [UInt8]) -> Int {
        if isTorn, !lines.isEmpty {
            guard writePiece([0x0A]) == 1 else { return 0 }
            isTorn = false
        }
        var start = 0
        while start < lines.count {
            let end = Self.endOfPiece(lines, from: start)
            let written = writePiece(lines[start..<end])
            start += written
            if start < end {
                isTorn = start > 0 && lines[start - 1] != 0x0A
                return start
            }
        }
        return start
    }

    /// The end of as many whole lines as one write should contain, or of a part of a longer line.
    private static func endOfPiece(_ lines: [UInt8], from start: Int) -> Int {
        let limit = start + pieceLimit
        guard limit < lines.count else { return lines.count }
        return lines[start..<limit].lastIndex(of: 0x0A).map { $0 + 1 } ?? limit
    }

    /// Writes a piece; waits for the reader until the writer is shut down.
    ///
    /// - Returns: how many bytes were written; fewer than requested if the descriptor failed.
    private func writePiece(_ piece: ArraySlice<UInt8>) -> Int {
        var rest = piece
        while !rest.isEmpty {
            guard SystemCall.isWritable(descriptor, withinMilliseconds: Self.pollMilliseconds) else {
                if monitor.withLock({ $0.abandoned }) { break }
                continue
            }
            switch SystemCall.write(rest, to: descriptor) {
            case .wrote(let count): rest = rest.dropFirst(count)
            case .tryAgain: continue
            case .failed: return piece.count - rest.count
            }
        }
        return piece.count - rest.count
    }

    private static func report(_ lost: UInt64, at milliseconds: Int64) -> [UInt8] {
        var line = JSONLine(milliseconds: milliseconds, level: "warning", message: "log lines were dropped")
        line.members.append("dropped", lost)
        return line.finished()
    }
}
