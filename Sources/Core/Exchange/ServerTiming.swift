public import Wire

/// The value of `Server-Timing`: where the time went, in milliseconds with one microsecond's resolution.
public enum ServerTiming {
    /// Writes `queue;dur=…, upstream;dur=…, proxy;dur=…`.
    ///
    /// All arguments are nanoseconds; a negative one counts as 0.
    public static func append(
        queue: Int64, upstream: Int64, proxy: Int64, to output: inout some ByteSink & ~Copyable
    ) {
        output.append(literal: "queue;dur=")
        appendMilliseconds(queue, to: &output)
        output.append(literal: ", upstream;dur=")
        appendMilliseconds(upstream, to: &output)
        output.append(literal: ", proxy;dur=")
        appendMilliseconds(proxy, to: &output)
    }

    private static func appendMilliseconds(_ nanoseconds: Int64, to output: inout some ByteSink & ~Copyable) {
        let microseconds = Int(max(0, nanoseconds) / 1000)
        JSONWriter.integer(microseconds / 1000, into: &output)
        let fraction = microseconds % 1000
        guard fraction > 0 else { return }
        output.append(0x2E)
        output.append(0x30 + UInt8(fraction / 100))
        output.append(0x30 + UInt8(fraction / 10 % 10))
        output.append(0x30 + UInt8(fraction % 10))
    }
}
