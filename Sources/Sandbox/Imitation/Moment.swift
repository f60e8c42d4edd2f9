internal import Core

/// A point in time on both clocks: one to measure with, one to show.
struct Moment: Sendable, Hashable {
    /// For windows and delays.
    var monotonic: MonotonicTime
    /// Milliseconds since 1970-01-01T00:00:00Z, for what is shown.
    var wall: Int64

    /// The wall clock in whole seconds since 1970, rounded up, once `duration` has passed.
    func epochSeconds(after duration: Duration) -> Int64 {
        (wallMilliseconds(after: duration) + 999) / 1000
    }

    /// The wall clock once `duration` has passed, in milliseconds since 1970.
    func wallMilliseconds(after duration: Duration) -> Int64 {
        wall + (duration.wholeNanoseconds + 999_999) / 1_000_000
    }
}
