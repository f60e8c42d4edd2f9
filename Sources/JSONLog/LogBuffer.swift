/// The state that the callers of a ``LogWriter`` share with its thread.
struct LogBuffer: Sendable {
    /// Lines waiting for the thread, each with its line feed.
    private(set) var lines: [UInt8] = []
    /// The number of lost lines.
    private(set) var dropped: UInt64 = 0
    /// Lost lines that no log line has reported yet.
    private(set) var unreported: UInt64 = 0
    /// The number of accepted lines, and how many of them were written or lost.
    private(set) var taken: UInt64 = 0
    private(set) var settled: UInt64 = 0
    /// A caller wants the lines to be written without waiting for more.
    var urgent = false
    /// No more lines are accepted; the thread ends when all are written.
    var closing = false
    /// The remaining lines are not waited for any longer.
    var abandoned = false
    /// The thread no longer accesses anything.
    var finished = false
    /// Until it is joined or detached.
    var thread: SystemThread?

    private let capacity: Int

    /// Enough lines are waiting that more would save nothing, or the buffer is getting full.
    private var isFilling: Bool { lines.count >= min(capacity / 2, 65_536) }

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether the thread has a reason not to wait for more lines.
    var isDue: Bool { urgent || closing || isFilling }

    /// Accepts a line or drops it.
    ///
    /// - Returns: whether the thread must be woken: it sleeps while the buffer is empty, and delays while it contains
    ///   little.
    mutating func append(_ line: [UInt8], urgent lineIsUrgent: Bool) -> Bool {
        guard !closing, line.count <= capacity - lines.count else {
            lose(1)
            return false
        }
        let wasEmpty = lines.isEmpty
        let wasDue = isDue
        lines.append(contentsOf: line)
        taken += 1
        if lineIsUrgent { urgent = true }
        return wasEmpty || (!wasDue && isDue)
    }

    /// Passes all lines to the thread, and reuses the memory of the previous batch: a steady load allocates nothing.
    mutating func take(into room: inout [UInt8]) -> LogBatch {
        room.removeAll(keepingCapacity: true)
        swap(&lines, &room)
        defer {
            unreported = 0
            urgent = false
        }
        return LogBatch(lost: unreported, upTo: taken, isLast: closing)
    }

    /// Records the result of the lines up to number `upTo`: `lost` of them failed, and so did the report of `untold`
    /// earlier ones.
    mutating func settle(upTo: UInt64, lost: UInt64, untold: UInt64) {
        settled = upTo
        unreported += untold
        lose(lost)
    }

    private mutating func lose(_ count: UInt64) {
        dropped += count
        unreported += count
    }
}

/// What the thread needs to know about a batch of lines.
struct LogBatch {
    /// Lines lost since the last line that reported losses.
    let lost: UInt64
    /// The number of the last line.
    let upTo: UInt64
    /// Whether no other batch follows.
    let isLast: Bool
}
