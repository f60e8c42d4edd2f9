internal import HTTPWire
internal import Logging
internal import ProxyCore
internal import Synchronization

/// Everything that the workers share: made once from a configuration, never changed.
final class ProxyService: Sendable {
    let configuration: ProxyConfiguration
    let routes: RouteTable
    let providers: [ProviderService]
    let metrics: ProxyMetrics
    let problemFormat: ProblemFormat
    let problemSchema: [UInt8]
    let inspectionLimits: RequestInspection.Limits
    /// The name of this instance in `Via` and `Proxy-Status`: different in each, so that a loop is seen.
    let pseudonym: [UInt8]
    /// The value of `Via` on a forwarded request (RFC 9110 7.6.3).
    let via: [UInt8]
    let logger: Logger
    let droppedLogLines: @Sendable () -> UInt64
    let startedWallNanoseconds: Int64
    private let draining = Atomic(false)

    init(
        configuration: ProxyConfiguration, normalizers: [ErrorNormalizer], workers: Int, build: BuildInfo,
        problemSchema: String, logger: Logger, pseudonym: String, startedWallNanoseconds: Int64,
        droppedLogLines: @escaping @Sendable () -> UInt64
    ) {
        precondition(normalizers.count == configuration.providers.count, "a normalizer for each provider")
        self.configuration = configuration
        routes = configuration.routeTable
        var shared: [String: Pacer] = [:]
        providers = configuration.providers.enumerated().map { index, provider in
            ProviderService(
                index: index, configuration: provider, normalizer: normalizers[index],
                pacer: Self.pacer(of: provider, limits: configuration.limits, shared: &shared))
        }
        metrics = ProxyMetrics(
            providers: configuration.providers.map(\.name),
            codes: ProblemCode.allCases.map { ($0.name, $0.origin.rawValue) }, workers: workers, build: build)
        problemFormat = ProblemFormat(typeBase: configuration.typeBase)
        self.problemSchema = Array(problemSchema.utf8)
        let limits = configuration.limits
        inspectionLimits = RequestInspection.Limits(
            target: limits.uri, fieldBytes: limits.requestHead, fieldCount: limits.headerCount,
            body: Int64(limits.requestBody))
        self.pseudonym = Array(pseudonym.utf8)
        via = Array("1.1 \(pseudonym)".utf8)
        self.logger = logger
        self.startedWallNanoseconds = startedWallNanoseconds
        self.droppedLogLines = droppedLogLines
    }

    /// Whether new requests are refused because the program is about to end.
    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func startDraining() { draining.store(true, ordering: .relaxed) }

    /// The ledger of a provider: its own, or that of its group.
    private static func pacer(
        of provider: ProviderConfiguration, limits: SizeLimits, shared: inout [String: Pacer]
    ) -> Pacer {
        let isGroup = provider.limits.first?.by == .group
        if isGroup, let pacer = shared[provider.group] { return pacer }
        let pacer = Pacer(
            policy: PacingPolicy(
                windows: provider.limits.map { PacingPolicy.Window(requests: $0.requests, per: $0.per) },
                queueCapacity: limits.queue, keyCapacity: limits.keys))
        if isGroup { shared[provider.group] = pacer }
        return pacer
    }
}
