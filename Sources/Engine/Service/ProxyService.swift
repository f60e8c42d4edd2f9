internal import Core
internal import Logging
internal import Wire

/// One configuration, prepared for use by all workers: immutable, and replaced as a whole.
final class ProxyService: Sendable {
    /// What all configurations of this process share.
    let instance: ProxyInstance
    let configuration: ProxyConfiguration
    let routes: RouteTable
    let providers: [ProviderService]
    /// The TLS certificates of the listeners.
    let identities: ListenerIdentities
    /// Exports spans; `nil` without tracing.
    let traces: TraceExporter?
    /// Which of the traces that begin here are recorded.
    let samplingRate: SamplingRate
    let problemFormat: ProblemFormat
    let inspectionLimits: RequestInspection.Limits
    /// The instance's; see ``ProxyInstance``.
    let pseudonym: [UInt8]
    let via: [UInt8]
    let logger: Logger

    /// - Parameters:
    ///   - normalizers: one for each provider, in their order.
    ///   - pacing: one for each provider, in their order.
    ///   - former: the service that this one replaces.
    init(
        configuration: ProxyConfiguration, normalizers: [ErrorNormalizer], pacing: [Ledgers.Share],
        identities: ListenerIdentities, traces: TraceExporter?, instance: ProxyInstance,
        former: ProxyService? = nil
    ) {
        self.traces = traces
        samplingRate = configuration.tracing?.sample ?? .tenPercent
        precondition(normalizers.count == configuration.providers.count, "a normalizer for each provider")
        self.instance = instance
        self.configuration = configuration
        self.identities = identities
        routes = configuration.routeTable
        providers = configuration.providers.enumerated().map { index, provider in
            let same = former?.providers.first { $0.configuration == provider }
            let guards = same?.guards ?? ProviderGuards(provider, at: Worker.clock())
            func service(_ position: Int, others: [ProviderService] = []) -> ProviderService {
                ProviderService(
                    configuration: provider, normalizer: normalizers[index], pacing: pacing[index],
                    guards: guards, metrics: instance.metrics, position: position, others: others)
            }
            return service(0, others: provider.otherCredentials.indices.map { service($0 + 1) })
        }
        problemFormat = ProblemFormat(typeBase: configuration.typeBase)
        let limits = configuration.limits
        inspectionLimits = RequestInspection.Limits(
            target: limits.uri, fieldBytes: limits.requestHead, fieldCount: limits.headerCount,
            body: Int64(limits.requestBody))
        (pseudonym, via, logger) = (instance.pseudonym, instance.via, instance.logger)
    }

    var metrics: ProxyMetrics { instance.metrics }
    var problemSchema: [UInt8] { instance.problemSchema }
    var startedWallNanoseconds: Int64 { instance.startedWallNanoseconds }
    /// Whether new requests are rejected because the program is shutting down.
    var isDraining: Bool { instance.isDraining }

    func droppedLogLines() -> UInt64 { instance.droppedLogLines() }
}
