/// How often the configuration was read again, and how that went.
public struct ReloadCounts: Hashable, Sendable {
    /// Times that a new configuration was taken.
    public var successes: UInt64
    /// Times that it was refused, so that the old one stayed.
    public var failures: UInt64
    /// Whether the last configuration that was read is in force; the one at the start is.
    public var lastWasSuccessful: Bool
    /// When the one in force was read, in nanoseconds since 1970-01-01T00:00:00Z.
    public var lastSuccessNanoseconds: Int64

    /// Counts of a program that began with a good configuration at this time.
    public init(startedNanoseconds: Int64) {
        successes = 0
        failures = 0
        lastWasSuccessful = true
        lastSuccessNanoseconds = startedNanoseconds
    }
}
