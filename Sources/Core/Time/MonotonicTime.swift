/// A point in time on the machine's monotonic clock, in nanoseconds.
///
/// Arithmetic saturates: no duration from outside, however long, traps. A duration that is not a whole number of
/// nanoseconds is rounded up, so that nothing happens too early.
public struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since the clock's own beginning.
    public var nanoseconds: Int64

    /// The time `nanoseconds` after the clock's beginning.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The latest possible time.
    public static let distantFuture = MonotonicTime(nanoseconds: .max)

    /// The earliest possible time.
    public static let distantPast = MonotonicTime(nanoseconds: .min)

    /// Whether `left` is earlier than `right`.
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The time `duration` after `time`; saturates.
    public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        time.later(by: duration.wholeNanoseconds)
    }

    /// The duration from this time to `other`; negative if `other` is earlier.
    public func duration(to other: MonotonicTime) -> Duration {
        .nanoseconds(nanoseconds(to: other))
    }

    /// The time `nanoseconds` later; saturates.
    public func later(by nanoseconds: Int64) -> MonotonicTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        guard overflow else { return MonotonicTime(nanoseconds: sum) }
        return nanoseconds < 0 ? .distantPast : .distantFuture
    }

    /// The nanoseconds from this time to `other`; saturates.
    public func nanoseconds(to other: MonotonicTime) -> Int64 {
        let (difference, overflow) = other.nanoseconds.subtractingReportingOverflow(nanoseconds)
        guard overflow else { return difference }
        return other < self ? .min : .max
    }

    /// The earliest time, not before this one, that is a multiple of `step` nanoseconds; `step` is at least 1.
    func roundedUp(to step: Int64) -> MonotonicTime {
        guard step > 1 else { return self }
        let rest = nanoseconds % step
        if rest == 0 { return self }
        return later(by: rest > 0 ? step - rest : -rest)
    }
}

extension Duration {
    /// The duration in nanoseconds, rounded up; saturates at 292 years.
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        // Both components have the same sign, so truncating a negative fraction also rounds up.
        let fraction = attoseconds > 0 ? (attoseconds - 1) / 1_000_000_000 + 1 : attoseconds / 1_000_000_000
        let (sum, carry) = whole.addingReportingOverflow(fraction)
        guard overflow || carry else { return sum }
        return seconds < 0 ? .min : .max
    }
}
