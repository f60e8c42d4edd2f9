/// Where each series has its counter in the flat array of a shard.
///
/// Each provider has a block of counters, a row, and so have the exchanges without a route: the first. A place is computed
/// from small integers: no name is looked up while a request is served, and rows are added without moving any.
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

    /// How many counters a shard has for so many providers.
    func size(providers: Int) -> Int { (providers + 1) * stride }

    /// Where the row of a provider begins, or that of exchanges without a route.
    func row(_ provider: Int?) -> Int {
        guard let provider else { return 0 }
        precondition(provider >= 0, "no such provider")
        return (provider + 1) * stride
    }
}
