/// Some HTTP statuses, as ranges.
public struct StatusSet: Sendable, Hashable {
    /// All that is an error.
    public static let errors = StatusSet([400...999])
    /// The statuses that there can be.
    public static let possible = 100...999

    /// The ranges, in the order given.
    public var ranges: [ClosedRange<Int>]

    /// A set.
    public init(_ ranges: [ClosedRange<Int>]) { self.ranges = ranges }

    /// Whether the status is in the set.
    public func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }
}
