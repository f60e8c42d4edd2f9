/// Where each series has its counter in the flat array of a shard.
///
/// A place is computed from small integers: no name is looked up while a request is served. A family by
/// provider has one row per provider; those that an exchange without a route can touch have one row more, the
/// last.
struct MetricLayout: Sendable {
    /// How many providers there are: also the row of exchanges without a route.
    let providers: Int
    /// How many problem codes there are.
    let codes: Int
    /// How many counters a shard has.
    let size: Int

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

    init(providers: Int, codes: Int) {
        var next = 0
        func reserve(_ rows: Int, of columns: Int) -> Int {
            defer { next += rows * columns }
            return next
        }
        let all = providers + 1
        self.providers = providers
        self.codes = codes
        requests = reserve(all, of: MethodClass.count * StatusClass.count)
        inFlight = reserve(all, of: 1)
        errors = reserve(all, of: codes)
        rejections = reserve(providers, of: Rejection.count)
        responses = reserve(providers, of: UpstreamStatusLabels.count)
        unmapped = reserve(providers, of: StatusClass.count)
        attempts = reserve(providers, of: 1)
        retries = reserve(providers, of: RetryReason.count)
        connections = reserve(providers, of: 1)
        refusals = reserve(providers, of: QueueRefusalReason.count)
        pauses = reserve(providers, of: PauseReason.count)
        aborts = reserve(all, of: ClientAbortStage.count)
        requestBytes = reserve(all, of: 1)
        responseBytes = reserve(all, of: 1)
        requestDuration = reserve(providers, of: HistogramBounds.request.stride)
        queueWait = reserve(providers, of: HistogramBounds.queue.stride)
        upstreamDuration = reserve(providers, of: HistogramBounds.request.stride)
        overhead = reserve(providers, of: HistogramBounds.overhead.stride)
        size = next
    }

    /// The row of a provider, or the one of exchanges without a route.
    func row(_ provider: Int?) -> Int {
        guard let provider else { return providers }
        return checked(provider)
    }

    /// A provider's place, which must be one of the list: the engine's bug otherwise.
    func checked(_ provider: Int) -> Int {
        precondition(provider >= 0 && provider < providers, "no such provider")
        return provider
    }
}
