internal import Glibc

/// The clock that never goes back, and the one on the wall.
public enum SystemClock {
    /// Nanoseconds since some moment of this boot.
    public static var monotonicNanoseconds: Int64 { read(CLOCK_MONOTONIC) }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public static var wallNanoseconds: Int64 { read(CLOCK_REALTIME) }

    /// Milliseconds since 1970-01-01T00:00:00Z as of the kernel's last tick, up to 10 ms ago: read in a tenth of the time.
    public static var coarseWallMilliseconds: Int64 { read(CLOCK_REALTIME_COARSE) / 1_000_000 }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
