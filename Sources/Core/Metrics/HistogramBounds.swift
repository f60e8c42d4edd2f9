/// The upper bounds of a histogram's buckets, and how they are written.
struct HistogramBounds: Sendable {
    /// Inclusive upper bounds in nanoseconds, growing; the bucket without a bound comes after them.
    let nanoseconds: [Int64]
    /// The `le` label of each bucket, `+Inf` included: the same text in both formats, so that a scraper that
    /// changes its format meets the same series.
    let labels: [String]

    private init(microseconds: [Int64]) {
        nanoseconds = microseconds.map { $0 * 1000 }
        labels = microseconds.map(Self.label) + ["+Inf"]
    }

    /// Counters that one series takes: the buckets and the sum.
    var stride: Int { nanoseconds.count + 2 }

    /// The bucket of a value.
    func bucket(_ value: Int64) -> Int {
        var index = 0
        while index < nanoseconds.count, value > nanoseconds[index] { index += 1 }
        return index
    }

    /// OpenMetrics wants a number with a point: `0.005`, `1.0`.
    private static func label(_ microseconds: Int64) -> String {
        var fraction = String(String(1_000_000 + microseconds % 1_000_000).dropFirst())
        while fraction.count > 1, fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(microseconds / 1_000_000).\(fraction)"
    }

    /// The advice of OpenTelemetry's semantic conventions for `http.client.request.duration`.
    static let request = HistogramBounds(microseconds: requestMicroseconds)

    /// The same, and two more: a queue may be as patient as its `max_wait`.
    static let queue = HistogramBounds(microseconds: requestMicroseconds + [30_000_000, 60_000_000])

    /// What the proxy adds is counted in microseconds.
    static let overhead = HistogramBounds(
        microseconds: [
            10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
        ])

    private static let requestMicroseconds: [Int64] = [
        5000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000,
        5_000_000, 7_500_000, 10_000_000,
    ]
}
