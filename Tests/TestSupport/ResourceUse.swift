/// The resources of a process at one moment, from `/proc`.
public struct ResourceUse: Sendable, Equatable {
    /// Open file descriptors.
    public let descriptors: Int
    /// Threads.
    public let threads: Int
    /// Resident memory in bytes, shared pages included.
    public let residentBytes: Int
    /// Processor time used so far, user and system.
    public let processorMilliseconds: Int

    /// What the process holds now.
    ///
    /// - Parameter processID: nil for this process.
    /// - Throws: ``PeerError/system(operation:code:)`` if there is no such process.
    public init(of processID: Int32? = nil) throws {
        let root = processID.map { "/proc/\($0)" } ?? "/proc/self"
        // Counting one's own descriptors opens one.
        descriptors = try System.names(in: "\(root)/fd").count - (processID == nil ? 1 : 0)
        threads = try System.names(in: "\(root)/task").count
        let statm = String(decoding: try System.read("\(root)/statm"), as: UTF8.self).split(separator: " ")
        residentBytes = statm.count > 1 ? (Int(statm[1]) ?? 0) * 4096 : 0
        // The program's name, which may contain anything, ends with the last parenthesis; see proc(5).
        let stat =
            String(decoding: try System.read("\(root)/stat"), as: UTF8.self)
            .split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = stat.count > 12 ? (Int(stat[11]) ?? 0) + (Int(stat[12]) ?? 0) : 0
        processorMilliseconds = ticks * 10
    }
}

/// Compares a process's descriptors and threads before and after.
///
/// Swift Testing runs tests in parallel in one process, so for this process the comparison is valid only if nothing
/// else runs; for a ``Subprocess`` it always is.
public struct LeakCheck: Sendable {
    private let processID: Int32?

    /// What the process held when the check was made.
    public let before: ResourceUse

    /// Remembers what the process holds now; nil means this process.
    public init(of processID: Int32? = nil) throws {
        self.processID = processID
        before = try ResourceUse(of: processID)
    }

    /// Waits until the process holds no more descriptors and threads than before.
    public func expectNoGrowth(within patience: Duration = .patience) throws {
        var now = before
        do {
            try eventually("descriptors and threads to return", within: patience, every: .milliseconds(10)) {
                now = try ResourceUse(of: processID)
                return now.descriptors <= before.descriptors && now.threads <= before.threads
            }
        } catch PeerError.timedOut {
            let growth = "\(now.descriptors) descriptors and \(now.threads) threads,"
            throw PeerError.unexpected("\(growth) before \(before.descriptors) and \(before.threads)")
        }
    }
}
