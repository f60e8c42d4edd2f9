internal import HTTPWire
internal import ProxyCore

/// One provider as all workers use it: what was configured, made ready to be used without thinking.
final class ProviderService: Sendable {
    /// Its place in the configuration, and in the metrics.
    let index: Int
    let configuration: ProviderConfiguration
    let normalizer: ErrorNormalizer
    let pacer: Pacer
    let credentials: CredentialReader
    /// The name, as it stands in problems.
    let name: Text
    /// What stands before the rest of a path on its way to the provider.
    let pathPrefix: [UInt8]
    /// Fields that a request gets unless it has them.
    let requestDefaults: [(name: [UInt8], value: [UInt8])]
    /// The value of `RateLimit-Policy`, or nothing without limits.
    let ratePolicy: [UInt8]
    /// The names of the limits, quoted, in the order of the pacer's windows.
    private let windowNames: [[UInt8]]
    /// The configured times, in nanoseconds.
    let timeouts: Timeouts
    /// How the limit's scope is called in problems.
    let scope: LimitScope

    init(index: Int, configuration: ProviderConfiguration, normalizer: ErrorNormalizer, pacer: Pacer) {
        self.index = index
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
        requestDefaults = profile.requestDefaults.map { (Array($0.name.utf8), Array($0.value.utf8)) }
        let windows = pacer.policy.windows
        ratePolicy = RateLimitFields.policy(windows)
        windowNames = windows.map { Array("\"\(RateLimitFields.name(of: $0, among: windows))\"".utf8) }
        timeouts = Timeouts(configuration.timeouts)
    }

    /// The name of one of the pacer's windows, quoted.
    func windowName(_ window: PacingPolicy.Window) -> [UInt8] {
        if windowNames.count == 1 { return windowNames[0] }
        return pacer.policy.windows.firstIndex(of: window).map { windowNames[$0] } ?? []
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
