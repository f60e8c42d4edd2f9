/// Everything that `/metrics` shows: a shard of counters per worker, and their sum as text.
///
/// Label values come from the configuration and from the lists in the program, never from traffic, so memory
/// is bounded and every series exists at 0 from the start.
public final class ProxyMetrics: Sendable {
    /// The value of the label `provider` for exchanges without a route; no provider may have this name.
    public static let unrouted = "-"

    /// One per worker, in the order of the workers.
    public let shards: [MetricShard]

    let providers: [String]
    let layout: MetricLayout
    let counted: [CountedFamily]
    let build: BuildInfo

    /// Counters at 0.
    ///
    /// - Parameters:
    ///   - providers: the names in the configuration, each once, none of them ``unrouted``; a provider is
    ///     known by its place in this list.
    ///   - codes: the problem codes with their origins; a code is known by its place in this list.
    ///   - workers: how many shards there are, 1 or more.
    ///   - build: what `weir_build_info` shows.
    public init(
        providers: [String], codes: [(name: String, origin: String)], workers: Int, build: BuildInfo
    ) {
        precondition(workers > 0, "no worker")
        precondition(
            Set(providers + [Self.unrouted]).count == providers.count + 1, "provider names must differ")
        let layout = MetricLayout(providers: providers.count, codes: codes.count)
        let rejections = codes.map { code in
            Rejection.allCases.first { $0.label == code.name }.map { UInt8($0.rawValue) } ?? UInt8.max
        }
        self.providers = providers
        self.layout = layout
        self.build = build
        counted = Self.countedFamilies(layout, providers: providers, codes: codes)
        shards = (0..<workers).map { _ in MetricShard(layout: layout, rejectionOfCode: rejections) }
    }
}
