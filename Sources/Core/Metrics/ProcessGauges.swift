/// What the process looks like at the moment of a scrape.
public struct ProcessGauges: Sendable {
    /// When it started: nanoseconds since 1970-01-01 UTC.
    public var startNanoseconds: Int64
    /// Processor time used, user and system.
    public var cpuNanoseconds: Int64
    /// Resident memory; `nil` where the system does not show it.
    public var residentBytes: Int?
    /// File descriptors that are open; `nil` where the system does not show them.
    public var openFiles: Int?
    /// File descriptors that may be open.
    public var maximumFiles: Int

    /// The state of the process.
    public init(
        startNanoseconds: Int64, cpuNanoseconds: Int64, residentBytes: Int?, openFiles: Int?,
        maximumFiles: Int
    ) {
        self.startNanoseconds = startNanoseconds
        self.cpuNanoseconds = cpuNanoseconds
        self.residentBytes = residentBytes
        self.openFiles = openFiles
        self.maximumFiles = maximumFiles
    }
}
