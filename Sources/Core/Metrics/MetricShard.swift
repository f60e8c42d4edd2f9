internal import Locking

/// The counters of one worker.
///
/// Each worker counts in its own shard, so its lock is contended only while `/metrics` is read. A call takes the lock
/// once and allocates nothing.
public final class MetricShard: Sendable {
    private let layout: MetricLayout
    private let rejectionOfCode: [UInt8]
    private let statusPlaces: [UInt8]
    private let requestBounds: HistogramBounds
    private let queueBounds: HistogramBounds
    private let overheadBounds: HistogramBounds
    private let counters: Lock<[UInt64]>

    /// - Parameter rejectionOfCode: for each problem code the index of its ``Rejection``, or `UInt8.max`.
    init(layout: MetricLayout, rejectionOfCode: [UInt8]) {
        self.layout = layout
        self.rejectionOfCode = rejectionOfCode
        // Kept here because a static property is checked for initialisation at every use.
        statusPlaces = UpstreamStatusLabels.places
        requestBounds = .request
        queueBounds = .queue
        overheadBounds = .overhead
        counters = Lock(Array(repeating: 0, count: layout.size(providers: 0)))
    }

    /// Grows to counters for at least this many providers; new ones are 0.
    func grow(providers: Int) {
        let size = layout.size(providers: providers)
        counters.withLock { counters in
            if counters.count < size {
                counters.append(contentsOf: repeatElement(0, count: size - counters.count))
            }
        }
    }

    /// Resets the counters of a provider to 0; it must have no exchanges in flight.
    func clear(provider: Int) {
        let start = layout.row(provider)
        counters.withLock { counters in
            for index in start..<start + layout.stride { counters[index] = 0 }
        }
    }

    /// An exchange began.
    ///
    /// - Parameter provider: the index of its provider, `nil` without a route.
    public func exchangeStarted(provider: Int?) {
        let index = layout.row(provider) + layout.inFlight
        counters.withLock { $0[index] &+= 1 }
    }

    /// An exchange is over, whatever its result: called once for each that began.
    public func exchangeFinished(_ record: ExchangeRecord) {
        counters.withLock { counters in
            let row = layout.row(record.provider)
            countEnd(of: record, in: row, &counters)
            if record.provider != nil { countProvider(of: record, in: row, &counters) }
        }
    }

    /// The result of an attempt was replaced by a retry, so no ``ExchangeRecord`` will contain it.
    ///
    /// - Parameters:
    ///   - status: the provider's status, 0 if there was no response.
    ///   - problem: the index of the code that the result would have had, if one is known.
    public func attemptRetried(provider: Int, status: Int, problem: Int?) {
        let row = layout.row(provider)
        let reason: RetryReason = status == 0 ? .connection : .response
        counters.withLock { counters in
            counters[row + layout.retries + reason.rawValue] &+= 1
            countAnswer(in: row, status: status, problem: problem, &counters)
        }
    }

    /// A connection to the provider was opened.
    public func upstreamConnectionOpened(provider: Int) {
        let index = layout.row(provider) + layout.connections
        counters.withLock { $0[index] &+= 1 }
    }

    /// The provider responded with an error that no rule of its profile matches.
    ///
    /// - Parameter status: the provider's status; one that RFC 9110 does not know counts as 5xx (its section
    ///   15).
    public func unmappedError(provider: Int, status: Int) {
        let known = StatusClass(status)
        let column = (known == .none ? .serverError : known).rawValue
        let index = layout.row(provider) + layout.unmapped + column
        counters.withLock { $0[index] &+= 1 }
    }

    /// A request was rejected at the queue, before anything was sent.
    public func queueRefused(provider: Int, reason: QueueRefusalReason) {
        let index = layout.row(provider) + layout.refusals + reason.rawValue
        counters.withLock { $0[index] &+= 1 }
    }

    /// A response of the provider paused its queue.
    public func paused(provider: Int, reason: PauseReason) {
        let index = layout.row(provider) + layout.pauses + reason.rawValue
        counters.withLock { $0[index] &+= 1 }
    }

    /// Adds these counters to `totals`, all from the same moment.
    func add(to totals: inout [UInt64]) {
        // The array is not copied out, because a worker's next update would then have to copy it.
        counters.withLock { counters in
            for index in counters.indices { totals[index] &+= counters[index] }
        }
    }

    private func countEnd(of record: ExchangeRecord, in row: Int, _ counters: inout [UInt64]) {
        let status = StatusClass(record.sentStatus)
        let column = record.method.rawValue * StatusClass.count + status.rawValue
        counters[row + layout.inFlight] &-= 1
        counters[row + layout.requests + column] &+= 1
        counters[row + layout.requestBytes] &+= record.requestBytes
        counters[row + layout.responseBytes] &+= record.responseBytes
        if let abort = record.abort { counters[row + layout.aborts + abort.rawValue] &+= 1 }
        if let problem = record.problem {
            precondition(problem >= 0 && problem < layout.codes, "no such problem code")
            counters[row + layout.errors + problem] &+= 1
        }
    }

