/// A moment on the machine's monotonic clock, in nanoseconds.
///
/// Arithmetic saturates: a foreign duration, however long, never traps. A duration that is not a whole number
/// of nanoseconds is rounded up, so that nothing timed with it happens too early.
public struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since the clock's own beginning.
    public var nanoseconds: Int64

    /// The moment `nanoseconds` after the clock's beginning.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The last moment there is: later than everything that happens.
    public static let distantFuture = MonotonicTime(nanoseconds: .max)

    /// The first moment there is: earlier than everything that happens.
    public static let distantPast = MonotonicTime(nanoseconds: .min)

    /// Whether `left` is earlier than `right`.
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment `duration` after `time`; stops at either end of the scale.
    public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        time.later(by: duration.wholeNanoseconds)
    }

    /// How long it is from this moment to `other`: negative when `other` is earlier.
    public func duration(to other: MonotonicTime) -> Duration {
        .nanoseconds(nanoseconds(to: other))
    }

    /// The moment `nanoseconds` later; stops at either end of the scale.
    public func later(by nanoseconds: Int64) -> MonotonicTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        guard overflow else { return MonotonicTime(nanoseconds: sum) }
        return nanoseconds < 0 ? .distantPast : .distantFuture
    }

    /// The nanoseconds from this moment to `other`; stops at either end of the scale.
    public func nanoseconds(to other: MonotonicTime) -> Int64 {
        let (difference, overflow) = other.nanoseconds.subtractingReportingOverflow(nanoseconds)
        guard overflow else { return difference }
        return other < self ? .min : .max
    }

    /// This moment or the next one that is a whole multiple of `step` nanoseconds; `step` is at least 1.
    func roundedUp(to step: Int64) -> MonotonicTime {
        guard step > 1 else { return self }
        let rest = nanoseconds % step
        if rest == 0 { return self }
        return later(by: rest > 0 ? step - rest : -rest)
    }
}

extension Duration {
    /// The duration in nanoseconds, rounded up; durations beyond 292 years stop there.
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        // Both components have the same sign, so cutting off a negative fraction rounds up as well.
        let fraction = attoseconds > 0 ? (attoseconds - 1) / 1_000_000_000 + 1 : attoseconds / 1_000_000_000
        let (sum, carry) = whole.addingReportingOverflow(fraction)
        guard overflow || carry else { return sum }
        return seconds < 0 ? .min : .max
    }
}
