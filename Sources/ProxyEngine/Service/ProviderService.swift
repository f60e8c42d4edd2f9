internal import HTTPWire
internal import ProxyCore

/// One provider as all workers use it: what was configured, made ready to be used without thinking.
final class ProviderService: Sendable {
    /// Its place in the metrics: that of all providers of its name, whatever configuration they are of.
    let index: Int
    private let metrics: ProxyMetrics
    let configuration: ProviderConfiguration
    let normalizer: ErrorNormalizer
    let pacer: Pacer
    let credentials: CredentialReader
    /// The name, as it stands in problems.
    let name: Text
    /// What stands before the rest of a path on its way to the provider.
    let pathPrefix: [UInt8]
    /// Makes references to the upstream lead to Weir; `nil` if they are to stay.
    let references: ReferenceRewriter?
    /// What stands before the rest of a path that leads here through the mount.
    let mountPrefix: [UInt8]
    /// Fields that a request gets unless it has them.
    let requestDefaults: [(name: [UInt8], value: [UInt8])]
    /// The value of `RateLimit-Policy`, or nothing without limits.
    let ratePolicy: [UInt8]
    private let windows: [PacingPolicy.Window]
    /// The names of the limits, quoted, in their order.
    private let windowNames: [[UInt8]]
    /// The configured times, in nanoseconds.
    let timeouts: Timeouts
    /// How the limit's scope is called in problems.
    let scope: LimitScope

    init(
        configuration: ProviderConfiguration, normalizer: ErrorNormalizer, pacer: Pacer, metrics: ProxyMetrics
    ) {
        self.metrics = metrics
        index = metrics.open(configuration.name)
        self.configuration = configuration
        self.normalizer = normalizer
        self.pacer = pacer
        let profile = normalizer.profile
        scope = configuration.limits.first?.by ?? .provider
        credentials = CredentialReader(
            places: profile.credentialPlaces, injected: configuration.credential?.value,
            injection: profile.credentialInjection, isShared: scope != .credential)
        name = Text(configuration.name)
        pathPrefix = Array(configuration.upstream.pathPrefix.utf8)
        references =
            configuration.rewritesLocations ? ReferenceRewriter(upstream: configuration.upstream) : nil
        let mount = configuration.mount?.path ?? "/"
        mountPrefix = mount == "/" ? [] : Array(mount.utf8)
        requestDefaults = profile.requestDefaults.map { (Array($0.name.utf8), Array($0.value.utf8)) }
        windows = pacer.policy.windows
        ratePolicy = RateLimitFields.policy(windows)
        let all = windows
        windowNames = all.map { Array("\"\(RateLimitFields.name(of: $0, among: all))\"".utf8) }
        timeouts = Timeouts(configuration.timeouts)
    }

    /// The last exchange of a configuration that is no more takes its provider along, and that its series.
    deinit { metrics.close(index) }

    /// The name of one of the pacer's windows, quoted.
    func windowName(_ window: PacingPolicy.Window) -> [UInt8] {
        if windowNames.count == 1 { return windowNames[0] }
        if let index = windows.firstIndex(of: window) { return windowNames[index] }
        // The limits have changed under this exchange: the name that they would give it.
        return Array("\"\(RateLimitFields.name(of: window, among: windows + [window]))\"".utf8)
    }

    /// How long an exchange may wait, in nanoseconds: a `Duration` has 128 bits, which cost on the data path.
    struct Timeouts: Sendable {
        var response: Int64
        var idle: Int64
        var total: Int64?

        init(_ configuration: TimeoutConfiguration) {
            response = configuration.response.wholeNanoseconds
            idle = configuration.idle.wholeNanoseconds
            total = configuration.total?.wholeNanoseconds
        }
    }
}
