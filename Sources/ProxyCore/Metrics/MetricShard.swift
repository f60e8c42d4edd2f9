internal import Synchronization

/// The counters of one worker.
///
/// Workers share nothing: each counts in its own shard, so its lock is only ever waited for while somebody
/// reads `/metrics`. A call takes the lock once and allocates nothing.
public final class MetricShard: Sendable {
    private let layout: MetricLayout
    private let rejectionOfCode: [UInt8]
    private let statusPlaces: [UInt8]
    private let requestBounds: HistogramBounds
    private let queueBounds: HistogramBounds
    private let overheadBounds: HistogramBounds
    private let counters: Mutex<[UInt64]>

    /// - Parameter rejectionOfCode: for each problem code the place of its ``Rejection``, or `UInt8.max`.
    init(layout: MetricLayout, rejectionOfCode: [UInt8]) {
        self.layout = layout
        self.rejectionOfCode = rejectionOfCode
        // Kept here because a static's first use is checked at every use.
        statusPlaces = UpstreamStatusLabels.places
        requestBounds = .request
        queueBounds = .queue
        overheadBounds = .overhead
        counters = Mutex(Array(repeating: 0, count: layout.size))
    }

    /// An exchange began.
    ///
    /// - Parameter provider: its provider's place, `nil` without a route.
    public func exchangeStarted(provider: Int?) {
        let index = layout.inFlight + layout.row(provider)
        counters.withLock { $0[index] &+= 1 }
    }

    /// An exchange is over, in whatever way: once for each that began.
    public func exchangeFinished(_ record: ExchangeRecord) {
        counters.withLock { counters in
            countEnd(of: record, in: &counters)
            if let provider = record.provider { countProvider(provider, of: record, in: &counters) }
        }
    }

    /// The outcome of an attempt was set aside for another attempt, so no ``ExchangeRecord`` will tell of it.
    ///
    /// - Parameters:
    ///   - status: the provider's status, 0 if there was no answer.
    ///   - problem: the place of the code that the outcome would have had, if one is known.
    public func attemptRetried(provider: Int, status: Int, problem: Int?) {
        let provider = layout.checked(provider)
        let reason: RetryReason = status == 0 ? .connection : .response
        counters.withLock { counters in
            counters[layout.retries + provider * RetryReason.count + reason.rawValue] &+= 1
            countAnswer(of: provider, status: status, problem: problem, in: &counters)
        }
    }

    /// A connection to the provider was opened.
    public func upstreamConnectionOpened(provider: Int) {
        let index = layout.connections + layout.checked(provider)
        counters.withLock { $0[index] &+= 1 }
    }

    /// The provider answered with an error that no rule of its profile knows.
    ///
    /// - Parameter status: the provider's status; one that RFC 9110 does not know counts as 5xx (its section
    ///   15).
    public func unmappedError(provider: Int, status: Int) {
        let known = StatusClass(status)
        let column = (known == .none ? .serverError : known).rawValue
        let index = layout.unmapped + layout.checked(provider) * StatusClass.count + column
        counters.withLock { $0[index] &+= 1 }
    }

    /// A request was refused at the queue, before anything was sent.
    public func queueRefused(provider: Int, reason: QueueRefusalReason) {
        let index = layout.refusals + layout.checked(provider) * QueueRefusalReason.count + reason.rawValue
        counters.withLock { $0[index] &+= 1 }
    }

    /// An answer of the provider stopped its queue for a while.
    public func paused(provider: Int, reason: PauseReason) {
        let index = layout.pauses + layout.checked(provider) * PauseReason.count + reason.rawValue
        counters.withLock { $0[index] &+= 1 }
    }

    /// Adds these counters to `totals`, all of the same moment.
    func add(to totals: inout [UInt64]) {
        // Not copied out: a worker's next count would then have to copy the array.
        counters.withLock { counters in
            for index in counters.indices { totals[index] &+= counters[index] }
        }
    }

    private func countEnd(of record: ExchangeRecord, in counters: inout [UInt64]) {
        let row = layout.row(record.provider)
        let method = row * MethodClass.count + record.method.rawValue
        let status = StatusClass(record.sentStatus)
        counters[layout.inFlight + row] &-= 1
        counters[layout.requests + method * StatusClass.count + status.rawValue] &+= 1
        counters[layout.requestBytes + row] &+= record.requestBytes
        counters[layout.responseBytes + row] &+= record.responseBytes
        if let abort = record.abort {
            counters[layout.aborts + row * ClientAbortStage.count + abort.rawValue] &+= 1
        }
        if let problem = record.problem {
            precondition(problem >= 0 && problem < layout.codes, "no such problem code")
            counters[layout.errors + row * layout.codes + problem] &+= 1
        }
    }

    private func countProvider(_ provider: Int, of record: ExchangeRecord, in counters: inout [UInt64]) {
        let queue = max(0, record.queueNanoseconds)
        let upstream = max(0, record.upstreamNanoseconds)
        let own = max(0, record.ownNanoseconds)
        observe(queue, layout.queueWait + provider * queueBounds.stride, queueBounds, &counters)
        observe(own, layout.overhead + provider * overheadBounds.stride, overheadBounds, &counters)
        if record.attempts > 0 {
            counters[layout.attempts + provider] &+= UInt64(record.attempts)
            observe(
                upstream, layout.upstreamDuration + provider * requestBounds.stride, requestBounds, &counters)
        }
        let whole = max(0, queue &+ upstream &+ own)
        observe(whole, layout.requestDuration + provider * requestBounds.stride, requestBounds, &counters)
        countAnswer(of: provider, status: record.providerStatus, problem: record.problem, in: &counters)
    }

    private func countAnswer(of provider: Int, status: Int, problem: Int?, in counters: inout [UInt64]) {
        guard status != 0 else { return }
        let place = status > 0 && status < statusPlaces.count ? status : 0
        let columns = UpstreamStatusLabels.count
        counters[layout.responses + provider * columns + Int(statusPlaces[place])] &+= 1
        guard let problem, problem >= 0, problem < rejectionOfCode.count else { return }
        let rejection = Int(rejectionOfCode[problem])
        guard rejection < Rejection.count else { return }
        counters[layout.rejections + provider * Rejection.count + rejection] &+= 1
    }

    /// One bucket and the sum; buckets become cumulative, and are added up to the count, when they are
    /// rendered.
    private func observe(_ value: Int64, _ base: Int, _ bounds: HistogramBounds, _ counters: inout [UInt64]) {
        counters[base + bounds.bucket(value)] &+= 1
        counters[base + bounds.stride - 1] &+= UInt64(value)
    }
}