    private func countProvider(of record: ExchangeRecord, in row: Int, _ counters: inout [UInt64]) {
        let queue = max(0, record.queueNanoseconds)
        let upstream = max(0, record.upstreamNanoseconds)
        let own = max(0, record.ownNanoseconds)
        observe(queue, row + layout.queueWait, queueBounds, &counters)
        observe(own, row + layout.overhead, overheadBounds, &counters)
        if record.attempts > 0 {
            counters[row + layout.attempts] &+= UInt64(record.attempts)
            observe(upstream, row + layout.upstreamDuration, requestBounds, &counters)
        }
        let whole = max(0, queue &+ upstream &+ own)
        observe(whole, row + layout.requestDuration, requestBounds, &counters)
        countAnswer(in: row, status: record.providerStatus, problem: record.problem, &counters)
    }

    private func countAnswer(in row: Int, status: Int, problem: Int?, _ counters: inout [UInt64]) {
        guard status != 0 else { return }
        let place = status > 0 && status < statusPlaces.count ? status : 0
        counters[row + layout.responses + Int(statusPlaces[place])] &+= 1
        guard let problem, problem >= 0, problem < rejectionOfCode.count else { return }
        let rejection = Int(rejectionOfCode[problem])
        guard rejection < Rejection.count else { return }
        counters[row + layout.rejections + rejection] &+= 1
    }

    /// One bucket and the sum; rendering accumulates the buckets and computes the count.
    private func observe(_ value: Int64, _ base: Int, _ bounds: HistogramBounds, _ counters: inout [UInt64]) {
        counters[base + bounds.bucket(value)] &+= 1
        counters[base + bounds.stride - 1] &+= UInt64(value)
    }
}

/// The index of each series' counter in the flat array of a shard.
///
/// Each provider has a row of counters; the first row is for exchanges without a route. An index is computed from
/// small integers: no name is looked up while a request is served, and rows can be added without moving others.
struct MetricLayout: Sendable {
    /// How many problem codes there are.
    let codes: Int
    /// How many counters a row has.
    let stride: Int

    // Where each family begins in a row.
    let requests: Int
    let inFlight: Int
    let errors: Int
    let rejections: Int
    let responses: Int
    let unmapped: Int
    let attempts: Int
    let retries: Int
    let connections: Int
    let refusals: Int
    let pauses: Int
    let aborts: Int
    let requestBytes: Int
    let responseBytes: Int
    let requestDuration: Int
    let queueWait: Int
    let upstreamDuration: Int
    let overhead: Int

    init(codes: Int) {
        var next = 0
        func reserve(_ columns: Int) -> Int {
            defer { next += columns }
            return next
        }
        self.codes = codes
        requests = reserve(MethodClass.count * StatusClass.count)
        inFlight = reserve(1)
        errors = reserve(codes)
        rejections = reserve(Rejection.count)
        responses = reserve(UpstreamStatusLabels.count)
        unmapped = reserve(StatusClass.count)
        attempts = reserve(1)
        retries = reserve(RetryReason.count)
        connections = reserve(1)
        refusals = reserve(QueueRefusalReason.count)
        pauses = reserve(PauseReason.count)
        aborts = reserve(ClientAbortStage.count)
        requestBytes = reserve(1)
        responseBytes = reserve(1)
        requestDuration = reserve(HistogramBounds.request.stride)
        queueWait = reserve(HistogramBounds.queue.stride)
        upstreamDuration = reserve(HistogramBounds.request.stride)
        overhead = reserve(HistogramBounds.overhead.stride)
        stride = next
    }

    /// How many counters a shard has for this many providers.
    func size(providers: Int) -> Int { (providers + 1) * stride }

    /// The start of the row of a provider, or of exchanges without a route.
    func row(_ provider: Int?) -> Int {
        guard let provider else { return 0 }
        precondition(provider >= 0, "no such provider")
        return (provider + 1) * stride
    }
}

/// What is recorded about one exchange when it is over.
public struct ExchangeRecord: Sendable {
    /// The index of its provider in ``ProxyMetrics``; `nil` without a route.
    ///
    /// The same value as passed to ``MetricShard/exchangeStarted(provider:)``.
    public var provider: Int?
    /// The class of its method.
    public var method: MethodClass
    /// The status of the provider's last response; 0 without one.
    public var providerStatus: Int = 0
    /// The status sent to the client; 0 if it disconnected before.
    public var sentStatus: Int = 0
    /// The index of its problem's code in ``ProxyMetrics``; `nil` if it succeeded.
    ///
    /// This is the code of what happened, even if the client asked for the provider's raw response.
    public var problem: Int?
    /// Time in the queue.
    public var queueNanoseconds: Int64 = 0
    /// Time that the provider took, over all attempts.
    public var upstreamNanoseconds: Int64 = 0
    /// The rest of the time between the first byte of the request and the last of the response.
    public var ownNanoseconds: Int64 = 0
    /// Requests actually sent to the provider.
    public var attempts: Int = 0
    /// Body bytes received from the client.
    public var requestBytes: UInt64 = 0
    /// Body bytes sent to the client.
    public var responseBytes: UInt64 = 0
    /// The stage in which the client disconnected; `nil` if it did not.
    public var abort: ClientAbortStage?

    /// An empty record: no response, nothing sent, no time spent.
    public init(provider: Int?, method: MethodClass) {
        self.provider = provider
        self.method = method
    }
}
