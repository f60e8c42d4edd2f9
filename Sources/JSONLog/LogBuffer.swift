/// What the callers of a ``LogWriter`` and its thread share.
struct LogBuffer: Sendable {
    /// Lines that wait for the thread, each with its line feed.
    private(set) var lines: [UInt8] = []
    /// Lines lost so far.
    private(set) var dropped: UInt64 = 0
    /// Lines lost that no line has told of yet.
    private(set) var unreported: UInt64 = 0
    /// Lines taken so far, and how many of them were written or lost.
    private(set) var taken: UInt64 = 0
    private(set) var settled: UInt64 = 0
    /// Somebody does not want to wait for more lines.
    var urgent = false
    /// No more lines are taken; the thread ends when all are written.
    var closing = false
    /// Nobody waits any longer for the lines that are left.
    var abandoned = false
    /// The thread touches nothing any more.
    var finished = false
    /// Until it is joined or let go.
    var thread: SystemThread?

    private let capacity: Int

    /// So much waits that more company would make nothing cheaper, or that the room gets short.
    private var isFilling: Bool { lines.count >= min(capacity / 2, 65_536) }

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether the thread has a reason to stop waiting for more.
    var isDue: Bool { urgent || closing || isFilling }

    /// Takes a line or drops it.
    ///
    /// - Returns: whether the thread has to be woken: it sleeps when there is nothing, and naps when there is
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

    /// Hands all lines to the thread, and takes the empty room of the last ones for the next: a steady load
    /// allocates nothing.
    mutating func take(into room: inout [UInt8]) -> LogBatch {
        room.removeAll(keepingCapacity: true)
        swap(&lines, &room)
        defer {
            unreported = 0
            urgent = false
        }
        return LogBatch(lost: unreported, upTo: taken, isLast: closing)
    }

    /// Deals with the lines up to number `upTo`: `lost` of them, and the telling of `untold` earlier ones,
    /// failed.
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

/// What the thread has to know of the lines that it writes at one go.
struct LogBatch {
    /// Lines lost since the last time that a line told of it.
    let lost: UInt64
    /// The number of the last line.
    let upTo: UInt64
    /// Whether no other batch follows.
    let isLast: Bool
}
