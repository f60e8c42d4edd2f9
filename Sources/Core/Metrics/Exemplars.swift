internal import Locking

/// A trace as an example of what a bucket of a histogram has counted.
struct Exemplar: Hashable, Sendable {
    var trace: TraceID
    /// What was observed.
    var nanoseconds: Int64
    /// When, since 1970-01-01 UTC.
    var wallMilliseconds: Int64
}

/// The last trace of each bucket, of all workers: written only for exchanges whose trace is recorded.
final class Exemplars: Sendable {
    /// By the index of the bucket's counter; as many as there are buckets, at most.
    private let all = Lock<[Int: Exemplar]>([:])

    /// Keeps exemplars in place of earlier ones.
    func keep(_ exemplars: [(place: Int, exemplar: Exemplar)]) {
        all.withLock { all in for (place, exemplar) in exemplars { all[place] = exemplar } }
    }

    /// Removes those of these counters.
    func remove(_ places: Range<Int>) {
        all.withLock { all in for place in places where all[place] != nil { all[place] = nil } }
    }

    /// All of them, by the index of the bucket's counter.
    var current: [Int: Exemplar] { all.withLock { $0 } }
}

extension ProxyMetrics {
    /// Keeps a recorded trace as an exemplar of the times of its exchange.
    ///
    /// - Parameter record: as given to ``MetricShard/exchangeFinished(_:)``, with a provider.
    public func keepExemplar(
        of record: ExchangeRecord, trace: TraceID, atWallMilliseconds milliseconds: Int64
    ) {
        guard let provider = record.provider else { return }
        let row = layout.row(provider)
        let (queue, upstream) = (max(0, record.queueNanoseconds), max(0, record.upstreamNanoseconds))
        let whole = max(0, queue &+ upstream &+ max(0, record.ownNanoseconds))
        func exemplar(_ value: Int64, _ offset: Int, _ bounds: HistogramBounds) -> (
            place: Int, exemplar: Exemplar
        ) {
            (
                row + offset + bounds.bucket(value),
                Exemplar(trace: trace, nanoseconds: value, wallMilliseconds: milliseconds)
            )
        }
        var kept = [
            exemplar(whole, layout.requestDuration, .request), exemplar(queue, layout.queueWait, .queue),
        ]
        if record.attempts > 0 { kept.append(exemplar(upstream, layout.upstreamDuration, .request)) }
        exemplars.keep(kept)
    }
}
